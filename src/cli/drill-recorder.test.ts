import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DRILL_BEGAN, DRILL_LENGTH, DRILL_OBJECT, drillScript } from "../../test/support/drill-events.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { ms } from "../model/units.ts";
import type { DrillReport } from "../observe/drill-report.ts";
import { createTimeline } from "../observe/timeline.ts";
import { loadDrills, writeDrill } from "./drill-files.ts";
import { createDrillRecorder } from "./drill-recorder.ts";

function start(earlier: readonly DrillReport[] = [], write?: (report: DrillReport) => Promise<string>) {
  const clock = createSimulatedClock(DRILL_BEGAN);
  const timeline = createTimeline(1000, clock.wallClock);
  const written: DrillReport[] = [];
  const warnings: string[] = [];
  const watched = new Set<string>();
  const recorder = createDrillRecorder({
    timeline,
    earlier,
    isWatching: (route) => watched.has(route),
    write: write ?? (async (report) => `/state/drills/${written.push(report)}.json`),
    log: { info: () => {}, warn: (_: unknown, message?: string) => void warnings.push(message ?? "") },
    now: clock.wallClock,
    every: (milliseconds, tick) => {
      let cancel = (): void => {};
      const next = (): void => {
        cancel = clock.setTimer(ms(milliseconds), () => {
          tick();
          next();
        });
      };
      next();
      return () => cancel();
    },
  });
  const reported = () => timeline.list().filter(({ kind }) => kind === "DrillReported");
  return { clock, timeline, recorder, script: drillScript(timeline), written, warnings, watched, reported };
}

/** Begins, moves one route, and comes to its end. */
async function playToEnd({ clock, script }: ReturnType<typeof start>): Promise<void> {
  script.withdrawn("default/shop"); // the engine writes the table before it tells of the act
  script.began();
  await clock.advance(DRILL_LENGTH);
}

test("a drill that runs is told as far as it goes; what is over is written once it is quiet, and an event says where", async () => {
  const world = start();
  await playToEnd(world);
  expect(world.recorder.list()).toMatchObject([{ outcome: "Running", settled: false, routes: [{ route: "default/shop", withdrawn: {} }] }]);
  const id = world.script.restored("default/shop");
  world.script.ended();
  world.watched.add("default/shop");
  await world.clock.advance(40_000);
  expect(world.reported()).toEqual([]); // a resolver is still being looked at
  world.script.seen(id, "resolver 192.0.2.53", 40);
  world.watched.clear();
  await world.clock.advance(4000);
  expect(world.reported()).toEqual([]);
  await world.clock.advance(2000);
  expect(world.reported()).toMatchObject([
    { object: DRILL_OBJECT, details: { outcome: "Completed", file: expect.stringMatching(/^\/state\/drills\/.*json$/) } },
  ]);
  expect(world.recorder.list()).toMatchObject([
    { outcome: "Completed", settled: true, routes: [{ restored: { seen: [{ seconds: 40 }] } }] },
  ]);
  expect(world.written.at(-1)).toEqual(world.recorder.list()[0]);
});

test("a route that does not come back is waited for no longer than a minute", async () => {
  const world = start();
  await playToEnd(world);
  world.script.ended();
  await world.clock.advance(58_000);
  expect(world.reported()).toHaveLength(0);
  await world.clock.advance(4000);
  expect(world.reported()).toHaveLength(1);
});

test("one that runs is saved at most every five seconds, and when the server ends", async () => {
  const world = start();
  world.script.began();
  await world.clock.advance(1000);
  expect(world.written).toHaveLength(1);
  world.script.withdrawn("default/shop");
  await world.clock.advance(3000);
  expect(world.written).toHaveLength(1);
  await world.clock.advance(2000);
  expect(world.written).toMatchObject([{ routes: [] }, { outcome: "Running", routes: [{ route: "default/shop" }] }]);
  await world.clock.advance(60_000);
  expect(world.written).toHaveLength(2);
  await world.recorder.close();
  expect(world.written).toHaveLength(3);
});

