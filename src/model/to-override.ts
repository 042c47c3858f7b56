/** From a `TrafficOverride` object to the override that the engine obeys. */
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
const needsEnd: ReadonlySet<OverrideAction> = new Set(["Drain", "Cordon", "Freeze", "ForceUp"]);

/** @returns the override whether or not its target exists (it may come later); findings tell */
export function toOverride(object: ObjectOf<"TrafficOverride">, targets: OverrideTargets, findings: Findings): Override {
  const { targetRef, action, start, until, reason } = object.spec;
  if (needsEnd.has(action) && until === undefined) {
    const remedy = "Add until, an RFC 3339 time such as 2026-11-21T18:00:00Z by which the work is done.";
    findings.error(["spec", "until"], "override-time", `is required with ${action}, so that it is not forgotten`, remedy);
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

function warnMissing(findings: Findings, field: "name" | "backend", what: string, word: string, known: Iterable<string>): void {
  const remedy = `${didYouMean(word, known)}It does nothing until that exists: correct it, or delete the override.`;
  findings.warn(["spec", "targetRef", field], "override-target", `there is no ${what}`, remedy);
}
