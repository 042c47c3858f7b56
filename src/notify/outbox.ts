/** What waits to be sent to one receiver: in order, bounded, tried again with growing pauses. Nothing waits for it. */
import type { Told } from "./messages.ts";

/** What became of one try. */
export type Delivery =
  | { readonly outcome: "sent" }
  /** @see Retry-After of RFC 9110 §10.2.3, ms, if the receiver named it */
  | { readonly outcome: "later"; readonly reason: string; readonly after?: number }
  | { readonly outcome: "refused"; readonly reason: string };

export type NotifyResult = "sent" | "retried" | "failed" | "dropped" | "suppressed";

export interface OutboxPorts {
  /** Monotonic, ms. */
  readonly now: () => number;
  /** [0, 1) */
  readonly random: () => number;
  readonly setTimer: (delay: number, callback: () => void) => () => void;
  readonly deliver: (told: Told) => Promise<Delivery>;
  readonly count: (result: NotifyResult) => void;
  /** The receiver failed; `isFinal` = the notification is given up. */
  readonly onTrouble: (reason: string, isFinal: boolean) => void;
}

/** Of one receiver; the oldest goes when there are more. */
export const MOST_WAITING = 200;
/** What could not be delivered for so long is old news, ms. */
export const GIVE_UP_MS = 3_600_000;
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 60_000;
/** A receiver may ask for patience, but not for ever. */
const LONGEST_ASKED = 600_000;

export interface Outbox {
  readonly add: (told: Told) => void;
  readonly waiting: () => number;
  /** What still waits is forgotten. */
  readonly close: () => void;
}

export function createOutbox({ now, random, setTimer, deliver, count, onTrouble }: OutboxPorts): Outbox {
  const queue: { readonly told: Told; readonly since: number; tries: number }[] = [];
  let isBusy = false;
  let isClosed = false;
  let cancel = (): void => {};

  const next = (): void => {
    const [first] = queue;
    if (first === undefined || isBusy || isClosed) return;
    isBusy = true;
    deliver(first.told)
      .catch((error: unknown): Delivery => ({ outcome: "later", reason: error instanceof Error ? error.name : "unknown" }))
      .then((delivery) => {
        if (isClosed) return;
        settle(first, delivery);
      });
  };

  function settle(entry: (typeof queue)[number], delivery: Delivery): void {
    isBusy = false;
    const isLate = delivery.outcome === "later" && now() - entry.since < GIVE_UP_MS;
    if (isLate) {
      if (!queue.includes(entry)) {
        next(); // it was dropped meanwhile
        return;
      }
      count("retried");
      onTrouble(delivery.reason, false);
      const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** entry.tries++);
      // With jitter: many that failed at once do not come back at once.
      const delay = Math.max(Math.min(delivery.after ?? 0, LONGEST_ASKED), pause * (0.5 + random() / 2));
      isBusy = true;
      cancel = setTimer(delay, () => {
        isBusy = false;
        next();
      });
      return;
    }
    const at = queue.indexOf(entry);
    if (at >= 0) queue.splice(at, 1);
    if (delivery.outcome === "sent") count("sent");
    else {
      count("failed");
      onTrouble(delivery.reason, true);
    }
    next();
  }

  return {
    add(told) {
      if (isClosed) return;
      if (queue.length >= MOST_WAITING) {
        queue.shift();
        count("dropped");
      }
      queue.push({ told, since: now(), tries: 0 });
      next();
    },
    waiting: () => queue.length,
    close() {
      isClosed = true;
      cancel();
      queue.length = 0;
    },
  };
}
