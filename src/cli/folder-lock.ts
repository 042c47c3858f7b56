/**
 * One process at a time in a folder: two servers on one state folder would overwrite each other's memory. The lock is the system's (flock),
 * which drops it with the process, however that ends: none is ever left behind, and a process id that is used again cannot mislead.
 */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { hostname } from "node:os";
import { join } from "node:path";
import { getSystemErrorName } from "node:util";
import { CommandError } from "./io.ts";
import { makeFolder } from "./make-folder.ts";

export type FolderLock =
  | { readonly taken: true; readonly release: () => void }
  /** `process 4711`, with its machine if that is another one. */
  | { readonly taken: false; readonly holder: string };

const LOCK_EX = 2;
const LOCK_NB = 4;

/** koffi's own types return `any`. */
interface Koffi {
  load(path: null): { func(definition: string): unknown };
  errno(): number;
}

/**
 * Makes the folder if need be and takes its lock, or tells who has it.
 *
 * @param name     of the file in the folder that is locked; it holds the process id of who locked it last, for people
 * @param onNoLock the system or the file system knows no such locks: the folder is used without
 * @throws CommandError (exit 1) when the folder cannot be made or written
 */
export async function lockFolder(folder: string, name: string, onNoLock: (reason: string) => void): Promise<FolderLock> {
  const path = join(folder, name);
  let file: number;
  try {
    await makeFolder(folder);
    file = openSync(path, "a+", 0o600);
  } catch (cause) {
    const fact = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(1, `the state folder ${folder} cannot be used: ${fact}. Make it writable, or choose another with --state.`, {
      cause,
    });
  }
  const failure = flock(file, LOCK_EX | LOCK_NB);
  if (failure === "EAGAIN" || failure === "EWOULDBLOCK") {
    closeSync(file);
    return { taken: false, holder: holderOf(readFileSync(path, "utf8")) };
  }
  if (failure !== undefined) onNoLock(failure);
  ftruncateSync(file);
  writeSync(file, `${process.pid} ${hostname()}\n`);
  return {
    taken: true,
    release() {
      ftruncateSync(file);
      closeSync(file);
    },
  };
}

/** @returns why there is no lock: the system's word for it, or a sentence; undefined = it is held */
function flock(file: number, operation: number): string | undefined {
  try {
    const koffi = createRequire(import.meta.url)("koffi") as Koffi; // required, so that a binary that is missing can be caught here
    const call = koffi.load(null).func("int flock(int, int)") as (file: number, operation: number) => number;
    return call(file, operation) === 0 ? undefined : getSystemErrorName(-koffi.errno());
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** It may not have been written yet. */
function holderOf(text: string): string {
  const [pid, host] = text.trim().split(" ");
  if (pid === undefined || pid === "") return "another process";
  return host === undefined || host === hostname() ? `process ${pid}` : `process ${pid} of ${host}`;
}
