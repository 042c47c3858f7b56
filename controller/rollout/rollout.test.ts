import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RolloutStatus } from "../../src/model/status.ts";
import { ms } from "../../src/model/units.ts";
import { served, startHub } from "../../test/support/kube/reconcile-world.ts";
import { globalRoute } from "../../test/support/kube/source-objects.ts";
import { advanceRollout, type RolloutAct, type RolloutInput } from "./advance-rollout.ts";
import { rolloutWeights } from "./rollout-weights.ts";

const minute = 60_000;
const start = Date.parse("2026-05-01T00:00:00Z");
const rollout = {
  steps: [
    { name: "canary", backend: "green", weight: 10, pause: ms(10 * minute), approval: false },
    { name: "half", backend: "green", weight: 50, approval: true },
    { name: "all", backend: "green", weight: 100, pause: ms(0), approval: false },
  ],
};
const act = (action: RolloutAct["action"], uid: string, created = "2026-05-01T00:00:00Z"): RolloutAct => ({
  uid,
  created,
  action,
  reason: "looks bad",
});
const healthy = { health: "Healthy", since: start } as const;

/** Advances once, from what it was. */
const step = (status: RolloutStatus | undefined, now: number, more: Partial<RolloutInput> = {}) =>
  advanceRollout({ rollout, generation: 3, status, health: () => healthy, acts: [], now, ...more });

test("steps follow each other by pauses and approvals, to the end", () => {
  const first = step(undefined, start);
  expect(first).toMatchObject({
    status: { step: 0, name: "canary", phase: "Progressing", generation: 3 },
    events: [{ reason: "RolloutStarted" }],
    wakeAt: start + 10 * minute,
  });
  expect(step(first.status, start + 10 * minute - 1)).toEqual({ status: first.status, events: [], wakeAt: start + 10 * minute });
  const second = step(first.status, start + 10 * minute);
  expect(second).toMatchObject({
    status: { step: 1, name: "half", phase: "AwaitingApproval" },
    events: [{ reason: "RolloutStep" }],
    wakeAt: undefined,
  });
  expect(step(second.status, start + 1000 * minute).status).toBe(second.status);
  const acts = [act("PromoteStep", "p1")];
  const third = step(second.status, start + 20 * minute, { acts });
  expect(third.status).toMatchObject({ step: 2, name: "all", phase: "Progressing" });
  const done = step(third.status, start + 20 * minute, { acts });
  expect(done).toMatchObject({ status: { step: 3, name: "all", phase: "Completed" }, events: [{ reason: "RolloutCompleted" }] });
  expect(step(done.status, start + 30 * minute, { acts }).status).toBe(done.status);
});

const inForce: readonly { name: string; status: unknown; weights: Record<string, number> }[] = [
  { name: "before it began", status: undefined, weights: {} },
  { name: "in the first step", status: { step: 0, name: "canary", phase: "Progressing" }, weights: { green: 10 } },
  { name: "in a later step", status: { step: 1, name: "half", phase: "AwaitingApproval" }, weights: { green: 50 } },
  { name: "done", status: { step: 3, name: "all", phase: "Completed" }, weights: { green: 100 } },
  { name: "aborted", status: { step: 1, name: "half", phase: "Aborted" }, weights: {} },
  { name: "of other steps", status: { step: 0, name: "other", phase: "Progressing" }, weights: {} },
  { name: "of garbage", status: { step: "0", name: 7 }, weights: {} },
];
test.each(inForce)("weights $name", ({ status, weights }) => {
  expect(Object.fromEntries(rolloutWeights(rollout, status))).toEqual(weights);
});

const progressing: RolloutStatus = { generation: 3, step: 0, name: "canary", since: "2026-05-01T00:00:00Z", phase: "Progressing" };
const waiting: RolloutStatus = { ...progressing, step: 1, name: "half", phase: "AwaitingApproval" };

test("a backend that becomes unhealthy aborts it, in any step, and it stays aborted when the backend recovers", () => {
  for (const status of [progressing, waiting]) {
    const result = step(status, start + minute, { health: () => ({ health: "Unhealthy", since: start }) });
    expect(result).toMatchObject({
      status: { phase: "Aborted", step: status.step, reason: "backend green is unhealthy" },
      events: [{ type: "Warning", reason: "RolloutAborted" }],
    });
    expect(step(result.status, start + 60 * minute).status).toBe(result.status);
  }
});

test("a backend that nobody has looked at yet neither aborts nor counts its pause; the pause begins when it is healthy", () => {
  expect(step(progressing, start + 60 * minute, { health: () => ({ health: "Unknown", since: start }) })).toEqual({
    status: progressing,
    events: [],
    wakeAt: undefined,
  });
  expect(step(progressing, start + 60 * minute, { health: () => undefined }).status).toBe(progressing);
  expect(step(progressing, start + 12 * minute, { health: () => ({ health: "Healthy", since: start + 5 * minute }) }).wakeAt).toBe(
    start + 15 * minute,
  );
});

test("AbortRollout aborts once; PromoteStep begins anew, and not one of before", () => {
  const abort = act("AbortRollout", "a1");
  const result = step(progressing, start + minute, { acts: [abort] });
  expect(result.status).toMatchObject({ phase: "Aborted", reason: "AbortRollout: looks bad" });
  expect(step(result.status, start + 2 * minute, { acts: [abort] }).status).toBe(result.status);
  expect(step(result.status, start + 3 * minute).status).toBe(result.status);
  expect(step(result.status, start + 4 * minute, { acts: [act("PromoteStep", "p1")] }).status).toMatchObject({
    step: 0,
    phase: "Progressing",
  });
});

