import type { KubePorts } from "./kube-ports.ts";

/** `setTimeout` takes 32 bits, and fires at once for more, ms. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** The machine's own clocks, timers and randomness. */
export const systemKubePorts = (): KubePorts => ({
  wallClock: Date.now,
  now: () => performance.now(),
  random: Math.random,
  setTimer: (delay, callback) => {
    const timer = setTimeout(callback, Math.min(delay, LONGEST_DELAY));
    return () => clearTimeout(timer);
  },
});
