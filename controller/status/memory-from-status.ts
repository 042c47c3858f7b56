/**
 * What routes remember, read back from their statuses: a replica that starts without a state of its own neither forgets pending failbacks nor
 * their damping. Pure.
 */
import type { FailbackState } from "../../health/failback.ts";
import { MAX_LEVEL } from "../../health/failback.ts";
import type { RouteKey } from "../../src/model/inventory.ts";
import { readStatus } from "../../src/model/read-status.ts";
import type { BackendStatus } from "../../src/model/status.ts";
import { NEW_ROUTE, type RouteMemory, type UnitMemory } from "../../src/routing/evaluate-route.ts";
import { Standing } from "../../src/routing/table.ts";
import { type KubeObject, objectKey } from "../kube/kube-object.ts";

/** @param routes GlobalRoutes as the API server has them; those without a status, or whose backends were never judged, are left out */
export function memoryFromStatus(routes: Iterable<KubeObject>): ReadonlyMap<RouteKey, RouteMemory> {
  const memories = new Map<RouteKey, RouteMemory>();
  for (const route of routes) {
    const units = (readStatus("GlobalRoute", route.status)?.backends ?? []).flatMap(unitsOf);
    if (units.length > 0) memories.set(objectKey(route), { ...NEW_ROUTE, units: Object.fromEntries(units) });
  }
  return memories;
}

/** The status does not tell families apart: each that the backend has goes on from the same state. */
function unitsOf(backend: BackendStatus): readonly (readonly [string, UnitMemory])[] {
  const failback = stateOf(backend);
  if (failback === undefined) return [];
  const lastUsable = "since" in failback ? failback.since : 0;
  const unit: UnitMemory = { failback, standing: STANDINGS[failback.phase], lastUsable, held: false };
  const families = new Set(backend.addresses.map((address) => (address.includes(":") ? "6" : "4")));
  return [...families].map((family) => [`${backend.name}/${family}`, unit]);
}

const STANDINGS = {
  New: Standing.Unknown,
  Serving: Standing.Usable,
  Out: Standing.Unhealthy,
  Waiting: Standing.Pending,
} as const satisfies Record<FailbackState["phase"], Standing>;

/** Undefined for a backend that never served: it has nothing to come back from. */
function stateOf({ health, failback }: BackendStatus): FailbackState | undefined {
  if (failback === undefined) return health === "Healthy" ? { phase: "Serving", level: 0, returnedAt: null } : undefined;
  const since = Date.parse(failback.since);
  if (Number.isNaN(since)) return undefined;
  const level = Math.min(failback.level, MAX_LEVEL);
  const healthySince = instantOf(failback.healthySince, since);
  switch (failback.phase) {
    case "Out":
      return { phase: "Out", level, since };
    case "AwaitingApproval":
      return { phase: "Waiting", level, since, healthySince, until: "approval" };
    case "Waiting":
      return { phase: "Waiting", level, since, healthySince, until: instantOf(failback.until, healthySince) };
    case "Returned":
      return { phase: "Serving", level, returnedAt: since };
  }
}

function instantOf(text: string | undefined, otherwise: number): number {
  const at = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? otherwise : at;
}
