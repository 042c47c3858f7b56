/**
 * `npm run shows:envoy-flip [-- --runs 50]`: how long it takes, from the moment at which the control plane is told, until a flip is written, until a real Envoy has
 * acknowledged it, and until Envoy's own admin interface shows it.
 */
import { parseArgs } from "node:util";
import { type FlipTimes, measureFlips } from "../../support/envoy/flip-times.ts";
import { percentile } from "../../support/envoy/scale/fleet-scale.ts";

const { values } = parseArgs({ options: { runs: { type: "string", default: "50" } } });
const ends: (() => Promise<void>)[] = [];
const times = await measureFlips(Number(values.runs), (end) => void ends.unshift(end)).finally(async () => {
  for (const end of ends) await end();
});

const ROWS: readonly (readonly [string, keyof FlipTimes])[] = [
  ["written by us", "written"],
  ["acknowledged by Envoy", "acknowledged"],
  ["shown by Envoy", "shown"],
];
process.stdout.write(`${times.length} flips, ms              p50     p99     max\n`);
for (const [name, key] of ROWS) {
  const sorted = times.map((one) => one[key]).sort((a, b) => a - b);
  const cells = [0.5, 0.99, 1].map((share) => percentile(sorted, share).toFixed(1).padStart(8));
  process.stdout.write(`${name.padEnd(24)}${cells.join("")}\n`);
}
