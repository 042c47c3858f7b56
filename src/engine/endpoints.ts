/** What is to be probed for an inventory, and which route asks for it. Pure. */
import { type Endpoint, type EndpointKey, endpointKey, probeKey } from "../model/health.ts";
import type { Inventory, Route } from "../model/inventory.ts";
import { routeUnits } from "../routing/evaluate-route.ts";

export interface EndpointIndex {
  /** Each probe once, however many routes ask for it. */
  readonly endpoints: ReadonlyMap<EndpointKey, Endpoint>;
  /** In the order of the inventory. */
  readonly routes: readonly RouteEndpoints[];
}

export interface RouteEndpoints {
  readonly units: ReturnType<typeof routeUnits>;
  /** Address → its probe. Host names that could not be resolved have none. */
  readonly keys: ReadonlyMap<string, EndpointKey>;
}

/** Key of the probe of one address of a route. */
export const keyOf = (route: Route, address: string): EndpointKey => endpointKey(address, route.health.probe, route.health);

export function indexEndpoints(inventory: Inventory): EndpointIndex {
  const endpoints = new Map<EndpointKey, Endpoint>();
  /** Probe → address → key: equal keys are one string, which makes every later look-up of it quick. */
  const known = new Map<string, Map<string, EndpointKey>>();
  const routes = inventory.routes.map((route): RouteEndpoints => {
    const { probe, interval, timeout, rise, fall, quorum } = route.health;
    const policy = { interval, timeout, rise, fall, quorum };
    const how = probeKey(probe, policy);
    const probed = known.get(how) ?? new Map<string, EndpointKey>();
    known.set(how, probed);
    const units = routeUnits(route);
    const keys = new Map<string, EndpointKey>();
    for (const { backend, addresses } of units.flat()) {
      for (const address of addresses) {
        let key = probed.get(address);
        if (key === undefined) {
          key = address + how;
          probed.set(address, key);
          endpoints.set(key, { key, cluster: backend.cluster, address, probe, policy });
        }
        keys.set(address, key);
      }
    }
    return { units, keys };
  });
  return { endpoints, routes };
}