describe("after a restart", () => {
  const seenBefore = async (): Promise<DrillReport> => {
    const world = start();
    world.script.began();
    world.script.seen(world.script.withdrawn("default/shop"), "self", 0.01);
    await world.clock.advance(1000);
    return world.recorder.list()[0]!;
  };

  test("a drill that is still in force goes on, and its report says that it was interrupted", async () => {
    const world = start([await seenBefore()]);
    world.script.began();
    await world.clock.advance(DRILL_LENGTH);
    world.script.restored("default/shop");
    world.script.ended();
    await world.clock.advance(10_000);
    expect(world.recorder.list()).toMatchObject([
      {
        outcome: "Interrupted",
        settled: true,
        interrupted: "2026-11-21T12:00:00.000Z",
        routes: [{ withdrawn: { seen: [{ via: "self" }] }, restored: {} }],
      },
    ]);
  });

  test("one that ended meanwhile is reported as far as it was seen", async () => {
    const world = start([await seenBefore()]);
    await world.clock.advance(DRILL_LENGTH + 62_000);
    expect(world.recorder.list()).toMatchObject([{ outcome: "Interrupted", settled: true }]);
    expect(world.written).toHaveLength(2); // once as it goes on, once as it is
  });
});

test("another drill of the same override ends what was known of the one before", async () => {
  const world = start();
  world.script.began();
  await world.clock.advance(10_000);
  world.script.ended();
  world.script.began({ until: DRILL_BEGAN + 2 * DRILL_LENGTH });
  await world.clock.advance(1000);
  expect(world.recorder.list()).toMatchObject([
    { outcome: "Running", until: "2026-11-21T12:10:00.000Z" },
    { outcome: "EndedEarly", settled: true },
  ]);
});

test("only the last twenty are kept", async () => {
  const world = start();
  for (let i = 1; i <= 25; i++) {
    world.script.began({ until: DRILL_BEGAN + i * 60_000 });
    await world.clock.advance(60_000);
    world.script.ended();
    await world.clock.advance(10_000);
  }
  expect(world.recorder.list()).toHaveLength(20);
});

test("a report that cannot be written is told once, is there all the same, and its event names no file", async () => {
  const world = start([], () => Promise.reject(new Error("ENOSPC")));
  await playToEnd(world);
  world.script.restored("default/shop");
  world.script.ended();
  await world.clock.advance(20_000);
  expect(world.warnings).toEqual(["the report of a drill cannot be written; /v1/drills has it"]);
  expect(world.reported()).toMatchObject([{ details: { outcome: "Completed" } }]);
  expect(world.reported()[0]!.details).not.toHaveProperty("file");
});

describe("files", () => {
  const whole = async (): Promise<DrillReport> => {
    const world = start();
    await playToEnd(world);
    world.script.restored("default/shop");
    world.script.ended();
    await world.clock.advance(10_000);
    return world.recorder.list()[0]!;
  };

  test("hold the report, and a page for people once it is settled; what was written is read again", async () => {
    const folder = join(await tempFolder(), "drills");
    const report = await whole();
    await writeDrill(folder, { ...report, settled: false });
    expect(await readdir(folder)).toEqual(["default_drill-eu-west-20261121T120000Z.json"]);
    const path = await writeDrill(folder, report);
    expect(path).toBe(join(folder, "default_drill-eu-west-20261121T120000Z.json"));
    expect(await readdir(folder)).toEqual(["json", "md"].map((end) => `default_drill-eu-west-20261121T120000Z.${end}`));
    expect(await readFile(path.replace(/json$/, "md"), "utf8")).toMatch(/^# Drill of MemberCluster eu-west: completed\n/);
    expect(await loadDrills(folder, () => {})).toEqual([report]);
  });

  test("that are damaged are named and left alone; of many the last are read, oldest first", async () => {
    const folder = await tempFolder();
    const report = await whole();
    for (let day = 1; day <= 25; day++) {
      const began = `2026-12-${String(day).padStart(2, "0")}T00:00:00.000Z`;
      await writeDrill(folder, { ...report, name: `default/d${25 - day}`, began });
    }
    await writeFile(join(folder, "default_x-20270101T000000Z.json"), "{");
    const damaged: string[] = [];
    const read = await loadDrills(folder, (file) => damaged.push(file));
    expect(damaged).toEqual([join(folder, "default_x-20270101T000000Z.json")]);
    expect(read.map(({ name }) => name)).toEqual(Array.from({ length: 19 }, (_, i) => `default/d${18 - i}`));
  });

  test("no folder, no reports", async () => {
    expect(await loadDrills("/nowhere/drills", () => {})).toEqual([]);
  });
});
