/**
 * When a backend that was out may serve again, and with how large a share (docs/health.md). Pure; one state per unit (route × backend ×
 * family). The state is plain JSON and must outlive the process: a restart neither forgets a pending failback nor its damping.
 *
 * ```
 *   New ──Healthy──► Serving ──Unhealthy──► Out ──Healthy──► Waiting ──delay over, or approved──► Serving (ramps over slowStart)
 *    └──Unhealthy: stays New                 ▲                  │
 *                                            └────Unhealthy─────┘
 * ```
 * Unknown changes nothing anywhere: not being able to look is neither an outage nor a recovery. A unit that never served has nothing
 * to fail back from and serves at its first Healthy.
 *
 * Damping: a return that did not last as long as the wait before it doubles the next wait ({@link MAX_LEVEL} times at most, and never
 * beyond {@link MAX_DELAY}); each further such span of service takes one doubling back.
 */
import type { Health } from "../src/model/health.ts";
import type { FailoverPolicy } from "../src/model/inventory.ts";
import { type Milliseconds, ms } from "../src/model/units.ts";

export type FailbackPolicy = FailoverPolicy["failback"];

/** All instants in ms since the epoch. */
export type FailbackState =
  | { readonly phase: "New" }
  /** `returnedAt` is null when it serves since its first Healthy. */
  | { readonly phase: "Serving"; readonly level: number; readonly returnedAt: number | null }
  | { readonly phase: "Out"; readonly level: number; readonly since: number }
  | {
      readonly phase: "Waiting";
      readonly level: number;
      /** Begin of the outage. */
      readonly since: number;
      readonly healthySince: number;
      readonly until: number | "approval";
    };

export const NEW_UNIT: FailbackState = { phase: "New" };
export const MAX_LEVEL = 6;
/** No wait is doubled beyond an hour; a longer `after` is kept as it is. */
export const MAX_DELAY = ms(3_600_000);
/** The share with which slow start begins. */
export const FIRST_SHARE = 0.1;

export interface FailbackInput {
  readonly health: Health;
  /** When the newest `ApproveFailback` in force was given, ms since the epoch. It counts for the outage it was given in. */
  readonly approvedAt?: number;
}

/** The wait before a return at a damping level. An `after` of zero is never damped. */
export const failbackDelay = (policy: FailbackPolicy, level: number): Milliseconds =>
  ms(Math.max(policy.after, Math.min(MAX_DELAY, policy.after * 2 ** Math.min(level, MAX_LEVEL))));

/**
 * The next state. Call it when the health or the approval changes and at {@link failbackDue}; calling it more often changes nothing.
 *
 * @param now ms since the epoch
 */
export function failback(before: FailbackState, input: FailbackInput, policy: FailbackPolicy, now: number): FailbackState {
  const state = notAfter(before, now);
  if (input.health === "Unknown") return state;
  const healthy = input.health === "Healthy";
  switch (state.phase) {
    case "New":
      return healthy ? { phase: "Serving", level: 0, returnedAt: null } : state;
    case "Serving":
      return healthy ? state : { phase: "Out", level: levelAfterFailure(state.level, state.returnedAt, policy, now), since: now };
    case "Out": {
      if (!healthy) return state;
      const { level, since } = state;
      const until = policy.mode === "Approval" ? "approval" : now + failbackDelay(policy, level);
      return failback({ phase: "Waiting", level, since, healthySince: now, until }, input, policy, now);
    }
    case "Waiting": {
      if (!healthy) return { phase: "Out", level: state.level, since: state.since };
      const approved = input.approvedAt !== undefined && input.approvedAt >= state.since;
      // The policy may have changed while it waited: the wait is measured by today's.
      const until = policy.mode === "Approval" ? "approval" : state.healthySince + failbackDelay(policy, state.level);
      if (approved || (until !== "approval" && now >= until)) return { phase: "Serving", level: state.level, returnedAt: now };
      return until === state.until ? state : { ...state, until };
    }
  }
}

