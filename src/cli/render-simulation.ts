/** A simulation as lines for people. Pure. */
import { count } from "../model/count.ts";
import type { Amount, BeforeAfter, ClusterServing, Move, RouteSimulation, Simulation, Spread } from "../what-if/simulation.ts";
import { summarise } from "../what-if/summary.ts";
import { type Column, table } from "./table.ts";
import { type Cell, formatPercent, type Paint } from "./text.ts";
import { wrapText } from "./text-width.ts";

export interface SimulationView {
  /** Of the terminal, in characters. */
  readonly width: number;
  /** Percent that was asked for. */
  readonly maxChanged?: number;
}

/** Routes in full; of more, those that change most. */
const MOST_ROUTES = 10;
/** Rows of moves for a route. */
const MOST_MOVES = 8;

export function renderSimulation(it: Simulation, view: SimulationView, paint: Paint): readonly string[] {
  const isOne = it.routes.length === 1;
  const shown = it.routes.length <= MOST_ROUTES ? it.routes : [...it.routes].sort(byChange).slice(0, MOST_ROUTES);
  const left = it.routes.length - shown.length;
  return [
    `${paint("bold", titleOf(it))} ${paint("dim", `for ${clientsOf(it)}`)}`,
    "",
    ...shown.flatMap((route) => [...renderRoute(route, it, view, paint), ""]),
    ...(left === 0 ? [] : [paint("dim", `and ${count(left, "route")} that change less: see them with --route NAME or --output json`), ""]),
    ...(isOne ? [] : [...renderTotal(it, view, paint), ""]),
    ...it.notes.flatMap((note) =>
      wrapped(`note: ${note}`, view).map((line, i) => (i === 0 ? line.replace("note:", paint("yellow", "note:")) : `      ${line}`)),
    ),
    ...(it.notes.length > 0 ? [""] : []),
    ...verdict(it, view, paint),
  ];
}

const byChange = (a: RouteSimulation, b: RouteSimulation): number => b.changed.share - a.changed.share || (a.route < b.route ? -1 : 1);

/** What was asked, in a few words. */
export function titleOf({ scenario: { down, drain, changed, config } }: Simulation): string {
  const acts = [
    ...(down.length > 0 ? [`${down.join(" and ")} down`] : []),
    ...(drain.length > 0 ? [`${drain.join(" and ")} drained`] : []),
    ...(changed !== undefined ? [`${changed} instead of ${config}`] : []),
  ];
  return `${acts.join(", ")}${changed === undefined ? ` (${config})` : ""}`;
}

/** `1,000,012 clients of the world, 3.1 billion people` */
export function clientsOf({ clients: { count, weight, unit, source } }: Simulation): string {
  const who = source === "world" ? `${whole(count)} clients of the world` : `${whole(count)} clients of ${source}`;
  return `${who}, ${formatWeight(weight)} ${unit}`;
}

function renderRoute(route: RouteSimulation, it: Simulation, view: SimulationView, paint: Paint): readonly string[] {
  const presence = { Both: "", Added: "  (new)", Removed: "  (removed)" }[route.presence];
  const isCompared = it.scenario.changed !== undefined;
  return [
    `${paint("bold", route.route)}  ${paint("dim", hostsOf(route.hosts, view.width))}${presence}`,
    `  ${movedLine(route.moved, paint)}${isCompared ? `; ${percent(route.changed)} would get another answer` : ""}`,
    ...indent(clusterTable(route.clusters, view, paint)),
    ...indent(moveTable(isCompared ? route.changes : route.moves, isCompared ? route.changed : route.moved, view, paint)),
    `  ${paint("dim", "distance")}  ${spreadLine(route.distanceKm, "km")}`,
    `  ${paint("dim", "latency")}   ${spreadLine(route.latencyMs, "ms")}`,
    ...staleLine(route, view, paint),
    ...modeLines(route, paint),
    ...residencyLines(route, paint),
  ];
}

const hostsOf = (hosts: readonly string[], width: number): string => {
  const text = hosts.join(", ");
  return text.length > width / 2 ? `${hosts[0]} and ${hosts.length - 1} more` : text;
};

const movedLine = (moved: Amount, paint: Paint): string =>
  moved.weight === 0 ? paint("green", "nobody moves") : `${paint("bold", percent(moved))} of clients move`;

function clusterTable(clusters: readonly ClusterServing[], { width }: SimulationView, paint: Paint): readonly string[] {
  const right = (title: string): Column => ({ title, right: true });
  const header = [
    "CLUSTER",
    right("BEFORE"),
    right("AFTER"),
    right(""),
    right("LOAD"),
    right("CAPACITY"),
    right("USED"),
    { title: "AT", drop: 1 },
  ];
  const rows = [...clusters]
    .sort((a, b) => b.before.share - a.before.share || (a.cluster < b.cluster ? -1 : 1))
    .map(({ cluster, before, after, capacity }): readonly Cell[] => [
      cluster,
      formatPercent(before.share),
      formatPercent(after.share),
      changeCell(before.share, after.share),
      after.load === null ? "" : before.load === after.load ? whole(after.load) : `${whole(before.load ?? 0)} → ${whole(after.load)}`,
      capacity === null ? "" : `${whole(capacity)}/s`,
      usedCell(after.utilisation),
      after.time ?? "",
    ]);
  return table(header, rows, paint, width - 2);
}

const changeCell = (before: number, after: number): Cell => {
  const points = (after - before) * 100;
  if (Math.abs(points) < 0.05) return "";
  return { text: `${points > 0 ? "+" : "−"}${Math.abs(points).toFixed(1)}`, style: points > 0 ? "yellow" : "dim" };
};

const usedCell = (used: number | null): Cell =>
  used === null ? "" : { text: formatPercent(used), style: used > 1 ? "red" : used > 0.8 ? "yellow" : "green" };

