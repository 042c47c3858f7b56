/** Which overrides are obeyed: those of people that may be given where they are, and drains of ours for what is being deleted. */
import { findingsOn } from "../../src/model/findings.ts";
import { type Override, type Route, routeKey } from "../../src/model/inventory.ts";
import { readStatus } from "../../src/model/read-status.ts";
import { toOverride } from "../../src/model/to-override.ts";
import type { Environment, Outcome } from "./environment.ts";
import type { HubObject } from "./hub-object.ts";
import type { Reconciled } from "./reconciled.ts";
import { titleOf } from "./route-backends.ts";
import type { SettledRoute } from "./settle-hosts.ts";

/**
 * @param routes as they are served
 * @param drains ours ({@link drainsOf})
 */
export function obeyOverrides(
  overrides: readonly HubObject<"TrafficOverride">[],
  routes: readonly Route[],
  drains: readonly Override[],
  { clusters, api }: Environment,
  previous: Reconciled | undefined,
): { readonly values: readonly Override[]; readonly outcomes: ReadonlyMap<string, Outcome> } {
  const targets = {
    clusters: clusters.byName,
    routes: new Map(overrides.length === 0 ? [] : routes.map((route) => [routeKey(route), route])),
  };
  const before = new Map((previous?.inventory.overrides ?? []).map((override) => [`${override.namespace}/${override.name}`, override]));
  const outcomes = new Map<string, Outcome>();
  const values = overrides.flatMap((hub) => {
    const { object, problems } = hub.reading;
    const findings = object && findingsOn(object);
    const override = object && findings && toOverride(object, targets, findings, api);
    const all = [...problems, ...(findings?.problems ?? [])];
    const isAccepted = override !== undefined && findings?.failed() === false;
    outcomes.set(hub.key, { problems: all, isAccepted });
    if (isAccepted) return [{ ...override, ...abortOf(hub) }];
    const last = before.get(hub.key);
    return last === undefined ? [] : [last];
  });
  return { values: [...values, ...drains], outcomes };
}

/** What an earlier process, or another replica, has found: of this very spec. */
function abortOf({ raw }: HubObject<"TrafficOverride">): Pick<Override, "aborted"> {
  const status = readStatus("TrafficOverride", raw.status);
  if (status?.aborted === undefined || status.observedGeneration !== raw.metadata.generation) return {};
  return { aborted: { reason: status.aborted.reason, at: Date.parse(status.aborted.at) } };
}

/** A source that is being deleted, and that something still holds back, gets no clients any more (safety rule 7). */
export function drainsOf({ unit, work, route }: SettledRoute): readonly Override[] {
  const drains: Override[] = [];
  for (const [backend, source] of route === undefined ? [] : work.assembled.sources) {
    if (!source.deleting || route?.backends.every((other) => other.name !== backend) !== false) continue;
    const { namespace, name } = route;
    drains.push({
      namespace,
      name: `deleting-${name}-${backend}`,
      target: { kind: "GlobalRoute", namespace, name, backend },
      action: "Drain",
      reason: `${titleOf(source)} in cluster ${source.cluster} is being deleted (${unit.key})`,
    });
  }
  return drains;
}
