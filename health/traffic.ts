/**
 * What users' requests say of an endpoint beside its probes, where they pass through this process (docs/health.md). Pure.
 *
 * They can only take away. While most of them fail, a probe that succeeds counts as failed; nothing that users get makes well what probes
 * find dead. So there is still one count for each probe, and `fall`, `rise` and the quorum mean what they mean.
 *
 * ```
 *   requests since the probe before                                a probe that succeeds
 *   more than half of at least 5 failed, or the last 5 in a row    counts as failed (requests-failed), and is remembered for a while
 *   5 or more others                                               counts, and nothing is remembered
 *   fewer, nothing remembered                                      counts
 *   fewer or none, remembered                                      changes nothing
 * ```
 *
 * A proxy asks last whoever fails five times in a row, and then tries it with single requests. So the last ones say more than the many before
 * them, and nobody who is not asked has recovered.
 */
import type { ProbeResult } from "../src/model/health.ts";
import type { Milliseconds } from "../src/model/units.ts";

/** What became of the attempts at one endpoint within some time. */
export interface Traffic {
  readonly attempts: number;
  /** Of them: no connection, no answer in time, a broken one, or one that says that nobody behind it could be reached (502, 503, 504). */
  readonly failures: number;
  /** Failures after the last success, whenever that was: they may reach back beyond this time. */
  readonly run: number;
  /** Share of capacity in use, 1 = full, as responses told it or as the requests come to; absent when nobody knows. */
  readonly load?: number;
}

/** With fewer one client with one bad URL would be a majority. */
const FEWEST = 5;
/** How long failed requests are remembered beside two intervals, ms: between its third and fourth trial an endpoint is not asked for so long. */
const REMEMBERED = 30_000;

/** How long failed requests are remembered without others to judge by, ms. */
export const rememberedFor = ({ interval }: { readonly interval: Milliseconds }): number => REMEMBERED + 2 * interval;

export interface Weighed {
  /** What counts in the place of the probe's result; undefined: it changes nothing. */
  readonly counts: ProbeResult | undefined;
  /** Since when requests fail without others having shown better, for the next call; undefined while they do not. In the clock of the caller. */
  readonly failedAt: number | undefined;
}

/**
 * What a probe's result counts for beside the requests since the probe before.
 *
 * @param failedAt   as the call before returned it
 * @param now        the end of the probe, ms
 * @param remembered {@link rememberedFor}
 */
export function weigh(
  result: ProbeResult,
  { attempts, failures, run }: Traffic,
  failedAt: number | undefined,
  now: number,
  remembered: number,
): Weighed {
  if (attempts > 0 && (run >= FEWEST || (attempts >= FEWEST && 2 * failures > attempts)))
    return { counts: result.ok ? { ...result, ok: false, reason: "requests-failed" } : result, failedAt: now };
  const isRemembered = failedAt !== undefined && now - failedAt < remembered;
  if (attempts >= FEWEST || !isRemembered) return { counts: result, failedAt: undefined };
  return { counts: result.ok ? undefined : result, failedAt };
}

/** The larger of what the probe and the requests tell. */
export function withLoad(result: ProbeResult, { load }: Traffic): ProbeResult {
  return load === undefined || load <= (result.load ?? -1) ? result : { ...result, load };
}
