import { describe, expect, test } from "vitest";
import type { EndpointHealth } from "../src/model/health.ts";
import { ms } from "../src/model/units.ts";
import type { Vote } from "./quorum.ts";
import { createWorld, endpointOf, subsetsOf } from "./support/simulated-world.ts";

const worldOf = (size: number) => createWorld(Array.from({ length: size }, (_, i) => endpointOf(`c${i}`)));
const settled = async (size: number) => {
  const world = worldOf(size);
  await world.clock.advance(5000);
  return world;
};
const verdicts = (world: ReturnType<typeof worldOf>) => world.endpoints.map((endpoint) => world.health(endpoint).health);

describe("from the first probe on", () => {
  test("Unknown until probed, then Healthy within a second", async () => {
    const world = worldOf(5);
    expect(world.health(world.endpoints[0]!)).toMatchObject({ health: "Unknown", reason: "not-probed", votes: 0 });
    await world.clock.advance(1010);
    expect(verdicts(world)).toEqual(["Healthy", "Healthy", "Healthy", "Healthy", "Healthy"]);
    expect(world.changes).toHaveLength(5);
    expect(world.health(world.endpoints[0]!)).toMatchObject({ reason: "ok", votes: 1, latency: 5 });
  });

  test("a vantage that starts without network believes nothing for three intervals: Unknown is not down", async () => {
    const world = worldOf(5);
    world.cut(true);
    await world.clock.advance(3700);
    expect(new Set(verdicts(world))).toEqual(new Set(["Unknown"]));
    expect(world.monitor.holds()).toMatchObject({ suspect: true, clusters: ["c0", "c1", "c2", "c3", "c4"] });
    await world.clock.advance(2500);
    expect(new Set(verdicts(world))).toEqual(new Set(["Unhealthy"]));
    expect(world.monitor.holds()).toEqual({ suspect: false, clusters: [] });
  });
});

describe("outage", () => {
  test("a killed endpoint is Unhealthy after `fall` refusals, proven, with the time of the first", async () => {
    const world = await settled(5);
    const killedAt = world.clock.now();
    world.set("c1", "down");
    await world.clock.advance(1700);
    const change = world.changes.at(-1)!;
    expect(change).toMatchObject({ name: "c1", health: { health: "Unhealthy", reason: "refused", proven: true, votes: 1 } });
    expect(change.at - killedAt).toBeLessThan(1700);
    // the second probe came half an interval after the first
    expect(change.health.since - change.health.firstSign).toBe(500);
    expect(verdicts(world).filter((health) => health === "Unhealthy")).toHaveLength(1);
  });

  test("a silent endpoint is Unhealthy within an interval, two timeouts and the pause between, once the others have been heard", async () => {
    for (let i = 0; i < 5; i++) {
      const world = await settled(5);
      const at = world.clock.now();
      world.set(`c${i}`, "silent");
      await world.clock.advance(4000);
      expect(world.changes.at(-1)).toMatchObject({ name: `c${i}`, health: { health: "Unhealthy", reason: "timeout", proven: false } });
      expect(world.changes.at(-1)!.at - at).toBeLessThan(1100 + 800 + 900 + 5);
    }
  });

  test("proof that comes later is reported", async () => {
    const world = await settled(5);
    world.set("c1", "silent");
    await world.clock.advance(4000);
    world.set("c1", "down");
    await world.clock.advance(2000);
    expect(world.changes.slice(-2).map((change) => change.health)).toMatchObject([
      { health: "Unhealthy", proven: false },
      { health: "Unhealthy", proven: true, reason: "refused" },
    ]);
  });

  test("recovery takes `rise` successes; first sign is the first of them", async () => {
    const world = await settled(3);
    world.set("c1", "down");
    await world.clock.advance(5000);
    world.set("c1", "up");
    await world.clock.advance(2000);
    const change = world.changes.at(-1)!;
    expect(change.health).toMatchObject({ health: "Healthy", reason: "ok", proven: false });
    expect(change.health.since - change.health.firstSign).toBe(500);
  });

  test("an endpoint that loses every second probe goes down and stays down", async () => {
    const world = await settled(3);
    world.set("c1", (probe) => (probe % 2 === 0 ? "error" : "up"));
    await world.clock.advance(5000);
    expect(world.health(world.endpoints[1]!).health).toBe("Unhealthy");
    const before = world.changes.length;
    await world.clock.advance(60_000);
    expect(world.changes).toHaveLength(before);
  });

  test("a single lost probe changes nothing", async () => {
    const world = await settled(3);
    world.set("c1", (probe) => (probe === 0 ? "silent" : "up"));
    await world.clock.advance(20_000);
    expect(world.changes).toHaveLength(3);
  });
});

