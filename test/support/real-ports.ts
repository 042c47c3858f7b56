/** The machine's own clocks and timers, for tests that talk to real threads and processes. */
import type { DnsPorts } from "../../src/dns/dns-server.ts";

export const realPorts: DnsPorts = {
  wallClock: Date.now,
  now: () => performance.now(),
  random: Math.random,
  setTimer: (delay, callback) => {
    const timer = setTimeout(callback, delay);
    return () => clearTimeout(timer);
  },
};
