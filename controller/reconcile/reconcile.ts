/**
 * From the objects of all clusters to what is served and told. The result depends on the input alone, whatever its order; what a reconciler
 * remembers only saves work that was done before.
 */
import { checkZone } from "../../src/model/check-zones.ts";
import { findingsOn } from "../../src/model/findings.ts";
import type { Inventory } from "../../src/model/inventory.ts";
import type { Network } from "../../src/model/ip.ts";
import type { Kind } from "../../src/model/kinds.ts";
import type { Problem } from "../../src/model/problem.ts";
import type { RegionTable } from "../../src/model/region-table.ts";
import { type ClusterObjects, type HubObjects, SOURCE_KINDS } from "../clusters/cluster-objects.ts";
import { type ClusterReader, type ClusterSources, createClusterReader } from "../sources/read-cluster.ts";
import { ADDRESSED_KINDS } from "../sources/source-reading.ts";
import { type ByNamespace, byNamespace, createJoinedMap, keepGroups } from "./by-namespace.ts";
import { createEnvironmentReader, type Environment, type Outcome } from "./environment.ts";
import { createHubReader, type HubObject } from "./hub-object.ts";
import { createJoinedParts } from "./joined-parts.ts";
import { createJoinReader } from "./joining-source.ts";
import { keepPrevious, sameList, sameMap, sameParts } from "./keep-previous.ts";
import { obeyOverrides } from "./obey-overrides.ts";
import { reportOn, sameReport } from "./object-report.ts";
import type { ObjectReport, Reconciled, SourceWarning } from "./reconciled.ts";
import { createRoutePasses } from "./route-pass.ts";
import { createServedBefore } from "./served-before.ts";
import { createReadinessReader, generationsOfOthers } from "./serving-facts.ts";

export interface ReconcileInput {
  readonly hub: HubObjects;
  readonly clusters: readonly ClusterObjects[];
  /** Of the pass before, or {@link reconciledFrom} what was saved; undefined when nothing has been served yet. */
  readonly previous: Reconciled | undefined;
  /** As if no cluster had been read: what was made of sources that are not seen now stays. */
  readonly asIfUnread?: boolean;
}

export interface Reconciler {
  /** @returns `previous` itself when nothing has changed; else parts that have not changed are its very own */
  reconcile(input: ReconcileInput): Reconciled;
}

export interface ReconcilerOptions {
  readonly regions: RegionTable;
  /** Networks whose addresses are used although they are loopback, link-local or the like (`--probe-allow`). */
  readonly allow: readonly Network[];
}

/** What was saved of an inventory, as the pass before the first. */
export const reconciledFrom = (inventory: Inventory): Reconciled => ({
  inventory,
  problems: [],
  reports: [],
  generated: [],
  warnings: [],
  readiness: new Map(),
  generations: new Map(),
});

/**
 * Problems as the engine is to see them. Errors have been answered for here, object by object, and must not have the whole reading refused.
 */
export const servingProblems = ({ problems }: Pick<Reconciled, "problems">): readonly Problem[] =>
  problems.map((problem) => (problem.severity === "error" ? { ...problem, severity: "warning" } : problem));

