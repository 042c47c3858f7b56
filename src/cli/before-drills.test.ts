import { expect, test } from "vitest";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import type { Override } from "../model/inventory.ts";
import { ms } from "../model/units.ts";
import { createBeforeDrills } from "./before-drills.ts";

const HOUR = 3_600_000;

function begin() {
  const clock = createSimulatedClock();
  const near: (readonly [at: number, name: string])[] = [];
  const beforeDrills = createBeforeDrills({
    now: clock.wallClock,
    setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
    onNear: ({ name }) => near.push([clock.now(), name]),
  });
  /** @param start,until ms from now */
  const drill = (name: string, start: number, until: number): Override => ({
    ...{ namespace: "default", name, target: { kind: "MemberCluster", name: "east" }, action: "Drill", reason: "monthly" },
    ...{ start: clock.wallClock() + start, until: clock.wallClock() + until },
  });
  return { clock, near, beforeDrills, drill };
}

test.each<{ name: string; start: number; until: number; rings: readonly number[] }>([
  { name: "it rings two seconds before the begin and the end", start: 60_000, until: 120_000, rings: [58_000, 118_000] },
  { name: "it rings at once when less is left", start: 1500, until: 9000, rings: [0, 7000] },
  { name: "of one that has begun only the end is left", start: -5, until: 9000, rings: [7000] },
  { name: "of one that is over nothing is left", start: -9000, until: 0, rings: [] },
  { name: "months ahead it waits for months", start: 2000 * HOUR, until: 2001 * HOUR, rings: [2000 * HOUR - 2000, 2001 * HOUR - 2000] },
])("$name", async ({ start, until, rings }) => {
  const { clock, near, beforeDrills, drill } = begin();
  beforeDrills.overrides([drill("one", start, until)]);
  await clock.advance(Math.max(0, until) + HOUR);
  expect(near.map(([at]) => at)).toEqual(rings);
  expect(clock.pending()).toBe(0);
});

test("being told again changes nothing, and what was moved rings at its new time", async () => {
  const { clock, near, beforeDrills, drill } = begin();
  const one = drill("one", 10_000, 20_000);
  beforeDrills.overrides([one, drill("two", 30_000, 40_000)]);
  await clock.advance(9000);
  beforeDrills.overrides([{ ...one, reason: "other words" }, drill("two", 51_000, 61_000)]);
  await clock.advance(100_000);
  expect(near).toEqual([
    [8000, "one"],
    [18_000, "one"],
    [58_000, "two"],
    [68_000, "two"],
  ]);
});

test("what is taken back does not ring, nor does anything after the end", async () => {
  const { clock, near, beforeDrills, drill } = begin();
  beforeDrills.overrides([drill("one", 10_000, 20_000), drill("two", 30_000, 40_000)]);
  beforeDrills.overrides([drill("two", 30_000, 40_000)]);
  await clock.advance(29_000);
  beforeDrills.close();
  await clock.advance(60_000);
  expect(near).toEqual([[28_000, "two"]]);
  expect(clock.pending()).toBe(0);
});
