/** Tells what is new at once, and of what repeats within a window only how often, and how it ended. */
import type { Notification } from "./notification.ts";

export interface CondensePorts {
  /** @returns calls it off */
  readonly setTimer: (delay: number, callback: () => void) => () => void;
}

export interface Condenser {
  readonly take: (notification: Notification) => void;
  /** What is counted, but not told yet, is forgotten. */
  readonly close: () => void;
}

interface Window {
  /** Phases that have been told since it opened. */
  readonly phases: Set<Notification["phase"]>;
  latest: Notification;
  suppressed: number;
  readonly cancel: () => void;
}

/** Keys that are remembered; what comes beyond is told without being condensed. */
const MOST_KEYS = 10_000;

/**
 * @param windowMs how long repetitions of one key are counted
 * @param tell     `more` = how many others like it there were and were not told
 * @param onSuppressed called for each that is counted instead of told
 */
export function createCondenser(
  windowMs: number,
  { setTimer }: CondensePorts,
  tell: (notification: Notification, more: number) => void,
  onSuppressed: () => void,
): Condenser {
  const windows = new Map<string, Window>();

  const open = (notification: Notification): void => {
    if (windows.size >= MOST_KEYS) return;
    const { key, phase } = notification;
    const cancel = setTimer(windowMs, () => closeWindow(key));
    windows.set(key, { phases: new Set([phase]), latest: notification, suppressed: 0, cancel });
  };
  const closeWindow = (key: string): void => {
    const window = windows.get(key);
    windows.delete(key);
    if (window === undefined || window.suppressed === 0) return;
    tell(window.latest, window.suppressed - 1);
    open(window.latest); // it goes on repeating, as a rule
  };

  return {
    take(notification) {
      const window = windows.get(notification.key);
      if (window === undefined) {
        open(notification);
        return tell(notification, 0);
      }
      window.latest = notification;
      // Begin and end are told the first time each, so that nothing that is over is believed for the rest of the window.
      if (!window.phases.has(notification.phase)) {
        window.phases.add(notification.phase);
        return tell(notification, 0);
      }
      window.suppressed++;
      onSuppressed();
    },
    close() {
      for (const { cancel } of windows.values()) cancel();
      windows.clear();
    },
  };
}