export function createReconciler({ regions, allow }: ReconcilerOptions): Reconciler {
  const readers = {
    routes: createHubReader("GlobalRoute", (object) => (object.kind === "GlobalRoute" ? object : undefined)),
    clusters: createHubReader("MemberCluster", (object) => (object.kind === "MemberCluster" ? object : undefined)),
    zones: createHubReader("DNSZone", (object) => (object.kind === "DNSZone" ? object : undefined)),
    fleets: createHubReader("ProxyFleet", (object) => (object.kind === "ProxyFleet" ? object : undefined)),
    overrides: createHubReader("TrafficOverride", (object) => (object.kind === "TrafficOverride" ? object : undefined)),
  };
  const clusterReaders = new Map<string, ClusterReader>();
  const environments = createEnvironmentReader(regions);
  const joins = createJoinReader();
  const servedBefore = createServedBefore(allow);
  const passes = createRoutePasses();
  const readReadiness = createReadinessReader();
  const joinParts = createJoinedParts();
  const joinGenerations = createJoinedMap<number>();
  let routesByNamespace:
    | { readonly routes: readonly HubObject<"GlobalRoute">[]; readonly groups: ByNamespace<HubObject<"GlobalRoute">> }
    | undefined;
  let zonesChecked: { readonly inputs: readonly unknown[]; readonly outcomes: ReadonlyMap<string, Outcome> } | undefined;
  let otherGenerations: ReadonlyMap<string, number> = new Map();
  /** What the parts of the last run were made into. */
  let ours: Reconciled | undefined;
  let last: { readonly inputs: readonly (readonly unknown[])[]; readonly result: Reconciled } | undefined;

  function readSources(clusters: readonly ClusterObjects[]): ReadonlyMap<string, ClusterSources> {
    const sources = new Map<string, ClusterSources>();
    for (const objects of [...clusters].sort((a, b) => (a.cluster < b.cluster ? -1 : 1))) {
      const reader = clusterReaders.get(objects.cluster) ?? createClusterReader(allow);
      clusterReaders.set(objects.cluster, reader);
      if (!sources.has(objects.cluster)) sources.set(objects.cluster, reader.read(objects));
    }
    for (const cluster of clusterReaders.keys()) if (!sources.has(cluster)) clusterReaders.delete(cluster);
    return sources;
  }

  function groupRoutes(routes: readonly HubObject<"GlobalRoute">[]): ByNamespace<HubObject<"GlobalRoute">> {
    if (routesByNamespace?.routes !== routes) {
      const groups = byNamespace(routes, ({ namespace }) => namespace);
      routesByNamespace = { routes, groups: keepGroups(routesByNamespace?.groups, groups) };
    }
    return routesByNamespace.groups;
  }

  /** @param hosts of all routes */
  function checkZonesOnce(zones: readonly HubObject<"DNSZone">[], environment: Environment, hosts: readonly string[]) {
    const inputs = [zones, environment, hosts];
    if (zonesChecked === undefined || !sameList(zonesChecked.inputs, inputs)) {
      zonesChecked = { inputs, outcomes: checkZones(zones, environment, hosts) };
    }
    return zonesChecked.outcomes;
  }

  return {
    reconcile({ hub, clusters, previous, asIfUnread = false }) {
      const routes = readers.routes.read(hub.routes);
      const memberClusters = readers.clusters.read(hub.clusters);
      const zones = readers.zones.read(hub.zones);
      const fleets = readers.fleets.read(hub.fleets);
      const overrides = readers.overrides.read(hub.overrides);
      const { namespaces, controllerNamespace } = hub;
      const environment = environments.read(
        { clusters: memberClusters, zones, fleets, namespaces, controllerNamespace },
        previous?.inventory,
      );
      const sources = asIfUnread ? unread(readSources(clusters)) : readSources(clusters);
      const inputs = [
        routes,
        overrides,
        [...sources.values()],
        [environment, ...[...memberClusters, ...zones, ...fleets].map(({ raw }) => raw)],
      ];
      if (last !== undefined && last.result === previous && last.inputs.every((list, i) => sameList(list, inputs[i] ?? [])))
        return previous;
      const before = servedBefore(previous);
      const joining = joins.read(sources, environment);
      const followsLast = ours !== undefined && ours === previous;
      ours = undefined; // until this run has come to its end
      const parts = passes.run({
        routes: groupRoutes(routes),
        joining: joining.byNamespace,
        world: { environment, sources, reach: reachOf(sources), before },
        previous,
        followsLast,
        isUnread: unreadIn(sources, environment),
      });

      const { served, drains, hosts, reports, forsaken, generated, problems, warnings } = joinParts(parts);
      const obeyed = obeyOverrides(overrides, served, drains, environment, previous);
      const inventory = sameParts(previous?.inventory, {
        routes: served,
        clusters: environment.clusterValues,
        zones: environment.zoneValues,
        overrides: obeyed.values,
        ...(environment.fleetValues.length === 0 ? {} : { fleets: environment.fleetValues }),
      });
      const zoneOutcomes = checkZonesOnce(zones, environment, hosts);
      const others = [
        ...reportOnAll(memberClusters, environment.outcomes.MemberCluster),
        ...reportOnAll(zones, zoneOutcomes),
        ...reportOnAll(fleets, environment.outcomes.ProxyFleet),
        ...reportOnAll(overrides, obeyed.outcomes),
      ];
      const otherProblems = [environment.outcomes.MemberCluster, zoneOutcomes, environment.outcomes.ProxyFleet, obeyed.outcomes].flatMap(
        (outcomes) => [...outcomes.values()].flatMap((outcome) => outcome.problems),
      );
      const generations = generationsOfOthers([
        [memberClusters, environment.outcomes.MemberCluster],
        [zones, zoneOutcomes],
        [fleets, environment.outcomes.ProxyFleet],
        [overrides, obeyed.outcomes],
      ]);
      if (!sameMap(otherGenerations, generations)) otherGenerations = generations;
      const result = keepPrevious(previous, {
        inventory,
        problems: [...problems, ...otherProblems],
        reports: [...reports, ...forsaken, ...shareReports(others, previous?.reports.filter(({ kind }) => kind !== "GlobalRoute") ?? [])],
        generated,
        warnings: distinct([...joining.warnings, ...warnings]),
        readiness: readReadiness(
          parts.map(({ settled }) => settled),
          sources,
        ),
        generations: joinGenerations([...parts.map(({ generations }) => generations), otherGenerations]),
      });
      ours = result;
      // What is told can still speak of what was before; it settles in the next pass.
      last = result === previous ? { inputs, result } : undefined;
      return result;
    },
  };
}

