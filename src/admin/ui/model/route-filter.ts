/** Searching routes: every word must be found in the name, a host, the order or a cluster that serves. */
import type { Overview } from "./types.ts";

export type RouteRow = Overview["routes"][number];

export const routeKeyOf = ({ namespace, name }: Pick<RouteRow, "namespace" | "name">): string => `${namespace}/${name}`;

/** Words that stand for a state instead of a text. */
const STATES: Readonly<Record<string, (route: RouteRow) => boolean>> = {
  "is:down": ({ usable }) => usable === 0,
  "is:degraded": ({ usable, backends }) => usable < backends,
  "is:moved": ({ lastFailover }) => lastFailover !== null,
};

export function filterRoutes(routes: readonly RouteRow[], search: string): readonly RouteRow[] {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) return routes;
  return routes.filter((route) => {
    const text = [routeKeyOf(route), ...route.hosts, route.order, ...route.servedBy.map(({ cluster }) => cluster)].join(" ").toLowerCase();
    return words.every((word) => STATES[word]?.(route) ?? text.includes(word));
  });
}
