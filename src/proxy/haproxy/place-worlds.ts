/** What HAProxies at the places of a fleet should have, of what the fleet is told. What has not changed is the very object that was there before. */
import type { ClientClass } from "../client-classes.ts";
import type { FleetRoute } from "../edge-worlds.ts";
import { httpOf } from "./http-rules.ts";
import type { HaproxyGroup, HaproxyRoute, HaproxyWorld } from "./layout.ts";

/** @returns by name of the place */
export type PlaceWorlds = (
  places: ReadonlySet<string>,
  routes: readonly FleetRoute[],
  classes: readonly ClientClass[],
) => ReadonlyMap<string, HaproxyWorld>;

/** Of one fleet. */
export function createPlaceWorlds(): PlaceWorlds {
  const known = new WeakMap<FleetRoute, Map<string, readonly HaproxyRoute[]>>();
  let named: { readonly of: readonly ClientClass[]; readonly names: string; readonly classes: readonly ClientClass[] } | undefined;

  function once(place: string, route: FleetRoute): readonly HaproxyRoute[] {
    const places = known.get(route) ?? new Map<string, readonly HaproxyRoute[]>();
    const found = places.get(place) ?? routeAt(place, route);
    known.set(route, places.set(place, found));
    return found;
  }

  /** A HAProxy need not look clients up of whom none of its routes speaks: they can be hundreds of thousands of networks. */
  function namedBy(routes: readonly FleetRoute[], classes: readonly ClientClass[]): readonly ClientClass[] {
    const wanted = new Set(routes.flatMap(({ edge }) => (edge.groups ?? []).flatMap((group) => group.classes ?? [])));
    const names = [...wanted].sort().join();
    if (named?.of !== classes || named.names !== names)
      // Fleets that have use for all of them share what is made of the list.
      named = {
        of: classes,
        names,
        classes: classes.every(({ name }) => wanted.has(name)) ? classes : classes.filter(({ name }) => wanted.has(name)),
      };
    return named.classes;
  }

  return (places, routes, classes) => {
    const own = namedBy(routes, classes);
    return new Map([...places].map((place) => [place, { routes: routes.flatMap((route) => once(place, route)), classes: own }]));
  };
}

/** @returns none when the route has no plan for the place */
function routeAt(place: string, { route: { namespace, name, sticky }, edge }: FleetRoute): readonly HaproxyRoute[] {
  const plan = edge.plans.get(place);
  if (plan === undefined) return [];
  const { port, tls } = edge.settings;
  const groups = (edge.groups ?? []).flatMap(({ name: group, classes, plans }): readonly HaproxyGroup[] => {
    const own = plans.get(place);
    // The sign says how others are taken. That changes with the first rule that names a country; whom a rule binds then keeps its backend.
    return classes === undefined || own === undefined ? [] : [{ name: group.replace(/^\+/, ""), classes, plan: own }];
  });
  const own = { namespace, name, hosts: edge.hosts, sticky, port, plan };
  const http = httpOf(edge.settings);
  return [
    {
      ...own,
      ...(tls === undefined ? {} : { tls }),
      ...(http === undefined ? {} : { http }),
      ...(groups.length === 0 ? {} : { groups }),
    },
  ];
}
