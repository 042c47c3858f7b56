import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { readObjectsAt } from "../src/engine/read-objects.ts";
import { parseAnnotations } from "../src/model/annotations.ts";
import { formatProblem } from "../src/model/problem.ts";

const root = join(import.meta.dirname, "../examples");
const all = readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

const FOR_KUBERNETES = "kubernetes";
/** What a controller alone can do. */
const ONLY_KUBERNETES = [FOR_KUBERNETES, "external-dns"];
const folders = all.filter((name) => !ONLY_KUBERNETES.includes(name));

async function load(...names: readonly string[]) {
  const { inventory, problems } = await readObjectsAt(names.map((name) => join(root, name)));
  return { inventory, lines: problems.map(formatProblem) };
}

test.each(folders)("examples/%s is whole and without any problem", async (name) => {
  const { inventory, lines } = await load(name);
  expect(lines).toEqual([]);
  expect(inventory.routes).toHaveLength(1);
  expect(inventory.zones).toHaveLength(1);
  expect(inventory.clusters.length).toBeGreaterThan(1);
});

test.each([
  [FOR_KUBERNETES, 6],
  ["external-dns", 4],
])("examples/%s is whole and without any problem, for a cluster", async (name, count) => {
  const { inventory, objects, problems } = await readObjectsAt([join(root, name)], { controllerNamespace: "globalroute-system" });
  expect(problems.map(formatProblem)).toEqual([]);
  expect(objects).toHaveLength(count);
  expect(inventory.zones).toHaveLength(1);
});

test("the annotated Ingress of examples/kubernetes says what it means to", () => {
  const text = readFileSync(join(root, FOR_KUBERNETES, "member-ingress.yaml"), "utf8");
  const ingress: { readonly metadata: { readonly annotations: Readonly<Record<string, string>> } } = parseAllDocuments(text)[0]?.toJS();
  const { values, faults, isBlocked } = parseAnnotations(ingress.metadata.annotations);
  expect({ faults, isBlocked, joins: values.joins }).toEqual({ faults: [], isBlocked: false, joins: true });
  expect(values.policy).toMatchObject({ order: "Nearest", ttl: { min: 5, max: 30 }, healthPath: "/healthz" });
});

test("all examples for files together are without any problem", async () => {
  const { inventory, lines } = await load(...folders);
  expect(lines).toEqual([]);
  expect(inventory.routes).toHaveLength(folders.length);
});

test("the page of examples names each folder", () => {
  const page = readFileSync(join(root, "README.md"), "utf8");
  expect([...page.matchAll(/^\| \[([a-z-]+)\]\(\1\) \|/gm)].map(([, name]) => name).sort()).toEqual([...all].sort());
});
