/** What breaks inside the engine leaves the last table serving, and is mended without a restart. */
import { describe, expect, test } from "vitest";
import { ADDRESSES, FOUR, shopFiles as files, shopServes as serving, shopWorlds } from "../../test/support/shop-world.ts";
import type { Compiler } from "./compiler.ts";

const start = shopWorlds();
const withoutEu = { ...files(FOUR), "route.yaml": files(["us", "jp", "br"])["route.yaml"] };

describe("a compile that fails", () => {
  test("is tried again by itself", async () => {
    let broken = false;
    const compiler = (real: Compiler): Compiler => ({
      ...real,
      compile: (...input) => (broken ? Promise.reject(new Error("the compile worker ended")) : real.compile(...input)),
    });
    const world = await start({ files: files(FOUR), compiler });
    broken = true;
    world.write(withoutEu);
    await world.clock.advance(1000);
    expect(world.engine.view.readiness().degraded).toContain("compile-failed");
    expect(serving(world, "DE")).toEqual(["eu"]);
    broken = false;
    await world.clock.advance(30_000);
    expect(world.engine.view.readiness().degraded).not.toContain("compile-failed");
    expect(serving(world, "DE")).toEqual(["us"]);
  });

  test("leaves no timer behind when the engine stops", async () => {
    let broken = false;
    const compiler = (real: Compiler): Compiler => ({
      ...real,
      compile: (...input) => (broken ? Promise.reject(new Error("the compile worker ended")) : real.compile(...input)),
    });
    const world = await start({ files: files(FOUR), compiler });
    broken = true;
    world.write(withoutEu);
    await world.clock.advance(1000);
    await world.stop();
    await world.clock.advance(5000); // probes under way end
    expect(world.clock.pending()).toBe(0);
  });
});

test("a publisher that throws does not freeze the table that is served", async () => {
  let broken = false;
  const world = await start({
    files: files(FOUR),
    beforePublish: () => {
      if (broken) throw new Error("a bug");
    },
  });
  broken = true;
  world.write(withoutEu);
  await world.clock.advance(1000);
  expect(world.engine.view.readiness().degraded).toContain("compile-failed");
  world.set(ADDRESSES.us, "refused");
  world.set(ADDRESSES.eu, "refused");
  await world.clock.advance(4000);
  expect(serving(world, "US")).toEqual(["br"]);
  expect(serving(world, "DE")).not.toEqual(["eu"]);
});

describe("stop", () => {
  test("does not wait for a compile that never ends, and publishes nothing afterwards", async () => {
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
    const world = await start({ files: files(FOUR), compiler });
    stuck = true;
    world.write(withoutEu);
    await world.clock.advance(1000);
    const { version } = world.table();
    await world.stop();
    expect(world.table().version).toBe(version);
    expect(world.events("TablePublished")).toHaveLength(1);
  });

  test("a reading that arrives afterwards changes nothing", async () => {
    const world = await start({ files: files(FOUR) });
    await world.stop();
    const events = world.events().length;
    world.write(withoutEu);
    await world.clock.advance(5000);
    expect(world.events()).toHaveLength(events);
    expect(world.clock.pending()).toBe(0);
  });
});
