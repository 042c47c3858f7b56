/** What a new process knows of the one before (safety rules 2 and 11), whatever ended it. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writeMmdb } from "../../test/support/mmdb-writer.ts";
import { ADDRESSES, ALL, FOUR, shopFiles as files, shopServes as serving, shopWorlds } from "../../test/support/shop-world.ts";
import type { SimulatedClock } from "../../test/support/simulated-clock.ts";
import { CLIENTS, WORLD_MMDB } from "../../test/support/simulated-world.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import type { Inventory } from "../model/inventory.ts";
import { parseIp } from "../model/ip.ts";
import type { Compiler } from "./compiler.ts";
import { StartError } from "./engine.ts";
import { createLastGoodStore, type LastGood, type LastGoodStore } from "./last-good.ts";

const start = shopWorlds();
const lastGood = (state: string) => join(state, "last-good");

/** Moves simulated time on until something holds. Files take real time, on a busy machine a lot of it: only that is bounded. */
async function until(clock: SimulatedClock, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 20_000; performance.now() < end; ) {
    if (await holds()) return;
    await clock.advance(100);
  }
  throw new Error("it did not come to hold within 20 s");
}

/** Waits until what is on disk is as it should be. */
const saved = ({ state, clock }: Awaited<ReturnType<typeof start>>, isAsItShould: (world: LastGood) => boolean): Promise<void> =>
  until(clock, async () => {
    const world = await createLastGoodStore(lastGood(state)).load();
    return world !== undefined && isAsItShould(world);
  });

test("fail-open that outlives a restart is told after it", async () => {
  const first = await start({ files: files(FOUR) });
  for (const name of FOUR) first.set(ADDRESSES[name], "refused");
  await first.clock.advance(4000);
  expect(first.engine.view.readiness().degraded).toContain("fail-open");
  await first.stop();
  const down = Object.fromEntries(FOUR.map((name) => [ADDRESSES[name], "refused" as const]));
  const second = await start({ files: files(FOUR), state: first.state, clock: first.clock, states: down });
  expect(second.ask("shop.example.org", CLIENTS.DE)).toMatchObject({ mode: "FailOpenUnhealthy" });
  expect(second.engine.view.readiness().degraded).toContain("fail-open");
  for (const name of FOUR) second.set(ADDRESSES[name], "up");
  await second.clock.advance(30_000);
  expect(second.engine.view.readiness().degraded).not.toContain("fail-open");
});

test("a failback delay that ran out while no process looked does not end before a probe has", async () => {
  const first = await start({ files: files(FOUR) });
  first.set(ADDRESSES.eu, "refused");
  await first.clock.advance(4000);
  first.set(ADDRESSES.eu, "up");
  await first.clock.advance(4000);
  expect(first.engine.view.status().routes[0]!.backends[0]!.standing).toBe("Pending");
  await first.stop();
  await first.clock.advance(3_600_000);
  const second = await start({ files: files(FOUR), state: first.state, clock: first.clock, states: { [ADDRESSES.eu]: "silent" } }, 0);
  for (let i = 0; i < 60; i++) {
    await second.clock.advance(100);
    expect(serving(second, "DE")).toEqual(["us"]);
  }
});

describe("inputs that were held", () => {
  test("stay held through a restart, until they return", async () => {
    const first = await start({ files: files(ALL) });
    first.write(files(["eu", "us"]));
    await saved(first, ({ inputsHeld }) => inputsHeld);
    const second = await start({ files: files(["eu", "us"]), state: first.state, clock: first.clock });
    expect(second.engine.view.readiness().degraded).toContain("inputs-held");
    expect(serving(second, "JP")).toEqual(["jp"]);
    second.write(files(ALL));
    await second.clock.advance(1000);
    expect(second.engine.view.readiness().degraded).not.toContain("inputs-held");
  });

  test("stay held through a restart, until somebody confirms; the next restart is as any other", async () => {
    const first = await start({ files: files(ALL) });
    first.write(files(["eu", "us"]));
    await saved(first, ({ inputsHeld }) => inputsHeld);
    const second = await start({ files: files(["eu", "us"]), state: first.state, clock: first.clock });
    expect(second.engine.view.confirm()).toHaveLength(1);
    await saved(first, ({ inputsHeld }) => !inputsHeld);
    expect(serving(second, "JP")).toEqual(["eu"]);
    const third = await start({ files: files(ALL), state: first.state, clock: first.clock });
    await saved(third, ({ inventory }) => inventory.clusters.length === ALL.length);
    const fourth = await start({ files: files(["eu", "us"]), state: first.state, clock: first.clock });
    expect(fourth.engine.view.readiness().degraded).not.toContain("inputs-held");
    expect(serving(fourth, "JP")).toEqual(["eu"]);
  });
});

