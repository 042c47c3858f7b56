/** The status of a ProxyFleet, whole. Pure. */
import type { FleetStatus, ProxyStatus } from "../../src/engine/view.ts";
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
  const behind = serving.programmed.status === "True" && fleet !== undefined ? judgeFollowed(fleet) : undefined;
  const [programmedNow, ready] = behind === undefined ? [serving.programmed, serving.ready] : [behind, { ...behind, type: "Ready" }];
  return {
    conditions: toConditions([serving.accepted, programmedNow, ready, ...serving.stalled], before?.conditions, generation, now),
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

/** Whoever is merely being told follows: that comes and goes with every change of health. */
const isFollowing = ({ state }: ProxyStatus): boolean => state === "Current" || state === "Pending";

function found({ type, proxies: { connected, rejected }, members }: FleetStatus): Found {
  const rejections = members.flatMap(({ name, problem, state }) =>
    state === "Rejected" ? [`${name}: ${problem}`.slice(0, MOST.rejection)] : [],
  );
  const following = type === "Envoy" ? connected - rejected : members.filter(isFollowing).length;
  return {
    summary: { proxies: `${following}/${connected}` },
    nodes: { connected, following },
    ...(type === "HAProxy" ? { members: members.slice(0, MOST.members).map(memberStatus) } : {}),
    ...(rejections.length === 0 ? {} : { rejections: rejections.slice(0, MOST.rejections) }),
  };
}

function memberStatus({ name, state, problem }: ProxyStatus): NonNullable<Found["members"]>[number] {
  const why = problem === undefined ? {} : { problem: problem.slice(0, MOST.problem) };
  switch (state) {
    case "Current":
    case "Pending":
      return { name, state: "Following" };
    case "Rejected":
      return { name, state: "Failed", ...why };
    default:
      return { name, state, ...why };
  }
}

/** An outage of a proxy is none of the object's: who is away is not waited for. */
function judgeFollowed({ members, problems }: FleetStatus): Judgement | undefined {
  const type = "Programmed";
  const [first, ...more] = members.filter((member) => !isFollowing(member) && member.state !== "Unreachable");
  if (first !== undefined) {
    const others = more.length === 0 ? "" : `; and ${count(more.length, "more proxy", "more proxies")}`;
    const message = `${first.name}: ${first.problem ?? first.state}${others}. What it had goes on.`;
    return { type, status: "False", reason: first.state, message: message.slice(0, MOST.message) };
  }
  if (problems.length === 0) return undefined;
  return { type, status: "False", reason: "NotTold", message: problems.join(" ").slice(0, MOST.message) };
}
