/** One route of a simulation: from flows between answers to what people want to know. Pure. */
import { distanceKm } from "../geo/distance.ts";
import { type LatencyMap, latencyOf } from "../geo/latency-model.ts";
import type { Cluster, Route } from "../model/inventory.ts";
import { routeKey } from "../model/inventory.ts";
import type { Answer } from "./answer-book.ts";
import { type ClusterTally, capacityOf, clusterServing, tallyClusters } from "./cluster-load.ts";
import type { Flow } from "./decide-all.ts";
import type { LoadFactors } from "./load.ts";
import { type RegionServing, regionServing } from "./region-serving.ts";
import { violations } from "./residency.ts";
import type { Side } from "./side.ts";
import type { Amount, BeforeAfter, Move, RouteSimulation, Spread, Violation } from "./simulation.ts";
import type { Spot } from "./spots.ts";
import { spreadOf } from "./spread.ts";
import { millionth, staleCurve } from "./stale.ts";

export interface RouteReportInput {
  readonly before: Side;
  readonly after: Side;
  /** The route on either side; absent where it does not have it. */
  readonly routes: { readonly before?: Route; readonly after?: Route };
  readonly family: 0 | 1;
  readonly flows: readonly Flow[];
  readonly spots: readonly Spot[];
  /** Weight of all clients. */
  readonly total: number;
  readonly load: LoadFactors | undefined;
  readonly guardWouldHold: readonly string[];
}

export interface RouteReport {
  readonly simulation: RouteSimulation;
  /** For sums over routes. */
  readonly tallies: ReadonlyMap<string, ClusterTally>;
  readonly regions: readonly RegionServing[];
}

export function reportRoute(input: RouteReportInput): RouteReport {
  const { before, after, routes, flows, spots, total, load } = input;
  const route = (routes.before ?? routes.after)!;
  const names = new Set([routes.before, routes.after].flatMap((one) => one?.backends.map(({ cluster }) => cluster) ?? []));
  const tallies = tallyClusters(flows, spots, load, names);
  const moved = flows.filter((flow) => clustersOf(flow.before) !== clustersOf(flow.after));
  const changed = flows.filter((flow) => flow.before.identity !== flow.after.identity);
  const simulation: RouteSimulation = {
    route: routeKey(route),
    hosts: (routes.after ?? route).hosts,
    family: input.family === 0 ? "A" : "AAAA",
    presence: routes.after === undefined ? "Removed" : routes.before === undefined ? "Added" : "Both",
    clusters: [...tallies].map(([cluster, tally]) => {
      const capacity = { before: capacityOf(cluster, [routes.before]), after: capacityOf(cluster, [routes.after]) };
      return clusterServing(cluster, tally, capacity, load?.times ?? [], total);
    }),
    moved: amount(moved, total),
    moves: movesOf(moved, input, false),
    changed: amount(changed, total),
    changes: movesOf(changed, input, true),
    distanceKm: bothSides(({ inventory }, answer) => measured(flows, spots, answer, kmBetween(inventory.clusters)), before, after),
    latencyMs: bothSides(
      ({ inventory, latency }, answer) => measured(flows, spots, answer, msBetween(inventory.clusters, latency)),
      before,
      after,
    ),
    modes: { before: modesOf(flows, "before", total), after: modesOf(flows, "after", total) },
    residency: {
      before: violationsOf(routes.before, before, input, "before"),
      after: violationsOf(routes.after, after, input, "after"),
    },
    stale: staleCurve(
      moved.filter((flow) => flow.before.ttl > 0).map((flow) => ({ ttl: flow.before.ttl, weight: flow.weight })),
      total,
    ),
    guardWouldHold: input.guardWouldHold,
  };
  return { simulation, tallies, regions: regionServing(flows, spots) };
}

const clustersOf = ({ clusters }: Answer): string => clusters.map(({ name }) => name).join();

/** @param parts whose weights add up */
export function amount(parts: readonly { readonly weight: number }[], total: number): Amount {
  const weight = parts.reduce((sum, part) => sum + part.weight, 0);
  return { weight: millionth(weight), share: millionth(total === 0 ? 0 : weight / total) };
}

