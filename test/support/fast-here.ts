/** Whether worker threads can answer UDP on this machine: their tests need what they need. */
import { FastTransportUnavailable, loadLibc } from "../../src/dns/fast/libc.ts";

export function fastIsHere(): boolean {
  try {
    loadLibc();
    return true;
  } catch (error) {
    if (error instanceof FastTransportUnavailable) return false;
    throw error;
  }
}

/** Ways to answer UDP that this machine has. */
export const transportsHere = (): readonly ("dgram" | "fast")[] => (fastIsHere() ? ["dgram", "fast"] : ["dgram"]);
