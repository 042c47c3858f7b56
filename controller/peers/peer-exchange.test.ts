import { describe, expect, test } from "vitest";
import { endpointOf } from "../../health/support/simulated-world.ts";
import { createPeerWorld, type PeerWorld, type Replica } from "./support/simulated-peers.ts";

const ENDPOINTS = ["c0", "c1"].map((name) => endpointOf(name));

/** A hub with two vantages, all of which have looked at everything. */
async function threeSites(world: PeerWorld = createPeerWorld()) {
  const hub = world.replica("hub-a", "hub");
  const there = world.vantage("there", hub);
  const elsewhere = world.vantage("elsewhere", hub);
  hub.watch(ENDPOINTS);
  await world.clock.advance(5000);
  return { world, hub, there, elsewhere };
}

const votesOn = (replica: Replica, cluster: string): number | undefined => replica.monitor.health(endpointOf(cluster).key)?.votes;

describe("three sites", () => {
  test("all of them vote", async () => {
    const { hub } = await threeSites();
    expect(hub.health("c0")).toBe("Healthy");
    expect(votesOn(hub, "c0")).toBe(3);
  });

  test("the hub's own way to a healthy cluster is cut: no failover", async () => {
    const { world, hub } = await threeSites();
    hub.sees.set("c0", "silent");
    for (let second = 0; second < 60; second++) {
      await world.clock.advance(1000);
      expect(hub.health("c0")).toBe("Healthy");
    }
    expect(hub.monitor.vote(endpointOf("c0").key)).toMatchObject({ opinion: "unhealthy" });
  });

  test("two of three see it dead: it is, although the hub reaches it", async () => {
    const { world, hub, there, elsewhere } = await threeSites();
    there.sees.set("c0", "refused");
    elsewhere.sees.set("c0", "refused");
    await world.clock.advance(3000);
    expect(hub.health("c0")).toBe("Unhealthy");
    expect(hub.health("c1")).toBe("Healthy");
  });

  test("a partitioned minority freezes, however long, and thaws when the others are back", async () => {
    const { world, hub, there, elsewhere } = await threeSites();
    world.cut(hub, there);
    world.cut(hub, elsewhere);
    hub.sees.set("c0", "refused");
    await world.clock.advance(600_000);
    expect(hub.health("c0")).toBe("Healthy");
    expect(hub.exchange.port.degraded()).toEqual(["peer-lost"]);
    there.sees.set("c0", "refused");
    world.cut(hub, there, false);
    await world.clock.advance(5000);
    expect(hub.health("c0")).toBe("Unhealthy");
  });

  test("an endpoint that comes while others are cut off is not decided by the hub alone", async () => {
    const { world, hub, there, elsewhere } = await threeSites();
    world.cut(hub, there);
    world.cut(hub, elsewhere);
    hub.sees.set("c2", "refused");
    hub.watch([...ENDPOINTS, endpointOf("c2")]);
    await world.clock.advance(60_000);
    expect(hub.health("c2")).toBe("Unknown");
  });

  test("whoever says bye is forgotten, and the rest decides", async () => {
    const { world, hub, there, elsewhere } = await threeSites();
    there.leave();
    elsewhere.leave();
    hub.sees.set("c0", "refused");
    await world.clock.advance(5000);
    expect(hub.health("c0")).toBe("Unhealthy");
    expect(hub.exchange.port.degraded()).toEqual([]);
    expect(hub.exchange.peers()).toEqual([]);
  });

  test("whose credential is gone is forgotten at once, its objects too", async () => {
    const { world, hub, there, elsewhere } = await threeSites();
    there.exchange.setSources({ cluster: "there", objects: { Ingress: [] }, isCurrent: true });
    await world.clock.advance(1000);
    expect(hub.exchange.sources()).toEqual([{ cluster: "there", objects: { Ingress: [] }, isCurrent: true }]);
    elsewhere.crash();
    hub.exchange.revoke("there");
    expect(world.ended).toContain("revoked");
    expect(hub.exchange.sources()).toEqual([]);
    expect(hub.exchange.peers()).toMatchObject([{ name: "elsewhere/host", state: "Lost" }]);
  });

  test("a vantage that may not probe an address abstains", async () => {
    const { world, hub, there, elsewhere } = await threeSites();
    for (const vantage of [there, elsewhere]) vantage.sees.set("c0", "forbidden");
    await world.clock.advance(10_000);
    expect(hub.health("c0")).toBe("Healthy");
  });

  test("a vantage goes on probing while its hub is away, and tells all when it is back", async () => {
    const { world, hub, there } = await threeSites();
    world.cut(hub, there);
    there.sees.set("c1", "refused");
    await world.clock.advance(30_000);
    expect(there.monitor.vote(endpointOf("c1").key)).toMatchObject({ opinion: "unhealthy" });
    hub.sees.set("c1", "refused");
    world.cut(hub, there, false);
    await world.clock.advance(2000);
    expect(hub.health("c1")).toBe("Unhealthy");
  });

  test("the successor of a lost instance takes its place, and two instances of a site are one vote", async () => {
    const { world, hub, there } = await threeSites();
    there.crash();
    await world.clock.advance(1000);
    expect(hub.exchange.port.degraded()).toEqual(["peer-lost"]);
    const next = world.vantage("there", hub, { instance: "there/other" });
    await world.clock.advance(5000);
    expect(hub.exchange.port.degraded()).toEqual([]);
    const third = world.vantage("there", hub, { instance: "there/third" });
    for (const one of [next, third]) one.exchange.setSources({ cluster: "there", objects: { Ingress: [] }, isCurrent: true });
    await world.clock.advance(5000);
    expect(votesOn(hub, "c0")).toBe(3);
    third.crash();
    expect(hub.exchange.sources()).toMatchObject([{ isCurrent: true }]);
    next.crash();
    expect(hub.exchange.sources()).toMatchObject([{ isCurrent: false }]);
  });

  test("endpoints that are gone are not watched any more", async () => {
    const { world, hub, there } = await threeSites();
    hub.watch([endpointOf("c1")]);
    await world.clock.advance(500);
    expect(there.monitor.health(endpointOf("c0").key)).toBeUndefined();
    expect(there.health("c1")).toBe("Healthy");
  });
});