test("one PromoteStep promotes one step, also when the writer's clock is minutes away from the API server's", () => {
  const acts = [act("PromoteStep", "p1", "2026-05-01T09:00:00Z")];
  const promoted = step(progressing, start, { acts });
  expect(promoted.status).toMatchObject({ step: 1, act: "2026-05-01T09:00:00Z p1" });
  expect(step(promoted.status, start + 60 * minute, { acts }).status).toBe(promoted.status);
  expect(step(promoted.status, start, { acts: [...acts, act("PromoteStep", "p0", "2026-05-01T08:00:00Z")] }).status).toBe(promoted.status);
  expect(step(promoted.status, start, { acts: [...acts, act("PromoteStep", "p2", "2026-05-01T09:00:01Z")] }).status).toMatchObject({
    step: 2,
  });
});

describe("promotions within one second", () => {
  const at = "2026-05-01T09:00:00Z";
  /** As API servers make them, the first characters told apart by the number. */
  const uid = (n: number): string => `${n.toString(16).padStart(6, "0")}5b-63b2-4f0e-9d0a-3c1f2f6f7a10`;
  const many = {
    steps: Array.from({ length: 9 }, (_, n) => ({ name: `s${n}`, backend: "green", weight: n, approval: true })),
  };
  const begin: RolloutStatus = { ...waiting, step: 0, name: "s0" };
  /** Advances until nothing changes. */
  function rest(status: RolloutStatus, acts: readonly RolloutAct[]): RolloutStatus {
    for (let current = status; ; ) {
      const { status: next = current } = step(current, start, { rollout: many, acts });
      if (next === current) return current;
      current = next;
    }
  }

  test("each that takes the place of the one before counts, whatever their UIDs", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 0xffffff }), { minLength: 1, maxLength: 6 }), (numbers) => {
        let status = begin;
        for (const [index, n] of numbers.entries()) {
          const acts = [act("PromoteStep", uid(n), at)];
          status = rest(status, acts);
          expect(status).toMatchObject({ step: index + 1 });
          expect(status.act?.length).toBeLessThanOrEqual(64);
          // A replica that has yet to see the one after does not count one again.
          for (const earlier of numbers.slice(0, index)) expect(rest(status, [act("PromoteStep", uid(earlier), at)])).toBe(status);
        }
      }),
    );
  });

  test("those that are there together count once each", () => {
    const acts = [3, 1, 2].map((n) => act("PromoteStep", uid(n), at));
    const status = rest(begin, acts);
    expect(status).toMatchObject({ step: 3 });
    expect(rest(status, [...acts, act("PromoteStep", uid(0), at)])).toMatchObject({ step: 4 });
    expect(rest(status, [...acts, act("PromoteStep", uid(0), "2026-05-01T08:59:59Z")])).toBe(status);
  });

  test("those from before a rollout count for none of its steps", () => {
    const acts = [3, 1, 2].map((n) => act("PromoteStep", uid(n), at));
    const first = step(undefined, start, { rollout: many, acts }).status!;
    expect(rest(first, acts)).toBe(first);
    expect(rest(first, [act("PromoteStep", uid(0), at)])).toMatchObject({ step: 1 });
  });

  test("a hundred of them fit into the status as well", () => {
    const acts = Array.from({ length: 100 }, (_, n) => act("PromoteStep", uid(n * 7919), at));
    const first = step(undefined, start, { rollout: many, acts }).status!;
    expect(first.act?.length).toBeLessThanOrEqual(64);
    expect(rest(first, acts)).toBe(first);
  });

  test("a status of before is understood", () => {
    const before = { ...begin, act: `${at} ${uid(5)}` };
    expect(rest(before, [act("PromoteStep", uid(5), at)])).toBe(before);
    expect(rest(before, [act("PromoteStep", uid(4), at)])).toMatchObject({ step: 1 });
  });
});

test("a promotion from before the rollout does not count for it", () => {
  const acts = [act("PromoteStep", "p1")];
  const first = step(undefined, start, { acts });
  expect(first.status).toMatchObject({ step: 0 });
  expect(step(first.status, start, { acts }).status).toBe(first.status);
});

test("a change elsewhere in the spec goes on where it was; other steps begin anew; without a rollout there is no status", () => {
  expect(step(waiting, start, { generation: 4 }).status).toBe(waiting);
  const renamed = { steps: rollout.steps.map((one) => ({ ...one, name: `${one.name}-2` })) };
  expect(step(waiting, start, { rollout: renamed, generation: 4 }).status).toMatchObject({ step: 0, name: "canary-2", generation: 4 });
  expect(step(waiting, start, { rollout: undefined })).toEqual({ status: undefined, events: [], wakeAt: undefined });
});

test("the weights of the status are served, in place of the spec's", () => {
  const route = (status: unknown) =>
    globalRoute(
      { status: { rollout: status } },
      {
        hosts: ["shop.example.org"],
        backends: [
          { name: "blue", cluster: "eu", addresses: ["192.0.2.1"] },
          { name: "green", cluster: "eu", addresses: ["192.0.2.2"], weight: 0 },
        ],
        rollout: { steps: [{ name: "canary", backend: "green", weight: 10, pause: "10m" }] },
      },
    );
  const hub = startHub();
  const line = (status: unknown) => served(hub.pass({ routes: [route(status)], clusters: { eu: [] } }))[0];
  expect(line(undefined)).toBe("web/shop shop.example.org: blue 192.0.2.1 | green 192.0.2.2*0");
  expect(line({ step: 0, name: "canary", phase: "Progressing" })).toBe("web/shop shop.example.org: blue 192.0.2.1 | green 192.0.2.2*10");
  expect(line({ step: 0, name: "canary", phase: "Aborted" })).toBe("web/shop shop.example.org: blue 192.0.2.1 | green 192.0.2.2*0");
});
