/** A drill that runs, as one line. Pure. */
import { count } from "../model/count.ts";
import type { DrillMove, DrillReport } from "../observe/drill-report.ts";
import { formatAge } from "./text.ts";

export interface DrillView {
  /** As far as it was seen; absent before it began. */
  readonly report?: DrillReport | undefined;
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly until: number;
  readonly now: number;
  /** Somebody has taken it back. */
  readonly isTakenBack: boolean;
}

/** `restores in 4:12; 3 routes withdrawn, seen at self` */
export function drillLine({ report, start, until, now, isTakenBack }: DrillView): string {
  const leave = isTakenBack ? " (Ctrl-C again leaves)" : "";
  if (report === undefined) {
    if (isTakenBack) return `taken back before it began${leave}`;
    return now < start ? `begins in ${formatAge((start - now + 999) / 1000)}` : "waits for the server to begin";
  }
  const parts = (["withdrawn", "restored"] as const).flatMap((phase) => {
    const moves = report.routes.flatMap((route) => route[phase] ?? []);
    return moves.length === 0 ? [] : [`${count(moves.length, "route")} ${phase}${seenAt(moves)}`];
  });
  const held = report.routes.filter((route) => route.held !== undefined).length;
  const facts = [
    ...(parts.length === 0 ? ["nothing withdrawn yet"] : parts.slice(-1)),
    ...(held === 0 ? [] : [`${count(held, "route")} left alone`]),
    ...(report.abort === undefined ? [] : [`given up: ${report.abort.reason}`]),
  ];
  const next =
    report.ended !== undefined
      ? "over, waits for who has not seen it yet"
      : isTakenBack
        ? "waits for the server to end it"
        : `restores in ${minutes(until - now)}`;
  return `${next}${leave}; ${facts.join(", ")}`; // what a narrow terminal cuts off is what the report tells again
}

function seenAt(moves: readonly DrillMove[]): string {
  const vias = [...new Set(moves.flatMap(({ seen }) => seen.map(({ via }) => via)))];
  return vias.length === 0 ? "" : `, seen at ${vias.join(", ")}`;
}

/** `4:12` */
function minutes(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
