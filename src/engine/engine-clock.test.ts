/** A wall clock that is set while the engine runs (an operator, NTP after a long outage, a machine that slept). */
import { describe, expect, test } from "vitest";
import { ADDRESSES, ALL, drainYaml, FOUR, shopFiles as files, shopServes as serving, shopWorlds } from "../../test/support/shop-world.ts";

const start = shopWorlds();
const HOUR = 3_600_000;

describe("set back by an hour", () => {
  test("a failback still takes no longer than its delay", async () => {
    const world = await start({ files: files(FOUR) });
    world.set(ADDRESSES.eu, "refused");
    await world.clock.advance(4000);
    world.set(ADDRESSES.eu, "up");
    await world.clock.advance(5000);
    world.setWallClock(-HOUR);
    await world.clock.advance(15_000);
    expect(serving(world, "DE")).toEqual(["eu"]);
  });

  test("a slow start still takes no longer than it should", async () => {
    const slow = files(FOUR);
    const route = slow["route.yaml"].replace("after: 10s", "after: 10s, slowStart: 20s");
    const world = await start({ files: { ...slow, "route.yaml": route } });
    world.set(ADDRESSES.eu, "refused");
    await world.clock.advance(4000);
    world.set(ADDRESSES.eu, "up");
    await world.clock.advance(15_000);
    world.setWallClock(-HOUR);
    await world.clock.advance(22_000);
    expect(world.ask("shop.example.org", "192.0.2.1")).toMatchObject({ clusters: ["eu"], ttl: expect.toSatisfy((ttl: number) => ttl > 0) });
    const { keep } = world.table().state;
    expect([...keep]).toEqual(Array(keep.length).fill(0xffff));
  });

  test("the withdrawal budget is not spent for an hour", async () => {
    const world = await start({ files: files(ALL) });
    world.set(ADDRESSES.br, "silent");
    world.set(ADDRESSES.jp, "silent");
    await world.clock.advance(5000);
    world.setWallClock(-HOUR);
    await world.clock.advance(90_000);
    world.set(ADDRESSES.eu, "silent");
    await world.clock.advance(10_000);
    expect(serving(world, "DE")).toEqual(["uk"]);
  });

  test("a drain that had ended by the old time is obeyed, as the new time says", async () => {
    const until = new Date(1_800_000_000_000 + 5000).toISOString();
    const world = await start({ files: { ...files(FOUR), "drain.yaml": drainYaml("eu", until) } });
    await world.clock.advance(5000);
    expect(serving(world, "DE")).toEqual(["eu"]);
    world.setWallClock(-HOUR);
    await world.clock.advance(2000);
    expect(serving(world, "DE")).toEqual(["us"]);
  });
});

describe("a failback delay counts only time in which somebody looked", () => {
  async function waiting() {
    const world = await start({ files: files(FOUR) });
    world.set(ADDRESSES.eu, "refused");
    await world.clock.advance(4000);
    world.set(ADDRESSES.eu, "up");
    await world.clock.advance(4000);
    expect(world.engine.view.status().routes[0]!.backends[0]!.standing).toBe("Pending");
    return world;
  }

  test("a process that was stopped for an hour waits for the rest of it", async () => {
    const world = await waiting();
    world.set(ADDRESSES.eu, "silent");
    await world.clock.jump(HOUR);
    for (let i = 0; i < 80; i++) {
      expect(serving(world, "DE")).toEqual(["us"]);
      await world.clock.advance(100);
    }
  });

  test("so does one whose clock is set forward", async () => {
    const world = await waiting();
    world.setWallClock(HOUR);
    await world.clock.advance(2000);
    expect(serving(world, "DE")).toEqual(["us"]);
    await world.clock.advance(10_000);
    expect(serving(world, "DE")).toEqual(["eu"]);
  });
});

test("set forward by an hour nothing is withdrawn and nothing is in a hurry", async () => {
  const world = await start({ files: files(FOUR) });
  world.setWallClock(HOUR);
  for (let i = 0; i < 50; i++) {
    await world.clock.advance(100);
    expect(serving(world, "DE")).toEqual(["eu"]);
  }
  expect(world.events("EndpointUnhealthy")).toEqual([]);
});
