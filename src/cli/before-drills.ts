/** Rings shortly before drills begin and end: whoever has an answer in its cache then shows how long a cache keeps it. */
import type { Override } from "../model/inventory.ts";

export interface BeforeDrillsOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly setTimer: (milliseconds: number, callback: () => void) => () => void;
  /** A drill is about to begin, or to end by its time; once for each. */
  readonly onNear: (drill: Override) => void;
}

export interface BeforeDrills {
  /** Today's overrides: what is not among them any more is not rung for. */
  overrides(overrides: readonly Override[]): void;
  close(): void;
}

/** ms: enough to ask everybody, and little of a TTL. */
const AHEAD = 2000;
/** ms: a timer takes no more than 24 days, and the wall clock may be set meanwhile. */
const LONGEST_TIMER = 3_600_000;

export function createBeforeDrills({ now, setTimer, onNear }: BeforeDrillsOptions): BeforeDrills {
  /** What cancels it, also when it has rung: overrides are told again and again. */
  const rings = new Map<string, () => void>();

  function ring(key: string, drill: Override, at: number): void {
    const wait = at - AHEAD - now();
    const cancel = setTimer(Math.min(Math.max(0, wait), LONGEST_TIMER), () => {
      if (wait > LONGEST_TIMER) ring(key, drill, at);
      else onNear(drill);
    });
    rings.set(key, cancel);
  }

  return {
    overrides(overrides) {
      const wanted = new Map(
        overrides
          .filter(({ action, aborted }) => action === "Drill" && aborted === undefined)
          .flatMap((drill) =>
            [drill.start, drill.until].flatMap((at) =>
              at === undefined ? [] : [[JSON.stringify([drill.namespace, drill.name, drill.target, at]), { drill, at }] as const],
            ),
          ),
      );
      for (const [key, cancel] of rings) {
        if (wanted.has(key)) continue;
        cancel();
        rings.delete(key);
      }
      for (const [key, { drill, at }] of wanted) if (!rings.has(key) && at > now()) ring(key, drill, at);
    },
    close() {
      for (const cancel of rings.values()) cancel();
      rings.clear();
    },
  };
}
