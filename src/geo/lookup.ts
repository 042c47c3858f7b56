/** Client address to leaf, on the hot path: array reads only, no allocation. */
import { BLOCK_WORDS, type GeoTable, GROUP_WORDS } from "./geo-table.ts";

/**
 * Longest-prefix match by 16-8-8 bits: one cache line a step.
 *
 * @param ip address as a 32-bit number; a signed one is never boxed on its way here
 */
export function leafOfV4(geo: GeoTable, ip: number): number {
  const groups = geo.v4Groups;
  let entry = entryOf(groups, 0, ip >>> 16);
  if (entry >= 0) return entry;
  entry = entryOf(groups, ~entry, (ip >>> 8) & 0xff);
  return entry >= 0 ? entry : entryOf(groups, ~entry, ip & 0xff);
}

/**
 * Longest-prefix match by 16 bits, then eight at a time.
 *
 * @param bytes  holds the 16 bytes of the address, network order, from `offset` on
 */
export function leafOfV6(geo: GeoTable, bytes: Uint8Array, offset: number): number {
  const groups = geo.v6Groups;
  let entry = entryOf(groups, 0, (bytes[offset]! << 8) | bytes[offset + 1]!);
  // Every path of the table ends in a leaf within 128 bits, so the loop does.
  for (let at = offset + 2; entry < 0; at++) entry = entryOf(groups, ~entry, bytes[at]!);
  return entry;
}

/** @param start first word of the block; layout: {@link GeoTable} */
function entryOf(groups: Int32Array, start: number, position: number): number {
  const group = start + (position >>> 5) * GROUP_WORDS;
  const upTo = (2 << (position & 31)) - 1;
  const inner = groups[group]!;
  if (((inner >>> (position & 31)) & 1) !== 0) return ~(groups[group + 3]! + countBits(inner & (upTo >>> 1)) * BLOCK_WORDS);
  return groups[group + 2]! + countBits(groups[group + 1]! & upTo);
}

function countBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const nibbles = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
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
