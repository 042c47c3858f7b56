/** A thousand nodes at one control plane, half of them in each variant of the protocol: what a flip costs, and what silence costs. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FleetScale, measureFlip, memoryPerNode, startFleetScale } from "../../support/envoy/scale/fleet-scale.ts";

const [NODES, ROUTES] = [1000, 500];
/** kB. */
const MOST_PER_IDLE_NODE = 100;
/** kB, of all nodes together, each of which is sent nearly a megabyte when it comes. */
const MOST_OF_ARRIVAL = 150_000;

const every = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);
const within = async (limit: number, what: Promise<unknown>): Promise<void> => {
  const began = performance.now();
  await what;
  expect(performance.now() - began).toBeLessThan(limit);
};

let fleet: FleetScale;
beforeAll(async () => {
  fleet = await startFleetScale(NODES, ROUTES);
});
afterAll(() => fleet?.close());

test("all came at once, and each has everything; nobody's memory grew by what was sent to all", async () => {
  const { settled } = await fleet.nodes("look");
  expect(settled).toBe(NODES);
  expect(await fleet.control({ order: "look" })).toMatchObject({ responses: 3 * NODES, accepted: 3 * NODES, rejected: 0 });
  expect(fleet.memory().peak - fleet.before).toBeLessThan(MOST_OF_ARRIVAL);
  expect(await memoryPerNode(fleet, NODES)).toBeLessThan(MOST_PER_IDLE_NODE);
});

test("who has everything is sent nothing: not a byte but pings", async () => {
  await fleet.nodes("reset");
  const before = await fleet.control({ order: "look" });
  await sleep(3_000);
  const { bytes, responses } = await fleet.nodes("look");
  expect([bytes, responses.reduce((sum, one) => sum + one)]).toEqual([0, 0]);
  const { responses: told } = await fleet.control({ order: "look" });
  expect(told).toBe(before.responses);
});

test("one endpoint flips: one response with one resource for each node", async () => {
  for (const route of [7, 7, 8]) {
    const { responses, resources, bytes, reached } = await measureFlip(fleet, [route]);
    expect({ responses, resources }).toEqual({ responses: [1, 1], resources: [1, 1] });
    expect(bytes).toBeLessThan(1_000 * NODES);
    expect(reached.at(-1)).toBeLessThan(5_000); // some 0.1 s on a machine with nothing else to do
  }
});

test("500 routes flip at once, twice a second: nobody is told more often than they answer, and in the end all is as it is", async () => {
  await fleet.nodes("reset");
  const before = await fleet.control({ order: "look" });
  const rounds = 9;
  for (let round = 0; round < rounds; round++) {
    await fleet.control({ order: "flip", routes: every(500) });
    await sleep(500);
  }
  await within(20_000, fleet.settled());
  const { responses, resources } = await fleet.nodes("look");
  expect(Math.max(...responses)).toBeLessThanOrEqual(rounds);
  expect(Math.max(...resources)).toBeLessThanOrEqual(rounds * 500);
  const after = await fleet.control({ order: "look" });
  expect(after.accepted - before.accepted).toBe(responses.reduce((sum, one) => sum + one));
  expect(after.rejected).toBe(0);
});

test("nodes that do not answer are told once more when they do, of all that changed meanwhile, and cost nothing until then", async () => {
  await fleet.nodes("reset");
  await fleet.nodes("hold");
  const { resident } = fleet.memory();
  for (let round = 0; round < 20; round++) await fleet.control({ order: "flip", routes: every(1 + (round % 100)) });
  await expect.poll(async () => new Set((await fleet.nodes("look")).responses)).toEqual(new Set([1]));
  const held = await fleet.nodes("look");
  expect(new Set(held.responses)).toEqual(new Set([1]));
  expect(new Set(held.resources)).toEqual(new Set([1]));
  expect(fleet.memory().resident - resident).toBeLessThan(MOST_OF_ARRIVAL);
  await fleet.nodes("go");
  await fleet.settled();
  const { responses, resources } = await fleet.nodes("look");
  expect(new Set(responses)).toEqual(new Set([2]));
  // Of twenty routes those that are not as they were told: every second flip takes back one.
  expect(new Set(resources).size).toBe(1);
  expect(resources[0]).toBeLessThanOrEqual(1 + 20);
});
