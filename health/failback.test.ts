import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Health } from "../src/model/health.ts";
import { ms } from "../src/model/units.ts";
import {
  type FailbackPolicy,
  type FailbackState,
  failback,
  failbackDelay,
  failbackDue,
  isFailbackState,
  MAX_LEVEL,
  NEW_UNIT,
  servingShare,
} from "./failback.ts";

const MINUTE = 60_000;
const policy: FailbackPolicy = { mode: "Automatic", after: ms(5 * MINUTE), slowStart: ms(2 * MINUTE) };
const approval: FailbackPolicy = { ...policy, mode: "Approval" };
const out = (level = 0, since = 1000): FailbackState => ({ phase: "Out", level, since });
const waiting = (until: number | "approval", level = 0, healthySince = 2000): FailbackState => ({
  phase: "Waiting",
  level,
  since: 1000,
  healthySince,
  until,
});
const serving = (returnedAt: number | null, level = 0): FailbackState => ({ phase: "Serving", level, returnedAt });

const cases: readonly {
  name: string;
  from: FailbackState;
  health: Health;
  now: number;
  to: FailbackState;
  policy?: FailbackPolicy;
  approvedAt?: number;
}[] = [
  { name: "the first Healthy serves at once", from: NEW_UNIT, health: "Healthy", now: 5, to: serving(null) },
  { name: "a unit that never served is not out", from: NEW_UNIT, health: "Unhealthy", now: 5, to: NEW_UNIT },
  { name: "a failure takes it out", from: serving(null), health: "Unhealthy", now: 5, to: out(0, 5) },
  { name: "Unknown takes nothing out", from: serving(null), health: "Unknown", now: 5, to: serving(null) },
  { name: "Unknown does not interrupt a wait", from: waiting(302_000), health: "Unknown", now: 3000, to: waiting(302_000) },
  { name: "recovery waits", from: out(), health: "Healthy", now: 2000, to: waiting(302_000) },
  { name: "a millisecond before the end it still waits", from: waiting(302_000), health: "Healthy", now: 301_999, to: waiting(302_000) },
  { name: "at the end it serves", from: waiting(302_000), health: "Healthy", now: 302_000, to: serving(302_000) },
  { name: "a failure while waiting keeps the begin of the outage", from: waiting(302_000), health: "Unhealthy", now: 9000, to: out() },
  {
    name: "with Approval time alone never returns it",
    from: waiting("approval"),
    health: "Healthy",
    now: 1e12,
    to: waiting("approval"),
    policy: approval,
  },
  {
    name: "an approval returns it",
    from: waiting("approval"),
    health: "Healthy",
    now: 9000,
    to: serving(9000),
    policy: approval,
    approvedAt: 8000,
  },
  {
    name: "an approval of an earlier outage does not",
    from: waiting("approval"),
    health: "Healthy",
    now: 9000,
    to: waiting("approval"),
    policy: approval,
    approvedAt: 999,
  },
  {
    name: "an approval during the outage returns it at its first Healthy",
    from: out(),
    health: "Healthy",
    now: 2000,
    to: serving(2000),
    policy: approval,
    approvedAt: 1500,
  },
  {
    name: "an approval never returns an Unhealthy one",
    from: out(),
    health: "Unhealthy",
    now: 2000,
    to: out(),
    policy: approval,
    approvedAt: 1500,
  },
  {
    name: "an approval also shortens an automatic wait",
    from: waiting(302_000),
    health: "Healthy",
    now: 9000,
    to: serving(9000),
    approvedAt: 8000,
  },
  { name: "a new policy counts for a running wait", from: waiting("approval"), health: "Healthy", now: 3000, to: waiting(302_000) },
  {
    name: "a failure before the wait's length has passed is a flap",
    from: serving(1000),
    health: "Unhealthy",
    now: 1000 + 5 * MINUTE - 1,
    to: out(1, 1000 + 5 * MINUTE - 1),
  },
  { name: "a failure after it is not", from: serving(1000), health: "Unhealthy", now: 1000 + 5 * MINUTE, to: out(0, 1000 + 5 * MINUTE) },
  {
    name: "long service takes one level back",
    from: serving(1000, 2),
    health: "Unhealthy",
    now: 1000 + 20 * MINUTE,
    to: out(1, 1000 + 20 * MINUTE),
  },
  {
    name: "longer service takes all back",
    from: serving(1000, 2),
    health: "Unhealthy",
    now: 1000 + 30 * MINUTE,
    to: out(0, 1000 + 30 * MINUTE),
  },
  { name: "the level has a ceiling", from: serving(1000, MAX_LEVEL), health: "Unhealthy", now: 1001, to: out(MAX_LEVEL, 1001) },
];
test.each(cases)("$name", (c) => {
  const input = c.approvedAt === undefined ? { health: c.health } : { health: c.health, approvedAt: c.approvedAt };
  expect(failback(c.from, input, c.policy ?? policy, c.now)).toEqual(c.to);
});

