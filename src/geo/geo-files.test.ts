import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeMmdb } from "../../test/support/mmdb-writer.ts";
import { GeoFileError } from "./geo-file-error.ts";
import { loadGeoFiles } from "./geo-files.ts";

let folder: string;
let country: string;
let asn: string;
let broken: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "geo-files-"));
  [country, asn, broken] = ["country.mmdb", "asn.mmdb", "broken.mmdb"].map((name) => join(folder, name)) as [string, string, string];
  await writeFile(
    country,
    writeMmdb([{ network: "192.0.2.0/24", record: { country_code: "DE", state1: "Berlin" } }], { buildEpoch: 1_700_000_000 }),
  );
  await writeFile(
    asn,
    writeMmdb([{ network: "192.0.2.0/24", record: { autonomous_system_number: 64500 } }], { buildEpoch: 1_600_000_000 }),
  );
  await writeFile(broken, "not a database");
});

afterAll(() => rm(folder, { recursive: true }));

test("files are loaded in the order in which they are named", async () => {
  const loaded = await loadGeoFiles([country, asn]);
  expect(loaded.files.map(({ path }) => path)).toEqual([country, asn]);
  expect(loaded.trees.map((tree) => tree.records[1])).toEqual([{ country: "DE" }, { asn: 64500 }]);
  expect(loaded.buildEpoch).toBe(1_600_000_000_000); // the oldest
});

test("capabilities tell what rules can ask for; a state's name is no subdivision, a country brings its continent", async () => {
  const { files, capabilities } = await loadGeoFiles([country, asn]);
  expect(files[0]!.capabilities).toEqual({ continent: true, country: true, subdivision: false, asn: false, coordinates: false });
  expect(files[1]!.capabilities).toEqual({ continent: false, country: false, subdivision: false, asn: true, coordinates: false });
  expect(capabilities).toEqual({ continent: true, country: true, subdivision: false, asn: true, coordinates: false });
});

test("the id follows content and order, not names", async () => {
  const copy = join(folder, "copy.mmdb");
  await writeFile(
    copy,
    writeMmdb([{ network: "192.0.2.0/24", record: { country_code: "DE", state1: "Berlin" } }], { buildEpoch: 1_700_000_000 }),
  );
  const id = async (paths: readonly string[]) => (await loadGeoFiles(paths)).id;
  expect(await id([copy])).toBe(await id([country]));
  expect(await id([asn])).not.toBe(await id([country]));
  expect(await id([asn, country])).not.toBe(await id([country, asn]));
});

test("without names the default country file is loaded, IPv6 included", async () => {
  const { trees, capabilities, buildEpoch } = await loadGeoFiles([]);
  expect(trees).toHaveLength(1);
  expect(trees[0]!.v6Root).toBe(0);
  expect(trees[0]!.records.length).toBeGreaterThan(240);
  expect(capabilities).toMatchObject({ continent: true, country: true, asn: false, coordinates: false });
  expect(buildEpoch).toBeGreaterThan(Date.UTC(2026, 0));
});

describe("one bad file refuses all, naming it", () => {
  test.each([
    { name: "not an mmdb", file: () => broken, code: "not-mmdb" },
    { name: "missing", file: () => join(folder, "missing.mmdb"), code: "unreadable" },
    { name: "a device", file: () => "/dev/null", code: "unreadable" },
    { name: "a folder", file: () => folder, code: "unreadable" },
  ])("$name", async ({ file, code }) => {
    const attempt = loadGeoFiles([country, file()]);
    await expect(attempt).rejects.toThrow(GeoFileError);
    await expect(attempt).rejects.toMatchObject({
      code,
      file: file(),
      remedy: expect.stringMatching(/./),
      message: expect.stringContaining(file()),
    });
  });
});
