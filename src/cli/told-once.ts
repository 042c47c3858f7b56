/** Failures that repeat are told once, and again when they have been going on for a while. */

export interface ToldOnce {
  /** @returns whether to tell it now. @param what fails; @param why it does */
  isNew(what: string, why: string): boolean;
}

/** ms */
const AGAIN = 600_000;

/** @param now milliseconds on any clock */
export function createToldOnce(now: () => number): ToldOnce {
  const told = new Map<string, number>();
  return {
    isNew(what, why) {
      const key = `${what}\n${why}`;
      const last = told.get(key);
      if (last !== undefined && now() - last < AGAIN) return false;
      if (told.size > 10_000) told.clear();
      told.set(key, now());
      return true;
    },
  };
}
