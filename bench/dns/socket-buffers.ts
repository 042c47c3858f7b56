/** Gives the sockets of all servers room for bursts, also of those that do not ask for it themselves. */
import { readFileSync, writeFileSync } from "node:fs";
import type { Cleanup } from "./cleanup.ts";

const BYTES = 4 << 20;
const SETTINGS = ["/proc/sys/net/core/rmem_default", "/proc/sys/net/core/rmem_max"];

/**
 * Raises the system's default and limit of receive buffers to 4 MiB, until the cleanup.
 *
 * @returns false, with everything as it was, where this is not allowed: to anybody but root, and in some containers
 */
export function raiseSocketBuffers(cleanup: Cleanup): boolean {
  try {
    for (const file of SETTINGS) {
      const before = readFileSync(file, "latin1");
      if (Number(before) >= BYTES) continue;
      writeFileSync(file, String(BYTES));
      cleanup.add(() => writeFileSync(file, before));
    }
    return true;
  } catch {
    return false;
  }
}
