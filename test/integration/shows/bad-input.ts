/**
 * What bad input costs clients that behave: `npm run shows:proxy-bad-input -- [--rounds 5] [--seconds 4] [--attack NAME]`. For each attack,
 * phases with and without it take turns against one proxy, so that whatever else the machine does falls on both. Told are the medians of the
 * rounds; the ratio is that of the p99 with the attack to the p99 without. The proxy's processor time tells
 * how much of it is the proxy's. Exit code 1 when an answer was not 200 or nothing was refused.
 *
 * Client, endpoint, attacker and proxy share the machine: where it has few cores, much of what is told is the attacker's own work.
 */
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ATTACKS } from "../../support/bad-input/attacks.ts";
import { openBadInputWorld, percentile } from "../../support/bad-input/bad-input-world.ts";
import { median } from "../../support/failover.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, seconds: { type: "string", default: "4" }, attack: { type: "string" } },
});
const [rounds, phase] = [Number(values.rounds), 1000 * Number(values.seconds)];
/** Until an attack is at its height, and until its connections are gone. */
const SETTLE = 2000;

let failed = false;
const world = await openBadInputWorld();
await world.ask(phase);
for (const name of Object.keys(ATTACKS).filter((one) => values.attack === undefined || one === values.attack)) {
  const calm: (readonly number[])[] = [];
  const attacked: (readonly number[])[] = [];
  let [bad, refused, taken, calmCpu, attackedCpu] = [0, 0, 0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    const begun = await world.counts();
    const quiet = await world.ask(phase);
    calmCpu += (await world.counts()).cpu - begun.cpu;
    const end = await world.attack(name);
    await setTimeout(SETTLE);
    const height = await world.counts();
    const busy = await world.ask(phase);
    attackedCpu += (await world.counts()).cpu - height.cpu;
    const tally = await end();
    await setTimeout(SETTLE);
    calm.push(quiet.times);
    attacked.push(busy.times);
    bad += quiet.bad + busy.bad;
    refused += tally.refused;
    taken += tally.taken;
  }
  failed ||= bad > 0 || refused === 0 || taken > 0;
  const at = (phases: readonly (readonly number[])[], share: number): number => median(phases.map((times) => percentile(times, share)));
  const both = (share: number): string => `${at(calm, share).toFixed(1)} -> ${at(attacked, share).toFixed(1)} ms`;
  const ratio = at(attacked, 0.99) / at(calm, 0.99);
  const core = (cpu: number): string => `${((100 * cpu) / (rounds * phase)).toFixed(0)} %`;
  process.stdout.write(
    `${name.padEnd(10)} p50 ${both(0.5)}, p99 ${both(0.99)}, ratio ${ratio.toFixed(2)}; proxy ${core(calmCpu)} -> ${core(attackedCpu)} of a core; ${refused} connections refused, ${taken} taken, ${bad} bad answers\n`,
  );
}
const { refused, answers, rss } = await world.counts();
process.stdout.write(`counted: ${JSON.stringify({ ...refused, ...answers })}; the proxy holds ${(rss / 2 ** 20).toFixed(0)} MiB\n`);
world.close();
process.exitCode = failed ? 1 : 0;
