import { expect, test } from "vitest";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { ms } from "../model/units.ts";
import { createSaver } from "./saver.ts";

/** @param takes milliseconds that a write takes */
function life(takes = 0) {
  const clock = createSimulatedClock();
  const began: number[] = [];
  const errors: unknown[] = [];
  let fails = false;
  let under = 0;
  const saver = createSaver({
    async write() {
      expect(++under).toBe(1);
      began.push(clock.now());
      await clock.sleep(takes);
      under--;
      if (fails) throw new Error("no space left");
    },
    setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
    now: clock.now,
    onError: (error) => errors.push(error),
  });
  const setBroken = (isBroken: boolean): void => {
    fails = isBroken;
  };
  return { saver, clock, began, errors, setBroken };
}

test("requests within a second are one write", async () => {
  const { saver, clock, began } = life();
  for (let i = 0; i < 10; i++) saver.request();
  await clock.advance(5000);
  expect(began).toEqual([1000]);
  saver.request();
  await clock.advance(5000);
  expect(began).toEqual([1000, 6000]);
});

test("a slow write is followed by a longer pause, and never by another one at the same time", async () => {
  const { saver, clock, began } = life(2000);
  for (let i = 0; i < 300; i++) {
    saver.request();
    await clock.advance(100);
  }
  expect(began[0]).toBe(1000);
  expect(began.length).toBeGreaterThan(2);
  for (let i = 2; i < began.length; i++) expect(began[i]! - began[i - 1]!).toBeGreaterThanOrEqual(8000);
});

test("after a failure it tries again by itself, until it succeeds", async () => {
  const world = life();
  world.setBroken(true);
  world.saver.request();
  await world.clock.advance(25_000);
  expect([world.began, world.errors.length, world.saver.isFailing()]).toEqual([[1000, 11_000, 21_000], 3, true]);
  world.setBroken(false);
  await world.clock.advance(60_000);
  expect([world.began.length, world.saver.isFailing(), world.clock.pending()]).toEqual([4, false, 0]);
});

test("the last write comes after the one under way, and no other follows", async () => {
  const { saver, clock, began } = life(3000);
  saver.request();
  await clock.advance(1500);
  const finished = saver.finish();
  saver.request();
  await clock.advance(60_000);
  await finished;
  expect([began, clock.pending()]).toEqual([[1000, 4000], 0]);
});
