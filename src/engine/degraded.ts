/** What is not as it should be although answers go on. Stable words: they are in `/readyz`, in metrics and in alert rules. */

export interface DegradedFacts {
  readonly rejectsConfig: boolean;
  readonly holdsInputs: boolean;
  /** Of the geo database, ms; absent when none is loaded. */
  readonly geoAge?: number;
  readonly rejectsGeo: boolean;
  readonly servesLastGood: boolean;
  readonly cannotSave: boolean;
  readonly cannotCompile: boolean;
  readonly suspectsItself: boolean;
  readonly failsOpen: boolean;
  readonly holdsWithdrawals: boolean;
}

/** A geo database older than this many days is called stale. */
const GEO_STALE_DAYS = 180;

export function degradedReasons(facts: DegradedFacts): string[] {
  const reasons: readonly (readonly [boolean, string])[] = [
    [facts.rejectsConfig, "config-rejected"],
    [facts.holdsInputs, "inputs-held"],
    [(facts.geoAge ?? 0) > GEO_STALE_DAYS * 86_400_000, "geo-stale"],
    [facts.rejectsGeo, "geo-rejected"],
    [facts.servesLastGood, "last-good"],
    [facts.cannotSave, "state-unsaved"],
    [facts.cannotCompile, "compile-failed"],
    [facts.suspectsItself, "vantage-suspect"],
    [facts.failsOpen, "fail-open"],
    [facts.holdsWithdrawals, "withdrawal-held"],
  ];
  return reasons.flatMap(([isSo, reason]) => (isSo ? [reason] : []));
}
