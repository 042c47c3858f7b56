/** Garbage collection on demand, for threads that live in a system call. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Frees what the calling thread no longer uses. V8 collects when a thread allocates, and a thread that answers from shared tables does not:
 * without this, each table that it was ever given would stay in memory. Takes milliseconds, the heap being small.
 */
export function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc"); // contexts made from now on have `gc`
  return runInNewContext("gc") as () => void;
}
