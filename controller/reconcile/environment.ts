/** What routes are judged by: clusters, zones, fleets of proxies and namespaces. One value stands for as long as nothing in it changes. */
import type { ApiContext } from "../../src/model/api-context.ts";
import { findingsOn } from "../../src/model/findings.ts";
import type { KnownZones } from "../../src/model/host-zones.ts";
import type { Cluster, Inventory, ProxyFleet, Zone } from "../../src/model/inventory.ts";
import type { Kind } from "../../src/model/kinds.ts";
import type { ObjectOf } from "../../src/model/manifest-object.ts";
import type { Problem } from "../../src/model/problem.ts";
import type { RegionTable } from "../../src/model/region-table.ts";
import { toCluster } from "../../src/model/to-cluster.ts";
import { type KnownFleets, toFleet } from "../../src/model/to-fleet.ts";
import type { KnownClusters } from "../../src/model/to-rule.ts";
import { toZone } from "../../src/model/to-zone.ts";
import type { AllowedRoutes } from "../../src/model/zone-grants.ts";
import type { HubObjects } from "../clusters/cluster-objects.ts";
import { isHeld, isLeaving } from "../deletion/deletion-order.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import type { Addressing } from "../sources/addressing.ts";
import { compareTexts, type HubObject, sameTexts } from "./hub-object.ts";

export interface Environment {
  readonly clusters: KnownClusters;
  readonly zones: KnownZones;
  readonly fleets: KnownFleets;
  readonly api: ApiContext;
  /** As they are served, sorted by name. */
  readonly clusterValues: readonly Cluster[];
  readonly zoneValues: readonly Zone[];
  readonly fleetValues: readonly ProxyFleet[];
  /** By name of the cluster; only of those whose object is accepted: what others publish is not looked at. */
  readonly addressing: ReadonlyMap<string, Addressing>;
  /** What became of each object, by kind and key. */
  readonly outcomes: Readonly<Record<"MemberCluster" | "DNSZone" | "ProxyFleet", ReadonlyMap<string, Outcome>>>;
}

/** What became of one object. */
export interface Outcome {
  readonly problems: readonly Problem[];
  readonly isAccepted: boolean;
}

type Parts = Pick<HubObjects, "namespaces" | "controllerNamespace"> & {
  readonly clusters: readonly HubObject<"MemberCluster">[];
  readonly zones: readonly HubObject<"DNSZone">[];
  readonly fleets: readonly HubObject<"ProxyFleet">[];
};

export interface EnvironmentReader {
  /** @param previous what is served: of an object that has errors, its last sound version stays */
  read(parts: Parts, previous: Inventory | undefined): Environment;
}

export function createEnvironmentReader(regions: RegionTable): EnvironmentReader {
  let last: { readonly parts: Parts; readonly environment: Environment } | undefined;
  return {
    read(parts, previous) {
      if (last !== undefined && sameParts(last.parts, parts)) {
        last = { parts, environment: last.environment };
        return last.environment;
      }
      last = { parts, environment: makeEnvironment(parts, previous, regions) };
      return last.environment;
    },
  };
}

function makeEnvironment(parts: Parts, previous: Inventory | undefined, regions: RegionTable): Environment {
  const { namespaces, controllerNamespace } = parts;
  const api: ApiContext = { addressesOf: () => [], namespaceLabels: (namespace) => namespaces.get(namespace), controllerNamespace };

  const clusters = convert(parts.clusters, previous?.clusters ?? [], (object, { raw }) => {
    const findings = findingsOn(object);
    const cluster = toCluster(object, regions, findings, api);
    return { problems: findings.problems, value: cluster && (raw.metadata.deletionTimestamp === undefined ? cluster : draining(cluster)) };
  });

  // A domain stays with the oldest zone that claims it.
  const domains = new Map<string, string>();
  const byAge = [...parts.zones].sort((a, b) => compareTexts(age(a), age(b)));
  const zones = convert(byAge, previous?.zones ?? [], (object) => {
    const findings = findingsOn(object);
    const zone = toZone(object, findings, api);
    const holder = domains.get(zone.domain);
    if (holder === undefined) domains.set(zone.domain, zone.name);
    else
      findings.error(["spec", "domain"], "zone-duplicate", `${zone.domain} is DNSZone ${holder}'s already`, "Remove it from one of them.");
    return { problems: findings.problems, value: findings.failed() ? undefined : zone };
  });
  const fleets = convert(parts.fleets, previous?.fleets ?? [], (object) => {
    const findings = findingsOn(object);
    return { value: toFleet(object, regions, findings), problems: findings.problems };
  });
  const objects = new Map(parts.zones.map(({ name, raw }) => [name, raw]));
  const zoneValues = zones.values.map((zone) => markLeaving(zone, objects.get(zone.name))).sort((a, b) => compareTexts(a.name, b.name));

  return {
    clusters: { byName: new Map(clusters.values.map((cluster) => [cluster.name, cluster])), rejected: clusters.lost },
    zones: {
      byName: new Map(zoneValues.map((zone) => [zone.name, zone])),
      byDomain: new Map(zoneValues.map((zone) => [zone.domain, zone])),
      rejected: zones.lost,
      allowedRoutes: new Map(
        parts.zones.map(({ name, reading }) => [
          name,
          reading.object === undefined ? grantsOfServed(previous) : reading.object.spec.allowedRoutes,
        ]),
      ),
    },
    fleets: { names: new Set(fleets.values.map(({ name }) => name)), rejected: fleets.lost },
    api,
    clusterValues: clusters.values,
    zoneValues,
    fleetValues: fleets.values,
    addressing: new Map(
      parts.clusters.flatMap(({ key, name, reading: { object } }) =>
        object !== undefined && clusters.outcomes.get(key)?.isAccepted === true ? [[name, object.spec.addressing]] : [],
      ),
    ),
    outcomes: { MemberCluster: clusters.outcomes, DNSZone: zones.outcomes, ProxyFleet: fleets.outcomes },
  };
}

