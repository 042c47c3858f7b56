import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { fileStamp } from "../dns/secret-file.ts";
import { ms } from "../model/units.ts";
import { createFolderSource } from "./folder-source.ts";
import type { FolderContent } from "./read-folder.ts";
import type { Source, SourceReading } from "./source.ts";

/** A little less than the time between two sweeps, so that what is noticed within it was told by the system. */
const BEFORE_A_SWEEP = 4500;

let source: Source | undefined;
afterEach(() => source?.close());

async function watched(parse?: (content: FolderContent) => Promise<SourceReading>) {
  const folder = join(await tempFolder(), "config");
  await mkdir(folder);
  await writeFile(join(folder, "a.yaml"), "a: 1");
  const clock = createSimulatedClock();
  const texts: string[] = [];
  const errors: unknown[] = [];
  const reading = { inventory: { routes: [], clusters: [], zones: [], overrides: [] }, problems: [] };
  const opened = createFolderSource(
    folder,
    async (content) => {
      const result = (await parse?.(content)) ?? reading;
      texts.push(content.files.map(({ text }) => text).join(" "));
      return result;
    },
    (delay, callback) => clock.setTimer(ms(delay), callback),
    (error) => errors.push(error),
  );
  source = opened;
  /** @param within simulated milliseconds; the system's own events take real time, so the clock goes on in small steps */
  const until = async (isDone: () => boolean, within: number): Promise<boolean> => {
    for (let passed = 0; passed < within && !isDone(); passed += 10) {
      await clock.advance(10);
      await readdir(dirname(folder)); // real time for what the system does meanwhile
    }
    return isDone();
  };
  return { folder, clock, source: opened, texts, errors, until };
}

test("a change is read at once, and only a change", async () => {
  const { folder, source, texts, until } = await watched();
  await source.read();
  source.watch(() => {});
  await writeFile(join(folder, "a.yaml"), "a: 2");
  expect(await until(() => texts.length === 2, BEFORE_A_SWEEP)).toBe(true);
  expect(await until(() => texts.length === 3, 20_000)).toBe(false);
  expect(texts).toEqual(["a: 1", "a: 2"]);
});

test("a folder that was replaced is seen by the next sweep, and its later changes at once again", async () => {
  const { folder, source, texts, until } = await watched();
  await source.read();
  source.watch(() => {});
  await mkdir(`${folder}.new`);
  await writeFile(join(`${folder}.new`, "a.yaml"), "a: 2");
  await rename(folder, `${folder}.old`);
  await rename(`${folder}.new`, folder);
  expect(await until(() => texts.at(-1) === "a: 2", 12_000)).toBe(true);
  expect(await until(() => false, 200)).toBe(false);
  await writeFile(join(folder, "a.yaml"), "a: 3");
  expect(await until(() => texts.at(-1) === "a: 3", BEFORE_A_SWEEP)).toBe(true);
});

test("a folder that is gone for a while is seen when it returns", async () => {
  const { folder, source, texts, until } = await watched();
  await source.read();
  source.watch(() => {});
  await rm(folder, { recursive: true });
  expect(await until(() => texts.at(-1) === "", 12_000)).toBe(true);
  await mkdir(folder);
  await writeFile(join(folder, "a.yaml"), "a: 4");
  expect(await until(() => texts.at(-1) === "a: 4", 12_000)).toBe(true);
  await writeFile(join(folder, "a.yaml"), "a: 5");
  expect(await until(() => texts.at(-1) === "a: 5", BEFORE_A_SWEEP)).toBe(true);
});

test("what could not be parsed is parsed later, also when it was the first reading", async () => {
  let broken = true;
  const { clock, source, texts, errors, until } = await watched(async () => {
    if (broken) throw new Error("the compile worker ended");
    return { inventory: { routes: [], clusters: [], zones: [], overrides: [] }, problems: [] };
  });
  await expect(source.read()).rejects.toThrow("the compile worker ended");
  const readings: SourceReading[] = [];
  source.watch((reading) => readings.push(reading));
  await clock.advance(6000);
  expect(await until(() => errors.length > 0, 6000)).toBe(true);
  broken = false;
  expect(await until(() => readings.length === 1, 12_000)).toBe(true);
  expect(texts).toEqual(["a: 1"]);
});

test("after close nothing is told any more, be it under way", async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let parses = 0;
  const { folder, clock, source, errors, until } = await watched(async () => {
    if (++parses > 1) await held;
    if (parses > 1) throw new Error("the compiler is closed");
    return { inventory: { routes: [], clusters: [], zones: [], overrides: [] }, problems: [] };
  });
  await source.read();
  const readings: SourceReading[] = [];
  source.watch((reading) => readings.push(reading));
  await writeFile(join(folder, "a.yaml"), "a: 2");
  expect(await until(() => parses === 2, 12_000)).toBe(true);
  source.close();
  release();
  await clock.advance(20_000);
  expect([readings, errors]).toEqual([[], []]);
  expect(clock.pending()).toBe(0);
});

test("a file that the objects depend on is looked at by each sweep: it may come, change and go", async () => {
  const outside = join(await tempFolder(), "key.pem");
  const inventory = { routes: [], clusters: [], zones: [], overrides: [] };
  const { source, texts, until } = await watched(async () => ({
    inventory,
    problems: [],
    dependsOn: [{ path: outside, stamp: fileStamp(outside) }],
  }));
  await source.read();
  source.watch(() => {});
  expect(await until(() => texts.length > 1, 12_000)).toBe(false);
  const acts = [() => writeFile(outside, "key"), () => writeFile(outside, "other"), () => rm(outside)];
  for (const [i, act] of acts.entries()) {
    await act();
    expect(await until(() => texts.length === i + 2, 12_000)).toBe(true);
  }
  expect(await until(() => texts.length > 4, 12_000)).toBe(false);
});