/** @param bySubnet whether clients in rule networks are told apart from their country */
function movesOf(flows: readonly Flow[], { spots, before, after, total }: RouteReportInput, bySubnet: boolean): readonly Move[] {
  const moves = new Map<string, { readonly of: Omit<Move, "weight" | "share">; weight: number }>();
  for (const { spot, before: from, after: to, weight } of flows) {
    const at = spots[spot]!;
    const subnets = bySubnet ? subnetsOf(at, before, after) : [];
    const key = `${at.country ?? ""} ${clustersOf(from)}>${clustersOf(to)} ${subnets.join()}`;
    const move = moves.get(key) ?? { of: describeMove(at, from, to, subnets), weight: 0 };
    move.weight += weight;
    moves.set(key, move);
  }
  return [...moves]
    .sort(([a, { weight: one }], [b, { weight: other }]) => other - one || (a < b ? -1 : 1))
    .map(([, { of, weight }]) => ({ ...of, ...amount([{ weight }], total) }));
}

function describeMove({ continent, country }: Spot, from: Answer, to: Answer, subnets: readonly string[]): Omit<Move, "weight" | "share"> {
  return {
    continent: continent ?? null,
    country: country ?? null,
    ...(subnets.length > 0 && { subnets }),
    from: from.clusters.map(({ name }) => name),
    to: to.clusters.map(({ name }) => name),
  };
}

function subnetsOf(spot: Spot, before: Side, after: Side): readonly string[] {
  const on = ({ subnets = [] }: Spot["before"], { table }: Side): readonly string[] => subnets.map((index) => table.geo.subnets[index]!);
  return [...new Set([...on(spot.before, before), ...on(spot.after, after)])].sort();
}

const bothSides = (of: (side: Side, answer: "before" | "after") => Spread, before: Side, after: Side): BeforeAfter<Spread> => ({
  before: of(before, "before"),
  after: of(after, "after"),
});

type Measure = (spot: Spot, cluster: string) => number | undefined;

function kmBetween(clusters: readonly Cluster[]): Measure {
  const byName = new Map(clusters.map((cluster) => [cluster.name, cluster.location]));
  return ({ latitude, longitude }, name) => {
    const at = byName.get(name)!;
    return latitude === undefined || longitude === undefined ? undefined : distanceKm(latitude, longitude, at.latitude, at.longitude);
  };
}

function msBetween(clusters: readonly Cluster[], map: LatencyMap): Measure {
  const byName = new Map(clusters.map((cluster) => [cluster.name, cluster]));
  return (spot, name) => latencyOf(map, spot, byName.get(name)!)?.ms;
}

function measured(flows: readonly Flow[], spots: readonly Spot[], side: "before" | "after", measure: Measure): Spread {
  return spreadOf(
    flows.flatMap((flow) =>
      flow[side].clusters.flatMap(({ name, share }) => {
        const value = measure(spots[flow.spot]!, name);
        return value === undefined ? [] : [{ value, weight: flow.weight * share }];
      }),
    ),
  );
}

function modesOf(flows: readonly Flow[], side: "before" | "after", total: number): Readonly<Record<string, Amount>> {
  const byMode = Map.groupBy(flows, (flow) => flow[side].mode);
  return Object.fromEntries([...byMode].sort(([a], [b]) => (a < b ? -1 : 1)).map(([mode, own]) => [mode, amount(own, total)]));
}

function violationsOf(
  route: Route | undefined,
  { table }: Side,
  { flows, spots, total }: RouteReportInput,
  side: "before" | "after",
): readonly Violation[] {
  if (route === undefined || route.rules.length === 0) return [];
  const found = new Map<string, { readonly of: Omit<Violation, "weight" | "share">; weight: number }>();
  for (const flow of flows) {
    const spot = spots[flow.spot]!;
    const clusters = flow[side].clusters.map(({ name }) => name);
    for (const { rule, cluster } of violations(route, spot[side], table.geo.subnets, clusters)) {
      const country = spot.country ?? null;
      const key = `${rule} ${cluster} ${country}`;
      const violation = found.get(key) ?? { of: { rule, cluster, country }, weight: 0 };
      violation.weight += flow.weight;
      found.set(key, violation);
    }
  }
  return [...found]
    .sort(([a, { weight: one }], [b, { weight: other }]) => other - one || (a < b ? -1 : 1))
    .map(([, { of, weight }]) => ({ ...of, ...amount([{ weight }], total) }));
}
