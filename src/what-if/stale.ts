/** How long resolvers go on giving what was published before. Pure. */
import type { Stale } from "./simulation.ts";

/** Seconds at which the curve is told: those that are not beyond its end, and the end. */
const TIMES = [0, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600] as const;

/**
 * A resolver that has the old answer has had it for any time up to its TTL, all equally likely: of clients of TTL T the share 1 − t/T
 * still gets it t seconds later.
 *
 * @param moved weight that moved, with the TTL of what it was answered before; `total` is that of all clients
 */
export function staleCurve(moved: readonly { readonly ttl: number; readonly weight: number }[], total: number): Stale {
  const ttl = moved.reduce((longest, one) => Math.max(longest, one.ttl), 0);
  const times = [...TIMES.filter((time) => time < ttl), ttl];
  const share = (seconds: number): number =>
    moved.reduce((sum, one) => sum + (one.ttl > seconds ? one.weight * (1 - seconds / one.ttl) : 0), 0) / total;
  return { ttl, curve: moved.length === 0 || total === 0 ? [] : times.map((seconds) => ({ seconds, share: millionth(share(seconds)) })) };
}

export const millionth = (value: number): number => Math.round(value * 1e6) / 1e6;