describe("every subset of clusters, one vantage", () => {
  for (const size of [1, 2, 3, 5]) {
    test(`killed, of ${size}: exactly those are Unhealthy within 2 s, nothing is held`, async () => {
      for (const subset of subsetsOf(Array.from({ length: size }, (_, i) => `c${i}`))) {
        const world = await settled(size);
        for (const name of subset) world.set(name, "down");
        await world.clock.advance(2000);
        const down = world.endpoints
          .filter((endpoint) => world.health(endpoint).health === "Unhealthy")
          .map((endpoint) => endpoint.cluster);
        expect(down).toEqual(subset);
        expect(world.holds).toEqual([]);
        world.monitor.close();
      }
    });

    test(`black-holed, of ${size}: at most half (or of fewer than three) at once, more after three intervals`, async () => {
      for (const subset of subsetsOf(Array.from({ length: size }, (_, i) => `c${i}`))) {
        const world = await settled(size);
        const at = world.clock.now();
        for (const name of subset) world.set(name, "silent");
        await world.clock.advance(12_000);
        const changes = world.changes.filter((change) => change.at > at);
        expect(changes.map((change) => change.name).sort()).toEqual(subset);
        const delays = changes.map((change) => change.at - at);
        if (size < 3 || 2 * subset.length <= size) {
          // an interval, two timeouts, the pause between, and one more of each where too few of the others had been heard yet
          expect(Math.max(...delays)).toBeLessThan(1100 + 800 + 900 + (size < 3 ? 0 : 900) + 5);
          expect(world.holds).toEqual([]);
        } else {
          expect(Math.min(...delays)).toBeGreaterThan(1700 + 3000);
          expect(world.holds.at(0)).toMatchObject({ suspect: true });
          expect(world.holds.at(-1)).toMatchObject({ suspect: false, clusters: subset });
        }
        world.monitor.close();
      }
    });
  }
});

