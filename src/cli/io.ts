/** What a command touches of the world outside. `main` gives the real one, tests one that they can read back. */
import { hostname, userInfo } from "node:os";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { ownTerminal, type Terminal } from "./live-view.ts";

export interface Output {
  readonly write: (text: string) => unknown;
  readonly isTTY?: boolean;
  /** Width of the terminal in characters, if it is one. */
  readonly columns?: number | undefined;
}

export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly fetch: typeof globalThis.fetch;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A repeating timer that does not keep the process alive; returns its end. */
  readonly every: (milliseconds: number, tick: () => void) => () => void;
  /** Settles after a while, or as soon as the signal is aborted; keeps the process alive meanwhile. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** The terminal that somebody sits at, if input and output are one. */
  readonly terminal: () => Terminal | undefined;
  /** @returns ends the listening */
  readonly onSignal: (signal: "SIGINT" | "SIGTERM", listener: () => void) => () => void;
  /** Ends the process at once. */
  readonly abort: (code: number) => void;
  /** Who runs this, for the record: `alice@laptop`. */
  readonly user: () => string;
}

/** What every command is given. */
export interface Cli {
  readonly io: Io;
  /** Called by an action whose answer is not 0: 1 = negative answer, 2 = bad usage or bad input. */
  readonly exit: (code: ExitCode) => void;
}

export type ExitCode = 0 | 1 | 2;

/** A command that cannot do what it was asked. The message names the object, the fact and the remedy. */
export class CommandError extends Error {
  readonly exitCode: 1 | 2;

  constructor(exitCode: 1 | 2, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The real world. */
export function processIo(): Io {
  // `globalroute status | head -1`: the reader has gone, which is no failure of ours.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    fetch: globalThis.fetch,
    now: () => Date.now(),
    every: (milliseconds, tick) => {
      const timer = setInterval(tick, milliseconds).unref();
      return () => clearInterval(timer);
    },
    sleep: (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal }).catch(() => undefined),
    terminal: ownTerminal,
    onSignal: (signal, listener) => {
      process.on(signal, listener);
      return () => process.off(signal, listener);
    },
    abort: (code) => process.exit(code),
    user: () => `${userName()}@${hostname()}`,
  };
}

/** A container's user may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
