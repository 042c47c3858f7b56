import fc from "fast-check";
import { expect, test } from "vitest";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { ms } from "../model/units.ts";
import { createCondenser } from "./condense.ts";
import type { Notification, Phase } from "./notification.ts";

const WINDOW = 300_000;

function scene() {
  const clock = createSimulatedClock();
  const told: string[] = [];
  let suppressed = 0;
  const condenser = createCondenser(
    WINDOW,
    { setTimer: (delay, callback) => clock.setTimer(ms(delay), callback) },
    ({ key, phase }, more) => told.push(`${key} ${phase} +${more}`),
    () => suppressed++,
  );
  const take = (key: string, phase: Phase = "Moment"): void =>
    condenser.take({
      key,
      phase,
      notice: "Failover",
      severity: "warning",
      object: "o",
      message: "m",
      startedAt: 0,
      details: {},
    } satisfies Notification);
  return { clock, told, take, condenser, suppressed: () => suppressed };
}

test("the first is told at once, repeats are counted and told as one when the window ends", async () => {
  const { clock, told, take, suppressed } = scene();
  for (let i = 0; i < 14; i++) take("a");
  take("b");
  expect(told).toEqual(["a Moment +0", "b Moment +0"]);
  await clock.advance(WINDOW);
  expect(told).toEqual(["a Moment +0", "b Moment +0", "a Moment +12"]);
  expect(suppressed()).toBe(13);
});

test("an end is told at once although its beginning was just told; what flaps on is summed up with how it stands", async () => {
  const { clock, told, take } = scene();
  for (const phase of ["Begun", "Ended", "Begun", "Ended", "Begun"] as const) take("a", phase);
  expect(told).toEqual(["a Begun +0", "a Ended +0"]);
  await clock.advance(WINDOW);
  expect(told.at(-1)).toBe("a Begun +2");
});

test("what goes on after a summary is still condensed; what is quiet for a window is news again", async () => {
  const { clock, told, take } = scene();
  take("a");
  take("a");
  await clock.advance(WINDOW);
  take("a");
  expect(told).toEqual(["a Moment +0", "a Moment +0"]);
  await clock.advance(2 * WINDOW);
  expect(told).toHaveLength(3);
  take("a");
  expect(told).toHaveLength(4);
});

test("whatever comes, the last state is the last that is told of each key, and none is lost from the count", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.constantFrom<Phase>("Begun", "Ended"), fc.integer({ min: 0, max: WINDOW })), {
        minLength: 1,
        maxLength: 40,
      }),
      async (steps) => {
        const { clock, told, take } = scene();
        for (const [key, phase, wait] of steps) {
          take(key, phase);
          await clock.advance(wait);
        }
        await clock.advance(2 * WINDOW + 1);
        for (const key of ["a", "b"]) {
          const taken = steps.filter(([one]) => one === key);
          const lines = told.filter((line) => line.startsWith(`${key} `));
          if (taken.length > 0) expect(lines.at(-1)).toContain(` ${taken.at(-1)?.[1]} `);
          const counted = lines.reduce((sum, line) => sum + 1 + Number(/\+(\d+)$/.exec(line)?.[1]), 0);
          expect(counted).toBe(taken.length);
        }
      },
    ),
    { numRuns: 50 },
  );
});
