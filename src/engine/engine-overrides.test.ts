/** Operators' acts are never lost and never come back by themselves, whatever else the engine is doing. */
import { describe, expect, test } from "vitest";
import { ADDRESSES, ALL, drainYaml, FOUR, shopFiles as files, shopServes as serving, shopWorlds } from "../../test/support/shop-world.ts";
import type { Problem } from "../model/problem.ts";
import type { Compiler } from "./compiler.ts";
import type { SourceReading } from "./source.ts";

const start = shopWorlds();
const drain = drainYaml("eu");

/** A compiler whose work can be held up. */
function slowCompiler() {
  let gate: Promise<void> = Promise.resolve();
  let open = () => {};
  return {
    wrap: (real: Compiler): Compiler => ({
      ...real,
      async compile(...input) {
        const compiled = await real.compile(...input);
        await gate;
        return compiled;
      },
    }),
    hold() {
      gate = new Promise((resolve) => {
        open = resolve;
      });
    },
    release: () => open(),
  };
}

const unreadable = (file: string): Problem => ({
  severity: "error",
  code: "file-unreadable",
  file,
  line: 0,
  column: 0,
  path: "",
  message: "may not be read",
  remedy: "Mend it.",
});

describe("while a table is compiled", () => {
  const changed = { ...files(FOUR), "route.yaml": files(FOUR)["route.yaml"].replace("max: 60s", "max: 50s") };

  test("the same inputs once more are no news", async () => {
    const compiler = slowCompiler();
    let isNew = false;
    let kept: SourceReading["inventory"] | undefined;
    const reading = (read: SourceReading): SourceReading => {
      if (isNew) kept ??= read.inventory;
      return { ...read, inventory: kept ?? read.inventory };
    };
    const world = await start({ files: files(FOUR), compiler: compiler.wrap, reading });
    const { version } = world.table();
    const applied = world.events("ConfigApplied").length;
    compiler.hold();
    isNew = true;
    world.write(changed);
    await world.clock.advance(100);
    world.write(changed);
    await world.clock.advance(100);
    compiler.release();
    await world.clock.advance(2000);
    expect(world.table().version).toBe(version + 1);
    expect(world.events("ConfigApplied")).toHaveLength(applied + 1);
  });

  test("a drain that is ordered meanwhile holds for the new table too", async () => {
    const compiler = slowCompiler();
    const world = await start({ files: files(FOUR), compiler: compiler.wrap });
    compiler.hold();
    world.write(changed);
    await world.clock.advance(100);
    world.write({ ...changed, "drain.yaml": drain });
    await world.clock.advance(100);
    expect(serving(world, "DE")).toEqual(["us"]);
    compiler.release();
    await world.clock.advance(2000);
    expect(serving(world, "DE")).toEqual(["us"]);
    expect(world.engine.view.status().overrides).toHaveLength(1);
  });

  test("a drain that is taken back meanwhile does not return with the new table", async () => {
    const compiler = slowCompiler();
    const world = await start({ files: { ...files(FOUR), "drain.yaml": drain }, compiler: compiler.wrap });
    compiler.hold();
    world.write({ ...changed, "drain.yaml": drain });
    await world.clock.advance(100);
    world.write(changed);
    await world.clock.advance(100);
    expect(serving(world, "DE")).toEqual(["eu"]);
    compiler.release();
    await world.clock.advance(2000);
    expect(serving(world, "DE")).toEqual(["eu"]);
    expect(world.engine.view.status().overrides).toEqual([]);
  });
});