describe("the vantage's own network", () => {
  test("a cut shorter than the hold changes no verdict, whenever it comes and goes", async () => {
    for (let phase = 0; phase < 1000; phase += 90) {
      for (const length of [500, 1800, 2500, 3600]) {
        const world = await settled(5);
        await world.clock.advance(phase);
        world.cut(true);
        await world.clock.advance(length);
        world.cut(false);
        await world.clock.advance(10_000);
        expect(world.changes).toHaveLength(5); // the five first verdicts
        expect(world.monitor.holds().suspect).toBe(false);
        world.monitor.close();
      }
    }
  });

  test("an endpoint that really died during a cut is found when the network is back", async () => {
    const world = await settled(5);
    world.cut(true);
    world.set("c3", "silent");
    await world.clock.advance(2500);
    world.cut(false);
    await world.clock.advance(4000);
    expect(world.changes.slice(5)).toMatchObject([{ name: "c3", health: { health: "Unhealthy" } }]);
  });

  test("clusters that died one after another are believed, each at once", async () => {
    const world = await settled(5);
    for (const name of ["c0", "c1", "c2"]) {
      const at = world.clock.now();
      world.set(name, "silent");
      await world.clock.advance(8000);
      expect(world.changes.at(-1)).toMatchObject({ name });
      expect(world.changes.at(-1)!.at - at).toBeLessThan(3005);
    }
    expect(world.holds).toEqual([]);
  });

  const reference = { ...endpointOf("control9", { interval: ms(1000), timeout: ms(800) }), key: "control" };
  const withReference = async () => {
    const world = createWorld(
      Array.from({ length: 5 }, (_, i) => endpointOf(`c${i}`)),
      { references: [reference] },
    );
    await world.clock.advance(5000);
    return world;
  };

  test("with control targets that answer, 5 of 5 are believed without a hold", async () => {
    const world = await withReference();
    const at = world.clock.now();
    for (let i = 0; i < 5; i++) world.set(`c${i}`, "silent");
    await world.clock.advance(3500);
    expect(new Set(verdicts(world))).toEqual(new Set(["Unhealthy"]));
    expect(world.changes.at(-1)!.at - at).toBeLessThan(3005);
  });

  test("with control targets silent as well, nothing is believed, however long; back again, nothing has changed", async () => {
    const world = await withReference();
    world.cut(true);
    await world.clock.advance(600_000);
    expect(new Set(verdicts(world))).toEqual(new Set(["Healthy"]));
    expect(world.monitor.holds()).toEqual({ suspect: true, clusters: ["c0", "c1", "c2", "c3", "c4"] });
    world.cut(false);
    await world.clock.advance(10_000);
    expect(world.changes).toHaveLength(5);
    expect(world.monitor.holds().suspect).toBe(false);
  });

  test("two clusters fail over even if the vantage is the cause: nothing could tell", async () => {
    const world = await settled(2);
    world.cut(true);
    await world.clock.advance(3005);
    expect(verdicts(world)).toEqual(["Unhealthy", "Unhealthy"]);
  });

  test("a process that was stopped for a minute blames nobody and starts no burst", async () => {
    const world = createWorld(Array.from({ length: 40 }, (_, i) => endpointOf(`c${i}/${i}`)));
    await world.clock.advance(5000);
    const before = world.observations.length;
    world.set("c7", "silent");
    await world.clock.advance(400); // c7 may be under way
    await world.clock.jump(60_000);
    await world.clock.advance(500);
    world.set("c7", "up");
    expect(world.observations.length - before).toBeLessThan(60);
    await world.clock.advance(10_000);
    expect(world.changes).toHaveLength(40);
  });
});

test("a probe during which this process was stopped does not count against the endpoint", async () => {
  const world = createWorld([endpointOf("c0", { fall: 1 }), endpointOf("c1", { fall: 1 })]);
  await world.clock.advance(5000);
  let isUnderWay = false;
  world.set("c0", () => {
    isUnderWay = true;
    return "silent";
  });
  while (!isUnderWay) await world.clock.advance(10);
  world.set("c0", "up");
  await world.clock.jump(60_000);
  await world.clock.advance(5000);
  expect(world.observations.filter((observation) => !observation.counted).map((observation) => observation.cluster)).toEqual(["c0"]);
  expect(world.changes).toHaveLength(2);
});

test("running out of descriptors is no endpoint's fault, even where two clusters leave no majority to ask", async () => {
  const world = await settled(2);
  world.set("c0", "starved");
  world.set("c1", "starved");
  await world.clock.advance(600_000);
  expect(verdicts(world)).toEqual(["Healthy", "Healthy"]);
  expect(world.observations.at(-1)).toMatchObject({ counted: false });
});

describe("next change", () => {
  test("is never later than the change that comes", async () => {
    const world = await settled(3);
    for (let round = 0; round < 12; round++) {
      const before = world.endpoints.map((endpoint) => world.health(endpoint));
      const seen = world.changes.length;
      world.set("c0", round % 2 === 0 ? "down" : "up");
      world.set("c1", round % 3 === 0 ? "silent" : "up");
      await world.clock.advance(3300);
      for (const change of world.changes.slice(seen)) {
        const i = world.endpoints.findIndex((endpoint) => endpoint.cluster === change.name);
        expect(change.health.since).toBeGreaterThanOrEqual(before[i]!.nextChange);
        expect(change.health.since).toBeGreaterThanOrEqual(change.previous.nextChange);
      }
    }
  });

  test("of a stable endpoint lies `fall` probes ahead, half an interval apart, the first up to an interval away", async () => {
    const world = await settled(1);
    const ahead = world.health(world.endpoints[0]!).nextChange - world.clock.wallClock();
    expect(ahead).toBeGreaterThan(500);
    expect(ahead).toBeLessThan(1600);
  });
});

