/** `npm run check` and `npm run format`: biome's own binary, without its wrapper package (whose other platforms break `npm ci` here and there). */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { repository } from "./source-tree.ts";

const name = `@biomejs/cli-${process.platform}-${process.arch}`;

function findBiome(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(`${name}/biome`);
  } catch {
    return undefined; // an optional package: npm leaves it out on platforms that the lockfile does not name
  }
}

const biome = findBiome();
if (biome === undefined) {
  process.stderr.write(`lint: ${name} is not installed. It is there for linux-x64 and linux-arm64: run \`npm ci\` on one of them.\n`);
  process.exit(2);
}
const run = spawnSync(biome, ["check", "--error-on-warnings", ...process.argv.slice(2)], { cwd: repository, stdio: "inherit" });
if (run.error) throw run.error;
process.exit(run.status ?? 1);
