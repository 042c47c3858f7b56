/** What dashboards and alerts hold answers and failovers to. */

/** Share of DNS queries that get an answer other than SERVFAIL, in 30 days. */
export const TARGET = 0.999;
/** Share of failovers that are over within {@link FAILOVER_SECONDS}; that is a bound of their histogram's buckets. */
export const FAILOVER_TARGET = 0.99;
export const FAILOVER_SECONDS = 15;

/** Windows over which the share of lost queries is recorded, besides the whole 30 days. */
export const BURN_WINDOWS = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"] as const;

/** How fast the budget burns when people are told: the long window says that it matters, the short one that it still goes on. */
export const BURN_RATES = {
  fast: [
    { rate: 14.4, long: "1h", short: "5m" },
    { rate: 6, long: "6h", short: "30m" },
  ],
  slow: [
    { rate: 3, long: "1d", short: "2h" },
    { rate: 1, long: "3d", short: "6h" },
  ],
} as const;
