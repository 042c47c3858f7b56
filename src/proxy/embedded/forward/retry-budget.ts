/**
 * How many requests may be repeated at the same time, so that retries cannot make an overload worse: a fifth of those under way, as Envoy has it,
 * and always a few, because a quiet site would have none. A bound on the rate would fail the thousand requests that wait at an endpoint when it
 * stops. Attempts of which nothing was sent, because no connection came about, are no load and cost nothing.
 */

const SHARE = 0.2;
const ALWAYS = 100;

export interface RetryBudget {
  /** Under way, whether repeated or not. */
  requests: number;
  /** Of them, those that were sent more than once and have no response yet. */
  retries: number;
}

export const newRetryBudget = (): RetryBudget => ({ requests: 0, retries: 0 });

/** @returns false when there are as many as there may be. Else one more is under way, until `retries` is lowered again. */
export function takeRetry(budget: RetryBudget): boolean {
  if (budget.retries >= Math.max(ALWAYS, SHARE * budget.requests)) return false;
  budget.retries++;
  return true;
}
