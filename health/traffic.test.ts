import { describe, expect, test } from "vitest";
import type { ProbeResult } from "../src/model/health.ts";
import { ms } from "../src/model/units.ts";
import { createWorld, endpointOf } from "./support/simulated-world.ts";
import { rememberedFor, type Traffic, weigh, withLoad } from "./traffic.ts";

const OK: ProbeResult = { ok: true, reason: "ok", latency: ms(5) };
const REFUSED: ProbeResult = { ok: false, reason: "refused", latency: ms(1) };
const FAILED: ProbeResult = { ...OK, ok: false, reason: "requests-failed" };
const NOW = 1_000_000;
const REMEMBERED = rememberedFor({ interval: ms(1000) });

const cases: readonly {
  name: string;
  probe: ProbeResult;
  attempts: number;
  failures: number;
  run?: number;
  failedAt?: number;
  counts: ProbeResult | undefined;
  failedAfter?: number;
}[] = [
  { name: "no requests: the probe alone", probe: OK, attempts: 0, failures: 0, counts: OK },
  { name: "most fail: a failure", probe: OK, attempts: 5, failures: 3, counts: FAILED, failedAfter: NOW },
  { name: "half fail: not most", probe: OK, attempts: 6, failures: 3, counts: OK },
  { name: "too few to be sure, though all fail", probe: OK, attempts: 4, failures: 4, counts: OK },
  { name: "requests that succeed do not make a dead endpoint well", probe: REFUSED, attempts: 100, failures: 0, counts: REFUSED },
  { name: "a probe that failed keeps its own reason", probe: REFUSED, attempts: 9, failures: 9, counts: REFUSED, failedAfter: NOW },
  {
    name: "nobody asks since they failed: nothing is known",
    probe: OK,
    attempts: 0,
    failures: 0,
    failedAt: NOW - REMEMBERED + 1,
    counts: undefined,
    failedAfter: NOW - REMEMBERED + 1,
  },
  {
    name: "after a while the probe counts again",
    probe: OK,
    attempts: 4,
    failures: 4,
    failedAt: NOW - REMEMBERED,
    counts: OK,
  },
  { name: "the last five in a row, whatever came before", probe: OK, attempts: 500, failures: 5, run: 5, counts: FAILED, failedAfter: NOW },
  { name: "five in a row over several intervals", probe: OK, attempts: 1, failures: 1, run: 5, counts: FAILED, failedAfter: NOW },
  { name: "not five in a row", probe: OK, attempts: 500, failures: 100, run: 4, counts: OK },
  {
    name: "five in a row that were told already say nothing new",
    probe: OK,
    attempts: 0,
    failures: 0,
    run: 5,
    failedAt: NOW - 1,
    counts: undefined,
    failedAfter: NOW - 1,
  },
  {
    name: "the one request that it is tried with succeeds: not enough to be well",
    probe: OK,
    attempts: 1,
    failures: 0,
    failedAt: NOW - 20_000,
    counts: undefined,
    failedAfter: NOW - 20_000,
  },
  { name: "most succeed again: forgotten at once", probe: OK, attempts: 5, failures: 2, failedAt: NOW - 1, counts: OK },
  {
    name: "a dead endpoint is dead, asked or not",
    probe: REFUSED,
    attempts: 0,
    failures: 0,
    failedAt: NOW - 1,
    counts: REFUSED,
    failedAfter: NOW - 1,
  },
];
test.each(cases)("$name", ({ probe, attempts, failures, run = 0, failedAt, counts, failedAfter }) =>
  expect(weigh(probe, { attempts, failures, run }, failedAt, NOW, REMEMBERED)).toEqual({ counts, failedAt: failedAfter }),
);

test("the larger load counts", () => {
  const traffic = { attempts: 9, failures: 0, run: 0 };
  expect(withLoad(OK, traffic)).toBe(OK);
  expect(withLoad(OK, { ...traffic, load: 0.4 }).load).toBe(0.4);
  expect(withLoad({ ...OK, load: 0.3 }, { ...traffic, load: 0.4 }).load).toBe(0.4);
  expect(withLoad({ ...OK, load: 0.6 }, { ...traffic, load: 0.4 }).load).toBe(0.6);
});

