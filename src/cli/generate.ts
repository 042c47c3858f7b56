/**
 * `npm run generate`: writes the files that are made from the schemas, the dashboards and rules, and what we use of Envoy's API. With `--check` it writes nothing and ends with 1 when one of them
 * is stale.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { crdFileName, crdYaml } from "../model/crd.ts";
import { kindNames } from "../model/kinds.ts";
import { problemsPage, referencePage } from "../model/reference.ts";
import { envoyApiFiles } from "../proxy/envoy/api/generate-api.ts";
import { dashboardFiles } from "./monitoring/dashboards.ts";
import { RUNBOOKS, ruleFiles, runbookIndex } from "./monitoring/rule-files.ts";

/** Path below the project's root → content. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ...kindNames.map((kind) => [`charts/globalroute/files/crds/${crdFileName(kind)}`, crdYaml(kind)] as const),
    ["docs/reference.md", referencePage()],
    ["docs/problems.md", problemsPage()],
    ...[...dashboardFiles()].map(([name, text]) => [`charts/globalroute/files/dashboards/${name}`, text] as const),
    ...[...ruleFiles()].map(([name, text]) => [`charts/globalroute/files/rules/${name}`, text] as const),
    [`${RUNBOOKS}README.md`, runbookIndex()],
    ...envoyApiFiles(),
  ]);
}

/** @returns the paths of those files that are missing or differ */
export async function staleFiles(root: string): Promise<readonly string[]> {
  const stale: string[] = [];
  for (const [path, content] of generatedFiles()) {
    const present = await readFile(join(root, path), "utf8").catch(() => undefined);
    if (present !== content) stale.push(path);
  }
  return stale;
}

async function main(): Promise<void> {
  const root = join(import.meta.dirname, "../..");
  const stale = await staleFiles(root);
  if (process.argv.includes("--check")) {
    for (const path of stale) process.stderr.write(`${path} is stale. Run npm run generate.\n`);
    process.exitCode = stale.length === 0 ? 0 : 1;
    return;
  }
  const files = generatedFiles();
  for (const path of stale) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), files.get(path) ?? "");
    process.stdout.write(`${path}\n`);
  }
}

if (import.meta.main) await main();
