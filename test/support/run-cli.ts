/** Runs the command line in this process, with everything that it writes captured. */
import type { Io, Output } from "../../src/cli/io.ts";
import { main } from "../../src/cli/main.ts";
import { FAKE_NOW } from "./fake-view.ts";

export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An `Io` whose clock stands still at {@link FAKE_NOW} and which knows no environment. */
export function captureIo(overrides: Partial<Io> = {}): { readonly io: Io; readonly stdout: string[]; readonly stderr: string[] } {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const output = (into: string[]): Output => ({ write: (text) => into.push(text) });
  const io: Io = {
    stdout: output(stdout),
    stderr: output(stderr),
    env: {},
    cwd: "/",
    fetch: globalThis.fetch,
    now: () => FAKE_NOW,
    every: () => () => {},
    sleep: () => Promise.resolve(),
    terminal: () => undefined,
    onSignal: () => () => {},
    abort: (code) => {
      throw new Error(`the command ended the process with ${code}`);
    },
    user: () => "alice@laptop",
    ...overrides,
  };
  return { io, stdout, stderr };
}

export async function runCli(args: readonly string[], overrides: Partial<Io> = {}): Promise<CliRun> {
  const { io, stdout, stderr } = captureIo(overrides);
  const code = await main(args, io);
  return { code, stdout: stdout.join(""), stderr: stderr.join("") };
}
