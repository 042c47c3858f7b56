/** The compile thread ends (out of memory, a bug): it is replaced, and the replacement knows what it needs. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, expect, test } from "vitest";
import { clusterYaml, WORLD_MMDB } from "../../test/support/simulated-world.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { newLatencyMap } from "../geo/latency-model.ts";
import { CompileError, type Compiler, createCompiler } from "./compiler.ts";

const folder = {
  problems: [],
  files: [
    { path: "clusters.yaml", text: clusterYaml("eu", "eu-central-1") },
    {
      path: "shop.yaml",
      text: `apiVersion: globalroute.dev/v1alpha1
kind: GlobalRoute
metadata: {name: shop}
spec:
  hosts: [shop.example.org]
  backends:
  - {name: eu, cluster: eu, addresses: [198.51.100.1]}
`,
    },
  ],
};

let compiler: Compiler | undefined;
afterEach(async () => {
  await compiler?.close();
});

/** A compiler whose threads can be killed. */
function mortalCompiler() {
  const workers: Worker[] = [];
  compiler = createCompiler(() => {
    const worker = new Worker(new URL("./compile-worker.ts", import.meta.url));
    workers.push(worker);
    return worker;
  });
  const die = async (): Promise<void> => {
    await workers.at(-1)!.terminate();
  };
  return { compiler, die, workers };
}

async function geoFile(): Promise<string> {
  const path = join(await tempFolder(), "geo.mmdb");
  await writeFile(path, WORLD_MMDB);
  return path;
}

test("what it was doing fails, and the next request has a thread again", async () => {
  const { compiler, die, workers } = mortalCompiler();
  const parsed = compiler.parse(folder);
  const failed = expect(parsed).rejects.toThrow(CompileError);
  await die();
  await failed;
  expect((await compiler.parse(folder)).inventory.routes).toHaveLength(1);
  expect(workers).toHaveLength(2);
});

test("the exit of a dead thread, which is told after its error, does not fail what its successor does", async () => {
  const dying = "require('node:worker_threads').parentPort.on('message', () => { throw new Error('out of memory'); })";
  let isFirst = true;
  compiler = createCompiler(() => {
    const worker = isFirst ? new Worker(dying, { eval: true }) : new Worker(new URL("./compile-worker.ts", import.meta.url));
    isFirst = false;
    return worker;
  });
  await expect(compiler.parse(folder)).rejects.toThrow("out of memory");
  expect((await compiler.parse(folder)).inventory.routes).toHaveLength(1);
});

test("geo data is loaded again, also when the replacement has parsed something before it compiles", async () => {
  const { compiler, die } = mortalCompiler();
  await compiler.loadGeo([await geoFile()]);
  await die();
  const { inventory } = await compiler.parse(folder);
  const { compiled } = await compiler.compile(inventory, newLatencyMap(), 1, 0);
  expect(compiled.table.geo.places.some(({ country }) => country === "JP")).toBe(true);
});

test("without the file by then, the table in use gives the geo data", async () => {
  const { compiler, die } = mortalCompiler();
  const path = await geoFile();
  await compiler.loadGeo([path]);
  const { inventory } = await compiler.parse(folder);
  const { geo } = (await compiler.compile(inventory, newLatencyMap(), 1, 0)).compiled.table;
  await rm(path);
  await die();
  const { compiled } = await compiler.compile(inventory, newLatencyMap(), 2, 0, geo);
  expect(compiled.table.geo.id).toBe(geo.id);
});
