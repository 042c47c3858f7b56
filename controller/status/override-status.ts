/** The status of a TrafficOverride, whole. Pure. */
import type { DrillAbort, Inventory, Override } from "../../src/model/inventory.ts";
import { MAX_ABORT_REASON } from "../../src/model/schema/status/traffic-override.ts";
import type { TrafficOverrideStatus } from "../../src/model/status.ts";
import type { ObjectReport } from "../reconcile/reconciled.ts";
import { type Judgement, judgeServing, type ProgrammedReport, toConditions } from "./conditions.ts";

export interface OverrideStatusInput {
  readonly report: ObjectReport;
  readonly programmed: ProgrammedReport;
  /** Undefined when it is not accepted. */
  readonly override: Override | undefined;
  /** Why it was given up, if it was. */
  readonly aborted?: DrillAbort | undefined;
  readonly inventory: Pick<Inventory, "routes" | "clusters">;
  readonly before: TrafficOverrideStatus | undefined;
  readonly epoch: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function overrideStatus(input: OverrideStatusInput): TrafficOverrideStatus {
  const { report, programmed, override, aborted, inventory, before, epoch, now } = input;
  const { generation } = report;
  const serving = judgeServing(report.accepted, programmed, before?.conditions, generation);
  const routes = override === undefined ? 0 : touchedRoutes(override, inventory);
  const conditions = [serving.accepted, judgeActive(override, aborted, inventory, now), serving.ready, ...serving.stalled];
  return {
    conditions: toConditions(conditions, before?.conditions, generation, now),
    observedGeneration: generation,
    writerEpoch: epoch,
    routes,
    ...(aborted === undefined
      ? {}
      : { aborted: { reason: aborted.reason.slice(0, MAX_ABORT_REASON), at: new Date(aborted.at).toISOString() } }),
  };
}

/** The next instant at which time alone changes the status, ms since the epoch; Infinity when there is none. */
export function overrideDue({ start = 0, until = Number.POSITIVE_INFINITY }: Pick<Override, "start" | "until">, now: number): number {
  if (now < start) return start;
  return now < until ? until : Number.POSITIVE_INFINITY;
}

function judgeActive(
  override: Override | undefined,
  aborted: DrillAbort | undefined,
  inventory: OverrideStatusInput["inventory"],
  now: number,
): Judgement {
  const type = "Active";
  if (override === undefined)
    return { type, status: "False", reason: "NotAccepted", message: "Not accepted, so it does nothing: see Accepted." };
  if (aborted !== undefined)
    return {
      type,
      status: "False",
      reason: "DrillAborted",
      message: `Given up, and everything is put back: ${aborted.reason}. It can be deleted.`,
    };
  const { start = 0, until = Number.POSITIVE_INFINITY, target } = override;
  if (now >= until) return { type, status: "False", reason: "Over", message: "Its time is over. It can be deleted." };
  if (!targetExists(override, inventory)) {
    const backend = target.kind === "GlobalRoute" && target.backend !== undefined ? `, or none with a backend ${target.backend}` : "";
    const message = `There is no ${target.kind} ${target.name}${backend}, so it does nothing. Correct targetRef, or delete the override.`;
    return { type, status: "False", reason: "TargetMissing", message };
  }
  if (now < start) return { type, status: "False", reason: "NotBegun", message: "Its time has not come: see spec.start." };
  return { type, status: "True", reason: "InForce", message: "In force. Deleting the object undoes it." };
}

function targetExists({ target }: Override, { routes, clusters }: OverrideStatusInput["inventory"]): boolean {
  if (target.kind === "MemberCluster") return clusters.some(({ name }) => name === target.name);
  const route = routes.find(({ namespace, name }) => namespace === target.namespace && name === target.name);
  return route !== undefined && (target.backend === undefined || route.backends.some(({ name }) => name === target.backend));
}

function touchedRoutes({ target }: Override, { routes }: Pick<Inventory, "routes">): number {
  if (target.kind === "MemberCluster")
    return routes.filter(({ backends }) => backends.some(({ cluster }) => cluster === target.name)).length;
  return routes.filter(({ namespace, name }) => namespace === target.namespace && name === target.name).length;
}
