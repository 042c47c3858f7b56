import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readFolder } from "../src/engine/read-folder.ts";
import { loadCloudRegions } from "../src/geo/cloud-regions.ts";
import { parseManifests } from "../src/model/manifest.ts";
import { formatProblem } from "../src/model/problem.ts";
import { buildInventory } from "../src/model/to-inventory.ts";

const root = join(import.meta.dirname, "../examples");
const folders = readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

async function load(folder: string) {
  const { files, problems: unread } = await readFolder(folder);
  const { objects, rejected, problems } = parseManifests(files);
  const built = buildInventory(objects, loadCloudRegions(), rejected);
  return { inventory: built.inventory, lines: [...unread, ...problems, ...built.problems].map(formatProblem) };
}

test.each(folders)("examples/%s is whole and without any problem", async (name) => {
  const { inventory, lines } = await load(join(root, name));
  expect(lines).toEqual([]);
  expect(inventory.routes).toHaveLength(1);
  expect(inventory.zones).toHaveLength(1);
  expect(inventory.clusters.length).toBeGreaterThan(1);
});

test("all examples together are without any problem", async () => {
  const { inventory, lines } = await load(root);
  expect(lines).toEqual([]);
  expect(inventory.routes).toHaveLength(folders.length);
});

test("the page of examples names each folder", () => {
  const page = readFileSync(join(root, "README.md"), "utf8");
  expect([...page.matchAll(/^\| \[([a-z-]+)\]\(\1\) \|/gm)].map(([, name]) => name).sort()).toEqual([...folders].sort());
});
