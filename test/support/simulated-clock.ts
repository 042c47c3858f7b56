/** A clock that stands still until a test moves it, with timers. An hour of failover takes a millisecond. */
import { type Milliseconds, ms } from "../../src/model/units.ts";

export interface SimulatedClock {
  readonly now: () => Milliseconds;
  /** Milliseconds since the epoch: `now` plus a fixed start. */
  readonly wallClock: () => number;
  readonly setTimer: (delay: Milliseconds, callback: () => void) => () => void;
  /** Resolves after `delay` of simulated time. */
  readonly sleep: (delay: number) => Promise<void>;
  /** Moves time on, firing each timer at its own instant and letting promises settle in between. */
  readonly advance: (delay: number) => Promise<void>;
  /** Jumps: the process was stopped. Timers that fell due meanwhile fire late, one after another, at the new time. */
  readonly jump: (delay: number) => Promise<void>;
  /** Timers that have not fired. */
  readonly pending: () => number;
}

export function createSimulatedClock(epoch = 1_800_000_000_000): SimulatedClock {
  let now = 0;
  let sequence = 0;
  const timers = new Map<number, { readonly at: number; readonly callback: () => void }>();

  const setTimer = (delay: number, callback: () => void): (() => void) => {
    const id = sequence++;
    timers.set(id, { at: now + Math.max(0, delay), callback });
    return () => timers.delete(id);
  };

  /** Fires what is due up to `end`, earliest first, equal instants in the order they were set. */
  async function fireUntil(end: number, moveTime: boolean): Promise<void> {
    for (;;) {
      await settle();
      let first: number | undefined;
      for (const [id, timer] of timers) if (timer.at <= end && (first === undefined || timer.at < timers.get(first)!.at)) first = id;
      if (first === undefined) return;
      const { at, callback } = timers.get(first)!;
      timers.delete(first);
      if (moveTime) now = Math.max(now, at);
      callback();
    }
  }

  return {
    now: () => ms(now),
    wallClock: () => epoch + now,
    setTimer,
    sleep: (delay) => new Promise((resolve) => setTimer(delay, resolve)),
    advance: async (delay) => {
      const end = now + delay;
      await fireUntil(end, true);
      now = end;
    },
    jump: async (delay) => {
      now += delay;
      await fireUntil(now, false);
    },
    pending: () => timers.size,
  };
}

/** Lets every promise that can settle do so. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
