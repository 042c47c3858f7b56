import { describe, expect, test } from "vitest";
import { ADDRESSES, ALL, drainYaml, FOUR, shopFiles as files, shopServes as serving, shopWorlds } from "../../test/support/shop-world.ts";
import { CLIENTS, startWorld } from "../../test/support/simulated-world.ts";
import { StartError } from "./engine.ts";

const start = shopWorlds();

test("each client gets the nearest healthy cluster", async () => {
  const world = await start({ files: files(FOUR) });
  expect([serving(world, "DE"), serving(world, "US"), serving(world, "JP"), serving(world, "BR")]).toEqual([
    ["eu"],
    ["us"],
    ["jp"],
    ["br"],
  ]);
});

describe("one cluster fails", () => {
  test.each([
    { state: "refused", within: 2500 },
    { state: "silent", within: 4500 },
  ] as const)("$state: its clients move within $within ms, and come back only after the failback delay", async ({ state, within }) => {
    const world = await start({ files: files(FOUR) });
    world.set(ADDRESSES.eu, state);
    await world.clock.advance(within);
    expect(serving(world, "DE")).toEqual(["us"]);
    expect(serving(world, "JP")).toEqual(["jp"]);
    expect(world.engine.view.status().routes[0]!.lastFailover).toMatchObject({ from: "eu", to: "us" });
    world.set(ADDRESSES.eu, "up");
    await world.clock.advance(9000);
    expect(serving(world, "DE")).toEqual(["us"]);
    await world.clock.advance(5000);
    expect(serving(world, "DE")).toEqual(["eu"]);
    expect(world.events("Failover").map((message) => message.split(":")[0])).toEqual([
      "clients moved from eu to us",
      "clients went back from us to eu",
    ]);
  });

  test("a flapping cluster waits longer each time", async () => {
    const world = await start({ files: files(FOUR) });
    const waits: number[] = [];
    for (let i = 0; i < 3; i++) {
      world.set(ADDRESSES.eu, "refused");
      await world.clock.advance(4000);
      expect(serving(world, "DE")).toEqual(["us"]);
      world.set(ADDRESSES.eu, "up");
      const from = world.clock.now();
      while (serving(world, "DE")[0] !== "eu") await world.clock.advance(250);
      waits.push(world.clock.now() - from);
    }
    expect(waits[1]!).toBeGreaterThan(1.7 * waits[0]!);
    expect(waits[2]!).toBeGreaterThan(1.7 * waits[1]!);
  });

  test("approval mode waits for a person", async () => {
    const approval = files(FOUR);
    const spec = approval["route.yaml"].replace("mode: Automatic, after: 10s", "mode: Approval");
    const world = await start({ files: { ...approval, "route.yaml": spec } });
    world.set(ADDRESSES.eu, "refused");
    await world.clock.advance(4000);
    world.set(ADDRESSES.eu, "up");
    await world.clock.advance(3_600_000);
    expect(serving(world, "DE")).toEqual(["us"]);
    expect(world.engine.view.status().routes[0]!.backends[0]!.failbackAt).toBe("approval");
    world.write({
      ...approval,
      "route.yaml": spec,
      "approve.yaml": `apiVersion: globalroute.dev/v1alpha1
kind: TrafficOverride
metadata: {name: approve}
spec: {targetRef: {kind: GlobalRoute, name: shop}, action: ApproveFailback, reason: looked at it}
`,
    });
    await world.clock.advance(1000);
    expect(serving(world, "DE")).toEqual(["eu"]);
  });
});

describe("many clusters fail at once", () => {
  test.each(["refused", "silent"] as const)("2 of 5 %s: acts at once", async (state) => {
    const world = await start({ files: files(ALL) });
    world.set(ADDRESSES.eu, state);
    world.set(ADDRESSES.uk, state);
    await world.clock.advance(4500);
    expect(serving(world, "DE")).toEqual(["us"]);
  });

  test("5 of 5 fall silent: the vantage distrusts itself and holds, then fails open; everybody keeps an answer", async () => {
    const world = await start({ files: files(ALL) });
    for (const name of ALL) world.set(ADDRESSES[name], "silent");
    await world.clock.advance(3000);
    expect(world.engine.view.readiness().degraded).toContain("vantage-suspect");
    expect(world.ask("shop.example.org", CLIENTS.DE)).toMatchObject({ clusters: ["eu"], mode: "Usable" });
    await world.clock.advance(6000);
    expect(world.ask("shop.example.org", CLIENTS.DE)).toMatchObject({ clusters: ["eu"], mode: "FailOpenUnhealthy" });
    expect(world.ask("shop.example.org", CLIENTS.JP)).toMatchObject({ clusters: ["jp"], mode: "FailOpenUnhealthy" });
    expect(world.engine.view.readiness().degraded).toContain("fail-open");
  });

  test("5 of 5 refuse: that is proof, and fails open without a wait", async () => {
    const world = await start({ files: files(ALL) });
    for (const name of ALL) world.set(ADDRESSES[name], "refused");
    await world.clock.advance(2500);
    expect(world.ask("shop.example.org", CLIENTS.BR)).toMatchObject({ clusters: ["br"], mode: "FailOpenUnhealthy" });
  });
});

