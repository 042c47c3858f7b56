/** The dashboard's bundle: where it lies, and in a checkout how it comes to be there. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Dashboard, type DashboardFile, readDashboard } from "../admin/dashboard.ts";
import type { Log } from "../observe/log.ts";
import { lockFolder } from "./folder-lock.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Beside `src` in a checkout and in a package alike. */
export const BUNDLE = join(root, "dashboard");
/** Holds {@link sourcesDigest} of what the bundle was built from. */
export const STAMP = "sources.sha256";
const SOURCES = join(root, "src", "admin", "ui");
const BUILDER = join(root, "src", "cli", "dashboard-build");
/** The map. */
const DRAWN = ["equal-earth.ts", "country-shapes.ts", "data/country-shapes.json"].map((name) => join(root, "src", "geo", name));
const LOCK = join(root, ".cache");

/** Of every source of the dashboard and its map, with the packages that are built into it; undefined where there are no sources, as in a package. */
export function sourcesDigest(): string | undefined {
  if (!existsSync(BUILDER)) return undefined;
  const names = [SOURCES, BUILDER]
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const hash = createHash("sha256");
  for (const name of [...names, ...DRAWN, join(root, "package-lock.json")])
    hash
      .update(`${name.slice(root.length)}\0`)
      .update(readFileSync(name))
      .update("\0");
  return hash.digest("hex");
}

/** False in a package, and in a checkout whose bundle was built from what is there now. */
export function isBundleStale(): boolean {
  const digest = sourcesDigest();
  return digest !== undefined && digest !== readStamp();
}

const readStamp = (): string | undefined => {
  const path = join(BUNDLE, STAMP);
  return existsSync(path) ? readFileSync(path, "utf8").trim() : undefined;
};

/** Why the last build of this process failed. */
let failure: string | undefined;

/**
 * Builds the bundle in a process of its own, unless somebody else builds it at this moment. Never throws: a server does not need its
 * dashboard.
 *
 * @returns what was done, as a sentence
 */
export async function buildBundle(now: () => number): Promise<{ readonly isBuilt: boolean; readonly message: string }> {
  try {
    const lock = await lockFolder(LOCK, "dashboard.lock", () => {});
    if (!lock.taken) return { isBuilt: false, message: `the dashboard is being built by ${lock.holder}` };
    const started = now();
    try {
      failure = await run();
    } finally {
      lock.release();
    }
    if (failure === undefined) return { isBuilt: true, message: `the dashboard was built in ${((now() - started) / 1000).toFixed(1)} s` };
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  return { isBuilt: false, message: `the dashboard could not be built: ${failure}. Run \`npm ci\`, then \`npm run build:dashboard\`` };
}

/** @returns why it failed */
function run(): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(BUILDER, "build.ts")], { cwd: root, stdio: ["ignore", "ignore", "pipe"] });
    let output = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code) => resolve(code === 0 ? undefined : output.trim().split("\n")[0] || `exit code ${code}`));
  });
}

/**
 * What is at `/`. In a checkout the first who asks for it has it built, if its sources changed; the server does everything else meanwhile,
 * and serves the old one if there is one.
 */
export function createDashboard(log: Pick<Log, "info" | "warn">, now: () => number): Dashboard {
  let read: { readonly stamp: string | undefined; readonly files: ReadonlyMap<string, DashboardFile> } | undefined;
  let isChecked = false;

  async function provide(): Promise<void> {
    if (!isBundleStale()) return;
    log.info("building the dashboard from its sources; everything else goes on");
    const { isBuilt, message } = await buildBundle(now);
    if (isBuilt) log.info(message);
    else log.warn(message);
  }

  return {
    files() {
      if (!isChecked) void provide();
      isChecked = true;
      const stamp = readStamp();
      if (read === undefined || read.stamp !== stamp || read.files.size === 0) read = { stamp, files: readDashboard(BUNDLE) };
      return read.files;
    },
    missing() {
      if (failure !== undefined)
        return { fact: `It could not be built: ${failure}.`, remedy: "Run `npm ci`, then `npm run build:dashboard`." };
      if (sourcesDigest() === undefined) return { fact: "The package holds no dashboard.", remedy: "Install GlobalRoute again." };
      return { fact: "It is being built from its sources.", remedy: "That takes some seconds; this page comes again by itself." };
    },
  };
}
