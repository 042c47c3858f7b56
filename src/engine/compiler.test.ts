import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { clusterYaml, WORLD_MMDB } from "../../test/support/simulated-world.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { testRule } from "../../test/support/world/build-route.ts";
import { newLatencyMap } from "../geo/latency-model.ts";
import { parsePrefix } from "../model/ip.ts";
import { clientClasses, questionsOf } from "../proxy/client-classes.ts";
import { decide } from "../routing/decide.ts";
import { CompileError, type Compiler, createCompiler } from "./compiler.ts";

const folder = {
  problems: [],
  files: [
    { path: "clusters.yaml", text: clusterYaml("eu", "eu-central-1") + clusterYaml("us", "us-east-1") },
    {
      path: "shop.yaml",
      text: `apiVersion: globalroute.dev/v1alpha1
kind: GlobalRoute
metadata: {name: shop}
spec:
  hosts: [shop.example.org]
  backends:
  - {name: eu, cluster: eu, addresses: [198.51.100.1]}
  - {name: us, cluster: us, addresses: [198.51.100.2]}
`,
    },
  ],
};

let compiler: Compiler | undefined;
afterEach(async () => {
  await compiler?.close();
});

async function geoFile(bytes: Buffer | string = WORLD_MMDB): Promise<string> {
  const path = join(await tempFolder(), "geo.mmdb");
  await writeFile(path, bytes);
  return path;
}

test("text becomes a table in the worker, and the table is shared, not copied", async () => {
  compiler = createCompiler();
  const { capabilities } = await compiler.loadGeo([await geoFile()]);
  expect(capabilities).toMatchObject({ country: true, asn: false });
  const { inventory, problems } = await compiler.parse(folder);
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  const { compiled } = await compiler.compile(inventory, newLatencyMap(), 7, 0);
  const { table } = compiled;
  expect(table.version).toBe(7);
  expect(table.hot.routePolicy.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(decide(table, 0, parsePrefix("192.0.2.1")!, 0, 0.5, 0).clusters).toEqual(["eu"]);
  expect(decide(table, 0, parsePrefix("192.0.2.65")!, 0, 0.5, 0).clusters).toEqual(["us"]);
});

test("a bad geo file is refused with its name, and the loaded one stays in use", async () => {
  compiler = createCompiler();
  await compiler.loadGeo([await geoFile()]);
  const bad = await geoFile("no database");
  await expect(compiler.loadGeo([bad])).rejects.toThrow(bad);
  const { inventory } = await compiler.parse(folder);
  await expect(compiler.compile(inventory, newLatencyMap(), 1, 0)).resolves.toMatchObject({ compiled: { table: { version: 1 } } });
});

test("without any geo data a compile says so", async () => {
  compiler = createCompiler();
  const { inventory } = await compiler.parse(folder);
  await expect(compiler.compile(inventory, newLatencyMap(), 1, 0)).rejects.toThrow(CompileError);
});

test("clients of proxies are told apart in the worker, by the geo data of the newest table alone", async () => {
  compiler = createCompiler();
  await compiler.loadGeo([await geoFile()]);
  const questions = questionsOf([{ rules: [testRule("japan", "Require", { countries: ["JP"] }, ["us"])] }], new Map());
  await expect(compiler.classes("any", questions)).rejects.toThrow(CompileError);
  const { inventory } = await compiler.parse(folder);
  const { compiled } = await compiler.compile(inventory, newLatencyMap(), 1, 0);
  const { geo } = compiled.table;
  const classes = await compiler.classes(geo.id, questions);
  expect(classes).toEqual(clientClasses(geo, questions));
  expect(classes.classes).toHaveLength(1);
  await expect(compiler.classes("another", questions)).rejects.toThrow("another table was compiled since");
});
