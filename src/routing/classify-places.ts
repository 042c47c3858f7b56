/** Cuts all places into classes of equal plan: the dear part of a policy, where geo data know cities and providers. Pure. */
import type { Place } from "../geo/geo-table.ts";
import { sharedUint32 } from "../model/shared-array.ts";
import type { Measures } from "./measure.ts";
import { planPlace } from "./plan.ts";
import type { Policy } from "./policy.ts";

/**
 * Places by all that they say but their AS number and rule networks. A policy that names neither makes one plan for a spot, so it need not
 * go through a city's every provider.
 */
export interface Spots {
  /** place → spot. */
  readonly ofPlace: Uint32Array;
  readonly count: number;
}

/** Whether an AS number is known at all matters to rules that ask for another one. */
export function numberSpots(places: readonly Place[]): Spots {
  const numbers = new Map<string, number>();
  const ofPlace = Uint32Array.from(places, ({ continent, country, subdivisions, asn, latitude, longitude }) => {
    const key = `${continent} ${country} ${subdivisions?.join()} ${asn === undefined} ${latitude} ${longitude}`;
    const known = numbers.get(key) ?? numbers.size;
    numbers.set(key, known);
    return known;
  });
  return { ofPlace, count: numbers.size };
}

export interface Classes {
  /** place → class, numbered by first appearance. */
  readonly classOfPlace: Uint32Array;
  /** class → tiers of backend positions. */
  readonly plans: readonly (readonly (readonly number[])[])[];
  /** class → 1 when a Require rule takes backends from it. */
  readonly requires: Uint8Array;
}

const UNKNOWN = -1;

/** @param spots of these places */
export function classifyPlaces(policy: Policy, places: readonly Place[], spots: Spots, measures: Measures): Classes {
  const measure = policy.order === "Latency" ? measures.latency : measures.distance;
  const classOfPlace = sharedUint32(places.length);
  const classByKey = new Map<string, number>();
  const plans: (readonly (readonly number[])[])[] = [];
  const requires: number[] = [];
  const classOf = (place: Place): number => {
    const { tiers } = planPlace(policy, place, measure);
    const key = tiers.map((tier) => tier.join()).join("|");
    let cls = classByKey.get(key);
    if (cls === undefined) {
      cls = plans.push(tiers) - 1;
      classByKey.set(key, cls);
      // Only Require rules leave backends out, so no plan belongs both to a restricted and to a free place.
      requires.push(tiers.flat().length < policy.members.length ? 1 : 0);
    }
    return cls;
  };
  const asns = new Set(policy.rules.flatMap((rule) => rule.asns));
  const subnets = new Set(policy.rules.flatMap((rule) => rule.subnets));
  const isNamed = ({ asn, subnets: held }: Place): boolean =>
    (asn !== undefined && asns.has(asn)) || (held?.some((subnet) => subnets.has(subnet)) ?? false);
  const classOfSpot = new Int32Array(spots.count).fill(UNKNOWN);
  places.forEach((place, i) => {
    if (isNamed(place)) {
      classOfPlace[i] = classOf(place);
      return;
    }
    const spot = spots.ofPlace[i]!;
    if (classOfSpot[spot] === UNKNOWN) classOfSpot[spot] = classOf(place);
    classOfPlace[i] = classOfSpot[spot]!;
  });
  return { classOfPlace, plans, requires: Uint8Array.from(requires) };
}
