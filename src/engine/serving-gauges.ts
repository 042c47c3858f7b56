/**
 * Who is served where, over all routes, for the metrics. Nothing is worked out while nobody scrapes; then what changed since, in parts, between
 * which others have their turn. Routes of one policy whose backends stand alike are worked out once.
 */
import type { RouteKey } from "../model/inventory.ts";
import type { ServingReading } from "../observe/metric-readings.ts";
import { measuresOf } from "../routing/measure.ts";
import { peopleOf } from "../routing/moves.ts";
import { type PeopleSample, type ServingQuality, samplePeople, servingQuality } from "../routing/serving-quality.ts";
import { FULL, ROUTE_OFFERS_A, RouteRow, type RoutingTable } from "../routing/table.ts";
import type { Standings } from "./standings.ts";
import type { World } from "./world.ts";

export interface ServingGauges {
  /** Works out what has changed. @param breathe lets others have their turn */
  prepare(breathe: () => Promise<void>): Promise<void>;
  /** What was worked out last; undefined before, and where nothing is known of where people live. */
  read(): ServingReading | undefined;
}

/** Routes that are alike in everything that decides. */
interface Group {
  readonly quality: ServingQuality;
  routes: number;
}

const MOST_PLACES = 512;
/** Work between two breaths, in places looked at: about a millisecond. */
const PART = 512;
/** A route whose key is made costs as much as so many places. */
const KEY_COST = 4;
/** Groups that no route is of any more are kept for the way back, up to so many. */
const MOST_GROUPS = 4096;
/** Tables that may come while one scrape is being answered; beyond that it tells of what is known. */
const MOST_TABLES = 3;
const QUANTILES = [0.5, 0.9, 0.99];

/** All that is known of one table. */
interface Known {
  readonly world: World;
  /** Undefined where no place has people. */
  readonly sample: PeopleSample | undefined;
  readonly groups: Map<string, Group>;
  readonly ofRoute: (Group | undefined)[];
  readonly index: ReadonlyMap<RouteKey, number>;
}

export function createServingGauges(
  world: () => World | undefined,
  standings: Pick<Standings, "watch">,
  population: ReadonlyMap<string, number>,
): ServingGauges {
  let known: Known | undefined;
  /** Routes to look at again; `all` of them. */
  let changed: Set<RouteKey> | "all" = "all";
  /** Some backend of theirs ramps up, sheds or is trickled: their shares move by themselves. */
  const restless = new Set<number>();
  let reading: ServingReading | undefined;
  let running: Promise<void> | undefined;

  standings.watch((route) => {
    if (route === "all") changed = "all";
    else if (changed !== "all") changed.add(route);
  });

  function knownOf(of: World): Known {
    if (known?.world.table === of.table && known.world.latency === of.latency) return known;
    const { table } = of;
    const sample = samplePeople(table, peopleOf(table.geo, population), measuresOf(of.inventory.clusters, of.latency), MOST_PLACES);
    const index = new Map(table.names.routes.map(({ namespace, name }, i) => [`${namespace}/${name}`, i]));
    known = { world: of, sample, groups: new Map(), ofRoute: [], index };
    changed = "all";
    restless.clear();
    return known;
  }

  /** @returns the routes to look at, which are then looked at */
  function takeChanged({ index }: Known): readonly number[] {
    const due = changed === "all" ? [...index.values()] : [...changed].flatMap((key) => index.get(key) ?? []);
    changed = new Set();
    return [...new Set([...due, ...restless])];
  }

  /** @returns places looked at */
  function look({ world: { table }, sample, groups, ofRoute }: Known, route: number): number {
    if (sample === undefined) return 0;
    const family = (table.hot.routeFlags[route]! & ROUTE_OFFERS_A) !== 0 ? 0 : 1;
    const { key, isRestless } = keyOf(table, route, family);
    if (isRestless) restless.add(route);
    else restless.delete(route);
    const before = ofRoute[route];
    const found = groups.get(key);
    if (found !== undefined && found === before) return 0;
    const group = found ?? { quality: servingQuality(table, route, family, sample), routes: 0 };
    groups.set(key, group);
    if (before !== undefined) before.routes--;
    group.routes++;
    ofRoute[route] = group;
    reading = undefined;
    return found === undefined ? sample.places.length : 0;
  }

  /** @returns false when another table was taken over meanwhile */
  async function work(breathe: () => Promise<void>): Promise<boolean> {
    const now = world();
    if (now === undefined) return true;
    const mine = knownOf(now);
    let cost = 0;
    for (const route of takeChanged(mine)) {
      cost += KEY_COST + look(mine, route);
      if (cost < PART) continue;
      cost = 0;
      await breathe();
      if (world()?.table === mine.world.table) continue;
      changed = "all";
      return false;
    }
    if (mine.groups.size > MOST_GROUPS) for (const [key, { routes }] of mine.groups) if (routes === 0) mine.groups.delete(key);
    return true;
  }

  async function workUntilDone(breathe: () => Promise<void>): Promise<void> {
    for (let tries = 0; tries < MOST_TABLES; tries++) if (await work(breathe)) return;
  }

  return {
    prepare(breathe) {
      running ??= workUntilDone(breathe).finally(() => {
        running = undefined;
      });
      return running;
    },
    read() {
      if (known?.sample === undefined) return undefined;
      reading ??= summarise(known);
      return reading;
    },
  };
}

