/** From a `TrafficOverride` object to the override that the engine obeys. */
import type { ApiContext } from "./api-context.ts";
import type { Findings } from "./findings.ts";
import type { Override, OverrideAction, Route } from "./inventory.ts";
import type { ObjectOf } from "./manifest-object.ts";
import { didYouMean } from "./nearest-word.ts";

/** What an override may aim at. */
export interface OverrideTargets {
  readonly clusters: ReadonlyMap<string, unknown>;
  /** By {@link routeKey}. */
  readonly routes: ReadonlyMap<string, Route>;
}

/** Acts that take something out of health's hands: forgotten, they would do harm. */
const needsEnd: ReadonlySet<OverrideAction> = new Set(["Drain", "Cordon", "Freeze", "ForceUp", "Drill"]);

/**
 * @param api absent when the objects are files'
 * @returns the override whether or not its target exists (it may come later); findings tell
 */
export function toOverride(object: ObjectOf<"TrafficOverride">, targets: OverrideTargets, findings: Findings, api?: ApiContext): Override {
  const { targetRef, action, start, until, reason } = object.spec;
  if (actsOnRollout(action)) checkRolloutAct(object, findings, api);
  if (api !== undefined && targetRef.kind === "MemberCluster" && object.namespace !== api.controllerNamespace) {
    const message = `aims at a MemberCluster from namespace ${object.namespace}, and every route of every namespace would feel it`;
    const remedy = `Make it in namespace ${api.controllerNamespace}, or aim at the GlobalRoutes of its own namespace.`;
    findings.error(["spec", "targetRef", "kind"], "override-namespace", message, remedy);
  }
  if (needsEnd.has(action) && until === undefined) {
    const remedy = "Add until, an RFC 3339 time such as 2026-11-21T18:00:00Z by which the work is done.";
    findings.error(["spec", "until"], "override-time", `is required with ${action}, so that it is not forgotten`, remedy);
  }
  if (action === "Drill" && start === undefined) {
    const remedy = "Add start, an RFC 3339 time to come, such as 2026-11-21T18:00:00Z.";
    findings.error(["spec", "start"], "override-time", "is required with Drill, so that all replicas begin together", remedy);
  }
  if (start !== undefined && until !== undefined && until <= start) {
    findings.error(["spec", "until"], "override-time", "does not lie after start", "Move one of them.");
  }
  const { namespace, name } = object;
  const times = { ...(start === undefined ? {} : { start }), ...(until === undefined ? {} : { until }) };
  if (targetRef.kind === "MemberCluster") {
    if (targetRef.backend !== undefined) {
      findings.error(["spec", "targetRef", "backend"], "field-unused", "goes with kind GlobalRoute only", "Remove it.");
    }
    if (!targets.clusters.has(targetRef.name))
      warnMissing(findings, "name", `MemberCluster ${targetRef.name}`, targetRef.name, targets.clusters.keys());
    return { namespace, name, target: { kind: "MemberCluster", name: targetRef.name }, action, reason, ...times };
  }
  const { backend } = targetRef;
  const route = targets.routes.get(`${namespace}/${targetRef.name}`);
  if (route === undefined) {
    const names = [...targets.routes.values()].filter((other) => other.namespace === namespace).map((other) => other.name);
    warnMissing(findings, "name", `GlobalRoute ${namespace}/${targetRef.name}`, targetRef.name, names);
  } else if (backend !== undefined && !route.backends.some((other) => other.name === backend)) {
    const names = route.backends.map((other) => other.name);
    warnMissing(findings, "backend", `backend ${backend} of GlobalRoute ${namespace}/${targetRef.name}`, backend, names);
  }
  const target = { kind: "GlobalRoute", namespace, name: targetRef.name, ...(backend === undefined ? {} : { backend }) } as const;
  return { namespace, name, target, action, reason, ...times };
}

const actsOnRollout = (action: OverrideAction): boolean => action === "PromoteStep" || action === "AbortRollout";

function checkRolloutAct({ spec }: ObjectOf<"TrafficOverride">, findings: Findings, api: ApiContext | undefined): void {
  const { targetRef, action } = spec;
  if (api === undefined) {
    const remedy = "Delete it: only a Kubernetes controller keeps the progress of a rollout.";
    findings.error(["spec", "action"], "kubernetes-only", `${action} works only with a Kubernetes controller`, remedy);
  } else if (targetRef.kind !== "GlobalRoute" || targetRef.backend !== undefined) {
    const message = `${action} acts on the rollout of a route, so it goes with kind GlobalRoute and without backend`;
    findings.error(["spec", "targetRef"], "field-unused", message, "Name the GlobalRoute alone.");
  }
}

function warnMissing(findings: Findings, field: "name" | "backend", what: string, word: string, known: Iterable<string>): void {
  const remedy = `${didYouMean(word, known)}It does nothing until that exists: correct it, or delete the override.`;
  findings.warn(["spec", "targetRef", field], "override-target", `there is no ${what}`, remedy);
}
