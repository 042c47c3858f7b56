/**
 * `npm run fuzz:http1 -- [--cases 1000000] [--seed 1]`: damaged requests and responses, read by the proxy's codec and by the parser of `node:http`.
 * Exit codes: 0 ours took nothing that Node's refuses or reads otherwise, 1 it did, 2 bad usage.
 */
import { parseArgs } from "node:util";
import { fuzzMessages, newFuzzCounts } from "../support/http1/fuzz-messages.ts";

const PIECE = 50_000;

const { values } = parseArgs({ options: { cases: { type: "string", default: "1000000" }, seed: { type: "string", default: "1" } } });
const [cases, seed] = [Number(values.cases), Number(values.seed)];
if (!(Number.isSafeInteger(cases) && cases > 0 && Number.isSafeInteger(seed) && seed >= 0)) {
  process.stderr.write("fuzz:http1: --cases wants a whole number above 0, --seed a whole number.\n");
  process.exit(2);
}

const counts = newFuzzCounts();
for (let piece = 0; piece * PIECE < cases && counts.failures.length === 0; piece++) {
  fuzzMessages(Math.min(PIECE, cases - piece * PIECE), seed + piece, counts);
}
process.stdout.write(`${counts.cases} cases, ${counts.taken} messages taken whole, ${counts.bodyBytes} bytes of bodies\n`);
for (const [end, { ours, nodeTook }] of [...counts.faults].sort(([, a], [, b]) => b.ours - a.ours)) {
  process.stdout.write(
    `${String(ours).padStart(8)}  ${end}${nodeTook > 0 && end !== "more" && end !== "closed" ? `, ${nodeTook} of them found no fault by Node` : ""}\n`,
  );
}
for (const failure of counts.failures) process.stderr.write(`${failure}\n`);
process.exitCode = counts.failures.length > 0 ? 1 : 0;
