/**
 * `npm run shows:envoy-fleet [-- --nodes 1000 --routes 2000 --flips 20]`: a control plane and so many Envoys that come all at once, half of them in each
 * variant of the protocol, each with a connection of its own from another process. Prints what an idle node costs, what silence sends, when a flip has
 * reached all of them, and what 500 routes do that flip twice a second. Exit code 1 when an idle node costs 100 kB or more, when a flip is more than
 * one resource for anybody, or when silence is not silent.
 */
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { measureFlip, memoryPerNode, percentile, startFleetScale } from "../../support/envoy/scale/fleet-scale.ts";

const { values } = parseArgs({
  options: {
    nodes: { type: "string", default: "1000" },
    routes: { type: "string", default: "2000" },
    flips: { type: "string", default: "20" },
  },
});
const [nodes, routes, flips] = [values.nodes, values.routes, values.flips].map(Number) as [number, number, number];
const MOST_PER_IDLE_NODE = 100;
const SILENCE_MS = 60_000;
const MASS = Math.min(500, routes);

let failed = false;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const check = (line: string, isGood: boolean): void => {
  failed ||= !isGood;
  say(`${isGood ? "ok    " : "FAILED"} ${line}`);
};
const times = (list: readonly number[]): string =>
  `p50 ${percentile(list, 0.5).toFixed(0)} ms, p99 ${percentile(list, 0.99).toFixed(0)} ms, max ${(list.at(-1) ?? Number.NaN).toFixed(0)} ms`;
const mb = (kilobytes: number): string => `${(kilobytes / 1024).toFixed(0)} MB`;

const began = performance.now();
const fleet = await startFleetScale(nodes, routes);
say(`${nodes} nodes, ${routes} routes: everybody had everything after ${((performance.now() - began) / 1000).toFixed(1)} s`);
const perNode = await memoryPerNode(fleet, nodes);
const { peak, resident } = fleet.memory();
check(
  `an idle node costs ${perNode.toFixed(1)} kB (${mb(fleet.before)} resident with none and the same snapshot, ${mb(resident)} with all, never more than ${mb(peak)})`,
  perNode < MOST_PER_IDLE_NODE,
);

await fleet.nodes("reset");
await sleep(SILENCE_MS);
const silence = await fleet.nodes("look");
check(`${SILENCE_MS / 1000} s of silence: ${silence.bytes} bytes to all nodes, and ${silence.pings} pings`, silence.bytes === 0);

const reached: number[] = [];
const written: number[] = [];
let isOneEach = true;
for (let i = 0; i < flips; i++) {
  const flip = await measureFlip(fleet, [i % routes]);
  reached.push(...flip.reached);
  written.push(flip.written);
  isOneEach &&= [...flip.responses, ...flip.resources].every((count) => count === 1);
}
const ascending = (a: number, b: number): number => a - b;
check(`${flips} flips, one resource for each node and flip`, isOneEach);
say(`       the update itself, all written: ${times(written.sort(ascending))}`);
say(`       until a node had it:            ${times(reached.sort(ascending))}`);

await fleet.nodes("reset");
const before = await fleet.control({ order: "look" });
const list = Array.from({ length: MASS }, (_, i) => i);
const ROUNDS = 20;
for (let round = 0; round < ROUNDS; round++) {
  await fleet.control({ order: "flip", routes: list });
  await sleep(500);
}
const left = performance.now();
await fleet.settled();
const after = await fleet.control({ order: "look" });
const told = await fleet.nodes("look");
check(
  `${MASS} routes flip ${ROUNDS} times, twice a second: a node was told ${(after.responses - before.responses) / nodes} times (of ${ROUNDS}) in the mean, ` +
    `${(told.bytes / 1e6).toFixed(0)} MB in all, at rest ${(performance.now() - left).toFixed(0)} ms after the last`,
  Math.max(...told.responses) <= ROUNDS,
);
say(`       ${((after.cpu - before.cpu) / 1000).toFixed(1)} s of processor time, resident ${mb(fleet.memory().resident)}`);
say(`load of the machine: ${loadavg().map((load) => load.toFixed(1))}`);
fleet.close();
process.exitCode = failed ? 1 : 0;
