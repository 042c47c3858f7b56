/**
 * `globalroute simulate` in the demo's world against the oracle, over the same clients. `GLOBALROUTE_CLIENTS=1000000` does it for as many as
 * the command takes by itself, which lasts minutes.
 */
import { performance } from "node:perf_hooks";
import { beforeAll, describe, expect, test } from "vitest";
import { runSimulation } from "../../../src/cli/simulate.ts";
import { openWorlds } from "../../../src/cli/simulation-worlds.ts";
import { loadHomes } from "../../../src/geo/population.ts";
import type { RouteSimulation, Simulation } from "../../../src/what-if/simulation.ts";
import { drawWorld } from "../../../src/what-if/world-clients.ts";
import { defaultOracleWorld, oracleHomes } from "../../support/oracle/demo-world.ts";
import { type OracleClient, type OracleSimulation, oracleSimulate } from "../../support/oracle/what-if.ts";
import { captureIo, runCli } from "../../support/run-cli.ts";

const CLIENTS = Number(process.env.GLOBALROUTE_CLIENTS ?? 20_000);
const OUTAGES = (CLIENTS > 100_000 ? [["eu-west"]] : [["eu-west"], ["eu-west", "eu-central"]]).map((down) => ({
  down,
  names: down.join(" and "),
}));

let clients: readonly OracleClient[];
let countries: ReadonlyMap<string, number>;

beforeAll(async () => {
  const { io } = captureIo();
  const { before } = await openWorlds({ mmdb: [] }, io);
  const homes = oracleHomes();
  const drawn = drawWorld(before.table.geo, loadHomes(), CLIENTS, 1).clients;
  clients = Array.from({ length: drawn.count }, (_, i) => ({
    address: { family: 4, value: BigInt(drawn.v4[i]! >>> 0) },
    weight: drawn.weight[i]!,
    home: homes[drawn.home[i]!]!,
  }));
  expect(drawn.isV6.every((one) => one === 0)).toBe(true);
  countries = new Map(
    [...Map.groupBy(homes, ({ country }) => country)].map(([country, own]) => [country, own.reduce((sum, { people }) => sum + people, 0)]),
  );
});

test("the clients are the population's", () => {
  const total = [...countries.values()].reduce((sum, people) => sum + people, 0);
  expect(clients.reduce((sum, { weight }) => sum + weight, 0) / total).toBeGreaterThan(0.999);
});

describe.each(OUTAGES)("$names down", ({ down }) => {
  let simulation: Simulation;
  let seconds: number;
  let inventory: Awaited<ReturnType<typeof openWorlds>>["before"]["inventory"];

  beforeAll(async () => {
    const started = performance.now();
    const run = await runSimulation({ down, drain: [], routes: [], clients: CLIENTS, seed: 1, mmdb: [] }, captureIo().io, () => {});
    seconds = (performance.now() - started) / 1000;
    ({ simulation } = run);
    ({ inventory } = run.worlds.before);
    process.stdout.write(`simulate --down ${down.join()}: ${CLIENTS} clients, 3 routes, ${seconds.toFixed(1)} s\n`);
  });

  test.each(["shop", "app", "eu"])("%s: every number is the oracle's", (name) => {
    const route = inventory.routes.find((one) => one.name === name)!;
    const started = performance.now();
    const expected = oracleSimulate(inventory, route, clients, defaultOracleWorld(), [], { down, drain: [] });
    const simulated = simulation.routes.find((one) => one.route === `default/${name}`)!;
    compare(simulated, expected);
    process.stdout.write(
      `default/${name}: ${expected.moves.size} moves equal the oracle's, ${((performance.now() - started) / 1000).toFixed(1)} s\n`,
    );
  });
});

function compare(simulated: RouteSimulation, expected: OracleSimulation): void {
  // Weights are people: of three billion, sums in another order differ by a thousandth of one at most.
  for (const { cluster, before, after } of simulated.clusters) {
    expect(before.weight, `${cluster} before`).toBeCloseTo(expected.before.get(cluster) ?? 0, 1);
    expect(after.weight, `${cluster} after`).toBeCloseTo(expected.after.get(cluster) ?? 0, 1);
  }
  const moves = new Map(simulated.moves.map(({ country, from, to, weight }) => [`${country} ${from.join("+")}>${to.join("+")}`, weight]));
  expect([...moves.keys()].toSorted()).toEqual([...expected.moves.keys()].toSorted());
  for (const [key, weight] of expected.moves) expect(moves.get(key), key).toBeCloseTo(weight, 1);
  for (const key of ["mean", "p50", "p95"] as const) {
    expect(simulated.distanceKm.before[key], `${key} before`).toBeCloseTo(expected.km.before[key], 0);
    expect(simulated.distanceKm.after[key], `${key} after`).toBeCloseTo(expected.km.after[key], 0);
  }
  expect(expected.violations).toBe(0);
  expect(simulated.residency).toEqual({ before: [], after: [] });
  const moved = [...expected.moves.values()].reduce((sum, weight) => sum + weight, 0);
  expect(simulated.stale.ttl).toBe(5);
  expect(simulated.stale.curve.find(({ seconds }) => seconds === 2)?.share).toBeCloseTo((simulated.moved.share * 3) / 5, 5);
  expect(simulated.moved.weight).toBeCloseTo(moved, 1);
}

test("the same question has the same answer, to the byte", async () => {
  const ask = () => runCli(["simulate", "--down", "eu-west", "--clients", "5000", "--output", "json"]);
  const [first, second] = [await ask(), await ask()];
  expect(first.code).toBe(0);
  expect(second.stdout).toBe(first.stdout);
});
