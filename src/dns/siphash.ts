/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012), with results of 64 and 128 bits. Hot: words of 64 bits are kept as two of 32, because a
 * BigInt would be made for each of them; nothing is allocated.
 */

/** Four words of a key: its 16 bytes, little-endian. */
export const sipHashKey = (bytes: Uint8Array): Int32Array => {
  const key = new Int32Array(4);
  for (let i = 0; i < 16; i++) key[i >> 2]! |= bytes[i]! << (8 * (i & 3));
  return key;
};

/**
 * SipHash-2-4 of `bytes[start..end)`.
 *
 * @param key see {@link sipHashKey}
 * @param out gets two words, the low one first; little-endian bytes of them are the hash as it is written
 */
export function sipHash(key: Int32Array, bytes: Uint8Array, start: number, end: number, out: Int32Array): void {
  digest(key, bytes, start, end, 0, out);
}

/** As {@link sipHash}, SipHash-2-4-128: `out` gets four words. */
export function sipHash128(key: Int32Array, bytes: Uint8Array, start: number, end: number, out: Int32Array): void {
  digest(key, bytes, start, end, 0xee, out);
}

/** The carry of a sum's low halves: `sum` is the wrapped sum of `term` and another one. */
const carry = (sum: number, term: number): number => (sum >>> 0 < term >>> 0 ? 1 : 0);

/** @param wide 0xee for 128 bits, 0 for 64; v1 begins with it, as the reference implementation has it */
function digest(key: Int32Array, bytes: Uint8Array, start: number, end: number, wide: number, out: Int32Array): void {
  const k0l = key[0]!;
  const k0h = key[1]!;
  const k1l = key[2]!;
  const k1h = key[3]!;
  let v0l = k0l ^ 0x70736575;
  let v0h = k0h ^ 0x736f6d65;
  let v1l = k1l ^ 0x6e646f6d ^ wide;
  let v1h = k1h ^ 0x646f7261;
  let v2l = k0l ^ 0x6e657261;
  let v2h = k0h ^ 0x6c796765;
  let v3l = k1l ^ 0x79746573;
  let v3h = k1h ^ 0x74656462;
  const length = end - start;
  const blocks = (length >>> 3) + 1; // the last one holds what is left over and the length
  const steps = blocks + (wide === 0 ? 1 : 2); // the last ones finish the hash
  for (let step = 0; step < steps; step++) {
    let ml = 0;
    let mh = 0;
    let rounds = 4;
    if (step < blocks - 1) {
      const at = start + 8 * step;
      ml = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      mh = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
      rounds = 2;
    } else if (step === blocks - 1) {
      mh = length << 24;
      for (let i = start + 8 * step; i < end; i++) {
        const shift = 8 * ((i - start) & 3);
        if (((i - start) & 4) === 0) ml |= bytes[i]! << shift;
        else mh |= bytes[i]! << shift;
      }
      rounds = 2;
    } else if (step === blocks) {
      v2l ^= wide === 0 ? 0xff : 0xee;
    } else {
      v1l ^= 0xdd;
    }
    v3l ^= ml;
    v3h ^= mh;
    for (let round = 0; round < rounds; round++) {
      let low = (v0l + v1l) | 0;
      v0h = (v0h + v1h + carry(low, v1l)) | 0;
      v0l = low;
      low = (v1l << 13) | (v1h >>> 19);
      v1h = (v1h << 13) | (v1l >>> 19);
      v1l = low ^ v0l;
      v1h ^= v0h;
      low = v0h; // v0 is turned by 32
      v0h = v0l;
      v0l = low;

      low = (v2l + v3l) | 0;
      v2h = (v2h + v3h + carry(low, v3l)) | 0;
      v2l = low;
      low = (v3l << 16) | (v3h >>> 16);
      v3h = (v3h << 16) | (v3l >>> 16);
      v3l = low ^ v2l;
      v3h ^= v2h;

      low = (v0l + v3l) | 0;
      v0h = (v0h + v3h + carry(low, v3l)) | 0;
      v0l = low;
      low = (v3l << 21) | (v3h >>> 11);
      v3h = (v3h << 21) | (v3l >>> 11);
      v3l = low ^ v0l;
      v3h ^= v0h;

      low = (v2l + v1l) | 0;
      v2h = (v2h + v1h + carry(low, v1l)) | 0;
      v2l = low;
      low = (v1l << 17) | (v1h >>> 15);
      v1h = (v1h << 17) | (v1l >>> 15);
      v1l = low ^ v2l;
      v1h ^= v2h;
      low = v2h;
      v2h = v2l;
      v2l = low;
    }
    if (step < blocks) {
      v0l ^= ml;
      v0h ^= mh;
    } else {
      const to = 2 * (step - blocks);
      out[to] = v0l ^ v1l ^ v2l ^ v3l;
      out[to + 1] = v0h ^ v1h ^ v2h ^ v3h;
    }
  }
}
