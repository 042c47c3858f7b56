/**
 * From the objects of all clusters to what is served and told. The result depends on the input alone, whatever its order; what a reconciler
 * remembers only saves work that was done before.
 */
import { checkZone } from "../../src/model/check-zones.ts";
import { findingsOn } from "../../src/model/findings.ts";
import type { Inventory, Route } from "../../src/model/inventory.ts";
import type { Network } from "../../src/model/ip.ts";
import type { Kind } from "../../src/model/kinds.ts";
import type { Problem } from "../../src/model/problem.ts";
import type { RegionTable } from "../../src/model/region-table.ts";
import { type ClusterObjects, type HubObjects, SOURCE_KINDS } from "../clusters/cluster-objects.ts";
import { type ClusterReader, type ClusterSources, createClusterReader } from "../sources/read-cluster.ts";
import { ADDRESSED_KINDS } from "../sources/source-reading.ts";
import { createEnvironmentReader, type Environment, type Outcome } from "./environment.ts";
import { createHubReader, type HubObject } from "./hub-object.ts";
import { createJoinReader } from "./joining-source.ts";
import { keepPrevious, sameList, sameParts } from "./keep-previous.ts";
import { obeyOverrides } from "./obey-overrides.ts";
import { reportOn, sameReport } from "./object-report.ts";
import type { ObjectReport, Reconciled, SourceWarning } from "./reconciled.ts";
import { createRoutePasses, type SettledRoute } from "./route-pass.ts";
import { createServedBefore } from "./served-before.ts";
import { generationsOf, readinessOfAll, type WrittenMemo } from "./serving-facts.ts";

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
    overrides: createHubReader("TrafficOverride", (object) => (object.kind === "TrafficOverride" ? object : undefined)),
  };
  const clusterReaders = new Map<string, ClusterReader>();
  const environments = createEnvironmentReader(regions);
  const joins = createJoinReader();
  const servedBefore = createServedBefore(allow);
  const passes = createRoutePasses();
  const written: WrittenMemo = new WeakMap();
  const shared = new WeakMap<Route, Route>();
  const reported = new WeakMap<SettledRoute, ObjectReport>();
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

  /** Equal routes are one value, so that whoever compares by identity sees what has changed. */
  function share(route: Route, before: Route | undefined): Route {
    const known = shared.get(route);
    if (known !== undefined && (before === undefined || known === before)) return known;
    const same = before !== undefined && (before === route || JSON.stringify(before) === JSON.stringify(route)) ? before : route;
    shared.set(route, same);
    return same;
  }

  function reportOnSettled(settled: SettledRoute): ObjectReport {
    const known = reported.get(settled);
    if (known !== undefined) return known;
    const report = reportOnRoute(settled);
    reported.set(settled, report);
    return report;
  }

  return {
    reconcile({ hub, clusters, previous, asIfUnread = false }) {
      const routes = readers.routes.read(hub.routes);
      const memberClusters = readers.clusters.read(hub.clusters);
      const zones = readers.zones.read(hub.zones);
      const overrides = readers.overrides.read(hub.overrides);
      const { namespaces, controllerNamespace } = hub;
      const environment = environments.read({ clusters: memberClusters, zones, namespaces, controllerNamespace }, previous?.inventory);
      const sources = asIfUnread ? unread(readSources(clusters)) : readSources(clusters);
      const inputs = [
        routes,
        overrides,
        [...sources.values()],
        [environment, ...memberClusters.map(({ raw }) => raw), ...zones.map(({ raw }) => raw)],
      ];
      if (last !== undefined && last.result === previous && last.inputs.every((list, i) => sameList(list, inputs[i] ?? [])))
        return previous;
      const before = servedBefore(previous);
      const joining = joins.read(annotatedIn(sources, environment), environment);
      const world = { environment, sources, reach: reachOf(sources), before };
      const pass = passes.run({ routes, joining: joining.joining, world, previous, isUnread: unreadIn(sources, environment) });

      const served = pass.settled.flatMap(({ unit, route }) => (route === undefined ? [] : [share(route, before.route(unit.key))]));
      const obeyed = obeyOverrides(overrides, served, pass, environment, previous);
      const inventory = sameParts(previous?.inventory, {
        routes: served,
        clusters: environment.clusterValues,
        zones: environment.zoneValues,
        overrides: obeyed.values,
      });
      const zoneOutcomes = checkZones(zones, environment, served);
      const reports = [
        ...pass.settled.map(reportOnSettled),
        ...pass.forsaken.map(reportOnForsaken),
        ...reportOnAll(memberClusters, environment.outcomes.MemberCluster),
        ...reportOnAll(zones, zoneOutcomes),
        ...reportOnAll(overrides, obeyed.outcomes),
      ];
      const generated = pass.settled.flatMap(({ draft }) => draft?.object ?? []);
      const problems = [
        ...pass.settled.flatMap((settled) => settled.problems),
        ...[environment.outcomes.MemberCluster, zoneOutcomes, obeyed.outcomes].flatMap((outcomes) =>
          [...outcomes.values()].flatMap((outcome) => outcome.problems),
        ),
      ];
      const result = keepPrevious(previous, {
        inventory,
        problems,
        reports: shareReports(reports, previous?.reports ?? []),
        generated,
        warnings: distinct([...joining.warnings, ...pass.warnings]),
        readiness: readinessOfAll(pass.settled, sources),
        generations: generationsOf(
          pass.settled,
          [
            [memberClusters, environment.outcomes.MemberCluster],
            [zones, zoneOutcomes],
            [overrides, obeyed.outcomes],
          ],
          written,
        ),
      });
      // What is told can still speak of what was before; it settles in the next pass.
      last = result === previous ? { inputs, result } : undefined;
      return result;
    },
  };
}

