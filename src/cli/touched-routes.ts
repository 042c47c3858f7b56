/** Which routes an act on a cluster, a route or a backend touches, and who is left to answer for it. Pure. */
import { count } from "../model/count.ts";
import type { Target } from "./act.ts";

/** What an inventory's, a status's and a hub's routes have in common. */
export interface TouchableRoute {
  readonly namespace: string;
  readonly name: string;
  readonly backends: readonly { readonly name: string; readonly cluster: string }[];
}

export interface TouchedRoute<R extends TouchableRoute> {
  readonly route: R;
  /** `namespace/name` */
  readonly key: string;
  /** Backends that the act is aimed at, at least one. */
  readonly hit: readonly R["backends"][number][];
  readonly left: readonly R["backends"][number][];
}

export const touchedRoutes = <R extends TouchableRoute>(routes: readonly R[], target: Target): readonly TouchedRoute<R>[] =>
  routes.flatMap((route) => {
    const hit = route.backends.filter((backend) => isTarget(target, route, backend));
    const left = route.backends.filter((backend) => !hit.includes(backend));
    return hit.length === 0 ? [] : [{ route, key: `${route.namespace}/${route.name}`, hit, left }];
  });

function isTarget(target: Target, route: TouchableRoute, backend: TouchableRoute["backends"][number]): boolean {
  if (target.kind === "MemberCluster") return backend.cluster === target.name;
  return route.namespace === target.namespace && route.name === target.name && (target.backend ?? backend.name) === backend.name;
}

/** `us-east, sa-east and 4 more clusters`; each once. */
export function clustersOf(backends: readonly { readonly cluster: string }[]): string {
  const clusters = [...new Set(backends.map(({ cluster }) => cluster))];
  if (clusters.length <= 6) return clusters.join(", ");
  return `${clusters.slice(0, 6).join(", ")} and ${count(clusters.length - 6, "more cluster")}`;
}

export const NO_BACKEND_THERE = "no route has a backend there, so nothing changes for clients";
