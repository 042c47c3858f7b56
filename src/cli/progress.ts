/** A word about work that takes long, on standard error where somebody looks, and gone when it is done. */
import { printable } from "../model/printable.ts";
import type { Io } from "./io.ts";
import { cutText } from "./text-width.ts";

/** What is quicker than this is done before it is read, ms. */
const PATIENCE = 400;
const TICK = 100;
const WHEEL = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const CLEAR = "\r\u001b[K";

/**
 * @param what is being done: `asking 3 zones`
 * @returns what the work returns
 */
export function withProgress<T>(io: ProgressIo, what: string, work: () => Promise<T>): Promise<T> {
  return withProgressLine(io, (elapsed) => `${what}${elapsed < 2000 ? "" : `  ${Math.floor(elapsed / 1000)} s`}`, work);
}

type ProgressIo = Pick<Io, "stderr" | "env" | "now" | "every">;

/**
 * @param line what is being done now, given the milliseconds that it has taken
 * @returns what the work returns
 */
export async function withProgressLine<T>(io: ProgressIo, line: (elapsed: number) => string, work: () => Promise<T>): Promise<T> {
  if (io.stderr.isTTY !== true || io.env.TERM === "dumb") return work();
  const began = io.now();
  let turns = 0;
  const end = io.every(TICK, () => {
    const elapsed = io.now() - began;
    if (elapsed < PATIENCE) return;
    const shown = `${WHEEL[turns % WHEEL.length]} ${printable(line(elapsed))}`;
    io.stderr.write(CLEAR + cutText(shown, Math.max(1, (io.stderr.columns || 80) - 1)));
    turns++;
  });
  try {
    return await work();
  } finally {
    end();
    if (turns > 0) io.stderr.write(CLEAR);
  }
}
