/** Who serves people now, and how much worse than the best that rules allow them. Pure. */
import { chooseBySlot, newChoice } from "./choose.ts";
import type { Measures } from "./measure.ts";
import { type RoutingTable, Standing } from "./table.ts";

/** Places that stand for all people, with what each cluster costs there. */
export interface PeopleSample {
  readonly places: Uint32Array;
  /** Share of all people for whom a place stands; together 1. */
  readonly weights: Float64Array;
  /** place × clusters + cluster → kilometres; NaN where the place has no coordinates. */
  readonly km: Float32Array;
  /** As `km`, milliseconds of a round trip. */
  readonly ms: Float32Array;
  readonly clusters: number;
}

/** What one route does for a sample of people. */
export interface ServingQuality {
  /** cluster → share of people who are answered with it. */
  readonly shares: Float64Array;
  /** The cluster with the largest share; -1 when nobody is answered. */
  readonly largest: number;
  /** (regret in km, regret in ms, share of people), one after the other; NaN where a measure is not known. */
  readonly regrets: Float32Array;
}

/**
 * All places with people, or as many drawn evenly through the list of all people: each then stands for an equal share, and large places come
 * several times as heavy.
 *
 * @param peopleOfPlace `peopleOf` of the table's geo data
 * @returns undefined when no place has people
 */
export function samplePeople(
  { geo, names }: RoutingTable,
  peopleOfPlace: Float64Array,
  { distance, latency }: Pick<Measures, "distance" | "latency">,
  most: number,
): PeopleSample | undefined {
  const inhabited = [...peopleOfPlace.keys()].filter((place) => peopleOfPlace[place]! > 0);
  const total = inhabited.reduce((sum, place) => sum + peopleOfPlace[place]!, 0);
  if (total === 0) return undefined;
  const drawn = inhabited.length <= most ? inhabited.map((place): [number, number] => [place, peopleOfPlace[place]!]) : draw();
  function draw(): [number, number][] {
    const weights = new Map<number, number>();
    let upTo = 0;
    let next = 0.5;
    for (const place of inhabited) {
      upTo += (peopleOfPlace[place]! / total) * most;
      for (; next < upTo; next++) weights.set(place, (weights.get(place) ?? 0) + total / most);
    }
    return [...weights];
  }
  const clusters = names.clusters.length;
  const cost = (measure: Measures["distance"]): Float32Array =>
    Float32Array.from({ length: drawn.length * clusters }, (_, i) => {
      return measure(geo.places[drawn[Math.floor(i / clusters)]![0]]!, i % clusters) ?? Number.NaN;
    });
  return {
    places: Uint32Array.from(drawn, ([place]) => place),
    weights: Float64Array.from(drawn, ([, people]) => people / total),
    km: cost(distance),
    ms: cost(latency),
    clusters,
  };
}

/** Slots tried in all plans of a route together, and in one. */
const TRIES = 1 << 13;
const MOST_TRIES = 256;
const LEAST_TRIES = 16;

/** @param sample of people over this table's geo data and clusters */
export function servingQuality(table: RoutingTable, route: number, family: 0 | 1, sample: PeopleSample): ServingQuality {
  const { hot, partitions } = table;
  const policy = hot.routePolicy[route]!;
  const partition = partitions[hot.policyPartition[policy]!]!;
  const tries = Math.min(MOST_TRIES, Math.max(LEAST_TRIES, Math.floor(TRIES / partition.classes)));
  const plans = new Map<number, { readonly chosen: readonly Chosen[]; readonly allowed: readonly number[] }>();
  const shares = new Float64Array(sample.clusters);
  const regrets: number[] = [];
  for (let i = 0; i < sample.places.length; i++) {
    const plan = hot.policyPlans[policy]! + partition.classOfPlace[sample.places[i]!]!;
    const known = plans.get(plan) ?? {
      chosen: chosenBy(table, route, family, plan, tries),
      allowed: allowedBy(table, route, family, plan),
    };
    plans.set(plan, known);
    const row = i * sample.clusters;
    const [bestKm, bestMs] = [least(sample.km, row, known.allowed), least(sample.ms, row, known.allowed)];
    for (const { cluster, share } of known.chosen) {
      const people = sample.weights[i]! * share;
      shares[cluster]! += people;
      regrets.push(sample.km[row + cluster]! - bestKm, sample.ms[row + cluster]! - bestMs, people);
    }
  }
  const largest = shares.reduce((best, share, cluster) => (share > (best < 0 ? 0 : shares[best]!) ? cluster : best), -1);
  return { shares, largest, regrets: Float32Array.from(regrets) };
}

interface Chosen {
  readonly cluster: number;
  readonly share: number;
}

function chosenBy(table: RoutingTable, route: number, family: 0 | 1, plan: number, tries: number): readonly Chosen[] {
  const choice = newChoice();
  choice.plan = plan;
  const counts = new Map<number, number>();
  for (let i = 0; i < tries; i++) {
    choice.slotHash = (((i + 0.5) / tries) * 0x1_0000_0000) | 0;
    chooseBySlot(table, route, family, choice);
    if (choice.backend < 0) continue;
    const { cluster } = table.names.backends[choice.backend]!;
    counts.set(cluster, (counts.get(cluster) ?? 0) + 1);
  }
  return Array.from(counts, ([cluster, count]) => ({ cluster, share: count / tries }));
}

/** Clusters of all tiers of a plan, whatever their health and weight, but for those without an address of the family. */
function allowedBy({ hot, names, state }: RoutingTable, route: number, family: 0 | 1, plan: number): readonly number[] {
  const clusters = new Set<number>();
  for (let t = hot.planTiers[plan]!; t < hot.planTiers[plan + 1]!; t++) {
    const tier = hot.planTierIds[t]!;
    for (let member = hot.tierMembers[tier]!; member < hot.tierMembers[tier + 1]!; member++) {
      const backend = hot.routeBackends[route]! + hot.memberBackend[member]!;
      if (state.standing[2 * backend + family] !== Standing.Absent) clusters.add(names.backends[backend]!.cluster);
    }
  }
  return [...clusters];
}

/** NaN when any of them is not known: the best might be that one. */
function least(costs: Float32Array, row: number, clusters: readonly number[]): number {
  let best = Number.POSITIVE_INFINITY;
  for (const cluster of clusters) best = Math.min(best, costs[row + cluster]!);
  return best;
}
