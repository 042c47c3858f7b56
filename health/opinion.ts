/**
 * What one vantage thinks of one endpoint: its count of successes and failures ({@link judge}), and whether it dares to say that an
 * endpoint which fell silent is down ({@link distrust}). Pure; a {@link View} is replaced, never edited.
 */
import type { EndpointHealth, ProbeReason, ProbeResult } from "../src/model/health.ts";
import { isInferred } from "../src/model/health.ts";
import { distrust, type Surroundings } from "./distrust.ts";
import { type Judgement, judge, presume, type Thresholds, UNKNOWN } from "./judge.ts";
import type { Opinion } from "./quorum.ts";

export interface View {
  readonly judgement: Judgement;
  /** Of the newest probe that counted. */
  readonly newest: ProbeReason | undefined;
  /** The newest reason of a failure since the verdict became Unhealthy (or, while it is Healthy, of any). */
  readonly failure: ProbeReason | undefined;
  /** Start of the first of the unanswered probes in a row up to now; undefined while the newest was answered. Monotonic. */
  readonly silentSince: number | undefined;
  /** An Unhealthy verdict that the vantage stands by. */
  readonly believed: boolean;
  /** A failure since the verdict became Unhealthy proves that something answered. */
  readonly proven: boolean;
  /** From when the hold of {@link distrust} counts, monotonic. */
  readonly heldFrom: number;
}

export const NO_VIEW: View = {
  judgement: UNKNOWN,
  newest: undefined,
  failure: undefined,
  silentSince: undefined,
  believed: false,
  proven: false,
  heldFrom: 0,
};

/** The view of an endpoint that has not been probed by this process but whose health was known before. */
export const presumedView = (known: EndpointHealth, thresholds: Thresholds): View => ({
  ...NO_VIEW,
  judgement: presume(known.health, known.since, known.firstSign, thresholds),
  failure: known.health === "Unhealthy" && known.reason !== "not-probed" ? known.reason : undefined,
  believed: known.health === "Unhealthy",
  proven: known.proven,
});

export interface ProbeEnd {
  /** Monotonic. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** The end, ms since the epoch. */
  readonly at: number;
}

/** The view after one more probe. */
export function observe(view: View, result: ProbeResult, end: ProbeEnd, thresholds: Thresholds): View {
  const judgement = judge(view.judgement, result.ok, end.at, thresholds);
  const turned = judgement.verdict !== view.judgement.verdict;
  const silent = isInferred(result.reason); // or as good as that: requests that fail are no more proof than silence is
  const proof = judgement.verdict === "Unhealthy" && !result.ok && !silent;
  const before = turned ? { ...view, believed: false, proven: false, heldFrom: end.endedAt } : view;
  return {
    ...before,
    judgement,
    newest: result.reason,
    failure: result.ok ? before.failure : result.reason,
    silentSince: silent ? (before.silentSince ?? end.startedAt) : undefined,
    believed: before.believed || proof,
    proven: before.proven || proof,
  };
}

export interface Held {
  readonly suspect: boolean;
  /** Monotonic; null = without end. */
  readonly until: number | null;
}

/**
 * What the vantage votes.
 *
 * @param around what was known of the clusters when the newest probe *started*, counted since `silentSince`. What is heard later does
 *               not count: a vantage whose network has just come back hears others before it has asked this endpoint again.
 * @param hold   three intervals, ms
 * @returns the opinion, the view to keep, and `held` while an Unhealthy verdict is not voted
 */
export function opine(
  view: View,
  around: Surroundings,
  hold: number,
  now: number,
): { readonly opinion: Opinion; readonly view: View; readonly held?: Held } {
  if (view.newest === undefined || view.judgement.verdict === "Unknown") return { opinion: "abstain", view };
  if (view.judgement.verdict === "Healthy") return { opinion: "healthy", view };
  if (view.believed) return { opinion: "unhealthy", view };
  // It answered again before its silence was believed: let it finish its run of successes.
  if (view.silentSince === undefined) return { opinion: "abstain", view };
  const trust = distrust(around, view.heldFrom, hold, now);
  if (trust.trust === "believe") return { opinion: "unhealthy", view: { ...view, believed: true } };
  return { opinion: "abstain", view, held: { suspect: trust.suspect, until: trust.until } };
}
