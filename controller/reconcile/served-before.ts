/** What was served of each route before this pass: from the pass before, the state folder, or the statuses on the hub. */

import type { Route, RouteKey } from "../../src/model/inventory.ts";
import type { Network } from "../../src/model/ip.ts";
import { fieldOf, listOf, textOf, textsOf } from "../sources/fields.ts";
import { checkAddresses } from "../sources/source-addresses.ts";
import type { HubObject } from "./hub-object.ts";
import { sameList } from "./keep-previous.ts";
import { keyOfRoute } from "./object-keys.ts";
import type { BackendReport, ObjectReport, Reconciled } from "./reconciled.ts";
import type { ServedBackends } from "./route-backends.ts";

export interface ServedBefore {
  route(key: RouteKey): Route | undefined;
  report(key: RouteKey): ObjectReport | undefined;
  /** The same value (===) for as long as nothing of it has changed. */
  backends(key: RouteKey, hub: HubObject<"GlobalRoute"> | undefined): ServedBackends;
  /** Id of the source whose policy counts. */
  policySource(key: RouteKey, hub: HubObject<"GlobalRoute"> | undefined): string | undefined;
  holderOf(host: string): RouteKey | undefined;
}

interface Known {
  readonly route: Route | undefined;
  readonly reports: readonly BackendReport[] | undefined;
  readonly status: unknown;
  readonly served: ServedBackends;
}

/** Remembers, so that what is equal to before is the very same value. */
export function createServedBefore(allow: readonly Network[]): (previous: Reconciled | undefined) => ServedBefore {
  const known = new Map<RouteKey, Known>();
  const routesByKey = createIndex<Route>();
  const reportsByKey = createIndex<ObjectReport>();
  let holdersOf: { readonly routes: readonly Route[]; readonly holders: ReadonlyMap<string, RouteKey> } | undefined;
  let indexed: { readonly routes: ReadonlyMap<RouteKey, Route>; readonly reports: ReadonlyMap<RouteKey, ObjectReport> } | undefined;
  let last: { readonly of: Reconciled | undefined; readonly served: ServedBefore } | undefined;

  /** Who has which host; most changes leave that as it was. */
  function holdersIn(routes: readonly Route[]): ReadonlyMap<string, RouteKey> {
    const isSame =
      holdersOf?.routes.length === routes.length &&
      routes.every((route, i) => {
        const other = holdersOf?.routes[i];
        return route === other || (other !== undefined && keyOfRoute(route) === keyOfRoute(other) && sameList(route.hosts, other.hosts));
      });
    if (isSame && holdersOf !== undefined) {
      holdersOf = { ...holdersOf, routes };
      return holdersOf.holders;
    }
    const holders = new Map<string, RouteKey>();
    for (const route of routes) for (const host of route.hosts) holders.set(host, keyOfRoute(route));
    holdersOf = { routes, holders };
    return holders;
  }

  function index(previous: Reconciled | undefined): ServedBefore {
    const routes = routesByKey(previous?.inventory.routes ?? []);
    const reports = reportsByKey((previous?.reports ?? []).filter(({ kind }) => kind === "GlobalRoute"));
    const holders = holdersIn(previous?.inventory.routes ?? []);
    if (routes !== indexed?.routes || reports !== indexed.reports) {
      for (const key of known.keys()) if (!routes.has(key) && !reports.has(key)) known.delete(key);
    }
    indexed = { routes, reports };

    return {
      route: (key) => routes.get(key),
      report: (key) => reports.get(key),
      holderOf: (host) => holders.get(host),
      backends(key, hub) {
        const route = routes.get(key);
        const told = reports.get(key)?.backends;
        // What a status says counts until there is something better.
        const status = route !== undefined && told !== undefined ? undefined : hub?.raw.status;
        const before = known.get(key);
        if (before !== undefined && before.route === route && before.reports === told && before.status === status) return before.served;
        const stated = status === undefined ? NOTHING : fromStatus(status, allow);
        const served = { backends: route?.backends ?? stated.backends, reports: told ?? stated.reports };
        known.set(key, { route, reports: told, status, served });
        return served;
      },
      policySource: (key, hub) => reports.get(key)?.policySource ?? textOf(hub?.raw.status, "policySource"),
    };
  }

  return (previous) => {
    if (last === undefined || last.of !== previous) last = { of: previous, served: index(previous) };
    return last.served;
  };
}

/**
 * Lists of things that have keys, as maps. One map is brought up to date for as long as the keys are the same, since lists of thousands
 * differ in a few places: whoever was given it earlier sees the newest.
 */
function createIndex<T extends { readonly namespace: string; readonly name: string }>(): (list: readonly T[]) => ReadonlyMap<RouteKey, T> {
  let before: readonly T[] = [];
  let map = new Map<RouteKey, T>();
  return (list) => {
    const areAligned =
      list.length === before.length && list.every((one, i) => one === before[i] || keyOfRoute(one) === keyOfRoute(before[i]!));
    if (!areAligned) map = new Map(list.map((one) => [keyOfRoute(one), one]));
    else for (const [i, one] of list.entries()) if (one !== before[i]) map.set(keyOfRoute(one), one);
    before = list;
    return map;
  };
}

const NOTHING: ServedBackends = { backends: [], reports: [] };

/** Only we write statuses; even so their addresses are looked at as those of sources are. Weights are not in them. */
function fromStatus(status: unknown, allow: readonly Network[]): ServedBackends {
  const entries = listOf(status, "backends").flatMap((entry) => {
    const [name, cluster] = [textOf(entry, "name"), textOf(entry, "cluster")];
    if (name === undefined || cluster === undefined) return [];
    const source = textOf(entry, "source") ?? "";
    const { addresses } = checkAddresses(textsOf(entry, "addresses"), allow);
    return [{ backend: { name, cluster, addresses, weight: 100, priority: 0 }, report: { name, cluster, source, reason: "" } }];
  });
  return {
    backends: entries.flatMap(({ backend }) => (backend.addresses.length > 0 ? [backend] : [])),
    reports: entries.map(({ report }) => report),
  };
}

const confirmed = new WeakMap<HubObject<"GlobalRoute">["raw"], boolean>();

/** Whether the hub's status says that the object is accepted as it is today. */
export function isConfirmed({ raw }: HubObject<"GlobalRoute">): boolean {
  const known = confirmed.get(raw);
  if (known !== undefined) return known;
  const is = saysAccepted(raw);
  confirmed.set(raw, is);
  return is;
}

const saysAccepted = (raw: HubObject<"GlobalRoute">["raw"]): boolean =>
  listOf(raw.status, "conditions").some(
    (condition) =>
      fieldOf(condition, "type") === "Accepted" &&
      fieldOf(condition, "status") === "True" &&
      raw.metadata.generation !== undefined &&
      fieldOf(condition, "observedGeneration") === raw.metadata.generation,
  );