/** Only of clusters that have an object: what others say has no place to go. */
function* annotatedIn(sources: ReadonlyMap<string, ClusterSources>, { clusters }: Environment) {
  for (const [cluster, { annotated }] of sources) if (clusters.byName.has(cluster)) yield* annotated;
}

const unread = (sources: ReadonlyMap<string, ClusterSources>): ReadonlyMap<string, ClusterSources> =>
  new Map([...sources].map(([cluster, one]) => [cluster, { ...one, isRead: () => false }]));

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
  routes: readonly Route[],
): ReadonlyMap<string, Outcome> {
  const hosts = new Set<string>();
  for (const route of routes) for (const host of route.hosts) hosts.add(host);
  const outcomes = new Map(environment.outcomes.DNSZone);
  for (const { key, name, reading } of zones) {
    const outcome = outcomes.get(key);
    const zone = environment.zones.byName.get(name);
    if (reading.object === undefined || outcome?.isAccepted !== true || zone === undefined) continue;
    const findings = findingsOn(reading.object);
    checkZone(zone, environment.zones.byDomain, hosts, findings);
    if (findings.problems.length > 0) outcomes.set(key, { ...outcome, problems: [...outcome.problems, ...findings.problems] });
  }
  return outcomes;
}

function reportOnRoute({ unit, backends, problems, isAccepted, draft }: SettledRoute): ObjectReport {
  const [namespace = "", name = ""] = unit.key.split("/");
  return reportOn(
    { kind: "GlobalRoute", namespace, name, raw: unit.hub?.raw },
    { problems, isAccepted, unsupported: unit.reading.unsupported, backends, policySource: draft?.policySource },
  );
}

/** Why an object with the label of generated routes is not accepted when no source makes it. */
export const NOT_GENERATED = "NotGenerated";

function reportOnForsaken({ namespace, name, raw }: HubObject<"GlobalRoute">): ObjectReport {
  const report = reportOn({ kind: "GlobalRoute", namespace, name, raw }, { problems: [], isAccepted: false });
  const message =
    "It has the label of routes that are made of annotations, and no annotated source has its hosts, so it will be deleted. Remove the label to keep it as your own.";
  return { ...report, accepted: { status: "False", reason: NOT_GENERATED, message } };
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
