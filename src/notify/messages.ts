/** Notifications in the forms that others take. Pure. */
import type { Notification } from "./notification.ts";
import type { ReceiverType } from "./notify-file.ts";

/** A notification on its way, with what was not told because it repeats. */
export interface Told {
  /** The same for every try, so that a receiver can pass over what it has. */
  readonly id: string;
  readonly notification: Notification;
  /** Others like it since the last one that was told. */
  readonly more: number;
}

export interface Origin {
  /** Which installation says so: the vantage's name. */
  readonly instance: string;
  readonly version: string;
}

/** How long what lasts is believed without being told again; Alertmanager resolves it by itself then. */
export const ALERT_LASTS_MS = 240_000;
/** What lasts is told Alertmanager again after this. */
export const ALERT_AGAIN_MS = 60_000;
/** A moment is no state: it shows for this long. */
const MOMENT_SHOWS_MS = 300_000;

export const moreWords = (more: number): string => (more === 0 ? "" : ` (and ${more} more)`);

/** @param now milliseconds since the epoch; @returns the body of a request, JSON */
export function bodyFor(type: ReceiverType, told: Told, origin: Origin, now: number): string {
  switch (type) {
    case "Webhook":
      return webhookBody(told, origin);
    case "Slack":
      return slackBody(told, origin);
    case "Alertmanager":
      return alertBody(told, origin, now);
  }
}

const instant = (at: number): string => new Date(at).toISOString();

function webhookBody({ id, notification, more }: Told, { instance, version }: Origin): string {
  const { notice, phase, severity, object, route, message, startedAt, endedAt, details } = notification;
  const times = { startedAt: instant(startedAt), ...(endedAt === undefined ? {} : { endedAt: instant(endedAt) }) };
  const from = { name: "globalroute", instance, version };
  return JSON.stringify({
    id,
    from,
    notice,
    phase,
    severity,
    object,
    ...(route === undefined ? {} : { route }),
    message,
    ...times,
    more,
    details,
  });
}

const MARKS = { critical: "🔴", warning: "🟠", info: "🟢" } as const;
const HEADS = { Moment: "", Begun: "", Ended: "over: " } as const;

/** Text of others in Slack's markup, in which three characters begin something. */
const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function slackBody({ notification, more }: Told, { instance }: Origin): string {
  const { notice, phase, severity, object, message } = notification;
  const title = `${MARKS[severity]} ${HEADS[phase]}${notice}: ${object}`;
  const text = `${message}${moreWords(more)}`;
  return JSON.stringify({
    text: `${escaped(title)}: ${escaped(text)}`, // of a notification on a telephone, which shows no blocks
    blocks: [
      { type: "section", text: { type: "mrkdwn", text: `*${escaped(title)}*\n${escaped(text)}`.slice(0, 3000) } },
      { type: "context", elements: [{ type: "mrkdwn", text: `globalroute ${escaped(instance)}` }] },
    ],
  });
}

/** One alert of API v2. Its labels are its identity: nothing in them changes while it lasts. */
function alertBody({ notification, more }: Told, { instance }: Origin, now: number): string {
  const { key, notice, phase, object, route, message, startedAt, endedAt, details } = notification;
  const told = (["cluster", "backend", "family"] as const).flatMap((label) =>
    details[label] === undefined ? [] : [[label, String(details[label])]],
  );
  const moved = notice === "Failover" ? { from: String(details.from ?? ""), to: String(details.to ?? "") } : {};
  const ends = phase === "Moment" ? startedAt + MOMENT_SHOWS_MS : (endedAt ?? now + ALERT_LASTS_MS);
  return JSON.stringify([
    {
      labels: {
        alertname: `GlobalRoute${notice}`,
        severity: SEVERITIES[notice],
        instance,
        object,
        ...(route === undefined ? {} : { route }),
        ...Object.fromEntries(told),
        ...moved,
      },
      annotations: { summary: `${message}${moreWords(more)}`, key },
      startsAt: instant(startedAt),
      endsAt: instant(Math.max(ends, startedAt)),
    },
  ]);
}

const SEVERITIES = {
  Failover: "warning",
  FailOpen: "critical",
  WithdrawalHeld: "warning",
  DrillAborted: "warning",
  ConfigRejected: "warning",
  ProviderFailing: "warning",
  Degraded: "warning",
} as const satisfies Record<Notification["notice"], string>;
