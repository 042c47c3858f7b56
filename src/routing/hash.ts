/** 32-bit mixing, the same on every machine and in every version: slots are a promise to clients that come back. */

/** Finaliser of MurmurHash3: every input bit reaches every output bit. */
export const mix32 = (value: number): number => mixSigned(value) >>> 0;

/** As {@link mix32}, for paths where nothing may be allocated: V8 boxes numbers above 2³¹ that leave a function. */
export function mixSigned(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** FNV-1a over UTF-16 code units, then {@link mix32}. */
export function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix32(h);
}

/**
 * Weighted rendezvous score of a member for a slot: among members the highest score wins, each in proportion to its weight, and
 * removing one moves only what was its own (Mosko & Schindelhauer's logarithmic method).
 *
 * @param weight above 0
 */
export function rendezvousScore(slot: number, memberHash: number, weight: number): number {
  const u = (mix32(Math.imul(slot + 1, 0x9e3779b1) ^ memberHash) + 0.5) / 0x1_0000_0000; // in (0, 1)
  return -weight / Math.log(u);
}
