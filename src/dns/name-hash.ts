/** Hashes of names, by which a zone table finds them. Pure, and hot but for what is made once a table. */
import { sharedUint32 } from "../model/shared-array.ts";
import { mixSigned } from "../routing/hash.ts";

/**
 * Factors of a name's words by their distance from its end in bytes: odd numbers without a pattern, the same in every process. Whatever two
 * names share at their ends adds the same to both hashes, so one pass from the end gives those of a name and of all names above it; and no
 * product waits for another, as it would in a hash that feeds on itself.
 */
const FACTORS = Int32Array.from({ length: 256 }, (_, distance) => mixSigned(Math.imul(distance + 1, 0x9e37_79b1)) | 1);

/** First slot to look at for a hash, whose lower bits are the weaker ones. */
export const slotOf = (hash: number, mask: number): number => (Math.imul(hash, 0x9e37_79b1) >>> 7) & mask;

/** Term of the four bytes before `at`, or of fewer. Bit 5 is set in each: that folds case, and some that is not case. */
export const termOf = (word: number, distance: number): number => Math.imul(word | 0x2020_2020, FACTORS[distance]!);

/** The last `count` bytes of a word, 1 to 3. */
export const lastBytes = (word: number, count: number): number => word & ((1 << (8 * count)) - 1);

/** Hash of a whole uncompressed wire name: what {@link termOf} gives for its words from the end, the root's zero left out, added up. */
export function hashOf(wire: Uint8Array): number {
  const padded = new DataView(new ArrayBuffer(wire.length + 4));
  wire.forEach((byte, i) => {
    padded.setUint8(4 + i, byte);
  });
  const end = 4 + wire.length - 1;
  let sum = 0;
  let at = end;
  for (; at - 4 >= 4; at -= 4) sum = (sum + termOf(padded.getInt32(at - 4), end - at)) | 0;
  return at > 4 ? (sum + termOf(lastBytes(padded.getInt32(at - 4), at - 4), end - at)) | 0 : sum;
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
