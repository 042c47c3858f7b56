/** Properties of the whole monitor on simulated time, over many policies and sizes of world. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ms } from "../src/model/units.ts";
import { createWorld, endpointOf } from "./support/simulated-world.ts";

const arbitraryWorld = fc
  .record({
    size: fc.integer({ min: 3, max: 7 }),
    interval: fc.integer({ min: 500, max: 10_000 }),
    timeoutShare: fc.double({ min: 0.1, max: 1, noNaN: true }),
    rise: fc.integer({ min: 1, max: 3 }),
    fall: fc.integer({ min: 1, max: 4 }),
    seed: fc.nat(),
    phase: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ timeoutShare, interval, phase, ...rest }) => ({
    ...rest,
    interval,
    timeout: Math.round(interval * timeoutShare),
    settleFor: 2000 + 3 * interval + phase * interval,
  }));
type WorldSpec = typeof arbitraryWorld extends fc.Arbitrary<infer T> ? T : never;

async function settledWorld(spec: WorldSpec) {
  const policy = { interval: ms(spec.interval), timeout: ms(spec.timeout), rise: spec.rise, fall: spec.fall };
  const endpoints = Array.from({ length: spec.size }, (_, i) => endpointOf(`c${i}`, policy));
  const world = createWorld(endpoints, { seed: spec.seed });
  await world.clock.advance(spec.settleFor);
  expect(world.changes).toHaveLength(spec.size);
  return world;
}

/** The longest time between two starts of a silent endpoint. */
const slowest = ({ interval, timeout }: WorldSpec): number => Math.max(interval / 2, timeout + interval / 10);

describe("one vantage", () => {
  test("its own cut, shorter than the hold, never changes a verdict", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryWorld, fc.double({ min: 0.05, max: 2.9, noNaN: true }), async (spec, intervals) => {
        const world = await settledWorld(spec);
        world.cut(true);
        await world.clock.advance(intervals * spec.interval);
        world.cut(false);
        await world.clock.advance(12 * spec.interval);
        expect(world.changes).toHaveLength(spec.size);
        expect(world.monitor.holds()).toEqual({ suspect: false, clusters: [] });
        world.monitor.close();
      }),
      { numRuns: 200 },
    );
  });

  test("one silent cluster is always found, soon", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryWorld, fc.nat(6), async (spec, which) => {
        const world = await settledWorld(spec);
        const name = `c${which % spec.size}`;
        const at = world.clock.now();
        world.set(name, "silent");
        const bound = 1.6 * spec.interval + spec.fall * slowest(spec) + 1.6 * spec.interval + slowest(spec);
        await world.clock.advance(bound);
        expect(world.changes.slice(spec.size).map((change) => [change.name, change.health.health])).toEqual([[name, "Unhealthy"]]);
        expect(world.changes.at(-1)!.health.firstSign).toBeGreaterThan(world.clock.wallClock() - world.clock.now() + at);
        world.monitor.close();
      }),
      { numRuns: 200 },
    );
  });

  test("a refusal is believed after `fall` of them, whatever else is silent", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryWorld, async (spec) => {
        const world = await settledWorld(spec);
        world.cut(true);
        await world.clock.advance(spec.interval * 2);
        world.cut(false);
        for (let i = 1; i < spec.size; i++) world.set(`c${i}`, "silent");
        world.set("c0", "down");
        await world.clock.advance(1.6 * spec.interval + spec.timeout + spec.fall * slowest(spec));
        expect(world.health(world.endpoints[0]!)).toMatchObject({ health: "Unhealthy", proven: true });
        world.monitor.close();
      }),
      { numRuns: 100 },
    );
  });
});
