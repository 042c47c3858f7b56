/** Numbers places: what several files and the rules' networks say of one spot, merged, cut to what is needed, each distinct place once. */
import type { Centroids } from "./country-centroids.ts";
import type { Place, PlaceNeeds } from "./geo-table.ts";
import { type PlaceRecord, roundDegrees } from "./place-record.ts";

export interface PlaceNumbering {
  /**
   * @param terminals holds, from `from` on, ~record of each file and then ~set of the rules' networks
   * @returns the number of the place
   */
  numberOf(terminals: Int32Array, from: number): number;
  /** Grows as places are met; place 0 is the unknown place. */
  readonly places: readonly Place[];
}

/**
 * @param files   the records of each file, most trusted file first
 * @param subnets set → indices of rule networks (`SubnetTree.sets`)
 */
export function numberPlaces(
  files: readonly (readonly PlaceRecord[])[],
  subnets: readonly (readonly number[])[],
  needs: PlaceNeeds,
  centroids: Centroids,
): PlaceNumbering {
  const reduced = files.map((records) => reduceRecords(records, needs));
  const widths = [...reduced.map(({ distinct }) => distinct.length), subnets.length];
  // A combination of members is interned member by member: (number of the first n, member n + 1) → number of the first n + 1.
  const interned = widths.map(() => new Map<number, number>());
  const placeOfCombination: number[] = [];
  const places: Place[] = [{}];
  const placeOfKey = new Map<string, number>([["{}", 0]]);

  const newPlace = (terminals: Int32Array, from: number): number => {
    const records = reduced.map(({ distinct, indexOf }, k) => distinct[indexOf[~terminals[from + k]!]!]!);
    const held = subnets[~terminals[from + reduced.length]!]!;
    const place = cut(mergeRecords(records), held, needs, centroids);
    const key = JSON.stringify(place);
    let number = placeOfKey.get(key);
    if (number === undefined) {
      number = places.push(place) - 1;
      placeOfKey.set(key, number);
    }
    return number;
  };

  const numberOf = (terminals: Int32Array, from: number): number => {
    let combination = 0;
    for (let k = 0; k < widths.length; k++) {
      const width = widths[k]!;
      if (width === 1) continue;
      const terminal = ~terminals[from + k]!;
      const pair = combination * width + (k < reduced.length ? reduced[k]!.indexOf[terminal]! : terminal);
      if (k === 0) {
        combination = pair; // already dense: one file and no rule networks, the usual case, never asks a map
        continue;
      }
      const known = interned[k]!.get(pair);
      combination = known ?? interned[k]!.size;
      if (known === undefined) interned[k]!.set(pair, combination);
    }
    const place = placeOfCombination[combination] ?? newPlace(terminals, from);
    placeOfCombination[combination] = place;
    return place;
  };
  return { numberOf, places };
}

/** Records that do not differ in anything needed become one. Record 0, the empty one, stays 0. */
function reduceRecords(records: readonly PlaceRecord[], needs: PlaceNeeds) {
  const distinct: PlaceRecord[] = [];
  const known = new Map<string, number>();
  const location = needs.continent || needs.country || needs.subdivision || needs.coordinates;
  const indexOf = Uint32Array.from(records, (record) => {
    const kept: PlaceRecord = {
      ...(needs.continent && record.continent !== undefined && { continent: record.continent }),
      // Even where no rule asks for countries they tell whether two files speak of the same spot, and give continent and centroid.
      ...(location && record.country !== undefined && { country: record.country }),
      ...(needs.subdivision && record.subdivisions !== undefined && { subdivisions: record.subdivisions }),
      ...(needs.asn && record.asn !== undefined && { asn: record.asn }),
      ...(needs.coordinates &&
        record.latitude !== undefined &&
        record.longitude !== undefined && { latitude: record.latitude, longitude: record.longitude }),
    };
    const key = JSON.stringify(kept);
    const index = known.get(key) ?? distinct.push(kept) - 1;
    known.set(key, index);
    return index;
  });
  return { distinct, indexOf };
}

/**
 * The first file that gives a field wins. A file that puts the client into another country than an earlier one did adds its ASN at
 * most: a subdivision or coordinates of one country under the name of another would be worse than none.
 */
export function mergeRecords(records: readonly PlaceRecord[]): PlaceRecord {
  let merged: PlaceRecord = {};
  for (const record of records) {
    const elsewhere = merged.country !== undefined && record.country !== undefined && merged.country !== record.country;
    merged = elsewhere ? { ...(record.asn !== undefined && { asn: record.asn }), ...merged } : { ...record, ...merged };
  }
  return merged;
}

function cut(record: PlaceRecord, subnets: readonly number[], needs: PlaceNeeds, centroids: Centroids): Place {
  const centroid = record.country === undefined ? undefined : centroids.get(record.country);
  const continent = record.continent ?? centroid?.continent;
  const { latitude, longitude } = record.latitude === undefined ? (centroid ?? {}) : record;
  return {
    ...(needs.continent && continent !== undefined && { continent }),
    ...(needs.country && record.country !== undefined && { country: record.country }),
    ...(needs.subdivision && record.subdivisions !== undefined && { subdivisions: record.subdivisions }),
    ...(needs.asn && record.asn !== undefined && { asn: record.asn }),
    ...(needs.coordinates &&
      latitude !== undefined &&
      longitude !== undefined && { latitude: roundDegrees(latitude), longitude: roundDegrees(longitude) }),
    ...(subnets.length > 0 && { subnets }),
  };
}
