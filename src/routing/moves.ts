/** Who moved: compares what a route answers before and after a change of standings. Pure. */
import type { GeoTable } from "../geo/geo-table.ts";
import { chooseBySlot, Mode, newChoice } from "./choose.ts";
import { ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA, type RoutingTable } from "./table.ts";

/** The classes of a partition that most people live in. */
export interface Crowd {
  readonly classes: Uint32Array;
  /** People of each of `classes`; at least 1, so that places without people count in a tie. */
  readonly people: Float64Array;
}

/** A sample of a route's answers: for the plans of a crowd and some slots, the serving cluster; -1 where nothing may be answered. */
export interface Serving {
  readonly clusters: Int32Array;
  readonly crowd: Crowd;
  /** Samples answered by fail-open or a hold. */
  readonly desperate: number;
}

const SLOTS = 4;

/**
 * How many people live in each place, a country's spread evenly over its places.
 *
 * @param population country → people
 */
export function peopleOf({ places }: GeoTable, population: ReadonlyMap<string, number>): Float64Array {
  const placesPerCountry = new Map<string, number>();
  for (const { country } of places) {
    if (country !== undefined) placesPerCountry.set(country, (placesPerCountry.get(country) ?? 0) + 1);
  }
  return Float64Array.from(places, ({ country }) =>
    country === undefined ? 0 : (population.get(country) ?? 0) / placesPerCountry.get(country)!,
  );
}

/**
 * @param peopleOfPlace {@link peopleOf} of the table's geo data
 * @param most          classes to keep, those with most people first
 */
export function crowdOf({ partitions }: RoutingTable, partition: number, peopleOfPlace: Float64Array, most: number): Crowd {
  const { classOfPlace, classes } = partitions[partition]!;
  const people = new Float64Array(classes).fill(1);
  for (let place = 0; place < peopleOfPlace.length; place++) people[classOfPlace[place]!]! += peopleOfPlace[place]!;
  const largest = [...people.keys()].sort((a, b) => people[b]! - people[a]! || a - b).slice(0, most);
  return { classes: Uint32Array.from(largest), people: Float64Array.from(largest, (cls) => people[cls]!) };
}

/** @param crowd of the route's own partition */
export function sampleServing(table: RoutingTable, route: number, crowd: Crowd): Serving {
  const { hot, names } = table;
  const plans = hot.policyPlans[hot.routePolicy[route]!]!;
  const size = crowd.classes.length;
  const clusters = new Int32Array(2 * size * SLOTS).fill(-1);
  const choice = newChoice();
  let desperate = 0;
  for (const family of [0, 1] as const) {
    if ((hot.routeFlags[route]! & (family === 0 ? ROUTE_OFFERS_A : ROUTE_OFFERS_AAAA)) === 0) continue;
    for (let i = 0; i < size; i++) {
      choice.plan = plans + crowd.classes[i]!;
      for (let slot = 0; slot < SLOTS; slot++) {
        choice.slotHash = (((slot + 0.5) / SLOTS) * 0x1_0000_0000) | 0;
        chooseBySlot(table, route, family, choice);
        if (choice.backend >= 0) clusters[(family * size + i) * SLOTS + slot] = names.backends[choice.backend]!.cluster;
        if (choice.mode >= Mode.Unknown && choice.mode <= Mode.Held) desperate++;
      }
    }
  }
  return { clusters, crowd, desperate };
}

/**
 * The move from (or to) a cluster that most people made.
 *
 * @param before,after samples of one crowd
 * @returns cluster indices; undefined when nobody moved
 */
export function commonestMove(
  before: Serving,
  after: Serving,
  cluster: number,
): { readonly from: number; readonly to: number } | undefined {
  const moves = new Map<string, { readonly from: number; readonly to: number; people: number }>();
  const size = before.crowd.classes.length;
  before.clusters.forEach((from, i) => {
    const to = after.clusters[i]!;
    if (from === to || from < 0 || to < 0 || (from !== cluster && to !== cluster)) return;
    const key = `${from}>${to}`;
    const move = moves.get(key) ?? { from, to, people: 0 };
    move.people += before.crowd.people[Math.floor(i / SLOTS) % size]!;
    moves.set(key, move);
  });
  return [...moves.values()].sort((a, b) => b.people - a.people)[0];
}

/**
 * The clients that can show that a move has arrived: of those who moved away from a cluster, the class of most people of which nobody is
 * answered with it any more.
 *
 * @param before,after samples of one crowd
 * @param from         cluster index
 * @returns the class, and the family of its answers (0 = IPv4); undefined when the cluster goes on answering some of every class
 */
export function clearestMove(
  before: Serving,
  after: Serving,
  from: number,
): { readonly class: number; readonly family: 0 | 1 } | undefined {
  const { classes, people } = before.crowd;
  let best: { readonly class: number; readonly family: 0 | 1; readonly people: number } | undefined;
  for (const family of [0, 1] as const) {
    for (let i = 0; i < classes.length; i++) {
      const at = (family * classes.length + i) * SLOTS;
      const hadIt = before.clusters.subarray(at, at + SLOTS).includes(from);
      if (!hadIt || after.clusters.subarray(at, at + SLOTS).includes(from) || after.clusters[at]! < 0) continue;
      if (best === undefined || people[i]! > best.people) best = { class: classes[i]!, family, people: people[i]! };
    }
  }
  return best;
}
