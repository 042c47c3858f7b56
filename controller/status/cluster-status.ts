/** The status of a MemberCluster, whole. Pure. */
import type { ClusterHealth } from "../../src/engine/view.ts";
import type { Condition, MemberClusterStatus } from "../../src/model/status.ts";
import type { ClusterConnection } from "../clusters/cluster-objects.ts";
import type { ObjectReport } from "../reconcile/reconciled.ts";
import { conditionOf, instant, type Judgement, stalled, toConditions } from "./conditions.ts";

export interface ClusterStatusInput {
  readonly report: ObjectReport;
  /** Undefined when the spec has no access. */
  readonly connection: ClusterConnection | undefined;
  /** Of its kube-system namespace, once it was read. */
  readonly uid?: string;
  /** Undefined while no table has the cluster. */
  readonly health: ClusterHealth | undefined;
  /** For people: `aws eu-west-1`; empty while it is not known. */
  readonly location: string;
  readonly before: MemberClusterStatus | undefined;
  readonly epoch: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function clusterStatus(input: ClusterStatusInput): MemberClusterStatus {
  const { report, connection, uid = input.before?.uid, health, location, before, epoch, now } = input;
  const { accepted, generation } = report;
  const connected = judgeConnection(connection, conditionOf(before?.conditions, "Connected"));
  const judged: Judgement[] = [
    { type: "Accepted", ...accepted },
    connected,
    judgeHealth(health),
    judgeReady(report, connection, connected, conditionOf(before?.conditions, "Ready")),
    ...stalled(accepted),
  ];
  const version = connection?.version ?? before?.version;
  const verdict = health?.health;
  const since = verdict === before?.health ? before?.since : health?.since;
  return {
    conditions: toConditions(judged, before?.conditions, generation, now),
    observedGeneration: generation,
    writerEpoch: epoch,
    summary: {
      ...(location === "" ? {} : { location: location.slice(0, 128) }),
      ...(health === undefined ? {} : { endpoints: `${health.endpoints.healthy}/${health.endpoints.total}` }),
    },
    ...(uid === undefined || connection === undefined ? {} : { uid }),
    ...(version === undefined || connection === undefined ? {} : { version }),
    ...(health === undefined ? {} : { state: health.state, health: health.health, endpoints: health.endpoints }),
    ...(since === undefined || since === null ? {} : { since: instant(Date.parse(since)) }),
  };
}

function judgeConnection(connection: ClusterConnection | undefined, before: Condition | undefined): Judgement {
  const type = "Connected";
  if (connection === undefined)
    return { type, status: "True", reason: "NotNeeded", message: "The spec has no access: the cluster's addresses are listed in routes." };
  const { state, reason, message, forbidden } = connection;
  switch (state) {
    case "Connected":
      if (forbidden.length === 0) return { type, status: "True", reason: "Connected", message: "Its API server is read." };
      return {
        type,
        status: "False",
        reason: "PermissionMissing",
        message: `Not allowed to ${forbidden
          .map(({ permission }) => permission)
          .sort()
          .join(
            ", ",
          )}, so what was read of them before stays; other kinds are read. Grant it (\`globalroute join\` prints the rules), or leave the kind out of spec.access.sources.`,
      };
    case "Connecting":
      return { type, status: "Unknown", reason, message };
    case "Unreachable":
      // Which way it fails changes from try to try, and is in the log.
      return { type, status: "False", reason, message: before?.reason === reason ? before.message : message };
    case "Refused":
      return { type, status: "False", reason, message };
  }
}

function judgeHealth(health: ClusterHealth | undefined): Judgement {
  const type = "Healthy";
  if (health === undefined || health.endpoints.total === 0)
    return { type, status: "Unknown", reason: "NoEndpoint", message: "No route has an endpoint here." };
  switch (health.health) {
    case "Healthy":
      return { type, status: "True", reason: "Healthy", message: "At least one endpoint is healthy." };
    case "Unhealthy":
      return { type, status: "False", reason: "Unhealthy", message: `Every endpoint fails its probes: ${health.reason}.` };
    case "Unknown":
      return { type, status: "Unknown", reason: "NotProbed", message: "No endpoint has a verdict yet. Probes send it within seconds." };
  }
}

/** Once read, an API server that cannot be reached changes nothing here: a rollout must not wait for the repair of what it may repair. */
function judgeReady(
  { accepted, generation }: ObjectReport,
  connection: ClusterConnection | undefined,
  connected: Judgement,
  before: Condition | undefined,
): Judgement {
  const type = "Ready";
  if (accepted.status !== "True") return { type, status: "False", reason: accepted.reason, message: accepted.message };
  const wasReady = before?.status === "True" && before.observedGeneration === generation;
  const isRead = connection === undefined || connection.state === "Connected" || (wasReady && connection.state !== "Refused");
  if (isRead) return { type, status: "True", reason: "Ready", message: "Accepted, and its objects are known." };
  return { type, status: connected.status, reason: connected.reason, message: connected.message };
}
