/** Conditions of a status, kept as they were for as long as nothing about them changed (Kubernetes API conventions). Pure. */
import type { Condition } from "../../src/model/status.ts";

/** What is to be told; the rest of a condition follows from what was told before. */
export interface Judgement {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  /** CamelCase. */
  readonly reason: string;
  /** The fact and the remedy. */
  readonly message: string;
}

/** Messages are cut to what the schema allows. */
const MAX_MESSAGE = 4096;

/**
 * @param before     of the status that stands; `lastTransitionTime` is kept while `status` stays
 * @param generation of the object that was judged
 * @param now        milliseconds since the epoch
 */
export function toConditions(
  judged: readonly Judgement[],
  before: readonly Condition[] | undefined,
  generation: number,
  now: number,
): readonly Condition[] {
  return judged.map(({ type, status, reason, message }) => {
    const known = before?.find((condition) => condition.type === type);
    return {
      type,
      status,
      reason,
      message: message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE - 1)}…` : message,
      lastTransitionTime: known?.status === status ? known.lastTransitionTime : instant(now),
      observedGeneration: generation,
    };
  });
}

/** RFC 3339 with whole seconds, as the API writes times. @param at milliseconds since the epoch */
export const instant = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

export const conditionOf = (conditions: readonly Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((condition) => condition.type === type);

/** What replicas have reported of an object's generation. */
export interface ProgrammedReport {
  /** Live replicas whose table holds it. */
  readonly reported: number;
  /** Live replicas. */
  readonly of: number;
  readonly waitingFor: readonly string[];
}

/** As the reports of objects have it. */
export type Accepted = Omit<Judgement, "type">;

/**
 * `Accepted`, `Programmed`, `Ready` and, while only a person can go on, `Stalled` (kstatus).
 *
 * A generation that every replica had once stays programmed: a replica that starts later gets it before it is ready to serve, and nobody
 * who waits for `Ready` should see it go.
 *
 * @param notExpressible what a provider cannot follow, and what is published instead
 * @param refusal what a proxy has not taken, in its words
 */
export function judgeServing(
  accepted: Accepted,
  programmed: ProgrammedReport,
  before: readonly Condition[] | undefined,
  generation: number,
  notExpressible?: string,
  refusal?: string,
): { readonly accepted: Judgement; readonly programmed: Judgement; readonly ready: Judgement; readonly stalled: readonly Judgement[] } {
  const judged =
    accepted.status !== "True"
      ? judgeProgrammed(accepted, programmed, before, generation)
      : (judgeFollowed(notExpressible, refusal) ?? judgeProgrammed(accepted, programmed, before, generation));
  return {
    accepted: { type: "Accepted", ...accepted },
    programmed: judged,
    ready: judgeReady(accepted, judged),
    stalled: stalled(judged.reason === "PolicyNotExpressible" || judged.reason === "ProxyRejected" ? judged : accepted),
  };
}

/** @returns undefined when zones and proxies follow as far as anybody can tell */
function judgeFollowed(notExpressible: string | undefined, refusal: string | undefined): Judgement | undefined {
  const programmed = (reason: string, message: string): Judgement => ({ type: "Programmed", status: "False", reason, message });
  if (notExpressible !== undefined) return programmed("PolicyNotExpressible", notExpressible);
  if (refusal === undefined) return undefined;
  return programmed("ProxyRejected", `A proxy has not taken it, and goes on with what it had: ${refusal}`.slice(0, MOST_MESSAGE));
}

/** What the schema allows. */
const MOST_MESSAGE = 4096;

function judgeProgrammed(
  accepted: Accepted,
  { reported, of, waitingFor }: ProgrammedReport,
  before: readonly Condition[] | undefined,
  generation: number,
): Judgement {
  const type = "Programmed";
  if (accepted.status !== "True")
    return { type, status: "False", reason: "NotAccepted", message: "Not accepted, so what was accepted last goes on being served." };
  const known = conditionOf(before, type);
  const wasProgrammed = known?.status === "True" && known.observedGeneration === generation;
  if (wasProgrammed || (of > 0 && reported >= of))
    return { type, status: "True", reason: "Programmed", message: "Every replica serves this generation." };
  if (of === 0) return { type, status: "Unknown", reason: "NoReplica", message: "No replica has reported what it serves yet." };
  const waiting = [...waitingFor].sort();
  const names = waiting.length > 8 ? `${waiting.slice(0, 8).join(", ")} and ${waiting.length - 8} more` : waiting.join(", ");
  return { type, status: "False", reason: "Pending", message: `Waiting for ${names} to serve this generation.` };
}

function judgeReady(accepted: Accepted, programmed: Judgement): Judgement {
  const type = "Ready";
  if (accepted.status !== "True") return { type, status: "False", reason: accepted.reason, message: accepted.message };
  if (programmed.status !== "True") return { type, status: programmed.status, reason: programmed.reason, message: programmed.message };
  return { type, status: "True", reason: "Ready", message: "Accepted, and served by every replica." };
}

/** Present only while a person must act: tools that wait fail at once then. */
export const stalled = ({ status, reason, message }: Accepted): readonly Judgement[] =>
  status === "True" ? [] : [{ type: "Stalled", status: "True", reason, message }];
