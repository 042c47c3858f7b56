/** Hashes of names, by which a zone table finds them. Pure, and hot but for what is made once a table. */
import { sharedUint32 } from "../model/shared-array.ts";

/** Seed of a name's hash: the hash of the root. */
export const ROOT_HASH = 0x811c9dc5 | 0;

/** Hash of the name one label longer: FNV-1a over the label, length byte included, case folded. Signed, so that V8 need not box it. */
export function hashLabel(parent: number, bytes: Uint8Array, at: number): number {
  let hash = parent;
  const end = at + bytes[at]! + 1;
  for (let i = at; i < end; i++) {
    const byte = bytes[i]!;
    hash = Math.imul(hash ^ (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte), 0x01000193);
  }
  return hash;
}

/** First slot to look at for a hash; the upper half of FNV-1a is the better mixed one. */
export const slotOf = (hash: number, mask: number): number => (hash ^ (hash >>> 15)) & mask;

/** Hash of a whole uncompressed wire name. */
export function hashOf(wire: Uint8Array): number {
  const labels: number[] = [];
  for (let at = 0; wire[at] !== 0; at += wire[at]! + 1) labels.push(at);
  return labels.reduceRight((hash, at) => hashLabel(hash, wire, at), ROOT_HASH);
}

/**
 * Open addressing by hash: index + 1, 0 = free. At most half full, so that a look-up of an absent name ends soon.
 */
export function hashSlots(nodeHash: Int32Array): Uint32Array {
  const slots = sharedUint32(2 ** Math.ceil(Math.log2(2 * nodeHash.length + 2)));
  nodeHash.forEach((hash, node) => {
    let slot = slotOf(hash, slots.length - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
    slots[slot] = node + 1;
  });
  return slots;
}