const RESIDENCY = `  routing:
    rules:
    - {name: gdpr, mode: Require, unknownPlace: Skip, clients: {sets: [eu-gdpr]}, to: {clusters: [eu, uk]}}
`;

test("a Require rule holds although everything it allows is down, and nobody else notices", async () => {
  const world = await start({ files: files(ALL, RESIDENCY) });
  world.set(ADDRESSES.eu, "refused");
  world.set(ADDRESSES.uk, "refused");
  for (let second = 0; second < 20; second++) {
    await world.clock.advance(1000);
    expect(["eu", "uk"]).toContain(serving(world, "DE")[0]);
    expect(serving(world, "US")).toEqual(["us"]);
  }
});

const drain = drainYaml("eu");

describe("configuration changes", () => {
  test("a drain moves clients at once and its end brings them back", async () => {
    const world = await start({ files: files(FOUR) });
    world.write({ ...files(FOUR), "drain.yaml": drain });
    await world.clock.advance(100);
    expect(serving(world, "DE")).toEqual(["us"]);
    expect(world.engine.view.status().clusters[0]!.state).toBe("Draining");
    world.write(files(FOUR));
    await world.clock.advance(100);
    expect(serving(world, "DE")).toEqual(["eu"]);
  });

  test("a folder with an error is refused whole, but its overrides pass", async () => {
    const world = await start({ files: files(FOUR) });
    world.write({ ...files(["eu", "us"]), "bad.yaml": "kind: [", "drain.yaml": drain });
    await world.clock.advance(1000);
    expect(world.engine.view.readiness()).toMatchObject({ ready: true, degraded: expect.arrayContaining(["config-rejected"]) });
    expect(serving(world, "JP")).toEqual(["jp"]);
    expect(serving(world, "DE")).toEqual(["us"]);
    world.write(files(FOUR));
    await world.clock.advance(1000);
    expect(world.engine.view.readiness().degraded).not.toContain("config-rejected");
  });

  test("inputs that collapse are held until they return or a person confirms", async () => {
    const world = await start({ files: files(ALL) });
    world.write(files(["eu", "us"]));
    await world.clock.advance(1000);
    expect(world.engine.view.readiness().degraded).toContain("inputs-held");
    expect(serving(world, "JP")).toEqual(["jp"]);
    expect(world.engine.view.confirm()).toEqual([expect.stringContaining("3 of 5 clusters vanished")]);
    await world.clock.advance(1000);
    expect(serving(world, "JP")).toEqual(["eu"]);
    expect(world.engine.view.readiness().degraded).not.toContain("inputs-held");
  });

  test("a new cluster serves only after its first good probe", async () => {
    const world = await start({ files: files(["us", "jp", "br"]), states: { [ADDRESSES.eu]: "refused" } });
    world.write(files(FOUR));
    await world.clock.advance(3000);
    expect(serving(world, "DE")).toEqual(["us"]);
    world.set(ADDRESSES.eu, "up");
    await world.clock.advance(3000);
    expect(serving(world, "DE")).toEqual(["eu"]);
  });
});

describe("restart", () => {
  test("with everything broken the last good world answers, and what waited for its failback still waits", async () => {
    const first = await start({ files: files(FOUR) });
    first.set(ADDRESSES.eu, "refused");
    await first.clock.advance(4000);
    await first.stop();
    const second = await start({
      files: { "broken.yaml": "kind: [" },
      state: first.state,
      clock: first.clock,
      states: Object.fromEntries(FOUR.map((name) => [ADDRESSES[name], "silent" as const])),
      geo: () => undefined,
    });
    expect(serving(second, "JP")).toEqual(["jp"]);
    expect(serving(second, "DE")).toEqual(["us"]);
    expect(second.engine.view.readiness()).toEqual({
      ready: true,
      degraded: expect.arrayContaining(["config-rejected", "geo-rejected", "last-good"]),
    });
  });

  test("with nothing saved a broken folder is refused with its problems", async () => {
    const error = await startWorld({ files: { "broken.yaml": "kind: [" } }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StartError);
    expect((error as StartError).problems[0]).toMatchObject({ file: "broken.yaml", line: 1 });
  });
});
