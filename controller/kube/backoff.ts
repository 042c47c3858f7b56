/** How long to wait between attempts that fail. Full jitter, so that many clients that failed together do not return together. */

export interface Backoff {
  /** @returns milliseconds to wait before the next attempt; its bound doubles with each call */
  next(): number;
  /** After a success that lasted. */
  reset(): void;
}

export interface BackoffBounds {
  /** Milliseconds: bound of the first wait. */
  readonly base: number;
  /** Milliseconds: bound of all waits. */
  readonly cap: number;
}

/** Below this, jitter could make a tight loop. */
const SHORTEST = 50;

/** @param random [0, 1) */
export function createBackoff(random: () => number, { base, cap }: BackoffBounds = { base: 500, cap: 30_000 }): Backoff {
  let failures = 0;
  return {
    next: () => {
      const bound = Math.min(cap, base * 2 ** failures);
      failures = Math.min(failures + 1, 30); // 2 ** 30 is beyond any cap
      return Math.max(SHORTEST, random() * bound);
    },
    reset: () => {
      failures = 0;
    },
  };
}
