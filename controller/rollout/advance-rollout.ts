/** How far a rollout goes from here: from step to step while its backends are healthy, back when one is not. Pure. */
import type { RolloutStatus } from "../../src/model/status.ts";
import { type Rollout, stepsInForce } from "./rollout-weights.ts";

export interface RolloutInput {
  readonly rollout: Rollout;
  /** Of the object whose rollout it is. */
  readonly generation: number;
  /** What the writer wrote last; undefined = nothing yet. */
  readonly status: RolloutStatus | undefined;
  /** By name of the backend; undefined = it is not served. */
  readonly health: (backend: string) => BackendHealth | undefined;
  /** In force now, on this route, in any order. */
  readonly acts: readonly RolloutAct[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface BackendHealth {
  readonly health: "Healthy" | "Unhealthy" | "Unknown";
  /** Since when it has been so, milliseconds since the epoch. */
  readonly since: number;
}

/** A TrafficOverride. */
export interface RolloutAct {
  readonly uid: string;
  /** `creationTimestamp`, RFC 3339 in whole seconds: acts count in the order in which the API server took them. */
  readonly created: string;
  readonly action: "PromoteStep" | "AbortRollout";
  readonly reason: string;
}

export interface RolloutEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: "RolloutStarted" | "RolloutStep" | "RolloutCompleted" | "RolloutAborted";
  readonly message: string;
}

export interface RolloutAdvance {
  /** To be written; the very `status` of the input when nothing has changed, undefined when there is no rollout. */
  readonly status: RolloutStatus | undefined;
  readonly events: readonly RolloutEvent[];
  /** When to look again, milliseconds since the epoch; undefined = when something changes. */
  readonly wakeAt: number | undefined;
}

type Step = NonNullable<Rollout>["steps"][number];

export function advanceRollout(input: RolloutInput): RolloutAdvance {
  const { rollout, status, acts } = input;
  if (rollout === undefined) return { status: undefined, events: [], wakeAt: undefined };
  const promotes = acts.filter(({ action }) => action === "PromoteStep").sort(byAge);
  const abort = acts.filter(({ action }) => action === "AbortRollout").sort(byAge)[0];
  const known = status !== undefined && isSameRollout(rollout, status) ? status : undefined;
  const isOver = known?.phase === "Completed" || known?.phase === "Aborted";
  // A promotion that has been taken into account does not count again, and none that is older than it.
  const promote = promotes.find((act) => !isTaken(act, known?.act));

  if (abort !== undefined) {
    if (isOver) return idle(known);
    return aborted(rollout.steps, known, input, `AbortRollout: ${abort.reason}`);
  }
  if (known === undefined) return begun(rollout.steps, input, promotes.reduce<string | undefined>(withTaken, undefined));
  if (known.phase === "Aborted") return promote === undefined ? idle(known) : begun(rollout.steps, input, withTaken(known.act, promote));
  const current = rollout.steps[known.step];
  if (current === undefined) return idle(known); // completed
  if (known.phase === "Completed") return entered(rollout.steps, known.step, input, known.act, "RolloutStep"); // steps were added
  const sick = raised(rollout.steps, known.step).find((backend) => input.health(backend)?.health === "Unhealthy");
  if (sick !== undefined) return aborted(rollout.steps, known, input, `backend ${sick} is unhealthy`);
  if (promote !== undefined) return next(rollout.steps, known.step, input, withTaken(known.act, promote));
  if (current.approval) return idle(known);
  const dueAt = pauseEnds(current, known, input);
  if (dueAt !== undefined && dueAt <= input.now) return next(rollout.steps, known.step, input, known.act);
  return { status: known, events: [], wakeAt: dueAt };
}

const idle = (status: RolloutStatus | undefined): RolloutAdvance => ({ status, events: [], wakeAt: undefined });

/** Acts are compared by the API server's clock alone: that of the writer may be minutes away from it. Those of one second have any order. */
const ageOf = ({ created, uid }: RolloutAct): string => `${created} ${uid}`;
const byAge = (a: RolloutAct, b: RolloutAct): number => (ageOf(a) < ageOf(b) ? -1 : 1);

/**
 * `status.rollout.act` names the second of the newest act that was taken, and every act of that second that was:
 *
 *     2026-05-01T09:00:00Z 5f0c5b1e-63b2-4f0e-9d0a-3c1f2f6f7a10
 *     2026-05-01T09:00:00Z 5f0c5b1e-63b2-4f0e-9d a81c4e02-93dd-4b06-8c
 *
 * UIDs share its 64 characters: of six in one second each still has six. From the 23rd on there is no room, and all of that second are taken.
 */
const uidWidth = (uids: number): number => Math.floor((64 - "2026-05-01T09:00:00Z".length) / uids) - 1;

function withTaken(taken: string | undefined, act: RolloutAct): string | undefined {
  if (isTaken(act, taken)) return taken;
  const { created, uid } = act;
  const [second, ...before] = taken?.split(" ") ?? [];
  const uids = second === created ? [...before, uid] : [uid];
  return [created, ...uids.map((one) => one.slice(0, uidWidth(uids.length)))].join(" ");
}

function isTaken({ created, uid }: RolloutAct, taken: string | undefined): boolean {
  const [second = "", ...uids] = taken?.split(" ") ?? [];
  return created < second || (created === second && uids.includes(uid.slice(0, uidWidth(uids.length))));
}

/** An aborted one has its step's name too. */
const isSameRollout = (rollout: NonNullable<Rollout>, status: RolloutStatus): boolean => stepsInForce(rollout, status) > 0;

/** Promotions from before it began are none of its own. */
const begun = (steps: readonly Step[], input: RolloutInput, act: string | undefined): RolloutAdvance =>
  entered(steps, 0, input, act, "RolloutStarted");

const next = (steps: readonly Step[], step: number, input: RolloutInput, act: string | undefined): RolloutAdvance =>
  entered(steps, step + 1, input, act, "RolloutStep");

function entered(
  steps: readonly Step[],
  step: number,
  { generation, now }: RolloutInput,
  act: string | undefined,
  reason: "RolloutStarted" | "RolloutStep",
): RolloutAdvance {
  const current = steps[step];
  const base = { generation, step, since: new Date(now).toISOString(), ...(act === undefined ? {} : { act }) };
  if (current === undefined) {
    const status: RolloutStatus = { ...base, name: steps.at(-1)?.name ?? "", phase: "Completed" };
    const message = `All ${steps.length} steps of the rollout are done. Write the weights into backends and remove rollout.`;
    return { status, events: [{ type: "Normal", reason: "RolloutCompleted", message }], wakeAt: undefined };
  }
  const status: RolloutStatus = { ...base, name: current.name, phase: current.approval ? "AwaitingApproval" : "Progressing" };
  const then = current.approval ? "The next step waits for a TrafficOverride with action PromoteStep." : "";
  const message =
    `Step ${step + 1} of ${steps.length}, ${current.name}: backend ${current.backend} has weight ${current.weight}. ${then}`.trimEnd();
  return { status, events: [{ type: "Normal", reason, message }], wakeAt: current.pause === undefined ? undefined : now + current.pause };
}

function aborted(steps: readonly Step[], known: RolloutStatus | undefined, { generation, now }: RolloutInput, why: string): RolloutAdvance {
  const step = known?.step ?? 0;
  const status: RolloutStatus = {
    generation,
    step,
    name: steps[step]?.name ?? known?.name ?? "",
    since: new Date(now).toISOString(),
    phase: "Aborted",
    reason: why.slice(0, 256),
    ...(known?.act === undefined ? {} : { act: known.act }),
  };
  const message = `The rollout was aborted: ${why}. The weights in backends hold again. A TrafficOverride with action PromoteStep begins it anew.`;
  return { status, events: [{ type: "Warning", reason: "RolloutAborted", message }], wakeAt: undefined };
}

/** Backends whose weights the steps so far have set. */
const raised = (steps: readonly Step[], step: number): readonly string[] => [
  ...new Set(steps.slice(0, step + 1).map(({ backend }) => backend)),
];

/** @returns undefined while the backend is not healthy: its pause begins when it is */
function pauseEnds(
  { backend, pause = 0 }: Pick<Step, "backend"> & { readonly pause?: number | undefined },
  { since }: RolloutStatus,
  { health }: RolloutInput,
): number | undefined {
  const own = health(backend);
  return own?.health === "Healthy" ? Math.max(Date.parse(since), own.since) + pause : undefined;
}
