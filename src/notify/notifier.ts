/** Follows the timeline and what is degraded, and tells every receiver what it wants to know. Nothing that serves ever waits for it. */
import type { Timeline } from "../observe/timeline.ts";
import { createCondenser } from "./condense.ts";
import { ALERT_AGAIN_MS, type Told } from "./messages.ts";
import { createNarrator, isWanted, type Notification } from "./notification.ts";
import type { ReceiverSettings } from "./notify-file.ts";
import { createOutbox, type Delivery, type NotifyResult } from "./outbox.ts";

export interface NotifierOptions {
  readonly windowMs: number;
  readonly receivers: readonly Pick<ReceiverSettings, "name" | "type" | "events" | "routes">[];
  readonly timeline: Pick<Timeline, "subscribe">;
  /** Reasons, as `/readyz` has them. */
  readonly degraded: () => readonly string[];
  readonly deliver: (receiver: string, told: Told) => Promise<Delivery>;
  readonly count: (receiver: string, result: NotifyResult) => void;
  readonly onTrouble: (receiver: string, reason: string, isFinal: boolean) => void;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly random: () => number;
  readonly setTimer: (delay: number, callback: () => void) => () => void;
  /** Unlike any other: names one notification. */
  readonly newId: () => string;
}

export interface Notifier {
  /** Whether this process tells. Of several replicas one does; the others follow what lasts, and are silent. */
  readonly tells: (does: boolean) => void;
  /** What still waits is forgotten. */
  readonly close: () => void;
}

const LOOK_EVERY = 5000;

export function createNotifier(options: NotifierOptions): Notifier {
  const { setTimer, wallClock } = options;
  const narrator = createNarrator();
  let does = false;
  const channels = options.receivers.map((receiver) => {
    const count = (result: NotifyResult): void => options.count(receiver.name, result);
    const outbox = createOutbox({
      ...{ now: options.now, random: options.random, setTimer, count },
      deliver: (told) => options.deliver(receiver.name, told),
      onTrouble: (reason, isFinal) => options.onTrouble(receiver.name, reason, isFinal),
    });
    const send = (notification: Notification, more: number): void => outbox.add({ id: options.newId(), notification, more });
    const condenser = createCondenser(options.windowMs, { setTimer }, send, () => count("suppressed"));
    // Alertmanager groups by itself, and is to know each state.
    const take = receiver.type === "Alertmanager" ? (notification: Notification) => send(notification, 0) : condenser.take;
    return { receiver, outbox, condenser, send, take };
  });

  const tell = (notifications: readonly Notification[]): void => {
    if (!does) return;
    for (const notification of notifications)
      for (const { receiver, take } of channels) if (isWanted(notification, receiver)) take(notification);
  };
  const remind = (): void => {
    if (!does) return;
    for (const { receiver, outbox, send } of channels) {
      if (receiver.type !== "Alertmanager" || outbox.waiting() > 0) continue;
      for (const notification of narrator.lasting()) if (isWanted(notification, receiver)) send(notification, 0);
    }
  };

  const forget = options.timeline.subscribe((event) => tell(narrator.event(event)));
  let cancelLook = (): void => {};
  const look = (): void => {
    tell(narrator.degraded(options.degraded(), wallClock()));
    cancelLook = setTimer(LOOK_EVERY, look);
  };
  cancelLook = setTimer(LOOK_EVERY, look);
  let cancelRemind = (): void => {};
  const remindAgain = (): void => {
    remind();
    cancelRemind = setTimer(ALERT_AGAIN_MS, remindAgain);
  };
  cancelRemind = setTimer(ALERT_AGAIN_MS, remindAgain);

  return {
    tells(next) {
      const begins = next && !does;
      does = next;
      if (begins) remind(); // what lasts has been told by whoever told before; Alertmanager needs to go on hearing it
    },
    close() {
      forget();
      cancelLook();
      cancelRemind();
      for (const { outbox, condenser } of channels) {
        condenser.close();
        outbox.close();
      }
    },
  };
}
