/** What all connections of one proxy share. */
import type { Ejection } from "./ejection.ts";
import type { ChooseEndpoints, IsSuspect } from "./endpoints.ts";
import type { ProxyPorts } from "./ports.ts";
import type { RetryBudget } from "./retry-budget.ts";
import type { ProxySettings } from "./settings.ts";
import type { UpstreamPool } from "./upstream-pool.ts";

export interface ProxyContext {
  readonly settings: ProxySettings;
  readonly ports: ProxyPorts;
  readonly choose: ChooseEndpoints;
  readonly pool: UpstreamPool;
  readonly budget: RetryBudget;
  readonly ejection: Ejection;
  readonly isSuspect: IsSuspect;
  readonly counters: ProxyCounters;
  /** No connection is to take another request. */
  isDraining: boolean;
}

/** Whole numbers that only grow, since the start. */
export interface ProxyCounters {
  requests: number;
  /** Attempts after the first. */
  retries: number;
  /** Retries that the budget did not allow, at once or at all. */
  retriesDenied: number;
  /** Attempts at a second endpoint because the first was slow. */
  hedges: number;
  upgrades: number;
  /** Requests that we answered ourselves. Status → how many. */
  readonly ownAnswers: Map<number, number>;
  /** Responses that broke off after they had begun. */
  cutResponses: number;
}

export const newProxyCounters = (): ProxyCounters => ({
  requests: 0,
  retries: 0,
  retriesDenied: 0,
  hedges: 0,
  upgrades: 0,
  ownAnswers: new Map(),
  cutResponses: 0,
});
