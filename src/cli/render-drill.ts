/** A drill's report as Markdown that is read on a terminal as well. Pure. */
import { count } from "../model/count.ts";
import { printable } from "../model/printable.ts";
import { type DrillMove, type DrillOutcome, type DrillReport, type DrillRoute, unseenVias, worstTotal } from "../observe/drill-report.ts";
import { type Column, table } from "./table.ts";
import { type Cell, formatAge, formatSince, type Look, type Paint, type Style } from "./text.ts";
import { textWidth, wrapText } from "./text-width.ts";

/** Rows of routes, and of those left alone; `--output json` has more. */
const MOST_ROUTES = 20;
/** A page that is read anywhere. */
const WIDTH = 80;

export const OUTCOME_WORDS: Readonly<Record<DrillOutcome, string>> = {
  Running: "running",
  Completed: "completed",
  Aborted: "given up at a second failure",
  EndedEarly: "ended before its time",
  Held: "nothing could be withdrawn",
  Interrupted: "interrupted: the server was away meanwhile",
};

export const outcomeStyle = (outcome: DrillOutcome): Style =>
  outcome === "Completed" ? "green" : outcome === "Aborted" || outcome === "Held" ? "red" : "yellow";

/** Drills in short, newest first. */
export function drillTable(drills: readonly DrillReport[], { paint, width }: Look, now: number): readonly string[] {
  if (drills.length === 0) return ["no drill is remembered: `globalroute drill CLUSTER --for 5m` makes one"];
  const rows = drills.map((report): readonly Cell[] => {
    const worst = worstTotal(report);
    return [
      report.target.replace(/^\w+ /, ""),
      formatSince(report.began, now),
      { text: report.outcome, style: outcomeStyle(report.outcome) },
      String(report.routes.filter(({ out }) => out).length + report.routesLeftOut),
      worst === undefined ? "" : inWords(worst),
      report.reason,
    ];
  });
  const right = (title: string): Column => ({ title, right: true });
  return table(
    ["TARGET", "BEGAN", "OUTCOME", right("ROUTES"), right("SLOWEST"), { title: "REASON", wrap: 16, drop: 1 }],
    rows,
    paint,
    width,
  );
}

/** @param paint colours the headline; none for a file */
export function renderDrill(report: DrillReport, paint: Paint): readonly string[] {
  const { name, target, reason, outcome } = report;
  const outcomeWords = paint(outcomeStyle(outcome), OUTCOME_WORDS[outcome]);
  return [
    `${paint("bold", `# Drill of ${printable(target)}:`)} ${outcomeWords}`,
    "",
    ...paragraph(`TrafficOverride ${name}: ${reason}`),
    ...paragraph(timesOf(report)),
    ...abortLines(report),
    "",
    ...paragraph(movesOf(report)),
    ...legTable(report),
    ...routeTable(report),
    ...heldLines(report),
    ...unseenLines(report),
    ...blindLines(report),
  ];
}

/** `2026-11-21 12:00:00 UTC` */
const dayAndTime = (instant: string): string => `${instant.slice(0, 10)} ${timeOf(instant)}`;
const timeOf = (instant: string): string => `${instant.slice(11, 19)} UTC`;

function timesOf({ began, until, ended, interrupted }: DrillReport): string {
  const end =
    ended === undefined
      ? `to end at ${timeOf(until)}`
      : `ended ${timeOf(ended)}, after ${formatAge((Date.parse(ended) - Date.parse(began)) / 1000)}`;
  const gap = interrupted === undefined ? "" : ` The server came back at ${timeOf(interrupted)}; what happened before that is not whole.`;
  return `Began ${dayAndTime(began)}, ${end}.${gap}`;
}

function abortLines({ abort }: DrillReport): readonly string[] {
  if (abort === undefined) return [];
  return paragraph(`Given up at ${timeOf(abort.at)}: ${abort.reason}.`);
}

/** Who went where, in a sentence or two. */
function movesOf(report: DrillReport): string {
  const { routes, routesLeftOut } = report;
  const moved = routes.flatMap(({ withdrawn }) => withdrawn ?? []);
  const idle = routes.filter(({ out, withdrawn }) => out && withdrawn === undefined).length;
  const held = routes.filter((route) => route.held !== undefined).length;
  const to = [...new Set(moved.map((move) => move.to))];
  const [was, were] = report.ended === undefined ? ["is", "are"] : ["was", "were"];
  const sentences = [
    ...(moved.length === 0
      ? [`Clients of no route ${were} sent elsewhere.`]
      : [`Clients of ${count(moved.length + routesLeftOut, "route")} ${report.ended === undefined ? "go" : "went"} to ${listOf(to)}.`]),
    ...(idle === 0 ? [] : [`At ${count(idle, "route")} nobody was answered with it.`]),
    ...(held === 0 ? [] : [`${count(held, "route")} ${held === 1 ? was : were} left alone.`]),
  ];
  return sentences.join(" ");
}

