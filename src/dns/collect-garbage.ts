/** Garbage collection on demand, for threads that live in a system call. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isMainThread } from "node:worker_threads";

// Flags are those of the whole process: changing them while other threads compile and run is what V8 warns of. Whoever starts threads that
// collect imports this first.
if (isMainThread) setFlagsFromString("--expose-gc"); // contexts made from now on have `gc`

/**
 * Frees what the calling thread no longer uses. V8 collects when a thread allocates, and a thread that answers from shared tables does not:
 * without this, each table that it was ever given would stay in memory. Takes milliseconds, the heap being small.
 */
export function garbageCollector(): () => void {
  const collect: unknown = runInNewContext("globalThis.gc");
  if (typeof collect !== "function") throw new Error("the main thread has not imported collect-garbage");
  return collect as () => void;
}
