import { expect, test } from "vitest";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { simulatedPorts } from "./support/simulated-ports.ts";
import { createWorkQueue, type WorkQueueOptions, type WorkResult } from "./work-queue.ts";

function start(work: (key: string) => WorkResult | Promise<WorkResult>, options: Partial<WorkQueueOptions> = {}) {
  const clock = createSimulatedClock();
  const done: { readonly key: string; readonly at: number }[] = [];
  const errors: string[] = [];
  const queue = createWorkQueue(
    async (key) => {
      done.push({ key, at: clock.now() });
      return work(key);
    },
    { rate: 20, burst: 5, onError: (key) => void errors.push(key), ...options },
    simulatedPorts(clock, () => 1),
  );
  return { clock, queue, done, errors, keys: () => done.map(({ key }) => key) };
}

test("a key that waits is there once", async () => {
  const { clock, queue, keys } = start(() => "Done");
  for (let i = 0; i < 10; i++) queue.add("a"); // the first runs at once, the others are one
  queue.add("b");
  await clock.advance(0);
  expect(keys()).toEqual(["a", "b", "a"]);
  expect(queue.size).toBe(0);
});

test("not more than the rate in the long run, not more than the burst at once", async () => {
  const { clock, queue, done } = start(() => "Done");
  for (let i = 0; i < 500; i++) queue.add(`key-${i}`);
  await clock.advance(0);
  expect(done).toHaveLength(5);
  await clock.advance(1000);
  expect(done.length).toBeGreaterThanOrEqual(24);
  expect(done.length).toBeLessThanOrEqual(25);
  await clock.advance(9000);
  expect(done.length).toBeLessThanOrEqual(205);
  expect(done.length).toBeGreaterThanOrEqual(200);
  // In no second more than rate and burst together.
  for (const { at } of done) expect(done.filter((other) => other.at >= at && other.at < at + 1000).length).toBeLessThanOrEqual(25);
});

test("lower priorities first, equal ones in order, and a waiting key can be moved up", async () => {
  const { clock, queue, keys } = start(() => "Done", { burst: 1 });
  queue.add("first");
  queue.add("c", 2);
  queue.add("a", 1);
  queue.add("b", 1);
  queue.add("d", 2);
  queue.add("d", 0);
  await clock.advance(1000);
  expect(keys()).toEqual(["first", "d", "a", "b", "c"]);
});

test("a key never runs twice at a time; asked for meanwhile, it runs once more", async () => {
  const finish: (() => void)[] = [];
  const { clock, queue, keys } = start(() => new Promise<WorkResult>((resolve) => finish.push(() => resolve("Done"))), { concurrency: 4 });
  queue.add("a");
  await clock.advance(0);
  queue.add("a");
  queue.add("a");
  queue.add("b");
  await clock.advance(1000);
  expect(keys()).toEqual(["a", "b"]);
  finish[0]?.();
  await clock.advance(1000);
  expect(keys()).toEqual(["a", "b", "a"]);
  finish[1]?.();
  finish[2]?.();
  await clock.advance(1000);
  expect(keys()).toEqual(["a", "b", "a"]);
  expect(queue.size).toBe(0);
});

test("as many at a time as allowed", async () => {
  const finish: (() => void)[] = [];
  const { clock, queue, keys } = start(() => new Promise<WorkResult>((resolve) => finish.push(() => resolve("Done"))), { concurrency: 2 });
  for (const key of ["a", "b", "c"]) queue.add(key);
  await clock.advance(1000);
  expect(keys()).toEqual(["a", "b"]);
  finish[0]?.();
  await clock.advance(0);
  expect(keys()).toEqual(["a", "b", "c"]);
});

test("a failing key waits ever longer, and delays no other", async () => {
  const { clock, queue, done, keys } = start((key) => (key === "bad" ? "Retry" : "Done"), { backoff: { base: 500, cap: 30_000 } });
  queue.add("bad");
  await clock.advance(0);
  queue.add("good");
  await clock.advance(0);
  expect(keys()).toEqual(["bad", "good"]);
  await clock.advance(60_000);
  expect(done.filter(({ key }) => key === "bad").map(({ at }) => at)).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500]);
});

test("asking for a failing key does not cut its wait short; success forgets the failures", async () => {
  let isBad = true;
  const { clock, queue, done } = start(() => (isBad ? "Retry" : "Done"), { backoff: { base: 1000, cap: 30_000 } });
  queue.add("a");
  await clock.advance(10);
  queue.add("a");
  await clock.advance(900);
  expect(done).toHaveLength(1);
  isBad = false;
  await clock.advance(200);
  expect(done).toHaveLength(2);
  expect(queue.size).toBe(0);
  isBad = true;
  queue.add("a");
  await clock.advance(1100);
  expect(done).toHaveLength(4);
});

test("the server's wish to wait is a lower bound", async () => {
  const { clock, queue, done } = start(() => ({ retryAfter: 7000 }));
  queue.add("a");
  await clock.advance(6999);
  expect(done).toHaveLength(1);
  await clock.advance(1);
  expect(done).toHaveLength(2);
});

test("work that throws is told and tried again", async () => {
  let calls = 0;
  const { clock, queue, errors } = start(() => {
    if (calls++ === 0) throw new Error("no");
    return "Done";
  });
  queue.add("a");
  await clock.advance(5000);
  expect(errors).toEqual(["a"]);
  expect(calls).toBe(2);
  expect(queue.size).toBe(0);
});

test("addAfter waits, add overtakes it, drop takes it back", async () => {
  const { clock, queue, done } = start(() => "Done");
  queue.addAfter("a", 1000);
  queue.addAfter("b", 1000);
  queue.addAfter("c", 1000);
  queue.add("b");
  queue.drop("c");
  await clock.advance(0);
  expect(done).toEqual([{ key: "b", at: 0 }]);
  await clock.advance(2000);
  expect(done).toEqual([
    { key: "b", at: 0 },
    { key: "a", at: 1000 },
  ]);
});

test("shutdown starts nothing more and waits for what runs", async () => {
  const finish: (() => void)[] = [];
  const { clock, queue, keys } = start(() => new Promise<WorkResult>((resolve) => finish.push(() => resolve("Retry"))));
  queue.add("a");
  queue.add("b");
  queue.addAfter("c", 10);
  await clock.advance(0);
  let isOver = false;
  const over = queue.shutdown().then(() => {
    isOver = true;
  });
  queue.add("d");
  await clock.advance(1000);
  expect(isOver).toBe(false);
  finish[0]?.();
  await over;
  await clock.advance(60_000);
  expect(keys()).toEqual(["a"]);
  expect(queue.size).toBe(0);
  expect(clock.pending()).toBe(0);
});
