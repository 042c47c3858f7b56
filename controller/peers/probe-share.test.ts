import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { endpointOf } from "../../health/support/simulated-world.ts";
import { ms } from "../../src/model/units.ts";
import { createProbeShare, isChosen } from "./probe-share.ts";
import { createPeerWorld } from "./support/simulated-peers.ts";

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 3, maxLength: 7 });
const probersOf = (replicas: readonly string[], key: string): readonly string[] =>
  replicas.filter((self) =>
    isChosen(
      self,
      replicas.filter((other) => other !== self),
      key,
    ),
  );

test("exactly two of any replicas probe an endpoint", () => {
  fc.assert(
    fc.property(names, fc.string(), (replicas, key) => {
      expect(probersOf(replicas, key)).toHaveLength(2);
    }),
  );
});

test("a replica that leaves moves only what it probed", () => {
  fc.assert(
    fc.property(names, fc.string(), (replicas, key) => {
      const [gone, ...rest] = replicas;
      const before = probersOf(replicas, key);
      if (!before.includes(gone!)) expect(probersOf(rest, key)).toEqual(before);
      else expect(probersOf(rest, key)).toEqual(expect.arrayContaining(before.filter((name) => name !== gone)));
    }),
  );
});

test("the work is spread evenly", () => {
  const replicas = ["hub-7d9f-a", "hub-7d9f-b", "hub-7d9f-c", "hub-7d9f-d"];
  const counts = new Map(replicas.map((name) => [name, 0]));
  for (let i = 0; i < 4000; i++) for (const name of probersOf(replicas, endpointOf(`c${i}`).key)) counts.set(name, counts.get(name)! + 1);
  for (const count of counts.values()) expect(count).toBeGreaterThan(1800);
});

const slow = { interval: ms(60_000), timeout: ms(1000), fall: 1, rise: 1 };
const many = Array.from({ length: 1200 }, (_, i) => endpointOf(`c${i}`, slow));
const byKey = (endpoints: typeof many) => new Map(endpoints.map((endpoint) => [endpoint.key, endpoint]));

describe("everybody probes everything", () => {
  test.each([
    { name: "with two replicas", others: ["b"], endpoints: many },
    { name: "with few endpoints", others: ["b", "c", "d"], endpoints: many.slice(0, 999) },
  ])("$name", ({ others, endpoints }) => {
    const told: unknown[] = [];
    const share = createProbeShare({ self: "a", now: () => 0, onShare: (isMine) => told.push(isMine) });
    share.setOthers(others);
    share.setEndpoints(byKey(endpoints));
    share.check();
    expect(told).toEqual([]);
  });
});

test("an endpoint that nobody is heard of is probed here, until somebody is", () => {
  let now = 0;
  let isMine: (key: string) => boolean = () => true;
  const share = createProbeShare({
    self: "a",
    now: () => now,
    onShare(next) {
      isMine = next;
    },
  });
  share.setEndpoints(byKey(many));
  share.setOthers(["b", "c"]);
  const theirs = many.filter(({ key }) => !isMine(key));
  expect(theirs.length).toBeGreaterThan(300);
  const [silent, ...spoken] = theirs;
  const speak = (endpoints: typeof many): void => {
    for (const { key } of endpoints) share.heard(key);
  };
  now = 150_000;
  speak(theirs);
  now = 200_000;
  speak(spoken);
  now = 340_000;
  share.check();
  expect(many.filter(({ key }) => isMine(key)).length).toBe(many.length - theirs.length + 1);
  expect(isMine(silent!.key)).toBe(true);
  speak(theirs);
  share.check();
  expect(isMine(silent!.key)).toBe(false);
});

test("three replicas share a thousand endpoints: two look at each, all know, and the rest takes over from one that dies", async () => {
  const world = createPeerWorld();
  const replicas = ["hub-a", "hub-b", "hub-c"].map((name) => world.replica(name, "hub"));
  const [a, b, c] = [replicas[0]!, replicas[1]!, replicas[2]!];
  world.meet(a, b, c);
  await world.clock.advance(200);
  const rare = Array.from({ length: 1000 }, (_, i) => endpointOf(`c${i}`, { interval: ms(3_600_000) }));
  const often = Array.from({ length: 20 }, (_, i) => endpointOf(`c${2000 + i}`));
  const all = [...rare, ...often];
  for (const replica of replicas) replica.watch(all);
  await world.clock.advance(3000);
  expect(all.every((endpoint) => replicas.filter((replica) => replica.probes(endpoint)).length === 2)).toBe(true);
  const notOfA = often.find((endpoint) => !a.probes(endpoint))!;
  expect(a.monitor.vote(notOfA.key)).toMatchObject({ opinion: "abstain" });
  expect(a.monitor.health(notOfA.key)).toMatchObject({ health: "Healthy", votes: 1 });

  for (const replica of [b, c]) replica.sees.set(notOfA.cluster, "refused");
  await world.clock.advance(3000);
  expect(a.monitor.health(notOfA.key)).toMatchObject({ health: "Unhealthy", proven: true });

  c.crash();
  await world.clock.advance(1000);
  expect(all.every((endpoint) => a.probes(endpoint) && b.probes(endpoint))).toBe(true);
  expect(a.monitor.health(notOfA.key)).toMatchObject({ health: "Unhealthy" });
  b.sees.set(notOfA.cluster, "up");
  await world.clock.advance(8000);
  expect(a.monitor.health(notOfA.key)).toMatchObject({ health: "Healthy" });
});
