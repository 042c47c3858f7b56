/** Which weights a rollout puts in place of those of the spec, as far as its status says that it has come. */
import type { ObjectOf } from "../../src/model/manifest-object.ts";
import { fieldOf, textOf } from "../sources/fields.ts";

export type Rollout = ObjectOf<"GlobalRoute">["spec"]["rollout"];

/**
 * Every replica reads the same status, so all serve the same weights, whoever writes it. Before the first step and after an abort the
 * weights are the spec's.
 *
 * @param status `status.rollout` as the API server gives it
 * @returns name of the backend → its weight; what is not in it has the weight of the spec
 */
export function rolloutWeights(rollout: Rollout, status: unknown): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  if (rollout === undefined || textOf(status, "phase") === "Aborted") return weights;
  for (const { backend, weight } of rollout.steps.slice(0, stepsInForce(rollout, status))) weights.set(backend, weight);
  return weights;
}

/**
 * Steps count as those of the status for as long as the one that it names stands where it says: a change elsewhere in the spec does not
 * begin a rollout anew, while other steps are another rollout.
 *
 * @returns how many of the steps are in force: those that are done and the one under way; 0 when the status is of another rollout
 */
export function stepsInForce({ steps }: NonNullable<Rollout>, status: unknown): number {
  const done = fieldOf(status, "step");
  const name = textOf(status, "name");
  if (typeof done !== "number" || !Number.isInteger(done) || name === undefined) return 0;
  if (steps[done]?.name === name) return done + 1;
  const isOver = textOf(status, "phase") === "Completed";
  return isOver && steps[done - 1]?.name === name ? done : 0;
}
