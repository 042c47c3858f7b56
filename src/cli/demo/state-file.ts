/** `demo.json` in the state folder: how another shell finds the running demo and its processes. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { isListening, sweepControl } from "./control.ts";

const demoState = z.object({
  /** Process that runs the engine and the sites. */
  supervisor: z.number(),
  /** Unix socket that takes `up` and `down`. */
  socket: z.string(),
  /** `127.0.0.1:5300`. */
  dns: z.string(),
  /** `http://127.0.0.1:8053`. */
  admin: z.string(),
  /** Folder of YAML objects that the engine watches. */
  config: z.string(),
  /** `pid` is null while the site is down. */
  clusters: z.array(z.object({ name: z.string(), address: z.string(), pid: z.number().nullable() })),
});
export type DemoState = z.infer<typeof demoState>;

const fileIn = (stateDir: string): string => join(stateDir, "demo.json");

/** @returns undefined when there is none, or none that can be read: both mean that no demo can be reached */
export function readDemoState(stateDir: string): DemoState | undefined {
  try {
    return demoState.safeParse(JSON.parse(readFileSync(fileIn(stateDir), "utf8"))).data;
  } catch {
    return undefined;
  }
}

/** Replaces the file whole, readable by its owner only. */
export function writeDemoState(stateDir: string, state: DemoState): void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const draft = `${fileIn(stateDir)}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, fileIn(stateDir));
}

export const removeDemoState = (stateDir: string): void => rmSync(fileIn(stateDir), { force: true });

/** The demo that runs on a state folder. What a dead one left behind, file and socket, is swept away. */
export async function runningDemo(stateDir: string): Promise<DemoState | undefined> {
  const state = readDemoState(stateDir);
  if (state === undefined || (await isListening(state.socket))) return state;
  sweepControl(state.socket);
  removeDemoState(stateDir);
  return undefined;
}
