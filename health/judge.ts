/**
 * One vantage's view of one endpoint, from its own probes alone (docs/health.md). Pure.
 *
 * ```
 *             first ok                                fall failures, with fewer than rise successes in a row between them
 *   Unknown ───────────► Healthy (failures, run) ────────────────────────────────────────────────┐
 *      │                     ▲                                                                    ▼
 *      │                     └──────────────────── rise successes in a row ───────── Unhealthy (run)
 *      └────────────────────────────────── first failure ───────────────────────────────▲
 * ```
 */
import type { Health } from "../src/model/health.ts";

export interface Thresholds {
  /** Successes in a row that make an endpoint Healthy, and that clear the failure counter of a Healthy one. At least 1. */
  readonly rise: number;
  /** Failures that make it Unhealthy. At least 1. */
  readonly fall: number;
}

/** All times are those at which a probe ended, in the clock of the caller. */
export type Judgement =
  | { readonly verdict: "Unknown" }
  | {
      readonly verdict: "Healthy";
      readonly since: number;
      /** End of the first probe of the run that led to this verdict. */
      readonly firstSign: number;
      /** Failures that count against the verdict. */
      readonly failures: number;
      /** Successes in a row. */
      readonly run: number;
      /** When the first counted failure ended; 0 while none counts. */
      readonly doubtedSince: number;
    }
  | {
      readonly verdict: "Unhealthy";
      readonly since: number;
      readonly firstSign: number;
      /** Successes in a row. */
      readonly run: number;
      /** When the first success of the run ended; 0 while none counts. */
      readonly doubtedSince: number;
    };

export const UNKNOWN: Judgement = { verdict: "Unknown" };

/** What a vantage holds of an endpoint whose health it was told (a restart, a peer) and has not probed yet. */
export function presume(verdict: Health, since: number, firstSign: number, { rise }: Thresholds): Judgement {
  switch (verdict) {
    case "Unknown":
      return UNKNOWN;
    case "Healthy":
      return { verdict, since, firstSign, failures: 0, run: rise, doubtedSince: 0 };
    case "Unhealthy":
      return { verdict, since, firstSign, run: 0, doubtedSince: 0 };
  }
}

/**
 * The next judgement after one more probe. Failures add up and only a run of `rise` successes clears them, so a half-lossy endpoint
 * goes down. The first result of an Unknown endpoint decides at once.
 *
 * @param at when the probe ended; never less than in the call before
 */
export function judge(before: Judgement, ok: boolean, at: number, { rise, fall }: Thresholds): Judgement {
  switch (before.verdict) {
    case "Unknown":
      if (ok) return { verdict: "Healthy", since: at, firstSign: at, failures: 0, run: 1, doubtedSince: 0 };
      return { verdict: "Unhealthy", since: at, firstSign: at, run: 0, doubtedSince: 0 };
    case "Healthy": {
      if (ok) {
        const run = before.run + 1;
        return run >= rise ? { ...before, run, failures: 0, doubtedSince: 0 } : { ...before, run };
      }
      const failures = before.failures + 1;
      const doubtedSince = before.failures === 0 ? at : before.doubtedSince;
      if (failures < fall) return { ...before, run: 0, failures, doubtedSince };
      return { verdict: "Unhealthy", since: at, firstSign: doubtedSince, run: 0, doubtedSince: 0 };
    }
    case "Unhealthy": {
      if (!ok) return { ...before, run: 0, doubtedSince: 0 };
      const run = before.run + 1;
      const doubtedSince = before.run === 0 ? at : before.doubtedSince;
      if (run < rise) return { ...before, run, doubtedSince };
      return { verdict: "Healthy", since: at, firstSign: doubtedSince, failures: 0, run, doubtedSince: 0 };
    }
  }
}

/** True when a probe has spoken against the verdict and more are needed: the prober then looks sooner (HAProxy's `fastinter`). */
export const isDoubted = (judgement: Judgement): boolean => judgement.verdict !== "Unknown" && judgement.doubtedSince !== 0;

/**
 * The earliest instant at which this vantage's verdict can change.
 *
 * @param nextProbe when the next probe starts (a refused connection ends it in the same instant)
 * @param spacing   the shortest time between two starts while the verdict is doubted
 */
export function earliestChange(judgement: Judgement, nextProbe: number, spacing: number, { rise, fall }: Thresholds): number {
  switch (judgement.verdict) {
    case "Unknown":
      return nextProbe;
    case "Healthy":
      return nextProbe + Math.max(0, fall - judgement.failures - 1) * spacing;
    case "Unhealthy":
      return nextProbe + Math.max(0, rise - judgement.run - 1) * spacing;
  }
}
