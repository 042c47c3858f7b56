/** Time, chance and network as arguments: tests pass simulated ones, the composition root passes {@link systemPorts}. */
import type { Endpoint, ProbeResult } from "../src/model/health.ts";
import { type Milliseconds, ms } from "../src/model/units.ts";

export interface ProbeLimits {
  /** The whole probe, connect included; at its end everything the probe opened is closed. */
  readonly timeout: Milliseconds;
  /** Ends the probe at once; nobody reads its result then. */
  readonly signal: AbortSignal;
}

/** Probes one endpoint once. Never rejects. */
export type Probe = (endpoint: Endpoint, limits: ProbeLimits) => Promise<ProbeResult>;

/** Calls back once after `delay` (0 = as soon as possible). @returns cancels it */
export type SetTimer = (delay: Milliseconds, callback: () => void) => () => void;

export interface HealthPorts {
  /** Monotonic, with an arbitrary origin. */
  readonly now: () => Milliseconds;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly setTimer: SetTimer;
  /** [0, 1) */
  readonly random: () => number;
  readonly probe: Probe;
}

/** The machine's own clocks, timers and randomness. */
export const systemPorts = (probe: Probe): HealthPorts => ({
  now: () => ms(performance.now()),
  wallClock: Date.now,
  setTimer: (delay, callback) => {
    const timer = setTimeout(callback, delay);
    return () => clearTimeout(timer);
  },
  random: Math.random,
  probe,
});
