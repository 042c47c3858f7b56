import type { KubePorts } from "./kube-ports.ts";

/** The machine's own clocks, timers and randomness. */
export const systemKubePorts = (): KubePorts => ({
  wallClock: Date.now,
  now: () => performance.now(),
  random: Math.random,
  setTimer: (delay, callback) => {
    const timer = setTimeout(callback, delay);
    return () => clearTimeout(timer);
  },
});
