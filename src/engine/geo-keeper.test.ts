import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeMmdb } from "../../test/support/mmdb-writer.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { loadGeoFiles } from "../geo/geo-files.ts";
import { ms } from "../model/units.ts";
import { createGeoKeeper } from "./geo-keeper.ts";

const mmdb = (country: string) => writeMmdb([{ network: "192.0.2.0/24", record: { country_code: country } }]);

async function world(fails: () => boolean = () => false) {
  const path = join(await tempFolder(), "geo.mmdb");
  await writeFile(path, mmdb("DE"));
  const clock = createSimulatedClock();
  const loaded: string[] = [];
  const rejected: string[] = [];
  const keeper = createGeoKeeper([path], undefined, {
    load: async (paths) => {
      if (fails()) throw new Error("the compile worker ended");
      const { id, buildEpoch, capabilities } = await loadGeoFiles(paths);
      return { id, buildEpoch, capabilities };
    },
    setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
    onLoaded: (info) => loaded.push(info.id),
    onRejected: (message) => rejected.push(message),
  });
  expect(await keeper.load()).toBe(true);
  keeper.watch();
  /** Lets looks happen until something was told; real file reads take real time, so the clock goes on in small steps between them. */
  const until = async (done: () => boolean) => {
    for (let i = 0; i < 2000 && !done(); i++) {
      await clock.advance(100);
      await stat(path);
    }
    expect(done()).toBe(true);
  };
  return { path, keeper, loaded, rejected, until, clock };
}

test("a new file is loaded while running; a bad one is refused and the old one stays in use", async () => {
  const { path, keeper, loaded, rejected, until } = await world();
  await writeFile(path, mmdb("FR"));
  await until(() => loaded.length === 2);
  expect(loaded[1]).not.toBe(loaded[0]);
  await writeFile(path, "this is no database");
  await until(() => rejected.length === 1);
  expect(rejected[0]).toContain("geo.mmdb");
  expect(keeper.rejection()).toBe(rejected[0]);
  expect(keeper.info()?.id).toBe(loaded[1]);
  await writeFile(path, mmdb("FR"));
  await until(() => keeper.rejection() === undefined);
  expect(loaded).toHaveLength(2); // the same content needs no new table
  keeper.close();
});

test("a file that was not touched is not read again", async () => {
  const { keeper, loaded, clock } = await world();
  await clock.advance(60_000);
  expect(loaded).toHaveLength(1);
  keeper.close();
});

test("files that were refused through no fault of theirs are tried again, and that is told once", async () => {
  let broken = false;
  const { path, keeper, loaded, rejected, until } = await world(() => broken);
  broken = true;
  await writeFile(path, mmdb("FR"));
  await until(() => rejected.length === 1);
  await until(() => keeper.rejection() !== undefined);
  broken = false;
  await until(() => loaded.length === 2);
  expect([keeper.rejection(), rejected.length]).toEqual([undefined, 1]);
  keeper.close();
});
