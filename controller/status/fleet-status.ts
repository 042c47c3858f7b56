/** The status of a ProxyFleet, whole. Pure. */
import type { FleetStatus } from "../../src/engine/view.ts";
import { count } from "../../src/model/count.ts";
import type { ProxyFleetStatus } from "../../src/model/status.ts";
import type { ObjectReport } from "../reconcile/reconciled.ts";
import { type Judgement, judgeServing, type ProgrammedReport, toConditions } from "./conditions.ts";

export interface FleetStatusInput {
  readonly report: ObjectReport;
  readonly programmed: ProgrammedReport;
  /** As the writer finds it; undefined while its table does not have it. */
  readonly fleet: FleetStatus | undefined;
  readonly before: ProxyFleetStatus | undefined;
  readonly epoch: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What the schema allows. */
const MOST = { members: 64, rejections: 8, problem: 512, rejection: 700, message: 4096 } as const;

export function fleetStatus({ report, programmed, fleet, before, epoch, now }: FleetStatusInput): ProxyFleetStatus {
  const { generation } = report;
  const serving = judgeServing(report.accepted, programmed, before?.conditions, generation);
  const isServed = serving.programmed.status === "True" && fleet !== undefined;
  const taken = isServed ? judgeTaken(fleet) : serving.programmed;
  const ready = isServed ? judgeReady(fleet, taken) : serving.ready;
  return {
    conditions: toConditions([serving.accepted, taken, ready, ...serving.stalled], before?.conditions, generation, now),
    observedGeneration: generation,
    writerEpoch: epoch,
    ...(fleet === undefined ? kept(before) : found(fleet)),
  };
}

type Found = Pick<ProxyFleetStatus, "summary" | "nodes" | "members" | "rejections">;

const kept = ({ summary, nodes, members, rejections }: Found = {}): Found => ({
  ...(summary === undefined ? {} : { summary }),
  ...(nodes === undefined ? {} : { nodes }),
  ...(members === undefined ? {} : { members }),
  ...(rejections === undefined ? {} : { rejections }),
});

function found({ type, proxies, members }: FleetStatus): Found {
  const rejections = members.flatMap(({ name, problem, state }) =>
    state === "Rejected" ? [`${name}: ${problem}`.slice(0, MOST.rejection)] : [],
  );
  return {
    summary: { proxies: `${proxies.current}/${proxies.connected}` },
    nodes: proxies,
    ...(type === "HAProxy"
      ? {
          members: members
            .slice(0, MOST.members)
            .flatMap(({ name, state, problem }) =>
              state === "Rejected" ? [] : [{ name, state, ...(problem === undefined ? {} : { problem: problem.slice(0, MOST.problem) }) }],
            ),
        }
      : {}),
    ...(rejections.length === 0 ? {} : { rejections: rejections.slice(0, MOST.rejections) }),
  };
}

/** While a proxy is merely being told, what was told before stands: that would come and go with every change of health. */
function judgeTaken({ members, proxies, problems }: FleetStatus): Judgement {
  const type = "Programmed";
  const [first, ...more] = members.filter(({ state }) => state === "Rejected" || state === "Failed" || state === "ReloadNeeded");
  if (first !== undefined) {
    const message = `${first.name}: ${first.problem ?? first.state}${more.length === 0 ? "" : `; and ${count(more.length, "more proxy", "more proxies")}`}. What it had goes on.`;
    return { type, status: "False", reason: first.state, message: message.slice(0, MOST.message) };
  }
  if (problems.length > 0) return { type, status: "False", reason: "NotTold", message: problems.join(" ").slice(0, MOST.message) };
  if (proxies.connected === 0)
    return { type, status: "Unknown", reason: "NoProxy", message: "No proxy is connected to the replica that writes this." };
  return { type, status: "True", reason: "Programmed", message: "Every proxy that is connected follows." };
}

function judgeReady({ proxies }: FleetStatus, taken: Judgement): Judgement {
  const { status, reason, message } = taken;
  if (status !== "True") return { type: "Ready", status: proxies.connected === 0 ? "False" : status, reason, message };
  return { type: "Ready", status: "True", reason: "Ready", message: "Accepted, and followed by every proxy that is connected." };
}