/** Instants that lie in the future were noted before the clock was set back: whatever waits for them waits once more, but no longer. */
function notAfter(state: FailbackState, now: number): FailbackState {
  switch (state.phase) {
    case "New":
      return state;
    case "Serving":
      return state.returnedAt === null || state.returnedAt <= now ? state : { ...state, returnedAt: now };
    case "Out":
      return state.since <= now ? state : { ...state, since: now };
    case "Waiting":
      return state.healthySince <= now ? state : { ...state, since: Math.min(state.since, now), healthySince: now };
  }
}

/** A wait that was broken off goes on where it was: time in which nobody looked is no health. @param gap how long that was, ms */
export function resume(state: FailbackState, gap: number): FailbackState {
  if (state.phase !== "Waiting" || gap <= 0) return state;
  const { healthySince, until } = state;
  return { ...state, healthySince: healthySince + gap, until: until === "approval" ? until : until + gap };
}

/** Whether a failure now comes so soon after a return that it is damped: within the wait before it. An `after` of zero is never damped. */
export const isFlap = (before: FailbackState, policy: FailbackPolicy, now: number): boolean =>
  before.phase === "Serving" && before.returnedAt !== null && now - before.returnedAt < failbackDelay(policy, before.level);

function levelAfterFailure(level: number, returnedAt: number | null, policy: FailbackPolicy, now: number): number {
  if (returnedAt === null) return level;
  let served = now - returnedAt;
  if (served < failbackDelay(policy, level)) return Math.min(MAX_LEVEL, level + 1);
  let left = level;
  while (left > 0 && served >= failbackDelay(policy, left)) {
    served -= failbackDelay(policy, left);
    left--;
  }
  return left;
}

/**
 * The next instant at which time alone changes the state or the share: the end of a wait, or `now` plus a hundredth of a running slow
 * start. Infinity when nothing is pending.
 */
export function failbackDue(state: FailbackState, policy: FailbackPolicy, now: number): number {
  if (state.phase === "Waiting") return state.until === "approval" ? Number.POSITIVE_INFINITY : state.until;
  const rampEnd = state.phase === "Serving" && state.returnedAt !== null ? state.returnedAt + policy.slowStart : 0;
  return now < rampEnd ? Math.min(rampEnd, now + policy.slowStart / 100) : Number.POSITIVE_INFINITY;
}

/**
 * The share of its own slots that a serving unit keeps, {@link FIRST_SHARE} to 1: linear over `slowStart` from its return on. 1 for a
 * unit that does not serve, because whatever still sends it clients (fail-open) has no better place for the rest.
 */
export function servingShare(state: FailbackState, policy: FailbackPolicy, now: number): number {
  if (state.phase !== "Serving" || state.returnedAt === null || policy.slowStart <= 0) return 1;
  const ramped = Math.max(0, now - state.returnedAt) / policy.slowStart;
  return Math.min(1, FIRST_SHARE + (1 - FIRST_SHARE) * ramped);
}

/** Narrows a state read from a file. */
export function isFailbackState(value: unknown): value is FailbackState {
  if (typeof value !== "object" || value === null || !("phase" in value)) return false;
  if (value.phase === "New") return true;
  if (!("level" in value && Number.isInteger(value.level) && Number(value.level) >= 0 && Number(value.level) <= MAX_LEVEL)) return false;
  const isInstant = (instant: unknown): boolean => typeof instant === "number" && Number.isFinite(instant);
  if (value.phase === "Serving") return "returnedAt" in value && (value.returnedAt === null || isInstant(value.returnedAt));
  if (!("since" in value && isInstant(value.since))) return false;
  if (value.phase === "Out") return true;
  if (value.phase !== "Waiting" || !("healthySince" in value && "until" in value)) return false;
  return isInstant(value.healthySince) && (value.until === "approval" || isInstant(value.until));
}
