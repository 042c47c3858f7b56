/**
 * How many requests may be sent again, so that retries cannot make an overload worse: a fifth of all requests, and ten a second besides, as
 * linkerd and Envoy have it. Attempts of which nothing was sent, because no connection came about, are no load and cost nothing.
 */
import type { Milliseconds } from "../../../model/units.ts";

/** In thousandths of a retry, because fractions do not add up. */
const RETRY = 1000;
const PER_REQUEST = 200;
const PER_MILLISECOND = 10;
/** What is saved up at most: ten seconds' worth. */
const MOST = 10_000 * PER_MILLISECOND;

export interface RetryBudget {
  balance: number;
  at: Milliseconds;
}

export const newRetryBudget = (now: Milliseconds): RetryBudget => ({ balance: MOST, at: now });

/** Notes a request that is sent for the first time. */
export function addRequest(budget: RetryBudget): void {
  budget.balance = Math.min(MOST, budget.balance + PER_REQUEST);
}

/** @returns false when the budget is spent; nothing is taken then */
export function takeRetry(budget: RetryBudget, now: Milliseconds): boolean {
  budget.balance = Math.min(MOST, budget.balance + (now - budget.at) * PER_MILLISECOND);
  budget.at = now;
  if (budget.balance < RETRY) return false;
  budget.balance -= RETRY;
  return true;
}