test("what a route remembered when the process began is not given to one of the same name that comes much later", async () => {
  const first = await start({ files: files(FOUR) });
  first.set(ADDRESSES.eu, "refused");
  await first.clock.advance(4000);
  await first.stop();
  const second = await start({ files: files(FOUR), state: first.state, clock: first.clock });
  await second.clock.advance(60_000);
  expect(serving(second, "DE")).toEqual(["eu"]);
  const other = files(FOUR)["route.yaml"].replace("name: shop", "name: other");
  second.write({ ...files(FOUR), "route.yaml": other });
  await second.clock.advance(60_000);
  second.write(files(FOUR));
  await second.clock.advance(5000);
  expect(serving(second, "DE")).toEqual(["eu"]);
  expect(second.engine.view.status().routes[0]!.backends[0]!.standing).toBe("Usable");
});

/** A resolver that knows what it is told. */
function flattener(known: Record<string, readonly string[]>) {
  let listener = () => {};
  return {
    known,
    flatten: {
      apply: (inventory: Inventory): Inventory => ({
        ...inventory,
        routes: inventory.routes.map((route) => ({
          ...route,
          backends: route.backends.map((backend) => ({
            ...backend,
            addresses: backend.addresses.flatMap((address) => (parseIp(address) === undefined ? (known[address] ?? []) : [address])),
          })),
        })),
      }),
      onChange: (next: () => void) => {
        listener = next;
      },
      close: () => undefined,
    },
    learn(name: string, addresses: readonly string[]) {
      known[name] = addresses;
      listener();
    },
  };
}

describe("host names among the addresses", () => {
  const named = files(FOUR);
  const folder = {
    ...named,
    "route.yaml": named["route.yaml"].replaceAll(ADDRESSES.eu, "eu.example.net").replaceAll(ADDRESSES.us, "us.example.net"),
  };
  const known = () => ({ "eu.example.net": [ADDRESSES.eu], "us.example.net": [ADDRESSES.us] });

  test("that are resolved while the first table is compiled are in the second", async () => {
    const names = flattener({});
    let learn = () => names.learn("eu.example.net", [ADDRESSES.eu]);
    const compiler = (real: Compiler): Compiler => ({
      ...real,
      async compile(...input) {
        const compiled = await real.compile(...input);
        learn();
        learn = () => {};
        return compiled;
      },
    });
    const world = await start({ files: folder, flatten: names.flatten, compiler });
    expect(serving(world, "DE")).toEqual(["eu"]);
  });

  test("keep their last addresses through a restart while nobody resolves them", async () => {
    const first = await start({ files: folder, flatten: flattener(known()).flatten });
    expect([serving(first, "DE"), serving(first, "US")]).toEqual([["eu"], ["us"]]);
    await first.stop();
    const names = flattener({});
    const second = await start({ files: folder, flatten: names.flatten, state: first.state, clock: first.clock });
    expect([serving(second, "DE"), serving(second, "US")]).toEqual([["eu"], ["us"]]);
    names.learn("eu.example.net", ["198.51.100.77"]);
    await second.clock.advance(3000);
    expect(second.ask("shop.example.org", CLIENTS.DE).addresses).toEqual(["198.51.100.77"]);
  });
});

