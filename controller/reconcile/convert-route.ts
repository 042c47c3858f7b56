/** From a GlobalRoute object, its backends filled in, to the route that is served; and what stays of one that has errors. */
import { findingsOn } from "../../src/model/findings.ts";
import { checkHostZones, zoneOf } from "../../src/model/host-zones.ts";
import type { Route } from "../../src/model/inventory.ts";
import type { ObjectOf } from "../../src/model/manifest-object.ts";
import type { Problem } from "../../src/model/problem.ts";
import { checkRouteFleets } from "../../src/model/to-fleet.ts";
import { toRoute } from "../../src/model/to-route.ts";
import { zoneGrant } from "../../src/model/zone-grants.ts";
import type { Environment } from "./environment.ts";

export interface ConvertedRoute {
  /** Absent when it has errors. Its hosts are those that their zones allow. */
  readonly route: Route | undefined;
  readonly problems: readonly Problem[];
  /** Hosts that may be used but that no zone holds: nobody is answered for them. */
  readonly isAnswered: boolean;
}

/** Everything but whether another route has its hosts. */
export function convertRoute(object: ObjectOf<"GlobalRoute">, environment: Environment): ConvertedRoute {
  const { clusters, zones, fleets, api } = environment;
  const findings = findingsOn(object);
  const route = toRoute(object, clusters, findings, api);
  const refused = checkHostZones(route, zones, findings, api);
  checkRouteFleets(route, fleets, findings);
  const hosts = refused.size === 0 ? route.hosts : route.hosts.filter((host) => !refused.has(host));
  const isAnswered = hosts.some((host) => {
    const zone = zoneOf(host, zones.byDomain);
    return zone !== undefined && (route.zones.length === 0 || route.zones.includes(zone.name));
  });
  return { route: findings.failed() ? undefined : { ...route, hosts }, problems: findings.problems, isAnswered };
}

/**
 * What stays of a route whose object has errors now: all of what was served, but for clusters that are gone and for hosts that their zone
 * does not allow any more, since its owner must be able to take a name back. Its rules stay as they were: a Require rule whose clusters are gone allows nothing (safety rule 9).
 *
 * @returns undefined when nothing is left
 */
export function remainsOf(served: Route, { clusters, zones, api }: Environment): Route | undefined {
  const namespaceLabels = api.namespaceLabels(served.namespace);
  const hosts = served.hosts.filter((host) => {
    const zone = zoneOf(host, zones.byDomain);
    return zone === undefined || zoneGrant(zones.allowedRoutes.get(zone.name), host, { namespaceLabels }) === "Granted";
  });
  const backends = served.backends.filter(({ cluster }) => clusters.byName.has(cluster));
  if (hosts.length === 0 || backends.length === 0) return undefined;
  if (hosts.length === served.hosts.length && backends.length === served.backends.length) return served;
  return { ...served, hosts, backends };
}
