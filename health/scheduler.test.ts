import { describe, expect, test } from "vitest";
import type { Endpoint, ProbeResult } from "../src/model/health.ts";
import { ms } from "../src/model/units.ts";
import { createSimulatedClock } from "../test/support/simulated-clock.ts";
import { createScheduler, fastInterval, JITTER, keyFraction, type SchedulerOptions } from "./scheduler.ts";
import { endpointOf } from "./support/simulated-world.ts";

interface Run {
  readonly name: string;
  readonly startedAt: number;
  readonly lateness: number;
}

function setUp(options: { concurrency?: number; latency?: (name: string) => number; pace?: (name: string) => "usual" | "soon" } = {}) {
  const clock = createSimulatedClock();
  const runs: Run[] = [];
  const aborted: string[] = [];
  const underWay = new Map<string, number>();
  let most = 0;
  let random = 7;
  const result: ProbeResult = { ok: true, reason: "ok", latency: ms(1) };
  const ports: SchedulerOptions["ports"] = {
    now: clock.now,
    setTimer: clock.setTimer,
    random: () => {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      return random / 0x1_0000_0000;
    },
    probe: async (endpoint, { signal }) => {
      const overlap = underWay.get(endpoint.key) ?? 0;
      expect(overlap).toBe(0);
      underWay.set(endpoint.key, 1);
      most = Math.max(most, [...underWay.values()].filter((count) => count > 0).length);
      signal.addEventListener("abort", () => aborted.push(endpoint.cluster));
      await clock.sleep(options.latency?.(endpoint.cluster) ?? 5);
      underWay.set(endpoint.key, 0);
      return result;
    },
  };
  const scheduler = createScheduler({
    ports,
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
    onResult: (endpoint, _, timing) => {
      runs.push({ name: endpoint.cluster, startedAt: timing.startedAt, lateness: timing.lateness });
      return options.pace?.(endpoint.cluster) ?? "usual";
    },
  });
  return { clock, runs, aborted, scheduler, most: () => most };
}

const many = (count: number, policy: Partial<Endpoint["policy"]> = {}): Endpoint[] =>
  Array.from({ length: count }, (_, i) => ({
    ...endpointOf(`c${i}`, { interval: ms(10_000), timeout: ms(2000), ...policy }),
    key: `key-${i}`,
  }));
const gaps = (runs: readonly Run[], name: string): number[] => {
  const starts = runs.filter((run) => run.name === name).map((run) => run.startedAt);
  return starts.slice(1).map((start, i) => start - starts[i]!);
};

describe("rhythm", () => {
  test("every endpoint starts within a second, then once per interval, up to a tenth early or late, and evenly spread", async () => {
    const { clock, runs, scheduler } = setUp();
    scheduler.setTargets(many(500));
    await clock.advance(1006);
    expect(runs).toHaveLength(500);
    await clock.advance(100_000);
    for (let i = 0; i < 500; i++) {
      const [, ...usual] = gaps(runs, `c${i}`); // the first gap leads into the slot
      expect(Math.min(...usual)).toBeGreaterThan(10_000 * (1 - JITTER) - 1);
      expect(Math.max(...usual)).toBeLessThan(10_000 * (1 + JITTER) + 1);
    }
    const perSecond = new Map<number, number>();
    for (const run of runs.filter(({ startedAt }) => startedAt > 20_000 && startedAt < 100_000)) {
      const second = Math.floor(run.startedAt / 1000);
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
    }
    expect(Math.max(...perSecond.values())).toBeLessThan(100); // 50 on average
    expect(Math.max(...runs.map((run) => run.lateness))).toBe(0);
    scheduler.close();
  });

  test("ten thousand new ones start over ten seconds, never later than their interval", async () => {
    const { clock, runs, scheduler } = setUp();
    scheduler.setTargets([
      ...many(9000),
      ...many(1000, { interval: ms(2000) }).map((endpoint) => ({ ...endpoint, key: `quick-${endpoint.key}` })),
    ]);
    await clock.advance(1000);
    expect(runs.length).toBeLessThan(1700);
    await clock.advance(9006);
    expect(new Set(runs.map((run) => run.name)).size).toBe(9000);
  });

  test("asked for soon, the next probe starts half an interval after the last", async () => {
    const { clock, runs, scheduler } = setUp({ pace: () => "soon" });
    const [endpoint] = many(1);
    scheduler.setTargets([endpoint!]);
    await clock.advance(60_000);
    expect(fastInterval(endpoint!.policy)).toBe(5000);
    expect(new Set(gaps(runs, "c0"))).toEqual(new Set([5000]));
  });

  test("an endpoint that uses its whole timeout is asked again after a pause, but never later than usual", async () => {
    const { clock, runs, scheduler } = setUp({ latency: () => 4500, pace: () => "soon" });
    scheduler.setTargets(many(1, { timeout: ms(4500) }));
    await clock.advance(60_000);
    expect(new Set(gaps(runs, "c0"))).toEqual(new Set([5500]));
    const slow = setUp({ latency: () => 9500, pace: () => "soon" });
    slow.scheduler.setTargets(many(1, { timeout: ms(9500) }));
    await slow.clock.advance(200_000);
    expect(Math.max(...gaps(slow.runs, "c0"))).toBeLessThanOrEqual(10_500);
    expect(slow.runs.length).toBeGreaterThan(17);
  });

  test("probes of one endpoint never overlap, even when the timeout is the interval", async () => {
    const { clock, runs, scheduler } = setUp({ latency: () => 10_000 }); // the probe port fails the test on an overlap
    scheduler.setTargets(many(20, { timeout: ms(10_000) }));
    await clock.advance(120_000);
    expect(runs.length).toBeGreaterThan(20 * 9);
  });

  test("one timer, whatever the number of endpoints", async () => {
    const { clock, scheduler } = setUp();
    scheduler.setTargets(many(100));
    expect(clock.pending()).toBe(1);
  });
});