test("geo data that was loaded but not compiled yet when the process was killed is compiled at the next start", async () => {
  const geoPath = join(await tempFolder(), "geo.mmdb");
  await writeFile(geoPath, "edition 1");
  const moved = writeMmdb([{ network: "192.0.2.0/24", record: { country_code: "JP" } }]);
  let bytes = WORLD_MMDB;
  let stuck = false;
  let abandon = () => {};
  const compiler = (real: Compiler): Compiler => ({
    ...real,
    compile: (...input) =>
      stuck
        ? new Promise((_resolve, reject) => {
            abandon = () => reject(new Error("the compiler is closed"));
          })
        : real.compile(...input),
    close: async () => abandon(),
  });
  const first = await start({ files: files(FOUR), geoPath, geo: () => bytes, compiler });
  expect(serving(first, "DE")).toEqual(["eu"]);
  stuck = true;
  bytes = moved;
  await writeFile(geoPath, "another edition");
  await until(first.clock, () => first.events("GeoLoaded").length === 2);
  first.set(ADDRESSES.br, "refused");
  await saved(first, ({ health }) => [...health.values()].some(({ reason }) => reason === "refused"));
  const second = await start({ files: files(FOUR), geoPath, geo: () => bytes, state: first.state, clock: first.clock });
  expect(serving(second, "DE")).toEqual(["jp"]);
});

test("a folder whose parser dies at the start leaves the last good world serving", async () => {
  const first = await start({ files: files(FOUR) });
  await first.stop();
  const second = await start({
    files: files(FOUR),
    state: first.state,
    clock: first.clock,
    beforeRead: () => {
      throw new Error("the compile worker ended: out of memory");
    },
  });
  expect(serving(second, "DE")).toEqual(["eu"]);
  expect(second.engine.view.readiness()).toMatchObject({ ready: true, degraded: expect.arrayContaining(["last-good"]) });
});

describe("the state folder", () => {
  test.each(["world.snap", "geo"])("a damaged %s is no last good world: today's inputs are served", async (prefix) => {
    const first = await start({ files: files(FOUR) });
    await first.stop();
    const name = (await readdir(lastGood(first.state))).find((file) => file.startsWith(prefix))!;
    const path = join(lastGood(first.state), name);
    const bytes = await readFile(path);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(path, bytes);
    const second = await start({ files: files(FOUR), state: first.state, clock: first.clock });
    expect(second.events("LastGoodLoaded")).toEqual([]);
    expect(serving(second, "DE")).toEqual(["eu"]);
  });

  test("of another configuration gives nothing to this one", async () => {
    const first = await start({ files: files(FOUR) });
    first.set(ADDRESSES.eu, "refused");
    await first.clock.advance(4000);
    await first.stop();
    const again = { files: files(FOUR), path: "elsewhere", state: first.state, clock: first.clock };
    const second = await start(again);
    expect(second.events("LastGoodLoaded")).toEqual([]);
    expect(serving(second, "DE")).toEqual(["eu"]);
    await second.stop();
    await expect(start({ ...again, path: "a third", files: { "broken.yaml": "kind: [" } })).rejects.toThrow(StartError);
  });

  test("that cannot be written is told, and tried again by itself", async () => {
    let full = true;
    const store = (real: LastGoodStore): LastGoodStore => ({
      ...real,
      save: (world) => (full ? Promise.reject(new Error("ENOSPC: no space left on device")) : real.save(world)),
    });
    const world = await start({ files: files(FOUR), lastGood: store });
    expect(world.engine.view.readiness()).toMatchObject({ ready: true, degraded: expect.arrayContaining(["state-unsaved"]) });
    full = false;
    await saved(world, () => true);
    await world.clock.advance(1000);
    expect(world.engine.view.readiness().degraded).not.toContain("state-unsaved");
    expect(await readdir(lastGood(world.state))).toContain("world.snap");
  });

  test("what a killed process left half-written goes with the next geo file", async () => {
    const first = await start({ files: files(FOUR) });
    await first.stop();
    await writeFile(join(lastGood(first.state), "geo-0123.snap.tmp"), "half");
    const second = await start({ files: files(FOUR), state: first.state, clock: first.clock });
    await second.stop();
    expect((await readdir(lastGood(first.state))).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});
