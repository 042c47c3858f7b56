/** Token buckets over a clock that is given. */
import type { Rate, Rates } from "./limits.ts";

export interface Throttle {
  /** Takes a token of the account's bucket and one of the action's. @returns false when either is empty; then neither loses one */
  admitRequest(action: string): boolean;
  /** Takes as many tokens as there are changes. A batch larger than the bucket is admitted when the bucket is full. */
  admitChanges(count: number): boolean;
}

interface Bucket {
  readonly rate: Rate;
  tokens: number;
  /** Milliseconds. */
  filledAt: number;
}

/** @param now milliseconds, never going back */
export function createThrottle(rates: Rates, now: () => number): Throttle {
  const full = (rate: Rate): Bucket => ({ rate, tokens: rate.burst, filledAt: now() });
  const account = full(rates.account);
  const changes = full(rates.changes);
  const actions = new Map<string, Bucket>();

  function fill(bucket: Bucket): Bucket {
    const seconds = Math.max(0, now() - bucket.filledAt) / 1000;
    bucket.tokens = Math.min(bucket.rate.burst, bucket.tokens + seconds * bucket.rate.perSecond);
    bucket.filledAt = now();
    return bucket;
  }

  return {
    admitRequest(action) {
      const own = actions.get(action) ?? full(rates.actions[action] ?? rates.action);
      actions.set(action, own);
      const buckets = [fill(account), fill(own)];
      if (buckets.some(({ tokens }) => tokens < 1)) return false;
      for (const bucket of buckets) bucket.tokens--;
      return true;
    },
    admitChanges(count) {
      const { tokens, rate } = fill(changes);
      if (tokens < Math.min(count, rate.burst)) return false;
      changes.tokens -= Math.min(count, rate.burst);
      return true;
    },
  };
}
