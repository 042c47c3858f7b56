/** Being asked to stop: once, and a second time by somebody who lost patience. */
import type { Io } from "./io.ts";

export interface StopSignals {
  /** Settles with the first SIGINT or SIGTERM. */
  readonly asked: Promise<void>;
  /** Signals do what they did before. */
  readonly forget: () => void;
}

/** @param onSecond called for every later signal */
export function stopSignals(io: Pick<Io, "onSignal">, onSecond: () => void): StopSignals {
  const { promise, resolve } = Promise.withResolvers<void>();
  let count = 0;
  const heard = (): void => {
    count++;
    if (count === 1) resolve();
    else onSecond();
  };
  const forgets = [io.onSignal("SIGINT", heard), io.onSignal("SIGTERM", heard)];
  return {
    asked: promise,
    forget: () => {
      for (const forget of forgets) forget();
    },
  };
}