describe("an override whose file cannot be read any more goes on", () => {
  const folder = Object.fromEntries(Object.entries(files(FOUR)).map(([name, text]) => [`config/${name}`, text]));
  const drained = { ...folder, "config/acts/drain.yaml": drain };
  const broken: Record<string, { readonly files: Record<string, string>; readonly problems?: readonly Problem[] }> = {
    "a slip in its file": { files: { ...folder, "config/acts/drain.yaml": drain.replace("2027-01-15", "2027-13-15") } },
    "its file is no YAML": { files: { ...folder, "config/acts/drain.yaml": "kind: [" } },
    "its file may not be read": { files: folder, problems: [unreadable("config/acts/drain.yaml")] },
    "its folder may not be read": { files: folder, problems: [unreadable("config/acts")] },
    "the whole folder is gone": { files: {}, problems: [unreadable("config")] },
  };

  test.each(Object.entries(broken))("%s", async (_name, reading) => {
    const world = await start({ files: drained });
    world.write(reading.files, reading.problems);
    await world.clock.advance(3000);
    expect(world.engine.view.readiness().degraded).toContain("config-rejected");
    expect(serving(world, "DE")).toEqual(["us"]);
    world.write(drained);
    await world.clock.advance(1000);
    expect(serving(world, "DE")).toEqual(["us"]);
    world.write(folder);
    await world.clock.advance(1000);
    expect(serving(world, "DE")).toEqual(["eu"]);
  });

  test("through a restart as well", async () => {
    const first = await start({ files: drained });
    await first.stop();
    const second = await start({ files: {}, problems: [unreadable("config")], state: first.state, clock: first.clock });
    expect(serving(second, "DE")).toEqual(["us"]);
  });

  test("but one that is removed ends, although another file is broken", async () => {
    const world = await start({ files: drained });
    world.write({ ...folder, "config/other.yaml": "kind: [" });
    await world.clock.advance(1000);
    expect(world.engine.view.readiness().degraded).toContain("config-rejected");
    expect(serving(world, "DE")).toEqual(["eu"]);
  });

  test("and its end comes all the same", async () => {
    const end = new Date(1_800_000_000_000 + 10_000).toISOString();
    const world = await start({ files: { ...folder, "config/acts/drain.yaml": drainYaml("eu", end) } });
    world.write({}, [unreadable("config")]);
    await world.clock.advance(3000);
    expect(serving(world, "DE")).toEqual(["us"]);
    await world.clock.advance(6000);
    expect(serving(world, "DE")).toEqual(["eu"]);
  });
});

test("what is confirmed comes with today's overrides, not with those of the day it was held", async () => {
  const world = await start({ files: files(ALL) });
  world.write(files(["eu", "us"]));
  await world.clock.advance(1000);
  world.write({ ...files(["eu", "us"]), "bad.yaml": "kind: [", "drain.yaml": drain });
  await world.clock.advance(1000);
  expect(serving(world, "DE")).not.toEqual(["eu"]);
  expect(world.engine.view.confirm()).toHaveLength(1);
  await world.clock.advance(1000);
  expect(serving(world, "JP")).toEqual(["us"]);
  expect(serving(world, "DE")).toEqual(["us"]);
});

test("an approval without a start counts for the outage it was given in, not for the next one", async () => {
  const approval = files(FOUR);
  const route = approval["route.yaml"].replace("mode: Automatic, after: 10s", "mode: Approval");
  const approve = `apiVersion: globalroute.dev/v1alpha1
kind: TrafficOverride
metadata: {name: approve}
spec: {targetRef: {kind: GlobalRoute, name: shop}, action: ApproveFailback, reason: looked at it}
`;
  const world = await start({ files: { ...approval, "route.yaml": route } });
  const outage = async () => {
    world.set(ADDRESSES.eu, "refused");
    await world.clock.advance(4000);
    world.set(ADDRESSES.eu, "up");
    await world.clock.advance(60_000);
  };
  await outage();
  expect(serving(world, "DE")).toEqual(["us"]);
  world.write({ ...approval, "route.yaml": route, "approve.yaml": approve });
  await world.clock.advance(1000);
  expect(serving(world, "DE")).toEqual(["eu"]);
  await outage();
  expect(serving(world, "DE")).toEqual(["us"]);
  await world.stop();
  const second = await start({
    files: { ...approval, "route.yaml": route, "approve.yaml": approve },
    state: world.state,
    clock: world.clock,
  });
  expect(serving(second, "DE")).toEqual(["us"]);
});
