/**
 * `npm run soak -- [--minutes 30] [--rate 1000] [--seed 1] [--transport auto]`: see `run-soak.ts`. Exit codes: 0 all held, 1 an answer was
 * wrong or missing, or memory grew; 2 bad usage.
 */
import { parseArgs } from "node:util";
import { z } from "zod";
import { runSoak } from "./run-soak.ts";
import { verdictOf } from "./verdict.ts";

const flags = z.object({
  minutes: z.coerce.number().positive(),
  rate: z.coerce.number().int().positive(),
  seed: z.coerce.number().int().nonnegative(),
  transport: z.enum(["auto", "fast", "dgram"]),
});

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    rate: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    transport: { type: "string", default: "auto" },
  },
});
const parsed = flags.safeParse(values);
if (!parsed.success) {
  process.stderr.write(`soak: ${z.prettifyError(parsed.error)}\n`);
  process.exit(2);
}
const { minutes, rate, seed, transport } = parsed.data;
const result = await runSoak({ seconds: 60 * minutes, rate, seed, transport, onProgress: (line) => process.stdout.write(`${line}\n`) });
const { faults, memory } = verdictOf(result);
const told =
  memory === undefined
    ? "not judged in so short a run"
    : `${memory.warm.toFixed(0)} MiB when warm, ${memory.last.toFixed(0)} at the end, ${memory.slope.toFixed(2)} MiB a minute in the last third (${memory.wholeSlope.toFixed(2)} from the third minute on)`;
process.stdout.write(
  `${result.flips} flips, ${result.changes} changes of standing; ${result.dropped} dropped by the kernel; memory ${told}\n`,
);
for (const fault of [...faults, ...result.wrong]) process.stderr.write(`${fault}\n`);
process.exitCode = faults.length > 0 ? 1 : 0;
