/** Finds the name of a query in a {@link ZoneTable}. Hot: allocates nothing. */
import { hashLabel, ROOT_HASH, slotOf } from "./name-hash.ts";
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

/** Looks for QNAME, then for ever shorter names above it. A name below which nothing matches keeps a wildcard further up from matching. */
export function findName(zones: ZoneTable, message: Uint8Array, query: Query, out: Found): void {
  const { hashes } = out;
  let hash = ROOT_HASH;
  for (let label = query.labels - 1; label >= 0; label--) {
    hash = hashLabel(hash, message, query.labelAt[label]!);
    hashes[label] = hash;
  }
  for (let label = 0; label < query.labels; label++) {
    const node = findNode(zones, message, query.labelAt[label]!, query.nameEnd, hashes[label]!);
    if (node >= 0) {
      out.encloser = node;
      out.node = label === 0 ? node : zones.nodeWildcard[node]!;
      return;
    }
  }
  out.encloser = -1;
  out.node = -1;
}

/** The node of the name at `from`..`end` of a message; -1 = none. */
function findNode(zones: ZoneTable, message: Uint8Array, from: number, end: number, hash: number): number {
  const { slots, nodeHash, nodeName, bytes } = zones;
  const mask = slots.length - 1;
  for (let slot = slotOf(hash, mask); ; slot = (slot + 1) & mask) {
    const node = slots[slot]! - 1;
    if (node < 0) return -1;
    if (nodeHash[node] !== hash) continue;
    const name = nodeName[node]!;
    if (nodeName[node + 1]! - name !== end - from) continue;
    let i = 0;
    while (i < end - from) {
      const byte = message[from + i]!;
      if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== bytes[name + i]) break;
      i++;
    }
    if (i === end - from) return node;
  }
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
