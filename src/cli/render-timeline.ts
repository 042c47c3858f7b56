/** Events of the timeline as lines for people. Pure. */
import type { EventKind, TimelineEvent } from "../observe/timeline.ts";
import { table } from "./table.ts";
import { type Cell, clock, formatAge, hanging, type Look, type Style } from "./text.ts";
import { textWidth } from "./text-width.ts";

/** What somebody asked for; what is not given lets all through. */
export interface Wanted {
  /** Milliseconds since the epoch. */
  readonly from?: number;
  readonly kinds?: readonly EventKind[];
  readonly object?: string;
}

export const isShown = ({ at, kind, object }: TimelineEvent, { from, kinds, object: only }: Wanted): boolean =>
  (from === undefined || at >= from) && (kinds === undefined || kinds.includes(kind)) && (only === undefined || object === only);

/** Red is out, green is back, yellow is what somebody should look at. */
const STYLES: Partial<Record<EventKind, Style>> = {
  EndpointUnhealthy: "red",
  BackendWithdrawn: "red",
  FailOpen: "red",
  ConfigRejected: "red",
  GeoRejected: "red",
  ProxyRejected: "red",
  ProxyRecovered: "green",
  EndpointHealthy: "green",
  BackendReturned: "green",
  FailOpenEnded: "green",
  VantageTrusted: "green",
  WithdrawalReleased: "green",
  Failover: "yellow",
  FailbackPending: "yellow",
  WithdrawalHeld: "yellow",
  ConfigHeld: "yellow",
  VantageSuspect: "yellow",
  OverrideBegan: "yellow",
  DrillHeld: "yellow",
  DrillAborted: "red",
};

/** @param now milliseconds since the epoch */
export function eventLines(events: readonly TimelineEvent[], now: number, { paint, width }: Look): readonly string[] {
  if (events.length === 0) return ["nothing happened that was asked for"];
  const rows = events.map((event): readonly Cell[] => [
    instant(event.at, now),
    `${formatAge((now - event.at) / 1000)} ago`,
    { text: event.kind, style: STYLES[event.kind] },
    event.object,
    event.message,
  ]);
  const header = ["TIME", { title: "AGO", drop: 1 }, "KIND", { title: "OBJECT", wrap: 16, drop: 2 }, { title: "WHAT", wrap: 32 }];
  return table(header, rows, paint, width);
}

/** One event behind others: its columns stand still whatever comes next. */
export function followLines({ at, kind, object, message }: TimelineEvent, now: number, look: Look): readonly string[] {
  const style = STYLES[kind];
  const name = kind.padEnd(KIND_WIDTH);
  const head = `${instant(at, now)}  ${name}  `;
  const lines = hanging(" ".repeat(textWidth(head)), `${object}: ${message}`, look);
  const painted = `${look.paint("dim", instant(at, now))}  ${style === undefined ? name : look.paint(style, name)}  `;
  return lines.map((line, i) => (i === 0 ? painted + line.slice(head.length) : line));
}

const KIND_WIDTH = 18;

/** Time of day, local; with its date when that is another one. */
function instant(at: number, now: number): string {
  const [then, today] = [new Date(at), new Date(now)];
  if (then.toDateString() === today.toDateString()) return clock(at);
  const two = (part: number): string => String(part).padStart(2, "0");
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())} ${clock(at)}`;
}