test.each([-600_000, 600_000])("a clock that is %d ms off changes nothing", async (skew) => {
  const world = createPeerWorld();
  const hub = world.replica("hub-a", "hub");
  const there = world.vantage("there", hub, { skew });
  const elsewhere = world.vantage("elsewhere", hub, { skew: -skew });
  hub.watch(ENDPOINTS);
  await world.clock.advance(5000);
  expect(votesOn(hub, "c0")).toBe(3);
  for (const vantage of [there, elsewhere]) vantage.sees.set("c0", "refused");
  await world.clock.advance(3000);
  expect(hub.health("c0")).toBe("Unhealthy");
  there.crash();
  elsewhere.crash();
  await world.clock.advance(10_000);
  hub.sees.set("c1", "refused");
  await world.clock.advance(60_000);
  expect(hub.health("c1")).toBe("Healthy"); // what they said has gone stale, neither sooner nor later
});

describe("replicas of one site", () => {
  async function threeReplicas() {
    const world = createPeerWorld();
    const replicas = ["hub-a", "hub-b", "hub-c"].map((name) => world.replica(name, "hub"));
    world.meet(...replicas);
    for (const replica of replicas) replica.watch(ENDPOINTS);
    await world.clock.advance(5000);
    const [a, b, c] = replicas;
    return { world, a: a!, b: b!, c: c! };
  }

  test("make one vote", async () => {
    const { a, b } = await threeReplicas();
    expect(votesOn(a, "c0")).toBe(1);
    expect(votesOn(b, "c0")).toBe(1);
  });

  test("two of three carry their site's vote, on every replica", async () => {
    const { world, a, b, c } = await threeReplicas();
    for (const one of [b, c]) one.sees.set("c0", "refused");
    await world.clock.advance(4000);
    expect([a, b, c].map((one) => one.health("c0"))).toEqual(["Unhealthy", "Unhealthy", "Unhealthy"]);
  });

  test("one of three that is cut off from a cluster does not lose it", async () => {
    const { world, a } = await threeReplicas();
    a.sees.set("c0", "refused");
    await world.clock.advance(60_000);
    expect(a.health("c0")).toBe("Healthy");
  });

  test("the votes of a replica that is no longer there are forgotten", async () => {
    const { world, a, b, c } = await threeReplicas();
    b.crash();
    expect(a.exchange.peers().map(({ name, state }) => `${name} ${state}`)).toEqual(["hub-b Lost", "hub-c Connected"]);
    world.meet(a, c);
    expect(a.exchange.peers()).toHaveLength(1);
    c.crash();
    world.meet(a);
    a.sees.set("c0", "refused");
    await world.clock.advance(4000);
    expect(a.health("c0")).toBe("Unhealthy");
  });

  test("a vantage that reports to one is heard by all, and is lost to all without being forgotten", async () => {
    const { world, a, b } = await threeReplicas();
    const there = world.vantage("there", a);
    await world.clock.advance(5000);
    expect([votesOn(a, "c0"), votesOn(b, "c0")]).toEqual([2, 2]);
    there.crash();
    for (const one of [a, b]) one.sees.set("c0", "refused");
    await world.clock.advance(10_000);
    expect(votesOn(b, "c1")).toBe(1);
    const elsewhere = world.vantage("elsewhere", b);
    await world.clock.advance(5000);
    elsewhere.leave();
    await world.clock.advance(100);
    expect(a.exchange.peers().map(({ name }) => name)).toEqual(["hub-b", "hub-c", "there/host"]);
  });
});