describe("an endpoint that answers probes", () => {
  const NONE: Traffic = { attempts: 0, failures: 0, run: 0 };
  const BAD: Traffic = { attempts: 20, failures: 5, run: 5 };
  const GOOD: Traffic = { attempts: 20, failures: 0, run: 0 };

  /** Five clusters that were found well; c0 has the traffic that the test sets, as long as it is in service if `follows`. */
  async function settled(thresholds: { readonly rise?: number; readonly fall?: number } = {}, clusters = 5) {
    let traffic = NONE;
    const endpoints = Array.from({ length: clusters }, (_, i) => endpointOf(`c${i}`, thresholds));
    const [first] = endpoints;
    const world = createWorld(endpoints, { traffic: (key) => (key === first!.key ? traffic : NONE) });
    await world.clock.advance(5000);
    const see = (next: Traffic): void => {
      traffic = next;
    };
    return { ...world, see, first: () => world.health(first!) };
  }

  test.each([{ fall: 2 }, { fall: 3 }, { fall: 3, rise: 1 }])(
    "goes down after `fall` intervals of failing requests: %j",
    async (thresholds) => {
      const world = await settled(thresholds);
      const began = world.clock.now();
      world.see(BAD);
      await world.clock.advance(1000 * (thresholds.fall - 1));
      expect(world.first().health).toBe("Healthy");
      await world.clock.advance(2200);
      expect(world.first()).toMatchObject({ health: "Unhealthy", reason: "requests-failed", proven: false });
      expect(world.changes.at(-1)!.at - began).toBeGreaterThan(1000 * (thresholds.fall - 1));
      expect(world.endpoints.slice(1).every((one) => world.health(one).health === "Healthy")).toBe(true);
    },
  );

  test("comes back by its probes, when nobody has asked it for a while", async () => {
    const world = await settled();
    world.see(BAD);
    await world.clock.advance(4000);
    expect(world.first().health).toBe("Unhealthy");
    world.see(NONE);
    await world.clock.advance(REMEMBERED - 3000);
    expect(world.first().health).toBe("Unhealthy");
    await world.clock.advance(5000);
    expect(world.first()).toMatchObject({ health: "Healthy", reason: "ok" });
  });

  test("or at once, when those that still come succeed", async () => {
    const world = await settled();
    world.see(BAD);
    await world.clock.advance(4000);
    world.see(GOOD);
    await world.clock.advance(2500);
    expect(world.first()).toMatchObject({ health: "Healthy", reason: "ok" });
  });

  test.each([3, 4])("goes down though it is asked but once after 10, 20, 30 s, as a proxy tries whoever fails: fall %i", async (fall) => {
    const world = await settled({ fall });
    world.see(BAD);
    await world.clock.advance(1100);
    for (let trial = 1; trial < fall; trial++) {
      expect(world.first().health).toBe("Healthy");
      world.see(NONE);
      await world.clock.advance(10_000 * trial);
      world.see({ attempts: 1, failures: 1, run: 5 + trial });
      await world.clock.advance(1100);
    }
    expect(world.first()).toMatchObject({ health: "Unhealthy", reason: "requests-failed" });
  });

  test("stays well through one burst of failures", async () => {
    const world = await settled();
    world.see(BAD);
    await world.clock.advance(1000);
    world.see(NONE);
    await world.clock.advance(120_000);
    expect(world.changes.filter(({ name, at }) => name === "c0" && at > 5000)).toEqual([]);
  });

  test("is down by its probes whatever its users get", async () => {
    const world = await settled();
    world.see(GOOD);
    world.set("c0", "error");
    await world.clock.advance(3000);
    expect(world.first()).toMatchObject({ health: "Unhealthy", reason: "status", proven: true });
  });

  test("is not to blame for a vantage that is cut off: others are silent too", async () => {
    const world = await settled();
    world.see(BAD);
    for (const name of ["c1", "c2", "c3", "c4"]) world.set(name, "silent");
    await world.clock.advance(2900);
    expect(world.first().health).toBe("Healthy");
    expect(world.monitor.holds()).toMatchObject({ suspect: true });
  });

  test("votes on while it waits for requests: other sites see no gap", async () => {
    const world = await settled();
    world.see(BAD);
    await world.clock.advance(4000);
    world.see(NONE);
    await world.clock.advance(20_000);
    expect(world.clock.wallClock() - world.monitor.vote(world.endpoints[0]!.key)!.at).toBeLessThan(1200);
  });
});

test("a load that nobody tells any more is forgotten after three intervals and a timeout", async () => {
  let load: number | undefined = 0.8;
  const endpoint = endpointOf("c0");
  const world = createWorld([endpoint], { traffic: () => ({ attempts: 0, failures: 0, run: 0, ...(load === undefined ? {} : { load }) }) });
  await world.clock.advance(3000);
  expect(world.health(endpoint).load).toBe(0.8);
  load = undefined;
  await world.clock.advance(3000);
  expect(world.health(endpoint).load).toBe(0.8);
  await world.clock.advance(3000);
  expect(world.health(endpoint).load).toBeUndefined();
});
