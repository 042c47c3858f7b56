/** Drills through the whole engine: when they begin and end, and that they give up, for good, at the first failure that is not their own. */
import { expect, test } from "vitest";
import { ADDRESSES, ALL, drillYaml, FOUR, shopFiles as files, shopServes as serving, shopWorlds } from "../../test/support/shop-world.ts";
import type { SimulatedWorld } from "../../test/support/simulated-world.ts";
import type { EventKind } from "../observe/timeline.ts";

const start = shopWorlds();
const OBJECT = "TrafficOverride default/drill-eu";

/** A world in which a drill of `eu` begins in ten seconds and lasts for a minute. */
async function drillWorld(names = FOUR) {
  const world = await start({ files: files(names) });
  const begins = world.clock.wallClock() + 10_000;
  const drilled = { ...files(names), "drill.yaml": drillYaml("eu", begins, begins + 60_000) };
  world.write(drilled);
  await world.clock.advance(9000);
  return { world, drilled, begins };
}

const events = (world: SimulatedWorld, kind: EventKind) => world.engine.view.timeline.list().filter((event) => event.kind === kind);

const kinds = (world: SimulatedWorld): readonly string[] =>
  world.engine.view.timeline
    .list()
    .filter(({ kind }) => kind.startsWith("Override") || kind.startsWith("Drill") || kind === "Failover")
    .map(({ kind, details }) => (kind === "Failover" ? `${details.from} to ${details.to}: ${details.reason}` : kind));

test("begins and ends by its times, and says so", async () => {
  const { world, begins } = await drillWorld();
  expect(serving(world, "DE")).toEqual(["eu"]);
  await world.clock.advance(2000);
  expect(serving(world, "DE")).toEqual(["us"]);
  expect(world.engine.view.status().clusters.find(({ name }) => name === "eu")).toMatchObject({ state: "Draining", health: "Healthy" });
  expect(events(world, "OverrideBegan").at(-1)).toMatchObject({
    object: OBJECT,
    at: begins,
    details: { action: "Drill", target: "MemberCluster eu", reason: "game day", until: begins + 60_000 },
  });
  await world.clock.advance(60_000);
  expect(serving(world, "DE")).toEqual(["eu"]);
  expect(kinds(world)).toEqual(["eu to us: drill", "OverrideBegan", "us to eu: no longer drilled", "OverrideEnded"]);
  expect(events(world, "Failover")[0]!.details.decideSeconds).toBeLessThan(0.05);
  expect(await world.samples("globalroute_drills_total")).toEqual(['globalroute_drills_total{result="completed"} 1']);
});

test("a second failure ends it at once and for good, although what failed comes back", async () => {
  const { world } = await drillWorld();
  await world.clock.advance(3000);
  world.set(ADDRESSES.jp, "refused");
  await world.clock.advance(3000);
  expect(serving(world, "DE")).toEqual(["eu"]);
  expect(serving(world, "JP")).not.toEqual(["jp"]);
  const reason = "default/shop: jp is not in service";
  expect(events(world, "DrillAborted")).toMatchObject([{ object: OBJECT, details: { reason, route: "default/shop" } }]);
  expect(world.engine.view.health.drillAbort("default/drill-eu")).toMatchObject({ reason });
  world.set(ADDRESSES.jp, "up");
  await world.clock.advance(30_000);
  expect(serving(world, "JP")).toEqual(["jp"]);
  expect(serving(world, "DE")).toEqual(["eu"]);
  expect(events(world, "OverrideEnded")).toHaveLength(1);
  expect(await world.samples("globalroute_drills_total")).toEqual(['globalroute_drills_total{result="aborted"} 1']);
});

test("so does a failure of the cluster itself, which then is an outage like any", async () => {
  const { world } = await drillWorld();
  await world.clock.advance(3000);
  world.set(ADDRESSES.eu, "silent");
  await world.clock.advance(5000);
  expect(events(world, "DrillAborted")).toMatchObject([{ details: { reason: "default/shop: eu is out of service already" } }]);
  expect(serving(world, "DE")).toEqual(["us"]);
});

test("and doubt about this server's own network", async () => {
  const { world } = await drillWorld(ALL);
  await world.clock.advance(3000);
  for (const name of ["us", "jp", "br", "uk"] as const) world.set(ADDRESSES[name], "silent");
  await world.clock.advance(3500);
  expect(events(world, "DrillAborted")).toHaveLength(1);
  expect(serving(world, "DE")).toEqual(["eu"]);
});

test("given up stays given up in the next process", async () => {
  const { world, drilled } = await drillWorld();
  await world.clock.advance(3000);
  world.set(ADDRESSES.jp, "refused");
  await world.clock.advance(3000);
  world.set(ADDRESSES.jp, "up");
  await world.clock.advance(15_000);
  await world.stop();
  const second = await start({ files: drilled, state: world.state, clock: world.clock });
  expect(serving(second, "DE")).toEqual(["eu"]);
  expect(events(second, "OverrideBegan")).toEqual([]);
});

test("the same name at another time is another drill", async () => {
  const { world } = await drillWorld();
  await world.clock.advance(3000);
  world.set(ADDRESSES.jp, "refused");
  await world.clock.advance(3000);
  world.set(ADDRESSES.jp, "up");
  await world.clock.advance(30_000);
  const again = world.clock.wallClock() + 5000;
  world.write({ ...files(FOUR), "drill.yaml": drillYaml("eu", again, again + 60_000) });
  await world.clock.advance(7000);
  expect(serving(world, "DE")).toEqual(["us"]);
});

test("while something is out of service it does not begin, and says why", async () => {
  const world = await start({ files: files(FOUR) });
  world.set(ADDRESSES.jp, "refused");
  await world.clock.advance(3000);
  const begins = world.clock.wallClock() + 1000;
  world.write({ ...files(FOUR), "drill.yaml": drillYaml("eu", begins, begins + 20_000) });
  await world.clock.advance(5000);
  expect(serving(world, "DE")).toEqual(["eu"]);
  expect(events(world, "DrillHeld")).toMatchObject([
    { object: "GlobalRoute default/shop", details: { cluster: "eu", backend: "eu", family: 4, reason: "jp is not in service" } },
  ]);
  expect(events(world, "DrillAborted")).toEqual([]);
  await world.clock.advance(20_000);
  expect(await world.samples("globalroute_drills_total")).toEqual(['globalroute_drills_total{result="held"} 1']);
});

test("taken back before its time it ends at once", async () => {
  const { world } = await drillWorld();
  await world.clock.advance(3000);
  world.write(files(FOUR));
  await world.clock.advance(1000);
  expect(serving(world, "DE")).toEqual(["eu"]);
  expect(await world.samples("globalroute_drills_total")).toEqual(['globalroute_drills_total{result="ended-early"} 1']);
});
