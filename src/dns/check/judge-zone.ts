/** The verdict on a zone: from what was seen to the steps that are told. Pure but for the signatures that are recomputed. */
import { judgeClientSubnet } from "./judge-client-subnet.ts";
import { judgeGlue, judgeNameservers, judgeParent } from "./judge-delegation.ts";
import { judgeDnssec } from "./judge-dnssec.ts";
import { judgeHosts, judgeTtls } from "./judge-hosts.ts";
import { judgeAnswers, judgePrimary, judgeSerials } from "./judge-servers.ts";
import type { Observations } from "./observations.ts";
import { type Finding, type Step, type StepName, toStep } from "./step.ts";

/** @returns the steps in the order of {@link STEPS}; the zone works when none of them failed */
export function judgeZone(seen: Observations): readonly Step[] {
  const judges: readonly (readonly [StepName, (seen: Observations) => readonly Finding[]])[] = [
    ["parent", judgeParent],
    ["nameservers", judgeNameservers],
    ["glue", judgeGlue],
    ["answers", judgeAnswers],
    ["serials", judgeSerials],
    ["dnssec", judgeDnssec],
    ["client-subnet", judgeClientSubnet],
    ["ttls", judgeTtls],
    ["hosts", judgeHosts],
    ...(seen.primary === undefined ? [] : [["primary", judgePrimary] as const]),
  ];
  return judges.map(([name, judge]) => toStep(name, judge(seen)));
}
