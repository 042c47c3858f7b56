/** Notifications of one running server, with the real network and clock. */
import { randomUUID } from "node:crypto";
import type { systemPorts } from "../../health/ports.ts";
import type { EngineView } from "../engine/view.ts";
import { ms } from "../model/units.ts";
import { createCourier } from "../notify/delivery.ts";
import { createNotifier } from "../notify/notifier.ts";
import type { Log } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { OpenNotifications } from "./open-notifications.ts";
import { createToldOnce } from "./told-once.ts";
import { version } from "./version.ts";

export interface Notifications {
  /** @see Notifier.tells */
  readonly tells: (does: boolean) => void;
  readonly close: () => Promise<void>;
}

export function startNotifications(
  { windowMs, receivers }: OpenNotifications,
  instance: string,
  view: EngineView,
  { ports, wallClock, metrics, log }: { ports: ReturnType<typeof systemPorts>; wallClock: () => number; metrics: Metrics; log: Log },
): Notifications {
  const targets = new Map(receivers.map(({ settings, target }) => [settings.name, target]));
  const courier = createCourier({ instance, version: version() }, wallClock);
  const told = createToldOnce(ports.now);
  const notifier = createNotifier({
    windowMs,
    receivers: receivers.map(({ settings }) => settings),
    timeline: view.timeline,
    degraded: () => view.readiness().degraded,
    deliver: async (name, message) => {
      const target = targets.get(name);
      return target === undefined ? { outcome: "refused", reason: "unknown" } : courier.deliver(target, message);
    },
    count: metrics.notification,
    onTrouble(receiver, reason, isFinal) {
      const what = isFinal ? "a notification is given up" : "a notification could not be delivered; trying again";
      if (told.isNew(receiver, `${reason} ${isFinal}`)) log.warn({ receiver, reason }, what);
    },
    wallClock,
    now: ports.now,
    random: ports.random,
    setTimer: (delay, callback) => ports.setTimer(ms(delay), callback),
    newId: randomUUID,
  });
  return {
    tells: notifier.tells,
    async close() {
      notifier.close();
      await courier.close();
    },
  };
}
