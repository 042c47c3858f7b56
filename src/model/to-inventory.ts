/** From objects, each sound by itself, to the inventory that the engine works on. */
import type { ApiContext } from "./api-context.ts";
import { checkZone } from "./check-zones.ts";
import { type Findings, findingsOn } from "./findings.ts";
import { checkHostZones } from "./host-zones.ts";
import type { Inventory, Zone } from "./inventory.ts";
import { routeKey } from "./inventory.ts";
import type { Kind } from "./kinds.ts";
import { type FieldPath, type ManifestObject, type ObjectOf, objectTitle, problemAt, type RejectedObject } from "./manifest-object.ts";
import type { Problem } from "./problem.ts";
import type { RegionTable } from "./region-table.ts";
import { toCluster } from "./to-cluster.ts";
import { checkRouteFleets, toFleet } from "./to-fleet.ts";
import { toOverride } from "./to-override.ts";
import { toRoute } from "./to-route.ts";
import { toZone } from "./to-zone.ts";

export interface BuiltInventory {
  /** Wrong objects are left out of it. */
  readonly inventory: Inventory;
  /** In the order of the objects, kind by kind. */
  readonly problems: readonly Problem[];
}

/**
 * Fills in defaults that depend on other fields, and checks objects against each other. Pure.
 *
 * @param objects  where two claim one thing (a name, a host, a domain), the first keeps it
 * @param rejected objects that have errors of their own, so that those which refer to them are told so
 * @param api      absent when the objects are files'. With it, hosts that a zone does not allow are taken out of their routes
 */
export function buildInventory(
  objects: readonly ManifestObject[],
  regions: RegionTable,
  rejected: readonly RejectedObject[] = [],
  api?: ApiContext,
): BuiltInventory {
  const problems: Problem[] = [];
  const sorted = sortByKind(objects, problems);

  /** Converts all objects of a kind; those with errors are left out, and their names returned. */
  function convert<K extends Kind, T>(kind: K, toValue: (object: ObjectOf<K>, findings: Findings) => T | undefined) {
    const kept: { readonly object: ObjectOf<K>; readonly value: T }[] = [];
    const failed = new Set(rejected.filter((other) => other.kind === kind).map((other) => other.name));
    for (const object of sorted[kind]) {
      const findings = findingsOn(object);
      const value = toValue(object, findings);
      problems.push(...findings.problems);
      if (value === undefined || findings.failed()) failed.add(object.name);
      else kept.push({ object, value });
    }
    return { kept, values: kept.map(({ value }) => value), failed };
  }

  const clusters = convert("MemberCluster", (object, findings) => toCluster(object, regions, findings, api));
  const knownClusters = { byName: byName(clusters.values), rejected: clusters.failed };

  // A domain or host stays with the first object that claims it even if that has errors: a slip must not hand it to another.
  const domains = new Map<string, Zone>();
  const zones = convert("DNSZone", (object, findings) => {
    const zone = toZone(object, findings, api);
    claim(["spec", "domain"], zone.domain, zone, domains, (other) => `DNSZone ${other.name}`, "zone-duplicate", findings);
    return zone;
  });
  const allowedRoutes = new Map(sorted.DNSZone.map(({ name, spec }) => [name, spec.allowedRoutes]));
  const knownZones = { byName: byName(zones.values), byDomain: domains, rejected: zones.failed, allowedRoutes };

  const fleets = convert("ProxyFleet", (object, findings) => toFleet(object, regions, findings));
  const knownFleets = { names: new Set(fleets.values.map(({ name }) => name)), rejected: fleets.failed };

  const hosts = new Map<string, ObjectOf<"GlobalRoute">>();
  const routes = convert("GlobalRoute", (object, findings) => {
    const route = toRoute(object, knownClusters, findings, api);
    const refused = checkHostZones(route, knownZones, findings, api);
    checkRouteFleets(route, knownFleets, findings);
    route.hosts.forEach((host, i) => {
      if (!refused.has(host)) claim(["spec", "hosts", i], host, object, hosts, objectTitle, "host-overlap", findings);
    });
    return refused.size === 0 ? route : { ...route, hosts: route.hosts.filter((host) => !refused.has(host)) };
  });

  const taken = new Set(hosts.keys());
  for (const { object, value } of zones.kept) {
    const findings = findingsOn(object);
    checkZone(value, domains, taken, findings);
    problems.push(...findings.problems);
  }

  const targets = { clusters: knownClusters.byName, routes: new Map(routes.values.map((route) => [routeKey(route), route])) };
  const overrides = convert("TrafficOverride", (object, findings) => toOverride(object, targets, findings, api));
  const inventory = { routes: routes.values, clusters: clusters.values, zones: zones.values, overrides: overrides.values };
  return { inventory: fleets.values.length === 0 ? inventory : { ...inventory, fleets: fleets.values }, problems };
}

type ByKind = { readonly [K in Kind]: ObjectOf<K>[] };

/** Drops objects that repeat the kind, namespace and name of an earlier one. */
function sortByKind(objects: readonly ManifestObject[], problems: Problem[]): ByKind {
  const sorted: ByKind = { GlobalRoute: [], MemberCluster: [], DNSZone: [], TrafficOverride: [], ProxyFleet: [] };
  const seen = new Map<string, ManifestObject>();
  for (const object of objects) {
    const title = objectTitle(object);
    const first = seen.get(title);
    if (first === undefined) {
      seen.set(title, object);
      put(sorted, object);
    } else {
      const { file, line } = first.locate(["metadata", "name"]);
      const message = `${title} is in ${file}:${line} already`;
      problems.push(
        problemAt(object, ["metadata", "name"], { code: "object-duplicate", message, remedy: "Remove or rename one of them." }),
      );
    }
  }
  return sorted;
}

function put(sorted: ByKind, object: ManifestObject): void {
  switch (object.kind) {
    case "GlobalRoute":
      sorted.GlobalRoute.push(object);
      break;
    case "MemberCluster":
      sorted.MemberCluster.push(object);
      break;
    case "DNSZone":
      sorted.DNSZone.push(object);
      break;
    case "TrafficOverride":
      sorted.TrafficOverride.push(object);
      break;
    case "ProxyFleet":
      sorted.ProxyFleet.push(object);
      break;
  }
}

const byName = <T extends { readonly name: string }>(values: Iterable<T>): ReadonlyMap<string, T> =>
  new Map([...values].map((value) => [value.name, value]));

function claim<T>(
  path: FieldPath,
  thing: string,
  claimant: T,
  claims: Map<string, T>,
  title: (other: T) => string,
  code: "host-overlap" | "zone-duplicate",
  findings: Findings,
): void {
  const holder = claims.get(thing);
  if (holder === undefined) claims.set(thing, claimant);
  else findings.error(path, code, `${thing} is ${title(holder)}'s already`, "Remove it from one of them.");
}
