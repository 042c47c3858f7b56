/** A process that stands still at the worst moment: with a request worked out, checked, and not sent. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";

/**
 * Script for `preload`. The process stops itself (SIGSTOP) with its next request that {@link standStillAt} asks for: headers and body are made, all
 * checks of the sender are behind it, the connection is chosen, no byte has left. SIGCONT lets it go on with exactly that.
 *
 * @param trigger path of a file that is not there yet
 */
export const standsStill = (trigger: string): string => `import { subscribe } from "node:diagnostics_channel";
import { existsSync, readFileSync, rmSync } from "node:fs";
const trigger = ${JSON.stringify(trigger)};
subscribe("undici:client:sendHeaders", ({ request }) => {
  if (!existsSync(trigger) || !new RegExp(readFileSync(trigger, "utf8")).test(request.method + " " + request.path)) return;
  rmSync(trigger);
  process.kill(process.pid, "SIGSTOP");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500); // another thread may take the signal, a moment later
});`;

/** @param request a regular expression of `METHOD path` */
export const standStillAt = (trigger: string, request: RegExp): void => writeFileSync(trigger, request.source);

/** Whether the process is stopped by a signal. */
export function isStopped(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  // The name, in brackets, may hold anything.
  return existsSync(stat) && /^ [Tt]/.test(readFileSync(stat, "utf8").split(")").at(-1) ?? "");
}