/** Equal for routes that answer everybody alike. */
function keyOf({ hot, names, state }: RoutingTable, route: number, family: 0 | 1): { readonly key: string; readonly isRestless: boolean } {
  const flags = hot.routeRows[route * RouteRow.Length + RouteRow.FlagsAndTrickle]!;
  let key = `${hot.routePolicy[route]} ${family} ${flags}`;
  let isRestless = false;
  for (let backend = hot.routeBackends[route]!; backend < hot.routeBackends[route + 1]!; backend++) {
    const unit = 2 * backend + family;
    const keep = state.keep[unit]!;
    isRestless ||= keep < FULL;
    key += `,${names.backends[backend]!.cluster}:${state.standing[unit]}:${keep >>> 11}`; // a ramp has 32 steps here
  }
  return { key, isRestless };
}

/** Of regrets, in km and in tenths of a millisecond: half of the Earth's way around, and a second. */
const BINS = [20_100, 10_000] as const;

function summarise({ world: { table }, ofRoute, groups }: Known): ServingReading {
  const { clusters, routes } = table.names;
  const shares = new Float64Array(clusters.length);
  const [km, ms] = BINS.map((bins) => new Float64Array(bins + 1));
  const live = [...groups.values()].filter((group) => group.routes > 0);
  for (const group of live) {
    const { quality } = group;
    for (let cluster = 0; cluster < shares.length; cluster++) shares[cluster]! += (group.routes * quality.shares[cluster]!) / routes.length;
    for (let i = 0; i < quality.regrets.length; i += 3) {
      const people = group.routes * quality.regrets[i + 2]!;
      add(km!, quality.regrets[i]!, people);
      add(ms!, 10 * quality.regrets[i + 1]!, people);
    }
  }
  return {
    routes: ofRoute.flatMap((group, route) => {
      const { quality } = group ?? {};
      if (quality === undefined || quality.largest < 0) return [];
      const { namespace, name } = routes[route]!;
      return [{ route: `${namespace}/${name}`, cluster: clusters[quality.largest]!, share: quality.shares[quality.largest]! }];
    }),
    clusters: Array.from(shares, (share, cluster) => ({ cluster: clusters[cluster]!, share })),
    regret: QUANTILES.map((quantile) => {
      const [atKm, atMs] = [quantileOf(km!, quantile), quantileOf(ms!, quantile)];
      return {
        quantile,
        ...(atKm === undefined ? {} : { km: atKm }),
        ...(atMs === undefined ? {} : { seconds: atMs / 10_000 }),
      };
    }),
  };
}

function add(bins: Float64Array, value: number, people: number): void {
  if (Number.isNaN(value)) return;
  bins[Math.min(bins.length - 1, Math.max(0, Math.round(value)))]! += people;
}

/** @returns the bin below which that share lies; undefined when there is nothing */
function quantileOf(bins: Float64Array, quantile: number): number | undefined {
  const total = bins.reduce((sum, value) => sum + value, 0);
  if (total === 0) return undefined;
  let below = 0;
  for (let bin = 0; bin < bins.length; bin++) {
    below += bins[bin]!;
    if (below >= quantile * total) return bin;
  }
  return bins.length - 1;
}
