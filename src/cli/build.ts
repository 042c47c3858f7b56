/**
 * `npm run build`: the package that is published, in `dist/`. TypeScript is refused under `node_modules`, so the package carries the
 * compiled JavaScript in the same folders, the data beside it, and a manifest without what only development needs. `npm pack ./dist` packs it.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const manifest = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  license: z.string(),
  type: z.literal("module"),
  bin: z.record(z.string(), z.string()),
  dependencies: z.record(z.string(), z.string()),
});

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const dist = join(root, "dist");

/** What goes into the package as it is; a room that later work fills may be missing. */
const COPIED = ["bin", "charts", "dashboard", "docs", "examples", "LICENSE", "README.md", "CHANGELOG.md"];
const ROOMS = ["src", "health", "dns-providers", "controller"];

/** Where the browser's sources are: the package carries what was built from them. */
const BROWSER_SOURCES = join("src", "admin", "ui");

function buildDashboard(): void {
  const run = spawnSync(process.execPath, [join(root, "src", "cli", "dashboard-build", "build.ts")], { stdio: "inherit" });
  if (run.status !== 0) throw new Error("build: the dashboard could not be built; its messages are above");
}

function compile(): void {
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  const run = spawnSync(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json")], { stdio: "inherit" });
  if (run.status !== 0) throw new Error("build: tsc failed; its messages are above");
}

/** Copies every file that is not TypeScript (tables, their licences) to the place where the compiled code looks for it. */
function copyData(folder: string): void {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (path === BROWSER_SOURCES) continue;
    if (entry.isDirectory()) copyData(path);
    else if (!entry.name.endsWith(".ts")) copy(path);
  }
}

function copy(path: string): void {
  mkdirSync(dirname(join(dist, path)), { recursive: true });
  cpSync(join(root, path), join(dist, path), { recursive: true });
}

function writeManifest(): void {
  const source = manifest.parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  const published = { ...source, engines: { node: ">=22.19" } };
  writeFileSync(join(dist, "package.json"), `${JSON.stringify(published, null, 2)}\n`);
}

rmSync(dist, { recursive: true, force: true });
compile();
buildDashboard();
for (const room of ROOMS) if (existsSync(join(root, room))) copyData(room);
for (const path of COPIED) if (existsSync(join(root, path))) copy(path);
writeManifest();
process.stdout.write("dist/ is built: `npm pack ./dist` packs it.\n");
