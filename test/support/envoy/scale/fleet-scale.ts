/** A control plane and a thousand nodes, each in a process of its own, and what the first one costs. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { ControlAnswer, ControlOrder } from "./control.ts";
import type { NodesAnswer, NodesOrder } from "./nodes.ts";

export interface FleetScale {
  readonly control: (order: ControlOrder) => Promise<ControlAnswer>;
  readonly nodes: (order: NodesOrder["order"]) => Promise<NodesAnswer>;
  /** Resident memory of the control plane before the first node came, kB. */
  readonly before: number;
  /** Resident memory of the control plane now, and the most that it ever was, kB. */
  readonly memory: () => { readonly resident: number; readonly peak: number };
  /** Resolves when every node has taken all there is. */
  readonly settled: () => Promise<void>;
  readonly close: () => void;
}

/** Until a process that did something large is at rest, ms. */
const REST = 3_000;

/** All nodes come at once. */
export async function startFleetScale(nodes: number, routes: number): Promise<FleetScale> {
  const children: ChildProcess[] = [];
  const close = (): void => {
    for (const child of children) child.kill("SIGKILL");
  };
  try {
    const server = fork(new URL("./control.ts", import.meta.url), [String(routes)]);
    children.push(server);
    const [{ port }] = (await once(server, "message")) as [ControlAnswer];
    await sleep(REST);
    const before = memoryOf(server).resident;
    const clients = fork(new URL("./nodes.ts", import.meta.url), [port, nodes, routes].map(String));
    children.push(clients);
    await once(clients, "message");
    const control = ask<ControlOrder, ControlAnswer>(server);
    const settled = async (): Promise<void> => {
      while ((await control({ order: "look" })).current < nodes) await sleep(100);
    };
    await settled();
    const orderNodes = ask<NodesOrder, NodesAnswer>(clients);
    return { control, nodes: (order) => orderNodes({ order }), before, memory: () => memoryOf(server), settled, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** One order at a time. */
const ask =
  <Order extends object, Answer>(child: ChildProcess) =>
  async (order: Order): Promise<Answer> => {
    const answered = once(child, "message");
    child.send(order);
    return (await answered)[0] as Answer;
  };

function memoryOf({ pid }: ChildProcess): { readonly resident: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const field = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]);
  return { resident: field("VmRSS"), peak: field("VmHWM") };
}

export interface Flip {
  /** Until each node had its response, ms, in ascending order. */
  readonly reached: readonly number[];
  /** Until the control plane had handed all of them to the system's sockets or queued them behind what those hold, ms. */
  readonly written: number;
  /** The least and the most that any node was sent. */
  readonly responses: readonly [least: number, most: number];
  readonly resources: readonly [least: number, most: number];
  readonly bytes: number;
}

/** One endpoint of these routes changes sides, in a fleet at rest. Resolves when all nodes have taken it. */
export async function measureFlip(fleet: FleetScale, routes: readonly number[]): Promise<Flip> {
  await fleet.nodes("reset");
  const { began, ended } = await fleet.control({ order: "flip", routes });
  await fleet.settled();
  const { last, responses, resources, bytes } = await fleet.nodes("look");
  const range = (list: readonly number[]) => [Math.min(...list), Math.max(...list)] as const;
  return {
    reached: last.map((at) => at - began).sort((a, b) => a - b),
    written: ended - began,
    responses: range(responses),
    resources: range(resources),
    bytes,
  };
}

/** @param sorted ascending @param share 0..1 */
export const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;

/** What an idle node costs, kB: resident memory with all of them less that with none and the same snapshot, after the fleet has been at rest. */
export async function memoryPerNode(fleet: FleetScale, nodes: number): Promise<number> {
  await sleep(REST);
  return (fleet.memory().resident - fleet.before) / nodes;
}
