import { expect, test } from "vitest";
import { ADDRESSES, drainYaml, FOUR, shopFiles, shopWorlds } from "../../test/support/shop-world.ts";

const start = shopWorlds();

async function watched() {
  const world = await start({ files: shopFiles(FOUR) });
  await world.clock.advance(5000);
  const told: string[] = [];
  const stop = world.engine.view.health.watch((route) => told.push(route));
  return { world, told, stop, feed: world.engine.view.health };
}

test("a system at rest tells nothing", async () => {
  const { world, told } = await watched();
  await world.clock.advance(600_000);
  expect(told).toEqual([]);
});

test("a failover, its pending failback and its end are told, and read without the other routes", async () => {
  const { world, told, feed } = await watched();
  const backend = () => feed.route("default/shop")?.backends.find(({ name }) => name === "eu");
  expect(backend()).toMatchObject({ cluster: "eu", health: "Healthy", standing: "Usable", failbackAt: null });
  world.set(ADDRESSES.eu, "refused");
  await world.clock.advance(3000);
  expect(new Set(told)).toEqual(new Set(["default/shop"]));
  expect(backend()).toMatchObject({ health: "Unhealthy", standing: "Unhealthy", reason: "refused" });
  expect(feed.route("default/shop")).toMatchObject({ lastFailover: { from: "eu", to: "us" }, failOpen: false });
  expect(feed.clusters().get("eu")).toMatchObject({ health: "Unhealthy", endpoints: { healthy: 0, total: 1 }, reason: "refused" });
  expect(feed.clusters().get("us")).toMatchObject({ health: "Healthy", endpoints: { healthy: 1, total: 1 } });

  told.length = 0;
  world.set(ADDRESSES.eu, "up");
  await world.clock.advance(3000);
  expect(told).toContain("default/shop");
  expect(backend()).toMatchObject({ health: "Healthy", standing: "Pending", failbackAt: expect.stringMatching(/^20/) });
  expect(feed.route("default/shop")?.memory.units["eu/4"]?.failback.phase).toBe("Waiting");

  told.length = 0;
  await world.clock.advance(20_000);
  expect(told).toContain("default/shop");
  expect(backend()?.standing).toBe("Usable");
});

test("fail-open is a fact of the route", async () => {
  const { world, feed } = await watched();
  for (const address of Object.values(ADDRESSES)) world.set(address, "refused");
  await world.clock.advance(5000);
  expect(feed.route("default/shop")?.failOpen).toBe(true);
});

test("orders are told, and another table tells all", async () => {
  const { world, told, feed } = await watched();
  world.write({ ...shopFiles(FOUR), "drain.yaml": drainYaml("eu") });
  await world.clock.advance(1000);
  expect(told).toContain("all");
  expect(told).toContain("default/shop");
  expect(feed.clusters().get("eu")?.state).toBe("Draining");
  told.length = 0;
  world.write(shopFiles(FOUR.slice(0, 3)));
  await world.clock.advance(1000);
  expect(told).toContain("all");
  expect([...feed.clusters().keys()]).toHaveLength(3);
  expect(feed.route("default/nothing")).toBeUndefined();
});

test("whoever stopped listening is not told", async () => {
  const { world, told, stop } = await watched();
  stop();
  world.set(ADDRESSES.eu, "refused");
  await world.clock.advance(3000);
  expect(told).toEqual([]);
});
