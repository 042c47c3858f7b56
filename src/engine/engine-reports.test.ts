/** What the timeline, the metrics and `degraded` say is what happened, no more and no less. */
import { describe, expect, test } from "vitest";
import { ADDRESSES, ALL, drainYaml, FOUR, shopFiles as files, shopServes as serving, shopWorlds } from "../../test/support/shop-world.ts";
import { CLIENTS } from "../../test/support/simulated-world.ts";

const start = shopWorlds();
const residency = `  routing:
    rules:
    - {name: gdpr, mode: Require, unknownPlace: Skip, clients: {sets: [eu-gdpr]}, to: {clusters: [eu, uk]}}
`;
const seconds = (world: Awaited<ReturnType<typeof start>>) =>
  world.engine.view.timeline.list().flatMap(({ kind, details }) => (kind === "Failover" && "seconds" in details ? [details.seconds] : []));

test("the duration of a failover begins with the failure that caused it, not with that of a neighbour long ago", async () => {
  const two = files(FOUR);
  const route = two["route.yaml"].replace(`[${ADDRESSES.eu}]`, `[${ADDRESSES.eu}, 198.51.100.11]`);
  const world = await start({ files: { ...two, "route.yaml": route } });
  world.set(ADDRESSES.eu, "refused");
  await world.clock.advance(600_000);
  expect(world.ask("shop.example.org", CLIENTS.DE)).toMatchObject({ clusters: ["eu"], addresses: ["198.51.100.11"] });
  world.set("198.51.100.11", "refused");
  await world.clock.advance(5000);
  expect(serving(world, "DE")).toEqual(["us"]);
  expect(seconds(world)).toEqual([expect.closeTo(0.5, 0)]);
});

test("a drain of a cluster that nobody was sent to moves nobody, also when it comes with a new table", async () => {
  const world = await start({ files: files(FOUR) });
  world.set(ADDRESSES.eu, "refused");
  await world.clock.advance(5000);
  expect(world.events("Failover")).toHaveLength(1);
  const changed = files(FOUR)["route.yaml"].replace("max: 60s", "max: 50s");
  world.write({ ...files(FOUR), "route.yaml": changed, "drain.yaml": drainYaml("eu") });
  await world.clock.advance(2000);
  expect(serving(world, "DE")).toEqual(["us"]);
  expect(world.events("Failover")).toHaveLength(1);
});

test("a drain that comes with a new table moves those that were there", async () => {
  const world = await start({ files: files(FOUR) });
  world.set(ADDRESSES.eu, "refused");
  await world.clock.advance(5000);
  const changed = files(FOUR)["route.yaml"].replace("max: 60s", "max: 50s");
  world.write({ ...files(FOUR), "route.yaml": changed, "drain.yaml": drainYaml("us") });
  await world.clock.advance(2000);
  expect(serving(world, "DE")).toEqual(["jp"]);
  expect(world.events("Failover").at(-1)).toBe("clients moved from us to br: draining");
});

describe("fail-open that a change of rules brings or ends", () => {
  test("is told without any change of health", async () => {
    const world = await start({ files: files(ALL) });
    world.set(ADDRESSES.eu, "refused");
    world.set(ADDRESSES.uk, "refused");
    await world.clock.advance(5000);
    expect(world.engine.view.readiness().degraded).not.toContain("fail-open");
    world.write(files(ALL, residency));
    await world.clock.advance(2000);
    expect(world.ask("shop.example.org", CLIENTS.DE)).toMatchObject({ mode: "FailOpenUnhealthy" });
    expect(world.engine.view.readiness().degraded).toContain("fail-open");
    expect(world.events("FailOpen")).toHaveLength(1);
    world.write(files(ALL));
    await world.clock.advance(2000);
    expect(world.engine.view.readiness().degraded).not.toContain("fail-open");
    expect(world.events("FailOpenEnded")).toHaveLength(1);
  });

  test("and a route that is removed while it fails open leaves nothing behind", async () => {
    const world = await start({ files: files(FOUR) });
    for (const name of FOUR) world.set(ADDRESSES[name], "refused");
    await world.clock.advance(5000);
    expect(world.engine.view.readiness().degraded).toContain("fail-open");
    const other = files(FOUR)["route.yaml"].replace("name: shop", "name: other").replaceAll("198.51.100.", "198.51.100.2");
    world.write({ ...files(FOUR), "route.yaml": other });
    world.engine.view.confirm();
    await world.clock.advance(5000);
    expect(world.engine.view.readiness().degraded).not.toContain("fail-open");
  });
});

test("withdrawals that the budget holds are told for as long as they are held", async () => {
  const world = await start({ files: files(ALL) });
  const held = () => world.engine.view.readiness().degraded.includes("withdrawal-held");
  world.set(ADDRESSES.br, "silent");
  world.set(ADDRESSES.jp, "silent");
  await world.clock.advance(8000);
  expect(held()).toBe(false);
  world.set(ADDRESSES.us, "silent");
  await world.clock.advance(8000);
  expect(held()).toBe(true);
  await world.clock.advance(60_000);
  expect(held()).toBe(false);
  expect(serving(world, "US")).not.toEqual(["us"]);
});