describe("endpoints come and go", () => {
  test("a removed endpoint is no longer probed or held", async () => {
    const world = await settled(3);
    world.monitor.setEndpoints(world.endpoints.slice(1));
    const before = world.observations.length;
    await world.clock.advance(3000);
    expect(world.observations.slice(before).some((observation) => observation.cluster === "c0")).toBe(false);
    expect(world.monitor.health(world.endpoints[0]!.key)).toBeUndefined();
  });

  test("an endpoint whose probe changes keeps its health until full counts speak against it", async () => {
    const world = await settled(1);
    const changed = endpointOf("c0", {}, { path: "/other" });
    world.monitor.setEndpoints([changed]);
    expect(world.health(changed).health).toBe("Healthy");
    world.set("c0", "down");
    const seen = world.observations.length;
    await world.clock.advance(3000);
    expect(world.health(changed).health).toBe("Unhealthy");
    const down = world.changes.at(-1)!;
    expect(world.observations.slice(seen).filter((observation) => observation.at <= down.at)).toHaveLength(2);
  });

  test("restored health stands until the full count: a restart with everything silent answers as before", async () => {
    const old = await settled(3);
    old.set("c2", "down");
    await old.clock.advance(5000);
    const saved = new Map<string, EndpointHealth>(JSON.parse(JSON.stringify([...old.monitor.snapshot()])));
    const world = worldOf(3);
    world.monitor.restore(saved);
    world.cut(true);
    expect(verdicts(world)).toEqual(["Healthy", "Healthy", "Unhealthy"]);
    await world.clock.advance(3000);
    expect(verdicts(world)).toEqual(["Healthy", "Healthy", "Unhealthy"]);
    world.cut(false);
    await world.clock.advance(5000);
    expect(verdicts(world)).toEqual(["Healthy", "Healthy", "Healthy"]);
  });
});

test("restored health is not given to an endpoint that comes much later", async () => {
  const old = await settled(2);
  const world = createWorld([]);
  world.monitor.restore(old.monitor.snapshot());
  world.monitor.setEndpoints([endpointOf("c0")]);
  expect(world.monitor.health(endpointOf("c0").key)).toMatchObject({ health: "Healthy", votes: 0 });
  await world.clock.advance(600_000);
  world.monitor.setEndpoints([endpointOf("c0"), endpointOf("c1")]);
  expect(world.monitor.health(endpointOf("c1").key)).toMatchObject({ health: "Unknown" });
});

