/** Has HAProxy read its configuration again: by its master process, or by a command of the operator's (`systemctl reload haproxy`). */
import { execFile } from "node:child_process";
import { type AdminSocket, askHaproxy } from "./runtime-socket.ts";

/** `master`: the socket of `haproxy -W -S`. */
export type ReloadBy = { readonly command: readonly [string, ...string[]] } | { readonly master: AdminSocket };

export interface ReloadPorts {
  /** Milliseconds; only differences count. */
  readonly now: () => number;
  readonly setTimer: (delay: number, callback: () => void) => () => void;
}

/** Milliseconds for a command, and for a master to come back: a configuration of thousands of routes takes seconds to read. */
const RELOAD_TIMEOUT = 30_000;
/** Milliseconds for one answer of a master. */
const ANSWER_TIMEOUT = 5_000;
/** Milliseconds between two looks at a master that starts itself anew. */
const LOOK = 200;

/** @throws Error when the new configuration was not taken; the HAProxy that ran goes on */
export function reloadHaproxy(by: ReloadBy, { now, setTimer }: ReloadPorts): Promise<void> {
  if ("command" in by) return runCommand(by.command);
  const sleep = (delay: number): Promise<void> => new Promise((resolve) => setTimer(delay, resolve));
  // A master's connection stays open until somebody says that no more is coming.
  return reloadByMaster((command) => askHaproxy(`${command}\nquit`, { at: by.master, timeout: ANSWER_TIMEOUT, setTimer }), { now, sleep });
}

/** @param ask one command of the master's */
export async function reloadByMaster(
  ask: (command: string) => Promise<string>,
  { now, sleep }: Pick<ReloadPorts, "now"> & { readonly sleep: (delay: number) => Promise<void> },
): Promise<void> {
  const before = reloadsOf(await ask("show proc"));
  const answer = await ask("reload");
  if (/^Success=0/m.test(answer)) throw new Error(`its master refuses the configuration: ${answer.split("\n").slice(1).join(" ").trim()}`); // 2.7 and newer
  const since = now();
  while (now() - since < RELOAD_TIMEOUT) {
    await sleep(LOOK);
    const after = await ask("show proc").then(reloadsOf, () => undefined); // it starts itself anew, and is away meanwhile
    if (after === undefined || after.count <= before.count) continue;
    if (after.failed > before.failed) throw new Error("its master refuses the configuration. `haproxy -c -f` on the file says why.");
    return;
  }
  throw new Error(`its master has not come back within ${RELOAD_TIMEOUT / 1000} s. Look at its log, and start it again.`);
}

/** Of the line `PID master RELOADS [failed: N] …`. */
function reloadsOf(text: string): { readonly count: number; readonly failed: number } {
  const [, count, failed = "0"] = /^\d+\s+master\s+(\d+)(?: \[failed: (\d+)\])?/m.exec(text) ?? [];
  if (count === undefined) throw new Error("what answers is no master of HAProxy's: start it with -W -S PATH");
  return { count: Number(count), failed: Number(failed) };
}

const runCommand = ([file, ...args]: readonly [string, ...string[]]): Promise<void> =>
  new Promise((resolve, reject) => {
    execFile(file, args, { timeout: RELOAD_TIMEOUT }, (error, _, told) => {
      if (error === null) resolve();
      else
        reject(new Error(`\`${[file, ...args].join(" ")}\` failed: ${told.trim().split("\n").at(-1) || error.message}`, { cause: error }));
    });
  });
