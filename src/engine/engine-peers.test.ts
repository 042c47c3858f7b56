/** What the engine tells other instances and takes from them, and what member clusters say of their own backends. */
import { describe, expect, test } from "vitest";
import type { Vote } from "../../health/quorum.ts";
import { ADDRESSES, FOUR, shopFiles as files, shopServes as serving, shopWorlds } from "../../test/support/shop-world.ts";
import type { Endpoint } from "../model/health.ts";
import type { Inventory } from "../model/inventory.ts";
import type { PeerPort, PeerSink, PublishedTable } from "./peer-port.ts";
import { programmedKey, readinessKey, type SourceReading } from "./source.ts";

const start = shopWorlds();

/** Other instances that a test speaks for. */
function fakePeers() {
  const published: PublishedTable[] = [];
  const voted = new Map<string, Vote>();
  let sink: PeerSink | undefined;
  let endpoints: ReadonlyMap<string, Endpoint> = new Map();
  const port: PeerPort = {
    connect(given) {
      sink = given;
    },
    setEndpoints(wanted) {
      endpoints = wanted;
    },
    voted: (key, vote) => void voted.set(key, vote),
    published: (table) => void published.push(table),
    degraded: () => ["peer-lost"],
  };
  const keyOf = (address: string): string => [...endpoints.values()].find((endpoint) => endpoint.address === address)!.key;
  return { port, published, voted, sink: () => sink!, keyOf, watched: () => [...endpoints.values()].map(({ address }) => address).sort() };
}

const voteOf = (site: string, opinion: Vote["opinion"], at: number, proven = false): Vote => ({
  site,
  replica: site,
  opinion,
  at,
  reason: opinion === "healthy" ? "ok" : proven ? "refused" : "timeout",
  proven,
  firstSign: at,
  nextChange: at + 1000,
});

describe("votes", () => {
  test("go out after each probe, and what is watched too", async () => {
    const peers = fakePeers();
    const world = await start({ files: files(FOUR), peers: peers.port });
    expect(peers.watched()).toEqual(FOUR.map((name) => ADDRESSES[name]).sort());
    expect(peers.voted.get(peers.keyOf(ADDRESSES.eu))).toMatchObject({ site: "here", opinion: "healthy" });
    world.set(ADDRESSES.eu, "refused");
    await world.clock.advance(3000);
    expect(peers.voted.get(peers.keyOf(ADDRESSES.eu))).toMatchObject({ opinion: "unhealthy", proven: true });
    expect(world.engine.view.readiness().degraded).toContain("peer-lost");
  });

  test("of two other sites outweigh our own, whichever way, and clients follow", async () => {
    const peers = fakePeers();
    const world = await start({ files: files(FOUR), peers: peers.port });
    const say = (opinion: Vote["opinion"]): void => {
      for (const site of ["there", "elsewhere"])
        peers.sink().offer(peers.keyOf(ADDRESSES.eu), voteOf(site, opinion, world.clock.wallClock()));
    };
    world.set(ADDRESSES.eu, "refused");
    for (let second = 0; second < 20; second++) {
      say("healthy");
      await world.clock.advance(1000);
      expect(serving(world, "DE")).toEqual(["eu"]);
    }
    say("unhealthy");
    await world.clock.advance(10);
    expect(serving(world, "DE")).toEqual(["us"]);
  });

  test("a withdrawal that the budget holds is let go by the agreement of two sites", async () => {
    const peers = fakePeers();
    const route = files(FOUR)["route.yaml"].replace("failover: {", "failover: {maxWithdrawalPercent: 1, ");
    const world = await start({ files: { ...files(FOUR), "route.yaml": route }, peers: peers.port });
    world.set(ADDRESSES.us, "silent");
    await world.clock.advance(8000);
    world.set(ADDRESSES.eu, "silent");
    await world.clock.advance(8000);
    expect(world.engine.view.readiness().degraded).toContain("withdrawal-held");
    expect(serving(world, "DE")).toEqual(["eu"]);
    peers.sink().offer(peers.keyOf(ADDRESSES.eu), voteOf("there", "unhealthy", world.clock.wallClock()));
    expect(serving(world, "DE")).not.toEqual(["eu"]);
  });
});

