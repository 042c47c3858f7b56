/** What `globalroute check zone` tells: its steps, and how the findings of one step become its verdict. Pure. */

/**
 * Names of the steps, in the order in which they are told. They are API: additive changes only. `primary` is there for a zone that is kept
 * elsewhere, `drift` when somebody looks for it.
 */
export const STEPS = [
  "parent",
  "nameservers",
  "glue",
  "answers",
  "serials",
  "dnssec",
  "client-subnet",
  "ttls",
  "hosts",
  "primary",
  "drift",
] as const;
export type StepName = (typeof STEPS)[number];

/** `skipped`: it could not be looked at, which says nothing of the zone. */
export type StepStatus = "ok" | "warning" | "failed" | "skipped";

/** What came of looking at one thing. */
export interface StepResult {
  readonly status: StepStatus;
  /** At least one, the worst first; each names an object and a fact. */
  readonly facts: readonly string[];
  /** Sentences that name a record or a setting. There unless the status is `ok`. */
  readonly remedy?: string;
}

export interface Step extends StepResult {
  readonly name: StepName;
}

export interface Finding {
  readonly status: StepStatus;
  readonly fact: string;
  readonly remedy?: string;
}

export const ok = (fact: string): Finding => ({ status: "ok", fact });
export const warning = (fact: string, remedy: string): Finding => ({ status: "warning", fact, remedy });
export const failed = (fact: string, remedy: string): Finding => ({ status: "failed", fact, remedy });
export const skipped = (fact: string, remedy: string): Finding => ({ status: "skipped", fact, remedy });

/** For what cannot be looked at because nobody knows what is wanted. */
export const CONFIG_REMEDY = "Name the folder of objects with --config DIR.";

/** Facts and remedies of a step that are told. A zone with one fault at hundreds of hosts has one fault. */
const MOST_FACTS = 12;
const MOST_REMEDIES = 4;

/** What was not looked at weighs least: the step is what the rest of it is. */
const ORDER: readonly StepStatus[] = ["failed", "warning", "ok", "skipped"];

/**
 * One step from its findings: as bad as the worst of them, with the worst told first.
 *
 * @param findings at least one
 */
export function toStep(name: StepName, findings: readonly Finding[]): Step {
  const sorted = ORDER.flatMap((status) => findings.filter((finding) => finding.status === status));
  const status = sorted[0]?.status ?? "skipped";
  const told = sorted.slice(0, MOST_FACTS).map(({ fact }) => fact);
  const facts = sorted.length > MOST_FACTS ? [...told, `and ${sorted.length - MOST_FACTS} more`] : told;
  const remedies = [...new Set(sorted.flatMap((finding) => (isTold(finding, status) ? [finding.remedy] : [])))];
  if (status === "ok" || remedies.length === 0) return { name, status, facts };
  return { name, status, facts, remedy: remedies.slice(0, MOST_REMEDIES).join(" ") };
}

/** The remedy of a part that was skipped would hide that of a part that failed. */
const isTold = (finding: Finding, status: StepStatus): finding is Finding & { readonly remedy: string } =>
  finding.remedy !== undefined && (finding.status !== "skipped" || status === "skipped");
