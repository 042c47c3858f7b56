/** Step `drift` of `check zone`: whether a zone that is kept elsewhere has what the objects of a folder ask for. */
import type { ZoneFailure, ZonePlan } from "../../dns-providers/zone-plan.ts";
import type { StepResult } from "../dns/check/step.ts";
import { count } from "../model/count.ts";
import type { Io } from "./io.ts";
import { type OfflinePlanning, planOffline } from "./plan-offline.ts";

/** Changes and conflicts that are named. */
const MOST = 5;

/** @param zone name of the DNSZone @throws CommandError (exit 2) for a folder with errors */
export async function zoneDrift(zone: string, planning: OfflinePlanning, io: Pick<Io, "now" | "cwd">): Promise<StepResult> {
  const { zones, failures } = await planOffline([zone], planning, io);
  return judgeDrift(zones[0], failures[0]);
}

/** A folder tells nothing of health, so what differs may be how a failover is: that is no fault. */
export function judgeDrift(plan: ZonePlan | undefined, failure: ZoneFailure | undefined): StepResult {
  if (plan === undefined) {
    const fact = failure?.message ?? "the zone could not be planned";
    return { status: "failed", facts: [fact], remedy: "Mend what is said; `globalroute plan` tries the same." };
  }
  const { conflicts, changes, kept, provider } = plan;
  const named = <T extends { readonly name: string; readonly type: string }>(
    list: readonly T[],
    tell: (one: T) => string,
  ): readonly string[] => [...list.slice(0, MOST).map(tell), ...(list.length > MOST ? [`and ${list.length - MOST} more`] : [])];
  const differs = named(changes, ({ name, type, action }) => `${name} ${type} is not as the objects ask for: ${VERBS[action]}`);
  if (conflicts.length > 0) {
    const told = named(
      conflicts,
      ({ name, type, reason, owner }) => `${name} ${type} is not ours: ${reason}${owner === undefined ? "" : ` ${owner}`}`,
    );
    return { status: "failed", facts: [...told, ...differs], remedy: "Remove these records there, or take the hosts out of the routes." };
  }
  if (changes.length > 0)
    return {
      status: "warning",
      facts: differs,
      remedy: "Look with `globalroute plan` whether the running server would change it: here every backend is taken for healthy.",
    };
  const left = kept.length === 0 ? "" : `; ${count(kept.length, "record set")} of ours that nobody asks for stay by policy UpsertOnly`;
  return { status: "ok", facts: [`${provider} has what the objects ask for${left}`] };
}

const VERBS = { Create: "it is missing", Replace: "it is another", Delete: "nobody asks for it" } as const;
