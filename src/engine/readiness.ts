/** What member clusters themselves say of their backends: one whose services have no ready endpoint is down, whatever answers probes. */
import type { EndpointHealth } from "../model/health.ts";
import { type Inventory, type RouteKey, routeKey } from "../model/inventory.ts";
import { readinessKey, type SourceReading } from "./source.ts";

export interface ReadinessBook {
  /** @returns keys of routes of which something may have changed */
  take(reading: SourceReading["readiness"]): ReadonlySet<RouteKey>;
  /** Only routes with `health.useReadiness` ask. */
  setRoutes(routes: Inventory["routes"]): void;
  /** An endpoint's health with the cluster's own word taken in. Ready never makes well what probes found dead. */
  apply(route: RouteKey, backend: string, seen: EndpointHealth): EndpointHealth;
}

/** @param now milliseconds since the epoch */
export function createReadinessBook(now: () => number): ReadinessBook {
  /** {@link readinessKey} of backends without a ready endpoint → since when. */
  let notReady: ReadonlyMap<string, number> = new Map();
  let routes: Inventory["routes"] = [];
  /** Keys of those `routes` that ask; made when there is something to tell. */
  let using: ReadonlySet<RouteKey> | undefined;
  let newest: SourceReading["readiness"];

  return {
    take(readiness) {
      const changed = new Set<RouteKey>();
      if (readiness === newest) return changed;
      newest = readiness;
      const next = new Map<string, number>();
      for (const [key, { ready }] of readiness ?? []) {
        if (ready > 0) continue;
        const since = notReady.get(key);
        next.set(key, since ?? now());
        if (since === undefined) changed.add(routeOf(key));
      }
      for (const key of notReady.keys()) if (!next.has(key)) changed.add(routeOf(key));
      notReady = next;
      return changed;
    },
    setRoutes(next) {
      if (next === routes) return;
      routes = next;
      using = undefined;
    },
    apply(route, backend, seen) {
      if (notReady.size === 0) return seen;
      using ??= new Set(routes.filter(usesReadiness).map(routeKey));
      if (!using.has(route)) return seen;
      const since = notReady.get(readinessKey(route, backend));
      if (since === undefined) return seen;
      if (seen.health === "Unhealthy") return seen.proven ? seen : { ...seen, proven: true };
      return { ...seen, health: "Unhealthy", reason: "not-ready", proven: true, since, firstSign: since, nextChange: now() };
    },
  };
}

const usesReadiness = ({ health }: { readonly health: { readonly interval: number; readonly useReadiness?: boolean } }): boolean =>
  health.useReadiness !== false;

/** Of `namespace/name/backend`. */
const routeOf = (key: string): RouteKey => key.slice(0, key.indexOf("/", key.indexOf("/") + 1));