function moveTable(moves: readonly Move[], all: Amount, { width }: SimulationView, paint: Paint): readonly string[] {
  if (moves.length === 0) return [];
  const rows = moves
    .slice(0, MOST_MOVES)
    .map((move): readonly Cell[] => [whereOf(move), `${clusterNames(move.from)} → ${clusterNames(move.to)}`, percent(move)]);
  const left = moves.slice(MOST_MOVES);
  const share = all.share - moves.slice(0, MOST_MOVES).reduce((sum, move) => sum + move.share, 0);
  const more: readonly Cell[][] = left.length === 0 ? [] : [[`and ${left.length} more`, "", formatPercent(share)]];
  const header = [
    { title: "CLIENTS IN", wrap: 12 },
    { title: "FROM → TO", wrap: 16 },
    { title: "OF ALL", right: true },
  ];
  return ["", ...table(header, [...rows, ...more], paint, width - 2), ""];
}

const regions = new Intl.DisplayNames("en", { type: "region" });

/** A country, or the rule networks of its clients. */
export const whereOf = ({ country, subnets }: Move): string =>
  `${countryName(country)}${subnets === undefined ? "" : ` in ${subnets.join(" and ")}`}`;

/** In English; `unknown place` for none. */
export const countryName = (country: string | null): string => (country === null ? "unknown place" : (regions.of(country) ?? country));

export const clusterNames = (clusters: readonly string[]): string => (clusters.length === 0 ? "nothing" : clusters.join(" + "));

const spreadLine = ({ before, after }: BeforeAfter<Spread>, unit: string): string =>
  (["mean", "p50", "p95"] as const).map((key) => `${key} ${whole(before[key])} → ${whole(after[key])} ${unit}`).join(",  ");

function staleLine({ stale: { ttl, curve } }: RouteSimulation, view: SimulationView, paint: Paint): readonly string[] {
  if (curve.length === 0) return [];
  const points = curve.map(({ seconds, share }) => `${seconds} s ${formatPercent(share)}`).join(", ");
  const [first = "", ...more] = wrapText(`${points} (still the old answer; TTL ${ttl} s)`, Math.max(20, view.width - 12));
  return [`  ${paint("dim", "stale")}     ${first}`, ...more.map((line) => `            ${line}`)];
}

function modeLines({ modes: { after } }: RouteSimulation, paint: Paint): readonly string[] {
  const words: Readonly<Record<string, string>> = {
    Pending: "by one whose failback is pending",
    FailOpenUnknown: "by fail-open, of unknown health",
    FailOpenUnhealthy: "by fail-open, of unhealthy backends",
    FailOpenDraining: "by fail-open, of draining backends",
    Held: "by a hold of the last answer",
    Nothing: "by nothing (SERVFAIL)",
    NotOffered: "by nothing (no such answer)",
  };
  return Object.entries(after).flatMap(([mode, one]) => {
    const word = words[mode];
    return word === undefined ? [] : [`  ${paint(mode === "Nothing" ? "red" : "yellow", "answered")}  ${percent(one)} ${word}`];
  });
}

function residencyLines({ residency: { before, after } }: RouteSimulation, paint: Paint): readonly string[] {
  const line = (when: string, { rule, cluster, country, share }: RouteSimulation["residency"]["after"][number]): string =>
    `  ${paint("red", "residency")} ${when}: rule ${rule} does not allow ${cluster} for ${formatPercent(share)} of clients, in ${countryName(country)}`;
  return [...before.map((one) => line("before", one)), ...after.map((one) => line("after", one))];
}

function renderTotal({ total, routes }: Simulation, view: SimulationView, paint: Paint): readonly string[] {
  return [
    `${paint("bold", `all ${routes.length} routes`)}`,
    `  ${movedLine(total.moved, paint)}; ${percent(total.changed)} would get another answer`,
    ...indent(clusterTable(total.clusters, view, paint)),
  ];
}

function verdict(it: Simulation, { maxChanged }: SimulationView, paint: Paint): readonly string[] {
  const { total, routes } = it;
  const summary = paint(it.total.violations.after.weight > 0 ? "red" : "green", summarise(it));
  const overloaded = total.overloaded.map(
    ({ route, cluster, utilisation }) =>
      `${paint("red", "Overloaded:")} ${cluster} at ${route}, ${formatPercent(utilisation)} of its capacity.`,
  );
  const most = [...routes].sort((a, b) => b.changed.share - a.changed.share)[0];
  const limit =
    maxChanged === undefined || most === undefined
      ? []
      : total.mostChanged * 100 > maxChanged
        ? [
            paint(
              "red",
              `Too much: ${percent(most.changed)} of clients of ${most.route} would get another answer, and --max-changed is ${maxChanged} %.`,
            ),
          ]
        : [
            paint(
              "green",
              `At most ${percent(most.changed)} of a route's clients would get another answer; --max-changed is ${maxChanged} %.`,
            ),
          ];
  return [...overloaded, summary, ...limit];
}

const percent = ({ share }: Amount): string => formatPercent(share);
const wrapped = (text: string, { width }: SimulationView): readonly string[] => wrapText(text, Math.max(20, width - 6));
const indent = (lines: readonly string[]): readonly string[] => lines.map((line) => (line === "" ? "" : `  ${line}`));
const whole = (value: number): string => Math.round(value).toLocaleString("en");

/** `3.1 billion`, `250`, `0.5` */
export const formatWeight = (value: number): string =>
  value >= 1e9
    ? `${(value / 1e9).toFixed(1)} billion`
    : value >= 1e6
      ? `${(value / 1e6).toFixed(1)} million`
      : value.toLocaleString("en", { maximumFractionDigits: 1 });
