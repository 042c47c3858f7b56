/** Moving through the moments that the server keeps. */
import type { FrameMark, TimelineEvent } from "./types.ts";

/** Position of the frame that was current at an instant: the last one not younger, else the first. */
export function frameAt(frames: readonly FrameMark[], at: number): number {
  let position = 0;
  frames.forEach((frame, i) => {
    if (frame.at <= at) position = i;
  });
  return position;
}

/** The frame in which an event shows: the first that was drawn at or after it, since drawing follows deciding. */
export function frameOfEvent(frames: readonly FrameMark[], at: number): number {
  const position = frames.findIndex((frame) => frame.at >= at);
  return position < 0 ? Math.max(0, frames.length - 1) : position;
}

/** Kinds that move clients, or say why they do not. */
const MOVES: readonly string[] = [
  "Failover",
  "FailOpen",
  "FailOpenEnded",
  "OverrideBegan",
  "OverrideEnded",
  "WithdrawalHeld",
  "WithdrawalReleased",
  "DrillHeld",
  "DrillAborted",
];

export const isMove = ({ kind }: Pick<TimelineEvent, "kind">): boolean => MOVES.includes(kind);

export interface Story {
  readonly key: number;
  /** Of its first event. */
  readonly at: number;
  /** One sentence. */
  readonly head: string;
  readonly events: readonly TimelineEvent[];
}

/** What follows within this belongs to it, milliseconds. */
const SAME_STORY = 5000;

/**
 * One line for what several routes did at once: a cluster that fails moves all of them, each to where its next one is.
 *
 * @param events oldest first
 * @returns newest first
 */
export function storyOf(events: readonly TimelineEvent[]): readonly Story[] {
  const groups: TimelineEvent[][] = [];
  const open = new Map<string, TimelineEvent[]>();
  for (const event of events.filter(isMove)) {
    const cause = causeOf(event);
    const group = open.get(cause);
    const last = group?.at(-1);
    if (group !== undefined && last !== undefined && event.at - last.at < SAME_STORY) {
      group.push(event);
    } else {
      const fresh = [event];
      groups.push(fresh);
      open.set(cause, fresh);
    }
  }
  return groups.reverse().map((group) => {
    const [first] = group;
    return { key: first?.id ?? 0, at: first?.at ?? 0, head: headOf(group), events: group };
  });
}

const causeOf = ({ kind, details, message, id }: TimelineEvent): string =>
  kind === "Failover" ? `${isReturn(details) ? `to ${details.to}` : `from ${details.from}`}: ${details.reason}` : `${id} ${message}`;

/** Clients come back from several clusters to one. */
const isReturn = ({ reason }: TimelineEvent["details"]): boolean =>
  reason === "failback" || (typeof reason === "string" && reason.startsWith("no longer"));

function headOf(events: readonly TimelineEvent[]): string {
  const [first] = events;
  if (first === undefined || first.kind !== "Failover") return first?.message ?? "";
  const names = (key: "from" | "to"): string => [...new Set(events.map(({ details }) => String(details[key])))].sort().join(", ");
  return `${names("from")} → ${names("to")}: ${first.details.reason}`;
}
