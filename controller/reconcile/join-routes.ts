/** Who joins which route: annotated sources go to people's routes that list their hosts, and make generated ones for the rest. */
import { discoveryOf } from "../../src/model/api-context.ts";
import type { Route, RouteKey } from "../../src/model/inventory.ts";
import type { HubObject } from "./hub-object.ts";
import { type JoiningSource, warningOn } from "./joining-source.ts";
import type { SourceWarning } from "./reconciled.ts";
import { titleOf } from "./route-backends.ts";

/** Host → people's route that lists it; of several the first. */
export type ListedHosts = ReadonlyMap<string, HubObject<"GlobalRoute">>;

/**
 * @param routes of one namespace
 * @param served what is served of a route, which counts for one that has errors
 */
export function listHosts(routes: readonly HubObject<"GlobalRoute">[], served: (key: RouteKey) => Route | undefined): ListedHosts {
  const listed = new Map<string, HubObject<"GlobalRoute">>();
  for (const route of routes) {
    const hosts = route.reading.object?.spec.hosts ?? served(route.key)?.hosts ?? [];
    for (const host of hosts) if (!listed.has(host)) listed.set(host, route);
  }
  return listed;
}

export interface Joins {
  /** Key of the route → sources that ask to be its backends, each once. */
  readonly byRoute: ReadonlyMap<RouteKey, readonly JoiningSource[]>;
  readonly warnings: readonly SourceWarning[];
}

/** Sources that share a host with a route of their own namespace name ask to join it. @param joining of the namespace of the routes */
export function joinListed(joining: readonly JoiningSource[], listed: ListedHosts): Joins {
  const byRoute = new Map<RouteKey, JoiningSource[]>();
  const warnings: SourceWarning[] = [];
  for (const source of joining) {
    const { cluster } = source.reading;
    for (const host of source.hosts) {
      const route = listed.get(host);
      if (route === undefined) continue;
      const spec = route.reading.object?.spec;
      if (spec === undefined) continue; // its own report says what is wrong
      if (discoveryOf(spec) === "SameNamespace") {
        push(byRoute, route.key, source);
      } else if (!spec.backends.some((backend) => backend.cluster === cluster && isReference(backend.sourceRef, source))) {
        const message = `GlobalRoute ${route.key} lists ${host} and takes only the backends that it lists. Add this one to them with sourceRef ${titleOf(source.reading)}, or write discovery: SameNamespace.`;
        warnings.push(warningOn(source.reading, "RouteRefused", message));
      }
    }
  }
  return { byRoute, warnings };
}

export function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else if (list.at(-1) !== value) list.push(value);
}

const isReference = (ref: { readonly kind: string; readonly name: string } | undefined, { reading }: JoiningSource): boolean =>
  ref?.kind === reading.kind && ref.name === reading.name;
