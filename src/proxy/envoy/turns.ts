/**
 * Who may be sent a whole configuration now. When thousands of Envoys come at once, after a restart of ours, each would have megabytes of its own under
 * way; so they take turns. Pure but for what it holds.
 */
export interface Turns<T> {
  /**
   * @param now milliseconds
   * @returns true when it has its turn, now or already; else it waits, and a later {@link end} or {@link expire} names it, or it asks again
   */
  ask(one: T, now: number): boolean;
  /** Whether it had a turn or waits: it does neither any more. @returns who has its turn now instead */
  end(one: T, now: number): T | undefined;
  /** Takes turns that last too long from as many as others wait for. @returns who has theirs now instead, in the order in which they came */
  expire(now: number): readonly T[];
}

/**
 * @param most at one time
 * @param longest milliseconds, after which somebody who has not ended its turn gives way to others
 */
export function createTurns<T>(most: number, longest: number): Turns<T> {
  const holders = new Map<T, number>(); // oldest first
  const waiting = new Set<T>();
  const take = (one: T, now: number): void => {
    waiting.delete(one);
    holders.set(one, now);
  };
  /** @returns whether there is room for one more now */
  const makeRoom = (now: number): boolean => {
    const [oldest] = holders;
    if (holders.size >= most && oldest !== undefined && now - oldest[1] > longest) holders.delete(oldest[0]);
    return holders.size < most;
  };
  return {
    ask(one, now) {
      if (holders.has(one)) return true;
      const [first = one] = waiting;
      if (first !== one || !makeRoom(now)) waiting.add(one);
      else take(one, now);
      return holders.has(one);
    },
    end(one, now) {
      waiting.delete(one);
      if (!holders.delete(one) || holders.size >= most) return undefined;
      const [next] = waiting;
      if (next !== undefined) take(next, now);
      return next;
    },
    expire(now) {
      const next: T[] = [];
      for (const one of waiting) {
        if (!makeRoom(now)) break;
        take(one, now);
        next.push(one);
      }
      return next;
    },
  };
}