function legTable({ legs }: DrillReport): readonly string[] {
  if (legs.length === 0) return [];
  const rows = legs.map(({ phase, leg, via, routes, median, worst }) => [
    ...[phase, leg, via, String(routes), inWords(median), inWords(worst)],
  ]);
  return ["", ...markdownTable(["phase", "leg", "at", "routes", "median", "worst"], rows, 3)];
}

function routeTable({ routes, routesLeftOut }: DrillReport): readonly string[] {
  const moved = routes.filter(({ withdrawn }) => withdrawn !== undefined);
  if (moved.length === 0) return [];
  const rows = moved
    .slice(0, MOST_ROUTES)
    .map(({ route, withdrawn, restored }: DrillRoute) => [
      ...[route, withdrawn === undefined ? "" : `${withdrawn.from} → ${withdrawn.to}`, slowest(withdrawn), slowest(restored)],
    ]);
  const left = moved.length + routesLeftOut - rows.length;
  return [
    ...["", "## Routes", ""],
    ...markdownTable(["route", "clients", "gone after", "back after"], rows, 2),
    ...(left === 0 ? [] : ["", `and ${count(left, "more route")}`]),
  ];
}

/** Until the last of those who were looked at had it. */
function slowest(move: DrillMove | undefined): string {
  const totals = move?.seen.map(({ totalSeconds }) => totalSeconds) ?? [];
  const unseen = move === undefined || move.unseen.length === 0 ? "" : totals.length === 0 ? "not seen" : ", not by all";
  return `${totals.length === 0 ? "" : inWords(Math.max(...totals))}${unseen}`;
}

function heldLines({ routes }: DrillReport): readonly string[] {
  const held = routes.filter((route) => route.held !== undefined);
  if (held.length === 0) return [];
  const left = held.length - MOST_ROUTES;
  return [
    ...["", "## Left alone", ""],
    ...held.slice(0, MOST_ROUTES).flatMap((route) => item(`${route.route}: ${route.held?.join("; ")}`)),
    ...(left > 0 ? item(`and ${count(left, "more route")}`) : []),
  ];
}

function unseenLines(report: DrillReport): readonly string[] {
  const vias = [...new Set([...unseenVias(report, "withdrawn"), ...unseenVias(report, "restored")])];
  if (vias.length === 0) return [];
  const lines = vias.flatMap((via) => {
    const of = (phase: "withdrawn" | "restored"): number => report.routes.filter((route) => route[phase]?.unseen.includes(via)).length;
    const [gone, back] = [of("withdrawn"), of("restored")];
    const facts = [
      ...(gone === 0 ? [] : [`went on answering with it, or did not answer (${count(gone, "route")})`]),
      ...(back === 0 ? [] : [`was not seen to answer with it again (${count(back, "route")})`]),
    ];
    return item(`${via} ${facts.join(", ")}`);
  });
  return ["", "## Not seen", "", ...lines];
}

/** Without a resolver the figures tell of servers, and not of what clients are answered. */
function blindLines({ routes, legs }: DrillReport): readonly string[] {
  const vias = [...legs.map(({ via }) => via), ...routes.flatMap(({ withdrawn }) => withdrawn?.unseen ?? [])];
  if (!routes.some(({ withdrawn }) => withdrawn !== undefined) || vias.some((via) => via.startsWith("resolver "))) return [];
  const text =
    "No resolver was watched, so how long clients' resolvers keep old answers was not measured: give the server --watch-resolver.";
  return ["", ...paragraph(text)];
}

/** `12 ms`, `20.1 s` */
export const inWords = (seconds: number): string => (seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`);

/** `a`, `a and b`, `a, b and 3 more` */
function listOf(names: readonly string[]): string {
  if (names.length > 6) return `${names.slice(0, 5).join(", ")} and ${names.length - 5} more`;
  return names.length === 1 ? names[0]! : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

const paragraph = (text: string): readonly string[] => wrapText(printable(text), WIDTH);
const item = (text: string): readonly string[] => wrapText(printable(text), WIDTH - 2).map((line, i) => `${i === 0 ? "-" : " "} ${line}`);

/** @param right columns from this one on are numbers, which stand at the right */
function markdownTable(header: readonly string[], rows: readonly (readonly string[])[], right: number): readonly string[] {
  const safe = rows.map((row) => row.map((cell) => printable(cell).replaceAll("|", "\\|")));
  const widths = header.map((title, i) => Math.max(3, ...[title, ...safe.map((row) => row[i] ?? "")].map(textWidth)));
  const line = (cells: readonly string[]): string => `| ${widths.map((width, i) => pad(cells[i] ?? "", width, i >= right)).join(" | ")} |`;
  const rule = widths.map((width, i) => (i >= right ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  return [line(header), line(rule), ...safe.map(line)];
}

function pad(text: string, width: number, atRight: boolean): string {
  const blanks = " ".repeat(Math.max(0, width - textWidth(text)));
  return atRight ? blanks + text : text + blanks;
}