const unread = (sources: ReadonlyMap<string, ClusterSources>): ReadonlyMap<string, ClusterSources> =>
  new Map([...sources].map(([cluster, one]) => [cluster, { ...one, isRead: () => false, slices: undefined, readiness: () => undefined }]));

const reachOf = (sources: ReadonlyMap<string, ClusterSources>): string =>
  [...sources].map(([cluster, { isCurrent, isRead }]) => `${cluster} ${isCurrent} ${SOURCE_KINDS.filter(isRead).join()}`).join(";");

/** Whether a source may be there although it is not seen: its cluster has an object, and its kind has not been read there. */
const unreadIn =
  (sources: ReadonlyMap<string, ClusterSources>, { clusters }: Environment) =>
  (id: string): boolean => {
    const [cluster = "", , kind = ""] = id.split("/");
    if (!clusters.byName.has(cluster)) return false;
    const known = ADDRESSED_KINDS.find((one) => one === kind);
    return known !== undefined && sources.get(cluster)?.isRead(known) !== true;
  };

/** Adds what can only be told of zones when the names of all routes are known. */
function checkZones(
  zones: readonly HubObject<"DNSZone">[],
  environment: Environment,
  hosts: readonly string[],
): ReadonlyMap<string, Outcome> {
  const all = new Set(hosts);
  const outcomes = new Map(environment.outcomes.DNSZone);
  for (const { key, name, reading } of zones) {
    const outcome = outcomes.get(key);
    const zone = environment.zones.byName.get(name);
    if (reading.object === undefined || outcome?.isAccepted !== true || zone === undefined) continue;
    const findings = findingsOn(reading.object);
    checkZone(zone, environment.zones.byDomain, all, findings);
    if (findings.problems.length > 0) outcomes.set(key, { ...outcome, problems: [...outcome.problems, ...findings.problems] });
  }
  return outcomes;
}

const reportOnAll = <K extends Kind>(objects: readonly HubObject<K>[], outcomes: ReadonlyMap<string, Outcome>): readonly ObjectReport[] =>
  objects.map(({ key, reading, ...identity }) => {
    const { problems = reading.problems, isAccepted = false } = outcomes.get(key) ?? {};
    return reportOn(identity, { problems, isAccepted, unsupported: reading.unsupported });
  });

function shareReports(reports: readonly ObjectReport[], previous: readonly ObjectReport[]): readonly ObjectReport[] {
  const title = ({ kind, namespace, name }: ObjectReport): string => `${kind} ${namespace}/${name}`;
  let byTitle: ReadonlyMap<string, ObjectReport> | undefined;
  return reports.map((report, i) => {
    const sameIndex = previous[i];
    if (sameIndex !== undefined && sameReport(report, sameIndex)) return sameIndex;
    byTitle ??= new Map(previous.map((one) => [title(one), one]));
    const last = byTitle.get(title(report));
    return last !== undefined && sameReport(report, last) ? last : report;
  });
}

function distinct(warnings: readonly SourceWarning[]): readonly SourceWarning[] {
  const seen = new Map(warnings.map((warning) => [`${warning.reason} ${warning.message}`, warning]));
  return [...seen.values()].sort((a, b) => (`${a.message} ${a.reason}` < `${b.message} ${b.reason}` ? -1 : 1));
}
