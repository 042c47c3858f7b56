/**
 * `npm run fuzz -- [--packets 10000000] [--seed 1]`: hostile packets into the answering function, in pieces of 100,000, each from a seed of
 * its own so that a failure can be repeated by itself. Exit codes: 0 all held, 1 an answer was wrong, memory grew, a packet took
 * two seconds, or a parser's branch was never reached, 2 bad usage.
 */
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { startCoverage, type Uncovered } from "./coverage.ts";
import { fuzzAnswers, newFuzzCounts } from "./fuzz-answers.ts";
import { PARSERS } from "./parsers.ts";
import { fuzzSubjects } from "./subjects.ts";

const PIECE = 100_000;
/** Pieces that are measured: counting makes everything three times slower. */
const COVERED = 5;
/** Pieces that show the resident memory of a moment: the least of them counts. */
const MOMENT = 10;
/** Pieces after which heap, compiled code and caches have their size. */
const SETTLED = 30;
/** What collectors and the optimiser may move memory by, bytes. */
const SLACK = 16 << 20;

/** A packet that takes longer is a stall, whatever else the machine does. */
const STALL_MS = 2000;

const { values } = parseArgs({ options: { packets: { type: "string", default: "10000000" }, seed: { type: "string", default: "1" } } });
const [packets, seed] = [Number(values.packets), Number(values.seed)];
if (!(Number.isSafeInteger(packets) && packets > 0 && Number.isSafeInteger(seed) && seed >= 0)) {
  process.stderr.write("fuzz: --packets wants a whole number above 0, --seed a whole number.\n");
  process.exit(2);
}

const coverage = await startCoverage();
let unreached: readonly Uncovered[] = [];
const subjects = fuzzSubjects();
const counts = newFuzzCounts();
const started = performance.now();
const now = (): number => performance.now();
const pieces = Math.ceil(packets / PIECE);
/** Resident bytes after each piece, garbage collected. */
const resident: number[] = [];

for (let piece = 0; piece < pieces; piece++) {
  fuzzAnswers(subjects, Math.min(PIECE, packets - piece * PIECE), seed + piece, counts, now);
  if (piece === Math.min(COVERED, pieces) - 1) unreached = await coverage.stop(PARSERS);
  globalThis.gc?.();
  resident.push(process.memoryUsage.rss());
  if (piece % 10 === 9 || piece === pieces - 1) {
    const seconds = (performance.now() - started) / 1000;
    const mebibytes = (resident.at(-1)! / (1 << 20)).toFixed(0);
    process.stdout.write(`${counts.packets} packets, ${counts.answered} answers, ${seconds.toFixed(0)} s, ${mebibytes} MiB\n`);
  }
}

process.stdout.write(`slowest packet ${counts.slowest.toFixed(1)} ms; answers by RCODE ${counts.rcodes.join(" ")}\n`);
for (const { where, code } of unreached) process.stderr.write(`never reached: ${where}: ${code.replaceAll(/\s+/g, " ").slice(0, 160)}\n`);
const isLong = resident.length >= SETTLED + 2 * MOMENT;
const grown = isLong ? Math.min(...resident.slice(-MOMENT)) - Math.min(...resident.slice(SETTLED, SETTLED + MOMENT)) : 0;
if (isLong)
  process.stdout.write(`resident memory changed by ${(grown / (1 << 20)).toFixed(1)} MiB after the first ${SETTLED * PIECE} packets\n`);
if (grown > SLACK) process.stderr.write(`memory grew by more than ${SLACK >> 20} MiB\n`);
if (counts.slowest > STALL_MS) process.stderr.write(`a packet took ${counts.slowest.toFixed(0)} ms\n`);
process.exitCode = unreached.length > 0 || grown > SLACK || counts.slowest > STALL_MS ? 1 : 0;
