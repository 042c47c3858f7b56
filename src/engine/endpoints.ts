/** What is to be probed for an inventory, and which route asks for it. Pure. */
import { type Endpoint, type EndpointKey, endpointKey, probeKey } from "../model/health.ts";
import type { Inventory, Route } from "../model/inventory.ts";
import { changedAt, rememberedMap } from "../model/remembered-map.ts";
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

/** {@link createEndpointIndexer} for one inventory. */
export const indexEndpoints = (inventory: Inventory): EndpointIndex => createEndpointIndexer()(inventory);

/** Makes one index after another: routes that are the same objects are not looked at again, and what is equal is the same value as before. */
export function createEndpointIndexer(): (inventory: Inventory) => EndpointIndex {
  let before: ReadonlyMap<EndpointKey, Endpoint> = new Map();
  /** Those that routes of the present inventory have brought. */
  let fresh = new Map<EndpointKey, Endpoint>();
  let indexedBefore: readonly IndexedRoute[] = [];

  const index = rememberedMap((route: Route): IndexedRoute => {
    const one = indexRoute(route, (key) => fresh.get(key) ?? before.get(key));
    for (const endpoint of one.endpoints) if (!fresh.has(endpoint.key)) fresh.set(endpoint.key, endpoint);
    return one;
  });

  return ({ routes }) => {
    fresh = new Map();
    const indexed = index(routes);
    const changed = changedAt(indexedBefore, indexed);
    if (changed === undefined || changed.some((i) => !sameEntries(indexedBefore[i]!.endpoints, indexed[i]!.endpoints))) {
      const endpoints = new Map<EndpointKey, Endpoint>();
      for (const one of indexed) {
        for (const endpoint of one.endpoints) if (!endpoints.has(endpoint.key)) endpoints.set(endpoint.key, endpoint);
      }
      if (!isSameMap(before, endpoints)) before = endpoints;
    }
    indexedBefore = indexed;
    return { endpoints: before, routes: indexed };
  };
}

const sameEntries = (a: readonly unknown[], b: readonly unknown[]): boolean => changedAt(a, b)?.length === 0;

interface IndexedRoute extends RouteEndpoints {
  /** In the order of its units. */
  readonly endpoints: readonly Endpoint[];
}

/** @param find an endpoint that is known by this key. Equal keys are one string, which makes every later look-up of it quick. */
function indexRoute(route: Route, find: (key: EndpointKey) => Endpoint | undefined): IndexedRoute {
  const { probe, interval, timeout, rise, fall, quorum } = route.health;
  const policy = { interval, timeout, rise, fall, quorum };
  const how = probeKey(probe, policy);
  const units = routeUnits(route);
  const keys = new Map<string, EndpointKey>();
  const endpoints: Endpoint[] = [];
  for (const { backend, addresses } of units.flat()) {
    for (const address of addresses) {
      if (keys.has(address)) continue;
      const same = find(address + how);
      const key = same?.key ?? address + how;
      keys.set(address, key);
      endpoints.push(same?.cluster === backend.cluster ? same : { key, cluster: backend.cluster, address, probe, policy });
    }
  }
  return { units, keys, endpoints };
}

/** With the same entries in the same order. */
function isSameMap<K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): boolean {
  if (a.size !== b.size) return false;
  const others = b.values();
  for (const value of a.values()) if (value !== others.next().value) return false;
  return true;
}
