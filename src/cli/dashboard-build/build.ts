/**
 * `npm run build:dashboard`: the dashboard at `/` as files that any HTTP server could hand out, in `dashboard/`. They are built aside and
 * moved there whole, so that a server that reads them meanwhile sees the old ones or the new ones.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build, type Plugin } from "vite";
import { loadCountryShapes } from "../../geo/country-shapes.ts";
import { outline } from "../../geo/equal-earth.ts";
import { BUNDLE, STAMP, sourcesDigest } from "../dashboard-bundle.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const sources = join(root, "src", "admin", "ui");
const work = join(root, ".cache", `dashboard-${process.pid}`);

/** `import { countries } from "virtual:countries"` in the dashboard's sources: drawn here, so that the browser need not. */
function countriesPlugin(): Plugin {
  const id = "virtual:countries";
  return {
    name: "countries",
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load(source) {
      if (source !== `\0${id}`) return undefined;
      const paths = [...loadCountryShapes()].map(([code, rings]) => [code, outline(rings)]);
      return `export const countries = JSON.parse(${JSON.stringify(JSON.stringify(paths))});`;
    },
  };
}

/** Of what ends up in the bundle: code of preact, shapes of world-atlas. */
function licences(): string {
  const { resolve } = createRequire(import.meta.url);
  return ["preact", "world-atlas"]
    .map((name) => `${name}\n\n${readFileSync(join(dirname(resolve(`${name}/package.json`)), "LICENSE"), "utf8")}`)
    .join("\n---\n\n");
}

const digest = sourcesDigest();
if (digest === undefined) throw new Error("build:dashboard: there are no sources here. Run it in a checkout");
mkdirSync(work, { recursive: true });
try {
  const fresh = join(work, "new");
  await build({
    configFile: false,
    root: sources,
    base: "./",
    logLevel: "warn",
    plugins: [countriesPlugin()],
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      outDir: fresh,
      emptyOutDir: true,
      modulePreload: false,
      assetsInlineLimit: 0,
      target: "es2022",
      cssTarget: ["chrome123", "firefox120", "safari17.5"], // they know light-dark(), which styles made at run time need
      chunkSizeWarningLimit: 1000,
    },
  });
  writeFileSync(join(fresh, STAMP), `${digest}\n`);
  writeFileSync(join(fresh, "LICENSES.txt"), licences());
  const old = join(work, "old");
  try {
    renameSync(BUNDLE, old);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  renameSync(fresh, BUNDLE);
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.stdout.write("dashboard/ is built.\n");
