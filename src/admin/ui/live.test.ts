import { describe, expect, test } from "vitest";
import { type Api, ApiFailure } from "./api.ts";
import { createLive, type EventStream } from "./live.ts";
import type { Overview, WorldMap } from "./model/types.ts";

const overview = (version: number): Overview => ({
  version: "1.2.3",
  clusters: [],
  routes: [],
  table: { version, age: 0 },
  config: { path: "/objects", errors: 0, warnings: 0, problems: [] },
  overrides: [],
  degraded: [],
  acts: { drain: true, command: "" },
});
const map = (route: string | null): WorldMap => ({ frame: { id: 1, at: 0, version: 1 }, route, clusters: [], regions: [] });

/** A server that can be gone, and a clock that the test turns. */
function createWorld() {
  let now = 10_000;
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  const streams: { readyState: number; closed: boolean; emit: (kind: string) => void }[] = [];
  const world = { isUp: true, version: 1, asked: 0, loads: 0, isVisible: true, hold: undefined as Promise<void> | undefined };
  const answer = async <T>(value: () => T): Promise<T> => {
    await world.hold;
    if (!world.isUp) throw new ApiFailure(0, "The server does not answer.", "Look whether it runs.");
    return value();
  };
  const refuse = () => Promise.reject(new Error("not asked here"));
  const api: Api = {
    overview: () => {
      world.asked++;
      return answer(() => overview(world.version));
    },
    map: (route) => answer(() => map(route)),
    frames: () => answer(() => []),
    load: () => {
      world.loads++;
      return answer(() => new Map([["eu", world.loads]]));
    },
    events: () => answer(() => []),
    route: refuse,
    explain: refuse,
    ifDrained: refuse,
    drain: refuse,
    undrain: refuse,
  };
  const live = createLive({
    api,
    kinds: ["Failover", "map"],
    now: () => now,
    isVisible: () => world.isVisible,
    open(): EventStream {
      const listeners = new Map<string, (() => void)[]>();
      const stream = {
        readyState: 0,
        closed: false,
        emit: (kind: string) => {
          for (const listener of listeners.get(kind) ?? []) listener();
        },
        addEventListener: (kind: string, listener: () => void) => void listeners.set(kind, [...(listeners.get(kind) ?? []), listener]),
        close() {
          stream.closed = true;
        },
      };
      streams.push(stream);
      return stream;
    },
    setTimer(delay, run) {
      const timer = { at: now + delay, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  });
  /** Lets promises and what is due by then happen. */
  async function run(milliseconds: number): Promise<void> {
    const until = now + milliseconds;
    for (;;) {
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      const next = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      timers.delete(next);
      now = Math.max(now, next.at);
      next.run();
    }
    now = until;
  }
  return { live, world, run, streams, timers };
}

describe("a server that answers", () => {
  test("is read once at first, and again after what its stream tells, soon", async () => {
    const { live, world, run, streams } = createWorld();
    await run(1000);
    streams[0]?.emit("open");
    await run(1000);
    expect(live.state()).toMatchObject({ connection: "live", failure: undefined, overview: { table: { version: 1 } } });
    const before = world.asked;
    await run(60_000);
    expect(world.asked).toBe(before);
    world.version = 2;
    streams[0]?.emit("Failover");
    await run(70);
    expect(live.state().overview?.table.version).toBe(2);
  });

  test("a storm of events is read a few times a second at most, and the last of it is never lost", async () => {
    const { live, world, run, streams } = createWorld();
    await run(2000);
    const before = world.asked;
    for (let i = 0; i < 200; i++) {
      world.version = 100 + i;
      streams[0]?.emit("Failover");
      await run(10);
    }
    await run(1000);
    expect(world.asked - before).toBeLessThan(9);
    expect(live.state().overview?.table.version).toBe(299);
  });

  test("an event that comes while it is read has it read again", async () => {
    const { live, world, run, streams } = createWorld();
    await run(2000);
    let release = () => {};
    world.hold = new Promise((resolve) => {
      release = resolve;
    });
    streams[0]?.emit("map");
    await run(100);
    world.version = 7;
    streams[0]?.emit("map");
    world.hold = undefined;
    release();
    await run(1000);
    expect(live.state().overview?.table.version).toBe(7);
  });

  test("another route is asked for at once, and an answer for the one before is not shown", async () => {
    const { live, run, world } = createWorld();
    await run(2000);
    let release = () => {};
    world.hold = new Promise((resolve) => {
      release = resolve;
    });
    live.refresh();
    await run(500);
    live.lookAt("default/shop");
    release();
    world.hold = undefined;
    await run(500);
    expect(live.state().map?.route).toBe("default/shop");
  });

  test("load is asked for every two seconds while somebody looks", async () => {
    const { live, run, world, streams } = createWorld();
    streams[0]?.emit("open");
    await run(20_000);
    expect(world.loads).toBeGreaterThan(7);
    expect(live.state().load.get("eu")?.at(-1)).toBe(world.loads);
    world.isVisible = false;
    const before = world.loads;
    await run(20_000);
    expect(world.loads).toBe(before);
  });
});

describe("a server that goes", () => {
  test("leaves what it said last, with its time, and is looked for until it is back", async () => {
    const { live, run, world, streams } = createWorld();
    streams[0]?.emit("open");
    await run(1000);
    const { asOf } = live.state();
    world.isUp = false;
    streams[0]!.readyState = 2;
    streams[0]?.emit("error");
    await run(30_000);
    expect(live.state()).toMatchObject({ connection: "lost", asOf, overview: { table: { version: 1 } } });
    expect(streams.length).toBeGreaterThan(1);
    const last = streams.at(-1)!;
    world.isUp = true;
    world.version = 9;
    last.emit("open");
    await run(1000);
    expect(live.state()).toMatchObject({ connection: "live", failure: undefined, overview: { table: { version: 9 } } });
  });

  test("before it ever answered says why", async () => {
    const { live, run, world } = createWorld();
    world.isUp = false;
    await run(5000);
    expect(live.state()).toMatchObject({ asOf: 0, failure: { message: "The server does not answer.", remedy: "Look whether it runs." } });
    expect(world.asked).toBeGreaterThan(1);
  });
});

test("after the end nothing is asked and no timer stays", async () => {
  const { live, run, world, streams, timers } = createWorld();
  await run(1000);
  live.close();
  const before = world.asked;
  streams[0]?.emit("Failover");
  await run(60_000);
  expect([world.asked, timers.size, streams[0]?.closed]).toEqual([before, 0, true]);
});
