/** What would happen: every client decided before and after, and what follows from it. Pure; the same input gives the same result. */
import { type Route, routeKey } from "../model/inventory.ts";
import { ROUTE_OFFERS_A } from "../routing/table.ts";
import { type Clients, totalWeight } from "./clients.ts";
import { type ClusterTally, capacityOf, clusterServing, type Served } from "./cluster-load.ts";
import { decideAll, type PlacedClients, type RouteAt } from "./decide-all.ts";
import { type LoadFactors, loadFactors, WEIGHT_IS_LOAD } from "./load.ts";
import { notesOf } from "./notes.ts";
import type { RegionServing } from "./region-serving.ts";
import { amount, type RouteReport, reportRoute } from "./route-report.ts";
import { makeSide, type Side } from "./side.ts";
import type { Amount, RouteSimulation, Simulation, TotalReport } from "./simulation.ts";
import type { RoutePair, SimulationInput } from "./simulation-input.ts";
import { gatherSpots, type Spot, type Spots } from "./spots.ts";
import { millionth } from "./stale.ts";

export interface Simulated {
  readonly simulation: Simulation;
  /** For each of its routes, in their order. */
  readonly regions: readonly (readonly RegionServing[])[];
}

export function simulate(input: SimulationInput): Simulated {
  const { clients, now } = input;
  const before = makeSide(input.before, { down: [], drain: [] }, input.sick, now);
  const after = makeSide(input.after, input.outage, input.sick, now);
  const spots = gatherSpots(clients, before.table.geo, after.table.geo, input.atlas);
  const total = totalWeight(clients);
  const people = weightByCountry(clients, spots);
  const placed: PlacedClients = new Map();
  const pairs = pairRoutes(before, after, input.only);
  const reports = pairs.map((pair, i) => {
    input.onProgress?.(i, pairs.length);
    return simulateRoute(pair, { input, before, after, spots, total, people, placed });
  });
  const routes = reports.map(({ simulation }) => simulation);
  const simulation: Simulation = {
    scenario: input.scenario,
    clients: { ...input.source, count: clients.count, weight: millionth(total) },
    routes,
    total: sumUp(reports, before, after, total),
    notes: [...input.notes, ...notesOf(input, routes, after, pairs)],
  };
  return { simulation, regions: reports.map((report) => report.regions) };
}

function pairRoutes(before: Side, after: Side, only: ReadonlySet<string> | undefined): readonly RoutePair[] {
  const indexOf = ({ inventory }: Side) => new Map(inventory.routes.map((route, i) => [routeKey(route), i]));
  const [from, to] = [indexOf(before), indexOf(after)];
  return [...new Set([...from.keys(), ...to.keys()])]
    .filter((key) => only?.has(key) ?? true)
    .map((key) => ({ before: from.get(key), after: to.get(key) }));
}

interface Context {
  readonly input: SimulationInput;
  readonly before: Side;
  readonly after: Side;
  readonly spots: Spots;
  readonly total: number;
  readonly people: ReadonlyMap<string, number>;
  readonly placed: PlacedClients;
}

function simulateRoute(pair: RoutePair, { input, before, after, spots, total, people, placed }: Context): RouteReport {
  const family = familyOf(before, pair.before) ?? familyOf(after, pair.after) ?? 0;
  const at = ({ table }: Side, route: number | undefined): RouteAt | undefined =>
    route === undefined ? undefined : { table, route, family };
  const routes = {
    ...(pair.before !== undefined && { before: before.inventory.routes[pair.before]! }),
    ...(pair.after !== undefined && { after: after.inventory.routes[pair.after]! }),
  };
  const flows = decideAll(input.clients, spots, at(before, pair.before), at(after, pair.after), input.now, placed);
  return reportRoute({
    ...{ before, after, routes, family, flows, spots: spots.spots, total },
    load: loadOf(input, (routes.before ?? routes.after)!, people),
    guardWouldHold: pair.after === undefined ? [] : after.heldByGuard[pair.after]!,
  });
}