describe("targets", () => {
  test("those that stay keep their schedule, those that go are cancelled, new ones start", async () => {
    const { clock, runs, aborted, scheduler } = setUp({ latency: () => 400 });
    const all = many(6);
    scheduler.setTargets(all.slice(0, 4));
    await clock.advance(30_000);
    const planned = setUp({ latency: () => 400 });
    planned.scheduler.setTargets(all.slice(0, 4));
    await planned.clock.advance(60_000);

    scheduler.setTargets(all.slice(2));
    const before = runs.length;
    await clock.advance(1500);
    expect(runs.slice(before).map((run) => run.name)).toEqual(expect.arrayContaining(["c4", "c5"]));
    await clock.advance(28_500);
    expect(runs.slice(before).some((run) => run.name === "c0" || run.name === "c1")).toBe(false);
    const slots = (list: readonly Run[]) => list.filter((run) => run.name === "c3").map((run) => Math.round(run.startedAt / 10_000));
    expect(slots(runs)).toEqual(slots(planned.runs));
    expect(aborted.every((name) => name === "c0" || name === "c1")).toBe(true);

    scheduler.setTargets([]);
    await clock.advance(20_000);
    expect(clock.pending()).toBe(0);
  });

  test("a probe under way is cancelled and its result ignored; coming back, the endpoint starts anew", async () => {
    const { clock, runs, aborted, scheduler } = setUp({ latency: () => 3000 });
    const all = many(1, { timeout: ms(5000) });
    scheduler.setTargets(all);
    await clock.advance(1000);
    expect(scheduler.running()).toBe(1);
    scheduler.setTargets([]);
    expect(aborted).toEqual(["c0"]);
    await clock.advance(3000);
    expect(runs).toEqual([]);
    expect(scheduler.running()).toBe(0);
    scheduler.setTargets(all);
    await clock.advance(4001);
    expect(runs).toHaveLength(1);
  });

  test("a target given twice is one", async () => {
    const { clock, runs, scheduler } = setUp();
    const [endpoint] = many(1);
    scheduler.setTargets([endpoint!, endpoint!]);
    await clock.advance(1000);
    expect(runs).toHaveLength(1);
  });

  test("close cancels what is under way and starts nothing more", async () => {
    const { clock, runs, aborted, scheduler } = setUp({ latency: () => 3000 });
    scheduler.setTargets(many(5, { timeout: ms(5000) }));
    await clock.advance(1001);
    scheduler.close();
    expect(aborted).toHaveLength(5);
    await clock.advance(60_000);
    expect(runs).toEqual([]);
    expect(clock.pending()).toBe(0);
  });
});

describe("overload and stalls", () => {
  test("no more run at once than allowed, and everybody gets a turn", async () => {
    const { clock, runs, scheduler, most } = setUp({ concurrency: 10, latency: () => 1000 });
    scheduler.setTargets(many(200)); // 20 a second are wanted, 10 a second are possible
    await clock.advance(100_000);
    expect(most()).toBe(10);
    const turns = Array.from({ length: 200 }, (_, i) => runs.filter((run) => run.name === `c${i}`).length);
    expect(Math.min(...turns)).toBeGreaterThanOrEqual(4);
    expect(Math.max(...turns)).toBeLessThanOrEqual(6);
    // late, but rounds that were missed do not pile up
    expect(Math.max(...runs.map((run) => run.lateness))).toBeLessThan(21_000);
  });

  test("a cluster that hangs does not keep the others from their turn", async () => {
    const { clock, runs, scheduler } = setUp({ concurrency: 50, latency: (name) => (Number(name.slice(1)) < 100 ? 2000 : 5) });
    scheduler.setTargets(many(200)); // the slow half needs 20 of the 50 at any time
    await clock.advance(100_000);
    expect(runs.filter((run) => run.name === "c150").length).toBeGreaterThanOrEqual(10);
    expect(Math.max(...runs.slice(200).map((run) => run.lateness))).toBeLessThan(50);
  });

  test.each([2, 30, 3600])("after a stop of %i s each endpoint is probed once, not at once", async (stopped) => {
    const { clock, runs, scheduler } = setUp();
    scheduler.setTargets(many(1000));
    await clock.advance(30_000);
    await clock.jump(stopped * 1000);
    const before = runs.length;
    const start = clock.now();
    await clock.advance(100);
    expect(runs.length - before).toBeLessThan(60); // 10 in a usual 100 ms
    await clock.advance(9900);
    const after = runs.slice(before).filter((run) => run.startedAt <= start + 10_000);
    const turns = Array.from({ length: 1000 }, (_, i) => after.filter((run) => run.name === `c${i}`).length);
    expect(Math.max(...turns)).toBeLessThanOrEqual(2);
    await clock.advance(2000);
    expect(new Set(runs.slice(before).map((run) => run.name)).size).toBe(1000);
  });
});

test("keys that differ in one letter lie far apart, evenly", () => {
  const fractions = Array.from({ length: 10_000 }, (_, i) => keyFraction(`192.0.2.${i}|80|HTTP`));
  expect(fractions.every((fraction) => fraction >= 0 && fraction < 1)).toBe(true);
  const tenths = new Array<number>(10).fill(0);
  for (const fraction of fractions) tenths[Math.floor(fraction * 10)]!++;
  expect(Math.min(...tenths)).toBeGreaterThan(900);
  expect(Math.max(...tenths)).toBeLessThan(1100);
});