test("the wait doubles with each level up to an hour, and a longer `after` is kept", () => {
  const minutes = (after: number) =>
    [0, 1, 2, 3, 4, 6].map((level) => failbackDelay({ ...policy, after: ms(after * MINUTE) }, level) / MINUTE);
  expect(minutes(5)).toEqual([5, 10, 20, 40, 60, 60]);
  expect(minutes(0.5)).toEqual([0.5, 1, 2, 4, 8, 32]);
  expect(minutes(120)).toEqual([120, 120, 120, 120, 120, 120]);
  expect(minutes(0)).toEqual([0, 0, 0, 0, 0, 0]);
});

test("slow start: a tenth at the return, linear to the whole", () => {
  const at = (elapsed: number) => servingShare(serving(1000), policy, 1000 + elapsed);
  expect(at(0)).toBeCloseTo(0.1);
  expect(at(MINUTE)).toBeCloseTo(0.55);
  expect(at(2 * MINUTE)).toBe(1);
  expect(servingShare(serving(null), policy, 0)).toBe(1);
  expect(servingShare(serving(1000), { ...policy, slowStart: ms(0) }, 1000)).toBe(1);
  expect(servingShare(waiting(5), policy, 0)).toBe(1);
});

test("due: the end of the wait, then steps of the ramp, then never", () => {
  expect(failbackDue(waiting(302_000), policy, 0)).toBe(302_000);
  expect(failbackDue(waiting("approval"), policy, 0)).toBe(Number.POSITIVE_INFINITY);
  expect(failbackDue(serving(1000), policy, 1000)).toBe(2200);
  expect(failbackDue(serving(1000), policy, 120_999)).toBe(121_000);
  expect(failbackDue(serving(1000), policy, 121_000)).toBe(Number.POSITIVE_INFINITY);
});

const history = fc.array(
  fc.record({ health: fc.constantFrom<Health>("Healthy", "Unhealthy", "Unknown"), wait: fc.integer({ min: 1, max: 20 * MINUTE }) }),
  { minLength: 1, maxLength: 60 },
);

describe("properties", () => {
  test("no return without `after` of continuous health; shares in bounds; states survive JSON; the step is idempotent", () => {
    fc.assert(
      fc.property(history, fc.boolean(), (events, byApproval) => {
        const used = byApproval ? approval : policy;
        let state: FailbackState = NEW_UNIT;
        let now = 1;
        let healthySince: number | undefined;
        for (const event of events) {
          if (event.health === "Healthy") healthySince ??= now;
          if (event.health === "Unhealthy") healthySince = undefined;
          const steps = [now, Math.min(failbackDue(state, used, now), now + event.wait)]; // the event, and one timer behind it
          for (const at of steps) {
            const before = state;
            state = failback(state, { health: event.health }, used, at);
            expect(failback(state, { health: event.health }, used, at)).toBe(state);
            if (state.phase === "Serving" && before.phase === "Waiting") {
              expect(byApproval).toBe(false);
              expect(at - (healthySince ?? at)).toBeGreaterThanOrEqual(used.after);
            }
            const share = servingShare(state, used, at);
            expect(share >= 0.1 && share <= 1).toBe(true);
            const saved: unknown = JSON.parse(JSON.stringify(state));
            expect(isFailbackState(saved) && saved).toEqual(state);
          }
          now += event.wait;
        }
      }),
    );
  });

  test("an endpoint that flaps serves less and less", () => {
    let state: FailbackState = failback(NEW_UNIT, { health: "Healthy" }, policy, 0);
    let now = 1;
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      state = failback(state, { health: "Unhealthy" }, policy, now);
      state = failback(state, { health: "Healthy" }, policy, now);
      const due = failbackDue(state, policy, now);
      waits.push((due - now) / MINUTE);
      state = failback(state, { health: "Healthy" }, policy, due);
      now = due + 1000; // serves for a second
    }
    expect(waits).toEqual([5, 10, 20, 40, 60, 60, 60, 60]);
  });
});

test.each([
  null,
  1,
  {},
  { phase: "Out" },
  { phase: "Out", level: 7, since: 1 },
  { phase: "Waiting", level: 0, since: 1, healthySince: 1, until: "x" },
  { phase: "Serving", level: 0 },
])("refuses the broken state %j", (value) => expect(isFailbackState(value)).toBe(false));
