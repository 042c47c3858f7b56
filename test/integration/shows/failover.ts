/**
 * Measures failover as a client outside sees it: `node test/integration/shows/failover.ts [--runs 10]`. Each run starts a fresh demo, breaks the cluster that
 * is nearest to a German client that asks every 50 ms, and takes the time until its answers have moved to the next nearest. Exit code 1
 * when a median misses its goal, or when any answer was empty, wrong or missing.
 */
import { parseArgs } from "node:util";
import { GERMANY, measureInFreshDemo, median } from "../../support/failover.ts";

const GOALS = [
  { signal: "SIGKILL", limit: 3_000 },
  { signal: "SIGSTOP", limit: 5_000 },
] as const;

const { values } = parseArgs({ options: { runs: { type: "string", default: "10" } } });
const runs = Number(values.runs);
let failed = false;

for (const { signal, limit } of GOALS) {
  const times: number[] = [];
  let bad = 0;
  for (let run = 1; run <= runs; run++) {
    const result = await measureInFreshDemo({ ...GERMANY, signal });
    times.push(result.milliseconds);
    bad += result.wrong.length + result.lost;
    process.stdout.write(
      `${signal} ${run}/${runs}: ${result.milliseconds.toFixed(0)} ms, ${result.questions} questions, ${result.wrong.length} wrong, ${result.lost} lost\n`,
    );
  }
  const middle = median(times);
  failed ||= bad > 0 || !(middle < limit);
  process.stdout.write(
    `${signal}: p50 ${middle.toFixed(0)} ms (goal < ${limit}), max ${Math.max(...times).toFixed(0)} ms, ${bad} bad answers\n`,
  );
}
process.exitCode = failed ? 1 : 0;
