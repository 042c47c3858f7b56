/** Finds the name of a query in a {@link ZoneTable}. Hot: allocates nothing. */
import { lastBytes, slotOf, termOf } from "./name-hash.ts";
import { foldCase } from "./wire/name.ts";
import type { Query } from "./wire/query.ts";
import type { ZoneTable } from "./zone-table.ts";

/** Filled by {@link findName}; reused. */
export interface Found {
  /** The closest encloser (RFC 4592 §3.3.1), which is QNAME itself when that exists; -1 = the name is in no zone. */
  encloser: number;
  /** Where the answer's records stand: QNAME, or the wildcard that matches it; -1 = QNAME does not exist. */
  node: number;
  /** Scratch: hash of the name that starts at each label. */
  readonly hashes: Int32Array;
}

export const newFound = (): Found => ({ encloser: -1, node: -1, hashes: new Int32Array(128) });

/**
 * Looks for QNAME, then for ever shorter names above it. A name below which nothing matches keeps a wildcard further up from matching.
 *
 * @param message of the whole message: words at odd places are read faster through a DataView than byte by byte
 */
export function findName(zones: ZoneTable, message: DataView, query: Query, out: Found): void {
  const { hashes } = out;
  const { labelAt, nameEnd, labels } = query;
  const end = nameEnd - 1; // without the root's zero
  let sum = 0;
  let at = end;
  for (let label = labels - 1; label >= 0; label--) {
    const start = labelAt[label]!;
    for (; at - 4 >= start; at -= 4) sum = (sum + termOf(message.getInt32(at - 4), end - at)) | 0;
    hashes[label] = at > start ? (sum + termOf(lastBytes(message.getInt32(at - 4), at - start), end - at)) | 0 : sum;
  }
  for (let label = 0; label < labels; label++) {
    const node = findNode(zones, message, labelAt[label]!, end, hashes[label]!);
    if (node >= 0) {
      out.encloser = node;
      out.node = label === 0 ? node : zones.nodeWildcard[node]!;
      return;
    }
  }
  out.encloser = -1;
  out.node = -1;
}

/** The node of the name at `from`..`end` of a message, without the root's zero; -1 = none. */
function findNode(zones: ZoneTable, message: DataView, from: number, end: number, hash: number): number {
  const { slots, nodeHash, nodeName, view } = zones;
  const mask = slots.length - 1;
  for (let slot = slotOf(hash, mask); ; slot = (slot + 1) & mask) {
    const node = slots[slot]! - 1;
    if (node < 0) return -1;
    if (nodeHash[node] !== hash) continue;
    const name = nodeName[node]!;
    if (nodeName[node + 1]! - name - 1 !== end - from) continue;
    if (isName(message, from, end, view, name)) return node;
  }
}

/** Whether the name at `from`..`end` of a message is the lower-cased one at `name` of a table. */
function isName(message: DataView, from: number, end: number, bytes: DataView, name: number): boolean {
  const shift = name - from;
  let at = from;
  for (; at + 4 <= end; at += 4) {
    const word = message.getInt32(at);
    const wanted = bytes.getInt32(at + shift);
    if (word !== wanted && foldWord(word) !== wanted) return false;
  }
  for (; at < end; at++) {
    const byte = message.getUint8(at);
    const wanted = bytes.getUint8(at + shift);
    if (byte !== wanted && foldCase(byte) !== wanted) return false;
  }
  return true;
}

/** {@link foldCase} of four bytes at once: the high bit of a byte tells first whether it is a capital, then becomes bit 5. */
function foldWord(word: number): number {
  const low = word & 0x7f7f_7f7f;
  const isCapital = (low + 0x3f3f_3f3f) & ~(low + 0x2525_2525) & ~word & 0x8080_8080; // at least A, at most Z, ASCII
  return word | (isCapital >>> 2);
}

/** The RRset of a type at a node; -1 = none. */
export function findSet(zones: ZoneTable, node: number, type: number): number {
  const end = zones.nodeSets[node + 1]!;
  for (let set = zones.nodeSets[node]!; set < end; set++) if (zones.setType[set] === type) return set;
  return -1;
}

/**
 * Where the type bit maps of an NSEC record begin in a zone table's `bytes`; they end with the RRset. What denies a type at a name that a
 * wildcard makes has the wildcard's bit maps behind another name.
 *
 * @param set an entry of `nodeNsec`
 */
export function nsecBitmap({ bytes, setBytes }: ZoneTable, set: number): number {
  let at = setBytes[set]! + 12; // owner c00c, type, class, TTL, RDLENGTH
  while (bytes[at] !== 0) at += bytes[at]! + 1;
  return at + 1;
}
