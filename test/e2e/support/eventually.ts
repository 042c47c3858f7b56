/** Waiting for what real programs do: always for a condition, always with an end. */
import { setTimeout } from "node:timers/promises";

const EVERY_MS = 50;

export interface Patience {
  /** Milliseconds; 20,000 by default. */
  readonly within?: number;
  /** Added to the error: a log, a state. */
  readonly detail?: () => string;
}

/**
 * Asks until the answer is neither undefined nor false, and returns it.
 *
 * @param what is waited for, as the end of "waited N s for …"
 * @throws when the time is up, with what the last try threw or found
 */
export async function eventually<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  { within = 20_000, detail }: Patience = {},
): Promise<T> {
  const end = performance.now() + within;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= end) break;
    await setTimeout(EVERY_MS);
  }
  throw new Error(`waited ${within / 1000} s for ${what}${detail === undefined ? "" : `\n${detail()}`}`, { cause: last });
}

/** Checks again and again for the whole time, and returns when it never failed. @throws what the check threw */
export async function throughout(milliseconds: number, check: () => void | Promise<void>): Promise<void> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    await check();
    await setTimeout(EVERY_MS);
  }
}
