/** Being asked to stop: once, and a second time by somebody who lost patience. */
import type { Io } from "./io.ts";

export interface StopSignals {
  /** Settles with the first SIGINT or SIGTERM. */
  readonly asked: Promise<void>;
  /** Signals do what they did before. */
  readonly forget: () => void;
}

/**
 * Signals this close to the first are the same request: systemd and `timeout` signal every process of a group at once, and the launcher in
 * bin/ forwards to us what it was sent too.
 */
const ONE_REQUEST_MS = 300;

/** @param onSecond called for every later request */
export function stopSignals(io: Pick<Io, "onSignal" | "now">, onSecond: () => void): StopSignals {
  const { promise, resolve } = Promise.withResolvers<void>();
  let first: number | undefined;
  const heard = (): void => {
    if (first === undefined) {
      first = io.now();
      resolve();
    } else if (Math.abs(io.now() - first) >= ONE_REQUEST_MS) {
      onSecond();
    }
  };
  const forgets = [io.onSignal("SIGINT", heard), io.onSignal("SIGTERM", heard)];
  return {
    asked: promise,
    forget: () => {
      for (const forget of forgets) forget();
    },
  };
}
