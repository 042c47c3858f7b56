/** The demo's own part of the state folder: its objects and its engine's memory, made anew at each start. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../io.ts";

export interface DemoFolder {
  /** State folder of the demo's engine; apart from that of `serve`, whose last good table must not be the demo's. */
  readonly state: string;
  /** The watched folder. */
  readonly config: string;
}

const MARK = ".globalroute-demo";

/**
 * Makes `demo/` in the state folder and writes the objects into it.
 *
 * @param manifests file name → text
 * @throws CommandError when there is a `demo/` that no demo made: it is not ours to empty
 */
export function writeDemoFolder(stateDir: string, manifests: ReadonlyMap<string, string>): DemoFolder {
  const state = join(stateDir, "demo");
  if (existsSync(state) && readdirSync(state).length > 0 && !existsSync(join(state, MARK))) {
    throw new CommandError(1, `${state} holds files that no demo wrote. Give the demo another folder with --state.`);
  }
  rmSync(state, { recursive: true, force: true });
  const config = join(state, "config");
  mkdirSync(config, { recursive: true, mode: 0o700 });
  writeFileSync(join(state, MARK), "Made by `globalroute demo`, which empties this folder whenever it starts.\n");
  for (const [name, text] of manifests) writeFileSync(join(config, name), text);
  return { state, config };
}