describe("votes of other sites", () => {
  const voteOf = (site: string, opinion: Vote["opinion"], at: number): Vote => ({
    site,
    replica: "a",
    opinion,
    at,
    reason: opinion === "healthy" ? "ok" : "timeout",
    proven: false,
    firstSign: at,
    nextChange: at + 1000,
  });

  test("two others outvote this vantage, until they are stale", async () => {
    const world = await settled(1);
    const [endpoint] = world.endpoints;
    world.set("c0", "silent");
    const offer = () => {
      for (const site of ["there", "elsewhere"]) world.monitor.offer(endpoint!.key, voteOf(site, "healthy", world.clock.wallClock()));
    };
    for (let i = 0; i < 10; i++) {
      offer();
      await world.clock.advance(1000);
    }
    expect(world.health(endpoint!)).toMatchObject({ health: "Healthy", votes: 2 });
    expect(world.monitor.vote(endpoint!.key)).toMatchObject({ site: "here", opinion: "unhealthy" });
    await world.clock.advance(10_000);
    expect(world.health(endpoint!).health).toBe("Healthy"); // one of three sites is too few
    world.monitor.forgetSite("there");
    world.monitor.forgetSite("elsewhere");
    expect(world.health(endpoint!).health).toBe("Unhealthy");
  });

  test("two others can take down what this vantage sees up", async () => {
    const world = await settled(1);
    const [endpoint] = world.endpoints;
    for (const site of ["there", "elsewhere"]) world.monitor.offer(endpoint!.key, voteOf(site, "unhealthy", world.clock.wallClock()));
    expect(world.changes.at(-1)).toMatchObject({ health: { health: "Unhealthy", votes: 2, reason: "timeout" } });
  });

  test("one replica can be forgotten without its site", async () => {
    const world = await settled(1);
    const [endpoint] = world.endpoints;
    const at = world.clock.wallClock();
    world.monitor.offer(endpoint!.key, voteOf("there", "unhealthy", at));
    world.monitor.offer(endpoint!.key, { ...voteOf("there", "healthy", at), replica: "b" });
    expect(world.health(endpoint!)).toMatchObject({ health: "Healthy", votes: 1 }); // they disagree: their site abstains
    world.monitor.forgetVoter("there", "a");
    expect(world.health(endpoint!).votes).toBe(2);
    world.monitor.forgetVoter("there", "a");
    world.monitor.forgetVoter("there", "b");
    expect(world.health(endpoint!).votes).toBe(1);
  });

  test("who votes on one endpoint could vote on any: a new one is not decided by this vantage alone", async () => {
    const world = await settled(1);
    const [endpoint] = world.endpoints;
    for (const site of ["there", "elsewhere"]) world.monitor.offer(endpoint!.key, voteOf(site, "healthy", world.clock.wallClock()));
    const fresh = endpointOf("c7");
    world.monitor.setEndpoints([endpoint!, fresh]);
    await world.clock.advance(5000);
    expect(world.health(fresh)).toMatchObject({ health: "Unknown" });
    world.monitor.offer(fresh.key, voteOf("there", "healthy", world.clock.wallClock()));
    expect(world.health(fresh)).toMatchObject({ health: "Healthy", votes: 2 });
  });

  test("an endpoint that others probe is judged by them, and taken up again from what is known", async () => {
    const world = await settled(2);
    const [mine, theirs] = world.endpoints;
    world.monitor.setEndpoints(world.endpoints, (key) => key === mine!.key);
    const before = world.observations.length;
    const offer = (opinion: Vote["opinion"]) =>
      world.monitor.offer(theirs!.key, { ...voteOf("here", opinion, world.clock.wallClock()), replica: "b" });
    offer("unhealthy");
    expect(world.health(theirs!)).toMatchObject({ health: "Unhealthy", votes: 1 });
    await world.clock.advance(10_000);
    expect(world.observations.slice(before).every(({ cluster }) => cluster === mine!.cluster)).toBe(true);
    expect(world.monitor.vote(theirs!.key)).toMatchObject({ opinion: "abstain" });
    expect(world.health(theirs!).health).toBe("Unhealthy"); // their vote has gone stale: it stays as it was
    world.monitor.setEndpoints(world.endpoints);
    await world.clock.advance(4000);
    expect(world.health(theirs!)).toMatchObject({ health: "Healthy", votes: 1 });
  });

  test("votes on unknown endpoints and in our own name are ignored", async () => {
    const world = await settled(1);
    const [endpoint] = world.endpoints;
    world.monitor.offer("nobody", voteOf("there", "unhealthy", 1));
    world.monitor.offer(endpoint!.key, { ...voteOf("here", "unhealthy", world.clock.wallClock()), replica: "" });
    expect(world.health(endpoint!)).toMatchObject({ health: "Healthy", votes: 1 });
  });
});

test("close ends everything", async () => {
  const world = await settled(5);
  world.cut(true);
  await world.clock.advance(3000);
  world.monitor.close();
  const before = world.observations.length;
  await world.clock.advance(10_000);
  expect(world.observations).toHaveLength(before);
  expect(world.clock.pending()).toBe(0);
});
