/** One frame of the demo's live view, as lines of text. Pure: the view draws it, `--once` prints it. */
import type { ClusterStatus, RouteStatus, Status } from "../../engine/view.ts";
import type { TimelineEvent } from "../../observe/timeline.ts";
import { table } from "../table.ts";
import { type Cell, clock, cutLine, formatPercent, formatSince, type Paint, stateCell } from "../text.ts";
import type { RunningSite } from "./supervisor.ts";

export interface FrameInput {
  readonly sites: readonly RunningSite[];
  readonly status: Status;
  /** Oldest first. */
  readonly events: readonly TimelineEvent[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** `127.0.0.1:5300` and `http://127.0.0.1:8053`. */
  readonly dns: string;
  /** Where requests are passed on: address and port. */
  readonly proxy: string;
  readonly admin: string;
  /** A last line about what can be done; empty for none. */
  readonly hint: string;
}

const SHOWN_COUNTRIES = 8;
/** A terminal that is too low for so many failovers below the routes gets one line for each route, without countries. */
const WANTED_FAILOVERS = 3;

/**
 * @param width  columns; longer lines are cut
 * @param height rows; the list of failovers gets those that are left
 */
export function renderFrame(input: FrameInput, width: number, height: number, paint: Paint): readonly string[] {
  const { status, hint } = input;
  const head = [
    `${paint("bold", "GlobalRoute demo")}   DNS ${input.dns}   HTTP ${input.proxy}   admin ${input.admin}   table ${status.table.version}`,
    status.degraded.length === 0 ? "" : paint("yellow", `degraded: ${status.degraded.join(", ")}`),
    ...table(
      ["CLUSTER", "PLACE", "ADDRESS", "PID", "HEALTH", "LATENCY", "SINCE"],
      input.sites.map((site) => clusterRow(site, input)),
      paint,
    ),
    "",
  ];
  const whole = table(["ROUTE", "ORDER", "SERVED BY", "PEOPLE", "WHERE"], status.routes.flatMap(routeRows), paint);
  const foot = hint === "" ? [] : ["", paint("dim", hint)];
  const fits = head.length + whole.length + 2 + WANTED_FAILOVERS + foot.length <= height;
  const routes = fits ? whole : table(["ROUTE", "SERVED BY"], status.routes.map(shortRouteRow), paint);
  const room = Math.max(1, height - head.length - routes.length - 2 - foot.length);
  const lines = [...head, ...routes, "", paint("dim", "LAST FAILOVERS"), ...failoverLines(input.events, room, paint), ...foot];
  return lines.slice(0, height).map((line) => cutLine(line, width));
}

function clusterRow(site: RunningSite, { status, now }: FrameInput): readonly Cell[] {
  const cluster = status.clusters.find((one) => one.name === site.name);
  return [
    site.name,
    site.place,
    `${site.address}:${site.port}`,
    site.pid === undefined ? { text: "down", style: "red" } : String(site.pid),
    cluster === undefined ? { text: "not loaded", style: "yellow" } : healthCell(cluster),
    cluster?.latencyMs == null ? "" : `${cluster.latencyMs.toFixed(1)} ms`,
    formatSince(cluster?.since ?? null, now),
  ];
}

function healthCell(cluster: ClusterStatus): Cell {
  if (cluster.state !== "Active") return stateCell(cluster.state);
  return cluster.health === "Unhealthy" ? { text: `Unhealthy (${cluster.reason})`, style: "red" } : stateCell(cluster.health);
}

/** The route on the first line, and one line for each cluster that serves. */
function routeRows(route: RouteStatus): readonly (readonly Cell[])[] {
  const served = route.servedBy.length === 0 ? [undefined] : route.servedBy;
  return served.map((share, i) => [
    i === 0 ? (route.hosts[0] ?? route.name) : "",
    i === 0 ? `${route.order}${route.sticky ? ", sticky" : ""}` : "",
    share?.cluster ?? { text: "nobody", style: "red" },
    share === undefined ? "" : formatPercent(share.population).padStart(5),
    share?.countries.slice(0, SHOWN_COUNTRIES).join(" ") ?? "",
  ]);
}

const shortRouteRow = (route: RouteStatus): readonly Cell[] => [
  route.hosts[0] ?? route.name,
  route.servedBy.map((share) => `${share.cluster} ${formatPercent(share.population)}`).join(", ") || { text: "nobody", style: "red" },
];

/** Newest first. */
function failoverLines(events: readonly TimelineEvent[], room: number, paint: Paint): readonly string[] {
  const shown = events.filter((event) => event.kind === "Failover").slice(-room);
  if (shown.length === 0) return [paint("dim", "none yet")];
  return shown.toReversed().map((event) => `${paint("dim", clock(event.at))}  ${nameOf(event.object)}: ${event.message}`);
}

/** `GlobalRoute default/shop` is `shop` here: the demo has one namespace. */
const nameOf = (object: string): string => object.slice(object.lastIndexOf("/") + 1);