/** Converts all objects of a kind. In place of one that has errors stands what is served of it. */
function convert<K extends Kind, T extends { readonly name: string }>(
  objects: readonly HubObject<K>[],
  served: readonly T[],
  toValue: (object: ObjectOf<K>, hub: HubObject<K>) => { readonly problems: readonly Problem[]; readonly value: T | undefined },
): { readonly values: readonly T[]; readonly lost: ReadonlySet<string>; readonly outcomes: ReadonlyMap<string, Outcome> } {
  const before = new Map(served.map((value) => [value.name, value]));
  const values: T[] = [];
  const lost = new Set<string>();
  const outcomes = new Map<string, Outcome>();
  for (const hub of objects) {
    const { object, problems } = hub.reading;
    const converted = object === undefined ? { problems: [], value: undefined } : toValue(object, hub);
    outcomes.set(hub.key, { problems: [...problems, ...converted.problems], isAccepted: converted.value !== undefined });
    const value = converted.value ?? before.get(hub.name);
    if (value === undefined) lost.add(hub.name);
    else values.push(value);
  }
  return { values, lost, outcomes };
}

/** A cluster that is being deleted gets no clients any more, while something still holds its object back (safety rule 7). */
const draining = (cluster: Cluster): Cluster => (cluster.state === "Active" ? { ...cluster, state: "Draining" } : cluster);

/** Also of a zone that stands as it was served last: what its object says of its deletion counts. */
function markLeaving(zone: Zone, raw: KubeObject | undefined): Zone {
  if (raw !== undefined && isLeaving(raw, zone)) return { ...zone, isLeaving: true };
  const { isLeaving: _, ...stays } = zone;
  return zone.isLeaving === undefined ? zone : stays;
}

/** Oldest first; objects of one second by name. */
const age = ({ raw, key }: HubObject<Kind>): string => `${raw.metadata.creationTimestamp ?? "~"} ${key}`;

/** Who may use which names of a zone whose object cannot be read: whoever does so already. */
const grantsOfServed = (previous: Inventory | undefined): AllowedRoutes =>
  previous?.routes.map(({ namespace, hosts }) => ({
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
    suffixes: [...hosts],
  }));

function sameParts(a: Parts, b: Parts): boolean {
  return (
    a.controllerNamespace === b.controllerNamespace &&
    sameReadings(a.clusters, b.clusters) &&
    sameReadings(a.zones, b.zones) &&
    sameReadings(a.fleets, b.fleets) &&
    (a.namespaces === b.namespaces || sameNamespaces(a.namespaces, b.namespaces))
  );
}

const sameReadings = (a: readonly HubObject<Kind>[], b: readonly HubObject<Kind>[]): boolean =>
  a.length === b.length &&
  a.every((object, i) => {
    const other = b[i];
    return (
      object.key === other?.key &&
      object.reading === other.reading &&
      isDeleting(object) === isDeleting(other) &&
      isHeld(object.raw) === isHeld(other.raw)
    );
  });

const isDeleting = ({ raw }: HubObject<Kind>): boolean => raw.metadata.deletionTimestamp !== undefined;

const sameNamespaces = (a: HubObjects["namespaces"], b: HubObjects["namespaces"]): boolean =>
  a.size === b.size && [...a].every(([namespace, labels]) => b.has(namespace) && sameTexts(labels, b.get(namespace)));
