/** A process whose wall clock is wrong. */
import { preload } from "./preload.ts";

/** Environment of a Node process whose `Date` is this many milliseconds ahead, or behind; its monotonic clock and timers are right. */
export const skewedClock = (milliseconds: number): Readonly<Record<string, string>> =>
  preload(`const Real = Date;
globalThis.Date = class Date extends Real {
  constructor(...args) { if (args.length === 0) super(Real.now() + ${milliseconds}); else super(...args); }
  static now() { return Real.now() + ${milliseconds}; }
};`);
