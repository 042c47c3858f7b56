/**
 * The withdrawal budget (safety rule 4): silence alone may take only so many backends of a route out of service within a window.
 * Proof (a refused connection, a TLS alert, an HTTP status), operators and the agreement of two vantages pass.
 *
 * Requests that fail take out no more than that at one time, however long it lasts and however many vantages see it: whoever makes them
 * can make them fail wherever they are sent next. Pure.
 */

export interface BackendClaim {
  readonly backend: string;
  /** Answers name it now. */
  readonly published: boolean;
  /** Health and operators together want it named. */
  readonly wanted: boolean;
  /**
   * Why it is not wanted; ignored when it is. "requests": it answers probes, and users' requests fail. "operator": somebody has drained or
   * cordoned it, or has confirmed its withdrawal.
   */
  readonly cause: "inferred" | "requests" | "proven" | "operator";
  /** Sites that agree on an inferred failure; of several silent addresses, on the one with the fewest. */
  readonly votes: number;
}

export interface Withdrawal {
  readonly backend: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface WithdrawalVerdict {
  /** Backends that go on being answered although their probes time out. */
  readonly held: readonly string[];
  /** What counts against the budget from now on; give it back at the next call. */
  readonly history: readonly Withdrawal[];
}

/** Length of the window in which the budget counts, milliseconds. */
export const WITHDRAWAL_WINDOW = 60_000;

/** Backends that may be withdrawn by inference within one window: one, or the percentage rounded up, whichever is larger. */
export const withdrawalBudget = (backends: number, maxWithdrawalPercent: number): number =>
  Math.max(1, Math.ceil((backends * maxWithdrawalPercent) / 100));

/**
 * @param now milliseconds since the epoch
 */
export function guardWithdrawals(
  claims: readonly BackendClaim[],
  history: readonly Withdrawal[],
  maxWithdrawalPercent: number,
  now: number,
): WithdrawalVerdict {
  // What lies in the future was noted before the clock was set back.
  const recent = history.filter(({ at }) => now - at < WITHDRAWAL_WINDOW).map((past) => (past.at > now ? { ...past, at: now } : past));
  const leaving = claims.filter((claim) => claim.published && !claim.wanted);
  const free = ({ cause, votes }: BackendClaim) => cause === "proven" || cause === "operator" || (cause === "inferred" && votes >= 2);
  // With nothing left to go to there is nothing to protect: fail-open names the same backends again.
  const total = claims.every((claim) => !claim.wanted);
  const allowed = withdrawalBudget(claims.length, maxWithdrawalPercent);
  let budget = allowed - recent.length;
  let forRequests = allowed - claims.filter((claim) => !claim.wanted && !claim.published && claim.cause !== "operator").length;
  const held: string[] = [];
  const withdrawn: Withdrawal[] = [];
  for (const claim of leaving) {
    if (free(claim) || total) continue;
    if (budget > 0 && (claim.cause !== "requests" || forRequests > 0)) {
      budget--;
      forRequests--;
      withdrawn.push({ backend: claim.backend, at: now });
    } else held.push(claim.backend);
  }
  return { held, history: [...recent, ...withdrawn] };
}
