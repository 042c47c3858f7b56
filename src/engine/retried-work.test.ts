import { expect, test } from "vitest";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { ms } from "../model/units.ts";
import { createRetriedWork } from "./retried-work.ts";

/** Work that takes a second. */
function life() {
  const clock = createSimulatedClock();
  const began: number[] = [];
  const errors: unknown[] = [];
  let fails = false;
  let under = 0;
  const work = createRetriedWork({
    async run() {
      expect(++under).toBe(1);
      began.push(clock.now());
      await clock.sleep(1000);
      under--;
      if (fails) throw new Error("the thread ended");
    },
    setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
    retryAfter: 5000,
    onError: (error) => errors.push(error),
  });
  const setBroken = (isBroken: boolean): void => {
    fails = isBroken;
  };
  return { clock, work, began, errors, setBroken };
}

test("what is asked for while it runs is done once more, and no oftener", async () => {
  const { clock, work, began } = life();
  void work.request();
  await clock.advance(500);
  for (let i = 0; i < 5; i++) void work.request();
  await clock.advance(10_000);
  expect(began).toEqual([0, 1000]);
  await work.settled();
});

test("a failure is told and tried again until it succeeds", async () => {
  const { clock, work, began, errors, setBroken } = life();
  setBroken(true);
  await Promise.all([work.request(), clock.advance(1000)]);
  expect([work.failure(), errors.length]).toEqual(["the thread ended", 1]);
  await clock.advance(6000);
  expect(errors).toHaveLength(2);
  setBroken(false);
  await clock.advance(6000);
  expect([work.failure(), began, clock.pending()]).toEqual([undefined, [0, 6000, 12_000], 0]);
});

test("a request that comes before the retry takes its place", async () => {
  const { clock, work, began, setBroken } = life();
  setBroken(true);
  void work.request();
  await clock.advance(2000);
  setBroken(false);
  void work.request();
  await clock.advance(20_000);
  expect(began).toEqual([0, 2000]);
});

test("after stop nothing begins and nothing is told", async () => {
  const { clock, work, began, errors, setBroken } = life();
  setBroken(true);
  void work.request();
  await clock.advance(500);
  void work.request();
  work.stop();
  await clock.advance(20_000);
  await work.settled();
  expect([began, errors, clock.pending()]).toEqual([[0], [], 0]);
});