describe("a member cluster's own word", () => {
  /** Readiness of `eu`, as a test sets it. */
  function readiness(peers = fakePeers()) {
    let said: SourceReading["readiness"];
    let inventory: Inventory | undefined;
    const options = {
      peers: peers.port,
      reading: (read: SourceReading): SourceReading => {
        inventory ??= read.inventory;
        return { ...read, inventory, ...(said === undefined ? {} : { readiness: said }) };
      },
    };
    const say = (ready: number, total = 3): void => {
      said = new Map([[readinessKey("default/shop", "eu"), { ready, total }]]);
    };
    return {
      options,
      say,
      forget: () => {
        said = new Map();
      },
    };
  }

  test("no ready endpoint takes a backend out at once, whatever answers probes, and a ready one brings it back after its failback", async () => {
    const { options, say } = readiness();
    const world = await start({ files: files(FOUR), ...options });
    say(0);
    world.write(files(FOUR));
    expect(serving(world, "DE")).toEqual(["us"]);
    expect(world.events("Failover").at(-1)).toContain("not-ready");
    await world.clock.advance(60_000);
    expect(serving(world, "DE")).toEqual(["us"]);
    say(1);
    world.write(files(FOUR));
    await world.clock.advance(9000);
    expect(serving(world, "DE")).toEqual(["us"]);
    await world.clock.advance(2000);
    expect(serving(world, "DE")).toEqual(["eu"]);
  });

  test("it is proof: a second cluster without ready endpoints is not held by the budget", async () => {
    const { options } = readiness();
    const world = await start({
      files: files(FOUR),
      reading: (read) => ({
        ...options.reading(read),
        readiness: new Map(["eu", "us", "jp"].map((name) => [readinessKey("default/shop", name), { ready: 0, total: 2 }])),
      }),
    });
    expect(serving(world, "DE")).toEqual(["br"]);
    expect(world.engine.view.readiness().degraded).not.toContain("withdrawal-held");
  });

  test("ready does not make well what probes find dead", async () => {
    const { options, say } = readiness();
    const world = await start({ files: files(FOUR), ...options });
    say(3);
    world.write(files(FOUR));
    world.set(ADDRESSES.eu, "refused");
    await world.clock.advance(3000);
    expect(serving(world, "DE")).toEqual(["us"]);
  });

  test("nothing known is no vote: it ends what was said before", async () => {
    const { options, say, forget } = readiness();
    const world = await start({ files: files(FOUR), ...options });
    say(0);
    world.write(files(FOUR));
    expect(serving(world, "DE")).toEqual(["us"]);
    forget();
    world.write(files(FOUR));
    await world.clock.advance(11_000);
    expect(serving(world, "DE")).toEqual(["eu"]);
  });

  test("a route may ask not to listen to it", async () => {
    const { options, say } = readiness();
    const route = files(FOUR)["route.yaml"].replace("fall: 2,", "fall: 2, useReadiness: false,");
    const world = await start({ files: { ...files(FOUR), "route.yaml": route }, ...options });
    say(0);
    world.write({ ...files(FOUR), "route.yaml": route });
    await world.clock.advance(3000);
    expect(serving(world, "DE")).toEqual(["eu"]);
  });
});

describe("generations", () => {
  const key = programmedKey("GlobalRoute", "default", "shop");

  /** A source whose objects have generations. @param same hand out the same lists while nothing changed, as a good source does */
  function generations(same: boolean) {
    let generation = 1;
    let inventory: Inventory | undefined;
    return {
      set: (value: number) => {
        generation = value;
      },
      renew: () => {
        inventory = undefined;
      },
      reading: (read: SourceReading): SourceReading => {
        if (same) inventory ??= read.inventory;
        return { ...read, inventory: inventory ?? read.inventory, generations: new Map([[key, generation]]) };
      },
    };
  }

  test.each([true, false])(
    "one that changes nothing that is served is told with the table that there is (same lists: %s)",
    async (same) => {
      const peers = fakePeers();
      const source = generations(same);
      const world = await start({ files: files(FOUR), peers: peers.port, reading: source.reading });
      expect(peers.published.map((table) => table.generations.get(key))).toEqual([1]);
      const { version } = world.table();
      source.set(2);
      world.write(files(FOUR));
      await world.clock.advance(100);
      expect(world.table().version).toBe(version);
      expect(peers.published.at(-1)).toMatchObject({ version, generations: new Map([[key, 2]]) });
    },
  );

  test("one that changes what is served is told when its table is served, not before", async () => {
    const peers = fakePeers();
    const source = generations(false);
    const world = await start({ files: files(FOUR), peers: peers.port, reading: source.reading });
    const { version } = world.table();
    source.set(2);
    world.write(files(["eu", "us", "jp"]));
    expect(peers.published).toHaveLength(1);
    await world.clock.advance(100);
    expect(peers.published.at(-1)).toEqual({ version: version + 1, generations: new Map([[key, 2]]) });
  });

  test("one that is held back is not told until it is confirmed", async () => {
    const peers = fakePeers();
    const source = generations(false);
    const world = await start({ files: files([...FOUR, "uk"]), peers: peers.port, reading: source.reading });
    source.set(2);
    world.write(files(["eu", "us"]));
    await world.clock.advance(1000);
    expect(peers.published.at(-1)?.generations.get(key)).toBe(1);
    world.engine.view.confirm();
    await world.clock.advance(1000);
    expect(peers.published.at(-1)?.generations.get(key)).toBe(2);
  });
});

test("what routes remembered elsewhere is taken up by an engine without a last good world", async () => {
  const first = await start({ files: files(FOUR) });
  first.set(ADDRESSES.eu, "refused");
  await first.clock.advance(4000);
  const routes = new Map([["default/shop", first.engine.view.health.route("default/shop")!.memory]]);
  const second = await start(
    { files: files(FOUR), reading: (read) => ({ ...read, memory: { routes, at: first.clock.wallClock() } }), clock: first.clock },
    3000,
  );
  expect(serving(second, "DE")).toEqual(["us"]);
  await first.clock.advance(20_000);
  expect(serving(second, "DE")).toEqual(["eu"]);
});