/** A, unless the route has no such answers. */
function familyOf({ table }: Side, route: number | undefined): 0 | 1 | undefined {
  if (route === undefined) return undefined;
  return (table.hot.routeFlags[route]! & ROUTE_OFFERS_A) !== 0 ? 0 : 1;
}

function loadOf({ load, source }: SimulationInput, route: Route, people: ReadonlyMap<string, number>): LoadFactors | undefined {
  if (load !== undefined) return loadFactors(load, routeKey(route), people);
  return source.unit === "requests/s" ? WEIGHT_IS_LOAD : undefined;
}

function weightByCountry({ weight, count }: Clients, { spots, ofClient }: Spots): ReadonlyMap<string, number> {
  const people = new Map<string, number>();
  const countryOf = (spot: Spot): string => spot.country ?? "";
  const bySpot = new Float64Array(spots.length);
  for (let client = 0; client < count; client++) bySpot[ofClient[client]!]! += weight[client]!;
  spots.forEach((spot, i) => {
    people.set(countryOf(spot), (people.get(countryOf(spot)) ?? 0) + bySpot[i]!);
  });
  return people;
}

function sumUp(reports: readonly RouteReport[], before: Side, after: Side, perRoute: number): TotalReport {
  const routes = reports.map(({ simulation }) => simulation);
  const total = perRoute * routes.length;
  const sum = (of: (route: RouteSimulation) => number): Amount =>
    amount(
      routes.map((route) => ({ weight: of(route) })),
      total,
    );
  const inMode = (test: (mode: string) => boolean): Amount =>
    sum(({ modes }) => Object.entries(modes.after).reduce((weight, [mode, one]) => weight + (test(mode) ? one.weight : 0), 0));
  const simulated = (side: Side): readonly Route[] => {
    const keys = new Set(routes.map(({ route }) => route));
    return side.inventory.routes.filter((route) => keys.has(routeKey(route)));
  };
  const names = [...new Set(reports.flatMap(({ tallies }) => [...tallies.keys()]))];
  return {
    clusters: names.map((cluster) => {
      const capacity = { before: capacityOf(cluster, simulated(before)), after: capacityOf(cluster, simulated(after)) };
      return clusterServing(cluster, sumTallies(reports.flatMap(({ tallies }) => tallies.get(cluster) ?? [])), capacity, [""], total);
    }),
    moved: sum(({ moved }) => moved.weight),
    changed: sum(({ changed }) => changed.weight),
    mostChanged: Math.max(0, ...routes.map(({ changed }) => changed.share)),
    failOpen: inMode((mode) => mode.startsWith("FailOpen")),
    held: inMode((mode) => mode === "Held"),
    nothing: inMode((mode) => mode === "Nothing" || mode === "NotOffered"),
    violations: {
      before: sum(({ residency }) => residency.before.reduce((weight, one) => weight + one.weight, 0)),
      after: sum(({ residency }) => residency.after.reduce((weight, one) => weight + one.weight, 0)),
    },
    overloaded: routes.flatMap(({ route, clusters }) =>
      clusters.flatMap(({ cluster, after: { utilisation } }) =>
        utilisation !== null && utilisation > 1 ? [{ route, cluster, utilisation }] : [],
      ),
    ),
  };
}

/** Loads at the busiest time of each route: they may not fall together, so that their sum is an upper bound. */
function sumTallies(tallies: readonly ClusterTally[]): ClusterTally {
  const add = (side: "before" | "after"): Served => {
    const own = tallies.map((tally) => tally[side]);
    const hasLoad = own.length > 0 && own.every(({ loads }) => loads.length > 0);
    return {
      weight: own.reduce((sum, { weight }) => sum + weight, 0),
      loads: hasLoad ? [own.reduce((sum, { loads }) => sum + Math.max(...loads), 0)] : [],
    };
  };
  return { before: add("before"), after: add("after") };
}
