/** How often something may happen: so many at once, and so many a second in the long run. */
import type { Milliseconds } from "../../../model/units.ts";

export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

export interface Allowance {
  readonly rate: Rate;
  left: number;
  at: Milliseconds;
}

export const newAllowance = (rate: Rate, now: Milliseconds): Allowance => ({ rate, left: rate.burst, at: now });

/** @returns false when it has happened more often than it may */
export function takeOne(allowance: Allowance, now: Milliseconds): boolean {
  if (leftOf(allowance, now) < 1) return false;
  allowance.left--;
  return true;
}

/** What may happen at once; less than nothing after {@link spend}. */
export function leftOf(allowance: Allowance, now: Milliseconds): number {
  const { rate } = allowance;
  allowance.left = Math.min(rate.burst, allowance.left + ((now - allowance.at) * rate.perSecond) / 1000);
  allowance.at = now;
  return allowance.left;
}

/** It has happened, whether it may or not. @param debt the most that is held against whoever does it */
export function spend(allowance: Allowance, now: Milliseconds, count: number, debt: number): void {
  allowance.left = Math.max(-debt, leftOf(allowance, now) - count);
}
