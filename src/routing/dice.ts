/** Randomness for answers, where nothing may be allocated: `Math.random` puts each of its fractions on the heap. */

/**
 * xorshift32, scrambled: one of 2³² − 1 steps a call. For spreading load, never for secrets.
 *
 * @param seed 32 bits, from a better source
 * @returns [0, 1)
 */
export function newRandom(seed: number): () => number {
  let state = seed | 0 || 1; // 0 would stay 0
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (Math.imul(state, 0x9e37_79b1) >>> 0) / 0x1_0000_0000;
  };
}
