/** Client address to leaf, on the hot path: array reads only, no allocation. */
import { BLOCK, type GeoTable } from "./geo-table.ts";

/**
 * Longest-prefix match by 16-8-8 bits: at most three reads.
 *
 * @param ip address as an unsigned or signed 32-bit number
 */
export function leafOfV4(geo: GeoTable, ip: number): number {
  let entry = geo.v4Root[ip >>> 16]!;
  if (entry < BLOCK) return entry;
  entry = geo.v4Blocks[(entry - BLOCK) * 256 + ((ip >>> 8) & 0xff)]!;
  if (entry < BLOCK) return entry;
  return geo.v4Blocks[(entry - BLOCK) * 256 + (ip & 0xff)]!;
}

/**
 * Longest-prefix match by 16 bits, then four at a time.
 *
 * @param bytes  holds the 16 bytes of the address, network order, from `offset` on
 */
export function leafOfV6(geo: GeoTable, bytes: Uint8Array, offset: number): number {
  const blocks = geo.v6Blocks;
  let entry = geo.v6Root[(bytes[offset]! << 8) | bytes[offset + 1]!]!;
  // Every path of the table ends in a leaf within 128 bits, so the loop does.
  for (let at = offset + 2; entry >= BLOCK; at++) {
    const byte = bytes[at]!;
    entry = blocks[(entry - BLOCK) * 16 + (byte >>> 4)]!;
    if (entry < BLOCK) return entry;
    entry = blocks[(entry - BLOCK) * 16 + (byte & 15)]!;
  }
  return entry;
}

/**
 * Walks the trie down `length` bits.
 *
 * @param ip     as for {@link leafOfV4}; bits behind `length` are not looked at
 * @returns the node (≥ 0) at which the prefix ends when it holds several leaves, else ~leaf of the one leaf that holds it
 */
export function nodeOfV4(geo: GeoTable, ip: number, length: number): number {
  const children = geo.children;
  let at = geo.v4TrieRoot;
  for (let bit = 0; bit < length && at >= 0; bit++) at = children[2 * at + ((ip >>> (31 - bit)) & 1)]!;
  return at;
}

/** As {@link nodeOfV4}, for the 16 bytes (or the first ⌈length / 8⌉ of them) from `offset` on. */
export function nodeOfV6(geo: GeoTable, bytes: Uint8Array, offset: number, length: number): number {
  const children = geo.children;
  let at = geo.v6TrieRoot;
  for (let bit = 0; bit < length && at >= 0; bit++) {
    at = children[2 * at + ((bytes[offset + (bit >>> 3)]! >>> (7 - (bit & 7))) & 1)]!;
  }
  return at;
}

/**
 * The lowest leaf below a node: its scope is at most the node's depth exactly when the whole prefix is of one class.
 *
 * @param node as {@link nodeOfV4} returns it
 */
export function firstLeafOf(geo: GeoTable, node: number): number {
  let at = node;
  while (at >= 0) at = geo.children[2 * at]!;
  return ~at;
}
