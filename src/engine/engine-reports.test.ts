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

describe("a backend that nobody has seen healthy when the first verdicts are due", () => {
  /** Only the first probes are over in time, as where thousands wait for their turn. */
  const crowded = (first: number, seconds: number): (() => number) => {
    let probes = 0;
    return () => (probes++ < first ? 5 : seconds * 1000);
  };

  test("has not been withdrawn, and its clients have not failed over", async () => {
    const world = await start({ files: files(FOUR), latency: crowded(2, 8) });
    const sent = () => (["DE", "US", "JP", "BR"] as const).flatMap((client) => serving(world, client));
    expect(new Set(sent()).size).toBe(2);
    await world.clock.advance(20_000);
    expect(new Set(sent()).size).toBe(4);
    expect(["BackendWithdrawn", "BackendReturned", "Failover"].flatMap(world.events)).toEqual([]);
    expect(world.engine.view.status().routes[0]!.lastFailover).toBeNull();
  });

  test("leaves all the same when an operator's act ends that kept it in service", async () => {
    const forced = `apiVersion: globalroute.dev/v1alpha1
kind: TrafficOverride
metadata: {name: force}
spec: {targetRef: {kind: GlobalRoute, name: shop, backend: eu}, action: ForceUp, reason: test, until: "2027-01-15T09:00:00Z"}
`;
    const world = await start({ files: { ...files(FOUR), "force.yaml": forced }, latency: crowded(0, 3600) });
    expect(serving(world, "DE")).toEqual(["eu"]);
    world.write(files(FOUR));
    await world.clock.advance(1000);
    expect(world.events("BackendWithdrawn")).toEqual(["eu (IPv4) is out of service: no longer forced up"]);
  });
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

describe("what the end of an operator's act brings is put down to it, not to what probes saw long ago", () => {
  const act = (action: string, until = "2027-01-15T09:00:00Z") => `apiVersion: globalroute.dev/v1alpha1
kind: TrafficOverride
metadata: {name: act}
spec: {targetRef: {kind: GlobalRoute, name: shop, backend: eu}, action: ${action}, reason: test, until: "${until}"}
`;
  const reasons = (world: Awaited<ReturnType<typeof start>>) =>
    world.engine.view.timeline.list().flatMap(({ kind, details }) => (kind === "Failover" ? [details.reason] : []));

  test.each([
    { action: "ForceUp", reason: "no longer forced up" },
    { action: "Freeze", reason: "no longer frozen" },
  ])("$action kept a dead cluster in service", async ({ action, reason }) => {
    const world = await start({ files: files(FOUR) });
    world.write({ ...files(FOUR), "act.yaml": act(action) });
    await world.clock.advance(1000);
    world.set(ADDRESSES.eu, "refused");
    await world.clock.advance(600_000);
    expect(serving(world, "DE")).toEqual(["eu"]);
    world.write(files(FOUR));
    await world.clock.advance(2000);
    expect(serving(world, "DE")).toEqual(["us"]);
    expect(world.events("Failover")).toEqual([`clients moved from eu to us: ${reason}`]);
    expect(world.events("BackendWithdrawn").at(-1)).toBe(`eu (IPv4) is out of service: ${reason}`);
    expect(seconds(world)).toEqual([]);
    expect(world.engine.view.status().routes[0]!.lastFailover).toMatchObject({ reason });
    // …and what comes after it is again what probes see.
    world.set(ADDRESSES.eu, "up");
    await world.clock.advance(30_000);
    world.set(ADDRESSES.eu, "refused");
    await world.clock.advance(5000);
    expect(reasons(world)).toEqual([reason, "failback", "refused"]);
    expect(seconds(world)).toEqual([expect.closeTo(0.5, 0)]);
  });

  test("Drain and Cordon kept clients away from a healthy one; an act that goes on is still the reason", async () => {
    const world = await start({ files: files(FOUR) });
    world.write({ ...files(FOUR), "act.yaml": act("Cordon"), "drain.yaml": drainYaml("eu") });
    await world.clock.advance(1000);
    world.write({ ...files(FOUR), "drain.yaml": drainYaml("eu") });
    await world.clock.advance(1000);
    world.write(files(FOUR));
    await world.clock.advance(1000);
    expect(serving(world, "DE")).toEqual(["eu"]);
    expect(world.events("Failover")).toEqual([
      "clients moved from eu to us: cordoned",
      "clients went back from us to eu: no longer draining",
    ]);
    expect(world.events("BackendReturned").at(-1)).toBe("eu (IPv4) serves again: no longer draining");
    expect(seconds(world)).toEqual([]);
  });

  test("its end by time, also while nothing was running", async () => {
    const soon = (world: { readonly clock: { wallClock(): number } }, after: number) =>
      new Date(world.clock.wallClock() + after).toISOString();
    const world = await start({ files: files(FOUR) });
    world.write({ ...files(FOUR), "act.yaml": act("ForceUp", soon(world, 60_000)) });
    world.set(ADDRESSES.eu, "refused");
    await world.clock.advance(62_000);
    expect(reasons(world)).toEqual(["no longer forced up"]);
    const forced = { ...files(FOUR), "act.yaml": act("ForceUp", soon(world, 60_000)) };
    world.write(forced);
    await world.clock.advance(30_000);
    const stopped = world.stop();
    await world.clock.advance(5000);
    await stopped;
    await world.clock.advance(60_000);
    const again = await start({ files: forced, state: world.state, clock: world.clock, states: { [ADDRESSES.eu]: "refused" } });
    expect(serving(again, "DE")).toEqual(["us"]);
    expect(reasons(again)).toEqual(["no longer forced up"]);
    expect(seconds(again)).toEqual([]);
  });
});

test("the log says when what was refused or held is accepted again", async () => {
  const world = await start({ files: files(FOUR) });
  const accepted = () => world.logged().filter((line) => line.includes("accepted"));
  world.write({ ...files(FOUR), "broken.yaml": "kind: [" });
  world.write({ ...files(FOUR), "broken.yaml": "kind: [[" });
  expect(accepted()).toEqual([]);
  world.write(files(FOUR));
  world.write(files(FOUR));
  expect(accepted()).toEqual(["info: the objects are accepted again"]);
  world.write(files(["eu"]));
  expect(world.logged().at(-1)).toMatch(/^error: .*globalroute confirm$/);
  world.write(files(FOUR));
  expect(accepted()).toHaveLength(2);
  world.write(files(["eu"]));
  world.engine.view.confirm();
  expect(accepted().slice(2)).toEqual(["info: the objects that were held back are accepted, as was confirmed"]);
});

test("one of a thing is not told in the plural", async () => {
  const world = await start({ files: files(["eu"]) });
  expect([...world.events("ConfigApplied"), ...world.events("TablePublished")]).toEqual([
    "1 route, 1 cluster, 1 zone",
    "table 1 is served: 1 route, 1 cluster",
  ]);
  world.write({ ...files(["eu"]), "broken.yaml": "kind: [" });
  expect(world.events("ConfigRejected")[0]).toMatch(/^1 error in world; /);
});

test("the end of self-distrust names the clusters whose probes were not believed", async () => {
  const world = await start({ files: files(ALL) });
  const clusters = (kind: string) =>
    world.engine.view.timeline.list().flatMap((event) => (event.kind === kind ? [event.details.clusters] : []));
  for (const name of ALL) world.set(ADDRESSES[name], "silent");
  await world.clock.advance(3000);
  for (const name of ALL) world.set(ADDRESSES[name], "up");
  await world.clock.advance(20_000);
  // As they come back, the slowest are distrusted once more, and alone.
  expect(clusters("VantageSuspect")).toEqual(["br,eu,jp,uk,us", "jp,uk"]);
  expect(clusters("VantageTrusted")).toEqual(["br,eu,jp,uk,us", "jp,uk"]);
  expect(world.events("VantageTrusted")[0]).toBe("probes of 5 clusters are believed again (br, eu, jp, uk, us)");
});

test("a folder in which nothing but an override is left is held, not an empty world; confirmed, it is warned of", async () => {
  const world = await start({ files: { ...files(["eu"]), "drain.yaml": drainYaml("eu") } });
  world.write({ "drain.yaml": drainYaml("eu"), "route.yaml": "# moved elsewhere\n" });
  await world.clock.advance(1000);
  expect(world.events("ConfigHeld")[0]).toMatch(/^1 of 1 route vanished, 1 of 1 cluster vanished, 1 of 1 endpoint vanished, 1 of 1 zone/);
  expect(serving(world, "DE")).toEqual(["eu"]);
  expect(world.logged().filter((line) => line.startsWith("warn: no route, cluster or zone"))).toEqual([]);
  world.engine.view.confirm();
  expect(world.logged().at(-1)).toBe("warn: no route, cluster or zone: every query is refused until there are some");
});

test("inputs that are held are told once, however often the source reads them, and again when more is gone", async () => {
  const world = await start({ files: files(ALL) });
  for (let i = 0; i < 5; i++) {
    world.write(files(["eu"]));
    await world.clock.advance(1000);
  }
  expect(world.events("ConfigHeld")).toHaveLength(1);
  expect(world.logged().filter((line) => line.startsWith("error:"))).toHaveLength(1);
  world.write({ "route.yaml": "# moved elsewhere\n" });
  await world.clock.advance(1000);
  expect(world.events("ConfigHeld")).toHaveLength(2);
});
