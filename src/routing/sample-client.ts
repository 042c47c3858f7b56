/** A network of clients who share a place, to ask as one of them. Pure. */
import type { GeoTable } from "../geo/geo-table.ts";
import type { RoutingTable } from "./table.ts";

export interface SampleNetwork {
  readonly family: 4 | 6;
  /** 4 or 16 bytes; those behind `length` are 0. */
  readonly address: Uint8Array;
  /** At least 24 or 48: as long as resolvers tell of their clients (RFC 7871 §11.1), or longer where the network is smaller. */
  readonly length: number;
}

/**
 * @param partition     of the table
 * @param cls           class of the partition
 * @param peopleOfPlace `peopleOf` of the table's geo data
 * @returns a network in the place of the class where most people live, IPv4 if it has any; undefined when no network is in the class
 */
export function sampleClient(
  { geo, partitions }: Pick<RoutingTable, "geo" | "partitions">,
  partition: number,
  cls: number,
  peopleOfPlace: Float64Array,
): SampleNetwork | undefined {
  const { classOfPlace } = partitions[partition]!;
  const places = [...classOfPlace.keys()].filter((place) => classOfPlace[place] === cls);
  places.sort((a, b) => peopleOfPlace[b]! - peopleOfPlace[a]! || a - b);
  const place = places.find((one) => geo.leafPlace.includes(one)); // nearly all have networks: the first, as a rule
  return place === undefined ? undefined : (networkIn(geo, 4, place) ?? networkIn(geo, 6, place));
}

/** The first network of a place, in the order of addresses: found early, as a rule, since most places have many. */
function networkIn(geo: GeoTable, family: 4 | 6, place: number): SampleNetwork | undefined {
  const { children, leafPlace } = geo;
  const address = new Uint8Array(family === 4 ? 4 : 16);
  const find = (at: number, depth: number): number => {
    if (at < 0) return leafPlace[~at] === place ? depth : -1;
    for (const bit of [0, 1] as const) {
      const mask = 0x80 >>> (depth & 7);
      if (bit === 1) address[depth >>> 3]! |= mask;
      const found = find(children[2 * at + bit]!, depth + 1);
      if (found >= 0) return found;
      address[depth >>> 3]! &= ~mask;
    }
    return -1;
  };
  const depth = find(family === 4 ? geo.v4TrieRoot : geo.v6TrieRoot, 0);
  return depth < 0 ? undefined : { family, address, length: Math.max(family === 4 ? 24 : 48, depth) };
}
