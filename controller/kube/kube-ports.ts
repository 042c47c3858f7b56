/** Time and chance, as this room is given them. */
export interface KubePorts {
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** [0, 1) */
  readonly random: () => number;
  /** Calls back once; returns what cancels it. */
  readonly setTimer: (delay: number, callback: () => void) => () => void;
}