describe("programmed", () => {
  const served = (generation: number) => ({ version: 1, generations: new Map([["GlobalRoute/web/shop", generation]]) });

  test("counts every replica that there is, once it serves the generation", async () => {
    const world = createPeerWorld();
    const [a, b] = [world.replica("hub-a", "hub"), world.replica("hub-b", "hub")];
    const state = () => a.exchange.programmed("GlobalRoute/web/shop", 2);
    expect(state()).toEqual({ reported: 0, of: 1, waitingFor: ["hub-a"] });
    a.exchange.port.published(served(2));
    expect(state()).toEqual({ reported: 1, of: 1, waitingFor: [] });
    world.meet(a, b);
    expect(state()).toEqual({ reported: 1, of: 2, waitingFor: ["hub-b"] });
    await world.clock.advance(1000);
    b.exchange.port.published(served(1));
    await world.clock.advance(1000);
    expect(state()).toMatchObject({ waitingFor: ["hub-b"] });
    b.exchange.port.published(served(3));
    await world.clock.advance(1000);
    expect(state()).toEqual({ reported: 2, of: 2, waitingFor: [] });
    expect(a.exchange.programmed("GlobalRoute/web/other", 1).reported).toBe(0);
  });

  test("thousands of routes, a few that change, and one that goes", async () => {
    const world = createPeerWorld();
    const [a, b] = [world.replica("hub-a", "hub"), world.replica("hub-b", "hub")];
    world.meet(a, b);
    const generations = new Map(Array.from({ length: 5000 }, (_, i) => [`GlobalRoute/web/r${i}`, 1]));
    b.exchange.port.published({ version: 1, generations });
    a.exchange.port.published({ version: 1, generations });
    await world.clock.advance(2000);
    expect(a.exchange.programmed("GlobalRoute/web/r4999", 1).reported).toBe(2);
    const next = new Map(generations);
    next.set("GlobalRoute/web/r7", 2);
    next.delete("GlobalRoute/web/r8");
    b.exchange.port.published({ version: 2, generations: next });
    await world.clock.advance(1000);
    expect(a.exchange.programmed("GlobalRoute/web/r7", 2).waitingFor).toEqual(["hub-a"]);
    expect(a.exchange.programmed("GlobalRoute/web/r8", 1).waitingFor).toEqual(["hub-b"]);
  });
});

describe("nobody speaks for others", () => {
  const helloOf = (role: "replica" | "vantage", instance: string, site: string) => ({
    type: "hello" as const,
    protocol: 1,
    role,
    instance,
    incarnation: "x",
    site,
    version: "1",
  });
  const silent = { send: () => undefined, isClogged: () => false, lag: () => 0, heardAt: () => 0, end: () => undefined };
  const cases = [
    { name: "a vantage for another site", identity: { kind: "vantage", name: "there" }, hello: helloOf("vantage", "there", "elsewhere") },
    { name: "a vantage for the hub's own site", identity: { kind: "vantage", name: "hub" }, hello: helloOf("vantage", "hub", "hub") },
    { name: "a vantage as a replica", identity: { kind: "vantage", name: "there" }, hello: helloOf("replica", "hub-b", "hub") },
    { name: "a replica for another", identity: { kind: "replica", name: "hub-b" }, hello: helloOf("replica", "hub-c", "hub") },
  ] as const;
  test.each(cases)("$name", ({ identity, hello }) => {
    const hub = createPeerWorld().replica("hub-a", "hub");
    expect(hub.exchange.accepted(identity, hello, silent)).toBe("refused");
  });

  test.each([
    { type: "votes" as const, voter: { site: "elsewhere", replica: "x" }, names: [], votes: [], gone: [] },
    { type: "left" as const, voter: { site: "elsewhere", replica: "x" } },
    { type: "programmed" as const, version: 1, set: [], gone: [] },
    { type: "targets" as const, add: [], gone: [], isLast: true },
  ])("a vantage that says $type of others is cut off", (message) => {
    const hub = createPeerWorld().replica("hub-a", "hub");
    const ends: string[] = [];
    const stream = { ...silent, end: (reason: string) => void ends.push(reason) };
    const handlers = hub.exchange.accepted({ kind: "vantage", name: "there" }, helloOf("vantage", "there", "there"), stream);
    if (typeof handlers === "string") throw new Error(handlers);
    handlers.onMessage(message, { sentAt: 0 });
    expect(ends).toEqual(["malformed"]);
  });

  test("its objects are its own cluster's, whatever they say", async () => {
    const { world, hub, there } = await threeSites();
    const ingress = { apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { name: "shop", namespace: "web" } };
    there.exchange.setSources({ cluster: "elsewhere", uid: "u-1", objects: { Ingress: [ingress] }, isCurrent: true });
    await world.clock.advance(1000);
    expect(hub.exchange.sources()).toEqual([{ cluster: "there", uid: "u-1", objects: { Ingress: [ingress] }, isCurrent: true }]);
    there.crash();
    expect(hub.exchange.sources()).toMatchObject([{ cluster: "there", objects: { Ingress: [ingress] }, isCurrent: false }]);
  });
});
