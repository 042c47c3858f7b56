/** What somebody is told: made from events of the timeline and from reasons of degradation that begin and end. Pure. */
import type { TimelineEvent } from "../observe/timeline.ts";
import type { Notice, ReceiverSettings } from "./notify-file.ts";

/** `Moment` is over as it is told; what is `Begun` lasts until it is `Ended`. */
export type Phase = "Moment" | "Begun" | "Ended";
export type Severity = "critical" | "warning" | "info";

export interface Notification {
  /** What belongs together: the notice and its object. */
  readonly key: string;
  readonly notice: Notice;
  readonly phase: Phase;
  readonly severity: Severity;
  /** `GlobalRoute default/shop`, or a reason of degradation. */
  readonly object: string;
  /** `namespace/name`, if it is about one route. */
  readonly route?: string;
  /** One sentence. */
  readonly message: string;
  /** Milliseconds since the epoch: when it happened or began. */
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly details: TimelineEvent["details"];
}

/** Reasons that a notice of its own tells of, by the timeline. */
const TOLD_OTHERWISE: Readonly<Record<string, Notice>> = {
  "fail-open": "FailOpen",
  "withdrawal-held": "WithdrawalHeld",
  "config-rejected": "ConfigRejected",
};
/** What the timeline has just told may stand among the reasons a moment later, ms. */
const GRACE = 5000;
const ROUTE = /^GlobalRoute (\S+)$/;

export interface Narrator {
  readonly event: (event: TimelineEvent) => readonly Notification[];
  /** @param reasons all that hold now */
  readonly degraded: (reasons: readonly string[], now: number) => readonly Notification[];
  /** What has begun and not ended, as it was told. */
  readonly lasting: () => readonly Notification[];
}

/** Remembers what lasts, so that its end says when it began, and what ends without having begun is not told. */
export function createNarrator(): Narrator {
  const lasting = new Map<string, Notification>();

  const begin = (notification: Notification): readonly Notification[] => {
    if (lasting.has(notification.key)) return [];
    lasting.set(notification.key, notification);
    return [notification];
  };
  const end = (key: string, at: number, message: string): readonly Notification[] => {
    const begun = lasting.get(key);
    if (begun === undefined) return [];
    lasting.delete(key);
    return [{ ...begun, phase: "Ended", severity: "info", endedAt: at, message }];
  };

  const event = ({ kind, object, message, at, details }: TimelineEvent): readonly Notification[] => {
    const route = ROUTE.exec(object)?.[1];
    const about = { object, message, startedAt: at, details, ...(route === undefined ? {} : { route }) };
    const backend = typeof details.backend === "string" ? ` ${details.backend} ${details.family ?? ""}` : "";
    switch (kind) {
      case "Failover":
        return [
          {
            ...about,
            key: `Failover ${object}`,
            notice: "Failover",
            phase: "Moment",
            severity: details.reason === "failback" ? "info" : "warning",
          },
        ];
      case "FailOpen":
        return begin({ ...about, key: `FailOpen ${object}`, notice: "FailOpen", phase: "Begun", severity: "critical" });
      case "FailOpenEnded":
        return end(`FailOpen ${object}`, at, message);
      case "WithdrawalHeld":
        return begin({
          ...about,
          key: `WithdrawalHeld ${object}${backend}`,
          notice: "WithdrawalHeld",
          phase: "Begun",
          severity: "warning",
        });
      case "WithdrawalReleased":
      case "BackendWithdrawn":
      case "BackendReturned":
      case "FailbackPending":
        return end(`WithdrawalHeld ${object}${backend}`, at, message);
      case "DrillAborted":
        return [{ ...about, key: `DrillAborted ${object}`, notice: "DrillAborted", phase: "Moment", severity: "warning" }];
      case "ConfigRejected":
        return begin({ ...about, key: "ConfigRejected", notice: "ConfigRejected", phase: "Begun", severity: "warning" });
      case "ConfigApplied":
        return end("ConfigRejected", at, message);
      default:
        return [];
    }
  };

  return {
    event,
    degraded(reasons, now) {
      const told = reasons.filter((reason) => TOLD_OTHERWISE[reason] === undefined);
      const begun = told.flatMap((reason) => {
        const notice = reason === "provider-failing" ? ("ProviderFailing" as const) : ("Degraded" as const);
        const message =
          notice === "ProviderFailing"
            ? "A zone that is kept elsewhere cannot be brought up to date; what is there goes on."
            : `GlobalRoute is degraded: ${reason}. What was serving goes on.`;
        return begin({
          key: `Degraded ${reason}`,
          notice,
          phase: "Begun",
          severity: "warning",
          object: reason,
          message,
          startedAt: now,
          details: { reason },
        });
      });
      const ended = [...lasting.values()]
        .filter(({ key, object }) => key === `Degraded ${object}` && !told.includes(object))
        .flatMap(({ key, object }) => end(key, now, `GlobalRoute is no longer degraded: ${object}.`));
      // A route that goes away with its objects ends nothing in the timeline.
      const gone = Object.entries(TOLD_OTHERWISE)
        .filter(([reason]) => !reasons.includes(reason))
        .flatMap(([, notice]) => [...lasting.values()].filter((one) => one.notice === notice && now - one.startedAt >= GRACE))
        .flatMap(({ key, notice, object }) => end(key, now, `${notice} of ${object} holds no longer.`));
      return [...begun, ...ended, ...gone];
    },
    lasting: () => [...lasting.values()],
  };
}

/** What is about no route passes every choice of routes: it concerns them all. */
export function isWanted({ notice, route }: Notification, { events, routes }: Pick<ReceiverSettings, "events" | "routes">): boolean {
  if (!events.includes(notice)) return false;
  if (route === undefined || routes === undefined) return true;
  return routes.some((wanted) => wanted === route || (wanted.endsWith("/*") && route.startsWith(wanted.slice(0, -1))));
}
