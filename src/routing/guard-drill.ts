/**
 * Where a drill may have its way (safety rule 4): it rehearses one failure, so it yields to every real one, and never spends what the
 * withdrawal budget keeps for them. Pure.
 */
import { type BackendClaim, WITHDRAWAL_WINDOW, type Withdrawal, withdrawalBudget } from "./guard.ts";

export interface DrillClaim extends Pick<BackendClaim, "backend" | "published" | "wanted" | "cause"> {
  /** Of the backend, for people. */
  readonly name: string;
  /** A drill asks for it to be withdrawn. `wanted` is without that. */
  readonly drilled: boolean;
}

/**
 * @param claims  of all backends of a route that have addresses of the family
 * @param history withdrawals that count against the budget
 * @param now     milliseconds since the epoch
 * @returns for each drilled backend why the drill may not withdraw it; undefined = it may
 */
export function guardDrill(
  claims: readonly DrillClaim[],
  history: readonly Withdrawal[],
  maxWithdrawalPercent: number,
  now: number,
): ReadonlyMap<string, string | undefined> {
  const verdicts = new Map<string, string | undefined>();
  const ordered = (claim: DrillClaim): boolean => !claim.wanted && claim.cause === "operator";
  const others = claims.filter((claim) => !claim.drilled);
  const lost = others.find((claim) => !ordered(claim) && !(claim.wanted && claim.published));
  const spent = history.filter(({ at }) => now - at < WITHDRAWAL_WINDOW).length + others.filter(ordered).length;
  let budget = withdrawalBudget(claims.length, maxWithdrawalPercent) - spent;
  // Those that are out already come first: another drill beside them must not bring them back.
  const drilled = claims.filter((claim) => claim.drilled).sort((a, b) => Number(a.published) - Number(b.published));
  for (const claim of drilled) {
    const refusal = refusalOf(claim);
    if (refusal === undefined) budget--;
    verdicts.set(claim.backend, refusal);
  }
  return verdicts;

  function refusalOf(claim: DrillClaim): string | undefined {
    if (!claim.wanted) return `${claim.name} is out of service already`;
    if (lost !== undefined) return `${lost.name} is not in service`;
    if (!others.some((other) => other.wanted)) return "nothing else is left";
    return budget > 0 ? undefined : "the withdrawal budget is spent";
  }
}
