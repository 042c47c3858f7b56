/**
 * The status of a GlobalRoute, whole. Pure. Replicas see one event at slightly different times: what stands in the status already is kept where it
 * tells the same, so that a new writer rewrites nothing.
 */

import type { FailbackState } from "../../health/failback.ts";
import type { BackendStatus as BackendHealth, RouteHealth } from "../../src/engine/view.ts";
import type { BackendStatus, Condition, GlobalRouteStatus, RolloutStatus } from "../../src/model/status.ts";
import type { ObjectReport } from "../reconcile/reconciled.ts";
import { conditionOf, instant, type Judgement, judgeServing, type ProgrammedReport, toConditions } from "./conditions.ts";

export interface RouteStatusInput {
  readonly report: ObjectReport;
  /** Undefined while no table has the route. */
  readonly health: RouteHealth | undefined;
  readonly programmed: ProgrammedReport;
  readonly rollout?: RolloutStatus;
  /** What a proxy of a ProxyFleet has not taken of it, in its words. */
  readonly refusal?: string;
  readonly before: GlobalRouteStatus | undefined;
  /** Of the writer's term. */
  readonly epoch: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Instants of one event by different replicas lie at most so far apart, ms. */
const SAME_EVENT = 120_000;
/** Why a backend has no addresses yet, in the words of reconciling. */
const NOT_READ = "ClusterNotRead";
/** What the schema allows. */
const MAX_NOTE = { summary: 300, serving: 1024, reason: 128, failoverReason: 256 } as const;

export function routeStatus({ report, health, programmed, rollout, refusal, before, epoch, now }: RouteStatusInput): GlobalRouteStatus {
  const { generation } = report;
  const isAccepted = report.accepted.status === "True";
  const backends = listedBackends(report, health, before).map((backend) =>
    backendStatus(
      backend,
      health,
      before?.backends?.find(({ name }) => name === backend.name),
      now,
    ),
  );
  const serving = judgeServing(report.accepted, programmed, before?.conditions, generation, report.notExpressible, refusal);
  const healthy = judgeHealth(backends, health, conditionOf(before?.conditions, "Healthy"));
  const conditions = [serving.accepted, serving.programmed, healthy, serving.ready, ...serving.stalled];
  const pending = backends.filter(({ failback }) => failback?.phase === "Waiting" || failback?.phase === "AwaitingApproval");
  const lastFailover = newestFailover(health?.lastFailover, before?.lastFailover);
  const kept = isAccepted ? undefined : before; // what is served goes on
  const policySource = report.policySource ?? kept?.policySource;
  const going = rollout ?? kept?.rollout;
  return {
    conditions: toConditions(conditions, before?.conditions, generation, now),
    observedGeneration: generation,
    writerEpoch: epoch,
    summary: summaryOf(backends, health, before),
    ...(backends.length === 0 ? {} : { backends }),
    ...(policySource === undefined ? {} : { policySource }),
    ...(lastFailover === undefined ? {} : { lastFailover }),
    ...(pending.length === 0 ? {} : { failbackPending: pending.map(({ name }) => name) }),
    ...(going === undefined ? {} : { rollout: going }),
  };
}

/**
 * What was served of a spec that is not accepted any more goes on, and so does what is remembered of it. What clients are sent to is told even
 * when its source is gone: a collapse of the inputs is held, and replicas that begin meanwhile go by this (docs/safety.md, rule 11).
 */
function listedBackends(
  { accepted, backends }: ObjectReport,
  health: RouteHealth | undefined,
  before: GlobalRouteStatus | undefined,
): ObjectReport["backends"] {
  const known = (before?.backends ?? []).map(({ name, cluster, source = "" }) => ({ name, cluster, source, reason: "" }));
  if (accepted.status !== "True" && backends.length === 0) return known;
  const served = (health?.backends ?? []).filter(({ name }) => !backends.some((backend) => backend.name === name));
  if (served.length === 0) return backends;
  const kept = served.map(
    ({ name, cluster }) => known.find((backend) => backend.name === name) ?? { name, cluster, source: "", reason: "" },
  );
  return [...backends, ...kept];
}

function backendStatus(
  { name, cluster, source, reason: sourceReason }: ObjectReport["backends"][number],
  health: RouteHealth | undefined,
  before: BackendStatus | undefined,
  now: number,
): BackendStatus {
  const live = health?.backends.find((backend) => backend.name === name);
  // Nobody has asked its cluster since this process began: what the one before knew is the best that is known.
  if (live === undefined && before !== undefined && sourceReason === NOT_READ) return { ...before, reason: sourceReason };
  const verdict = live?.health ?? "Unknown";
  const stays = before?.health === verdict;
  const since = stays ? before.since : (live?.since ?? undefined);
  const reason = reasonOf(sourceReason, live, stays ? before?.reason : undefined);
  const failback = failbackOf(name, health, before?.failback);
  return {
    name,
    cluster,
    ...(source === "" ? {} : { source }),
    addresses: live?.addresses ?? [],
    health: verdict,
    since: since === undefined ? instant(now) : wholeSeconds(since),
    ...(reason === undefined ? {} : { reason: reason.slice(0, MAX_NOTE.reason) }),
    ...(failback === undefined ? {} : { failback }),
  };
}

/**
 * What is wrong with the source tells more than a probe, and an operator's act more than either's absence. Two ways of failing that take turns
 * (a timeout, a refusal) are one outage: the first stays.
 *
 * @param known the reason that stands, if the verdict is the same
 */
function reasonOf(sourceReason: string, live: BackendHealth | undefined, known: string | undefined): string | undefined {
  if (sourceReason !== "") return sourceReason;
  if (live === undefined) return "not-probed";
  if (live.standing === "Draining") return "Draining";
  if (live.standing === "Excluded") return "Cordoned";
  if (live.health === "Healthy") return undefined;
  return known !== undefined && isProbeReason(known) ? known : live.reason;
}

/** Those of probes are small words, those of sources and operators are CamelCase. */
const isProbeReason = (reason: string): boolean => /^[a-z]/.test(reason);

type FailbackStatus = NonNullable<BackendStatus["failback"]>;

/** Of both families, the one that is further from serving. */
function failbackOf(name: string, health: RouteHealth | undefined, before: FailbackStatus | undefined): FailbackStatus | undefined {
  if (health === undefined) return before;
  const units = [health.memory.units[`${name}/4`], health.memory.units[`${name}/6`]];
  const states = units.flatMap((unit) => formatFailback(unit?.failback) ?? []);
  const state = PHASES.flatMap((phase) => states.filter((one) => one.phase === phase))[0];
  if (state === undefined) return undefined;
  return before !== undefined && isSameWait(before, state) ? before : state;
}

const PHASES: readonly FailbackStatus["phase"][] = ["Out", "AwaitingApproval", "Waiting", "Returned"];

function formatFailback(state: FailbackState | undefined): FailbackStatus | undefined {
  switch (state?.phase) {
    case undefined:
    case "New":
      return undefined;
    case "Serving":
      return state.returnedAt === null ? undefined : { phase: "Returned", level: state.level, since: instant(state.returnedAt) };
    case "Out":
      return { phase: "Out", level: state.level, since: instant(state.since) };
    case "Waiting": {
      const known = { level: state.level, since: instant(state.since), healthySince: instant(state.healthySince) };
      return state.until === "approval"
        ? { phase: "AwaitingApproval", ...known }
        : { phase: "Waiting", ...known, until: instant(state.until) };
    }
  }
}

const isSameWait = (a: FailbackStatus, b: FailbackStatus): boolean =>
  a.phase === b.phase &&
  a.level === b.level &&
  isNear(a.since, b.since) &&
  isNear(a.healthySince, b.healthySince) &&
  isNear(a.until, b.until);

const isNear = (a: string | undefined, b: string | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && Math.abs(Date.parse(a) - Date.parse(b)) < SAME_EVENT);

/** Seen by this process, or noted by one before it. */
function newestFailover(
  seen: RouteHealth["lastFailover"] | undefined,
  noted: GlobalRouteStatus["lastFailover"],
): GlobalRouteStatus["lastFailover"] {
  if (seen === null || seen === undefined) return noted;
  const isSame = noted !== undefined && noted.from === seen.from && noted.to === seen.to && isNear(noted.at, seen.at);
  if (isSame || (noted !== undefined && Date.parse(noted.at) > Date.parse(seen.at))) return noted;
  return { from: seen.from, to: seen.to, at: wholeSeconds(seen.at), reason: seen.reason.slice(0, MAX_NOTE.failoverReason) };
}

const wholeSeconds = (time: string): string => instant(Date.parse(time));

/** An outage of one backend is no outage of the route: `Healthy` is about what clients get. */
function judgeHealth(backends: readonly BackendStatus[], health: RouteHealth | undefined, before: Condition | undefined): Judgement {
  const type = "Healthy";
  if (backends.length === 0)
    return { type, status: "Unknown", reason: "NoBackend", message: "The route has no backend with an address yet: see Accepted." };
  if (health === undefined) {
    const message = "No replica of the controller serves the route yet.";
    return { type, status: before?.status === "False" ? "False" : "Unknown", reason: "NotServed", message };
  }
  const down = backends.filter((backend) => backend.health === "Unhealthy");
  const names = `${down
    .slice(0, 8)
    .map(({ name, reason = "" }) => `${name} (${reason})`)
    .join(", ")}${down.length > 8 ? ` and ${down.length - 8} more` : ""}`;
  if (health.failOpen) {
    const fact = "Some clients have no healthy backend that their rules allow, so they are answered as if all were healthy";
    return { type, status: "False", reason: "FailOpen", message: `${fact}${down.length === 0 ? "" : `: ${names}`}. Repair one of them.` };
  }
  if (down.length > 0)
    return { type, status: "True", reason: "PartlyHealthy", message: `Clients of ${names} are sent to the other backends.` };
  const unknown = backends.filter((backend) => backend.health === "Unknown");
  if (unknown.length === backends.length)
    return { type, status: "Unknown", reason: "NotProbed", message: "No backend has a verdict yet. Probes send it within seconds." };
  if (unknown.length > 0) {
    const list = unknown.slice(0, 8).map(({ name, reason = "" }) => `${name} (${reason})`);
    return { type, status: "True", reason: "PartlyHealthy", message: `Healthy, but for backends of unknown health: ${list.join(", ")}.` };
  }
  return { type, status: "True", reason: "Healthy", message: "Every backend is healthy." };
}

function summaryOf(
  backends: readonly BackendStatus[],
  health: RouteHealth | undefined,
  before: GlobalRouteStatus | undefined,
): NonNullable<GlobalRouteStatus["summary"]> {
  if (health === undefined) return before?.summary ?? {};
  const [first = "", ...more] = health.hosts;
  const usable = health.backends.filter(({ standing }) => standing === "Usable");
  const weighted = usable.filter(({ weight }) => weight > 0);
  const serving = [...new Set((weighted.length > 0 ? weighted : usable).map(({ cluster }) => cluster))];
  const healthy = backends.filter((backend) => backend.health === "Healthy").length;
  return {
    hosts: `${first}${more.length === 0 ? "" : ` +${more.length}`}`.slice(0, MAX_NOTE.summary),
    serving: serving.join(",").slice(0, MAX_NOTE.serving),
    health: `${healthy}/${backends.length}`,
  };
}
