import { relative } from "node:path";
import { expect, test } from "vitest";
import { readFolder } from "../../../src/engine/read-folder.ts";
import { loadCloudRegions } from "../../../src/geo/cloud-regions.ts";
import { parseManifests } from "../../../src/model/manifest.ts";
import { buildInventory } from "../../../src/model/to-inventory.ts";

const folder = import.meta.dirname;

test("ten planted faults: each is reported once, at its line, with its code, the fact and a remedy, and nothing else is", async () => {
  const { files } = await readFolder(folder);
  const planted = files.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, i) => {
      const code = / # planted: ([a-z-]+)$/.exec(line)?.[1];
      return code === undefined ? [] : [`${relative(folder, path)}:${i + 1} ${code}`];
    }),
  );
  expect(planted).toHaveLength(10);
  expect(new Set(files.map(({ path }) => path)).size).toBeGreaterThan(3);

  const { objects, rejected, problems } = parseManifests(files);
  const built = buildInventory(objects, loadCloudRegions(), rejected);
  const all = [...problems, ...built.problems];
  expect(all.map(({ file, line, code }) => `${relative(folder, file)}:${line} ${code}`).sort()).toEqual(planted.sort());
  for (const { severity, column, message, remedy } of all) {
    expect(severity).toBe("error");
    expect(column).toBeGreaterThan(0);
    expect(message.length).toBeGreaterThan(10);
    expect(remedy).toMatch(/^[A-Z].*[.?]$/);
  }
  expect(all.find(({ code }) => code === "region-unknown")?.remedy).toContain("Did you mean aws us-west-2?");
});

test("what is sound beside the faults is kept", async () => {
  const { files } = await readFolder(folder);
  const { objects, rejected } = parseManifests(files);
  const { inventory } = buildInventory(objects, loadCloudRegions(), rejected);
  expect(inventory.routes.map((route) => route.name)).toEqual(["shop"]);
  expect(inventory.clusters.map((cluster) => cluster.name)).toEqual(["eu-west", "us-east"]);
  expect(inventory.zones.map((zone) => zone.domain)).toEqual(["example.org"]);
});
