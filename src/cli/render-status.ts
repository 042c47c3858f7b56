/** A server's status as lines for people. Pure. */
import type { BackendStatus, ClusterStatus, FleetStatus, Readiness, RouteStatus, Status } from "../engine/view.ts";
import { count } from "../model/count.ts";
import { formatProblem } from "../model/problem.ts";
import { type Column, table } from "./table.ts";
import { type Cell, formatAge, formatPercent, formatSince, hanging, type Look, stateCell } from "./text.ts";

const SHOWN_PROBLEMS = 5;
const SHOWN_COUNTRIES = 6;
/** With more routes than these each has one line. */
const WHOLE_ROUTES = 5;

export interface StatusView {
  readonly status: Status;
  readonly readiness: Readiness;
  readonly url: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** @returns the lines of the table form */
export function renderStatus({ status, readiness, url, now }: StatusView, look: Look): readonly string[] {
  return [
    headLine({ status, readiness, url }, look),
    ...configLines(status, look),
    ...degradedLines(status, look),
    "",
    ...clusterLines(status.clusters, now, look),
    ...(status.routes.length === 0 ? ["", "no routes: nothing but the records of zones is answered"] : []),
    ...(status.routes.length > WHOLE_ROUTES
      ? ["", ...shortRouteLines(status, now, look)]
      : status.routes.flatMap((route) => ["", ...routeLines(route, now, look)])),
    ...fleetLines(status.fleets ?? [], look),
    ...overrideLines(status, look),
  ];
}

/** One route, with the clusters that it has backends in. */
export function renderRouteStatus(view: StatusView, route: RouteStatus, look: Look): readonly string[] {
  const { status, now } = view;
  const clusters = status.clusters.filter(({ name }) => route.backends.some(({ cluster }) => cluster === name));
  const name = `${route.namespace}/${route.name}`;
  const overrides = status.overrides.filter(
    ({ target }) => clusters.some((one) => target === one.name || target.endsWith(` ${one.name}`)) || target.includes(name),
  );
  return [
    headLine(view, look),
    ...degradedLines(status, look),
    "",
    ...routeLines(route, now, look),
    ...hanging("  hosts  ", route.hosts.join(" "), look, { head: "dim" }),
    "",
    ...clusterLines(clusters, now, look),
    ...overrideLines({ overrides }, look),
  ];
}

function headLine({ status, readiness, url }: Omit<StatusView, "now">, { paint }: Look): string {
  const ready = readiness.ready ? paint("green", "ready") : paint("red", "not ready");
  return `${paint("bold", url)}  ${ready}  table ${status.table.version}, ${formatAge(status.table.age)} old`;
}

const degradedLines = ({ degraded }: Status, look: Look): readonly string[] =>
  degraded.length === 0 ? [] : hanging("degraded: ", degraded.join(", "), look, { head: "yellow" });

function configLines({ config }: Status, look: Look): readonly string[] {
  const { paint } = look;
  const errors = config.problems.filter(({ severity }) => severity === "error").length;
  const warnings = config.problems.length - errors;
  if (config.problems.length === 0) return [`objects  ${config.path}`];
  const shown = config.problems.slice(0, SHOWN_PROBLEMS).flatMap((problem) => hanging("  ", formatProblem(problem), look));
  const more = config.problems.length > SHOWN_PROBLEMS ? [`  … and ${count(config.problems.length - SHOWN_PROBLEMS, "more problem")}`] : [];
  const counts = `${count(errors, "error")}, ${count(warnings, "warning")}`;
  return [`objects  ${config.path}  ${paint(errors > 0 ? "red" : "yellow", counts)}`, ...shown, ...more];
}

const CLUSTER_COLUMNS: readonly (string | Column)[] = [
  "CLUSTER",
  "STATE",
  "HEALTH",
  { title: "ENDPOINTS", drop: 3 },
  { title: "PROBE", drop: 2 },
  "SINCE",
  { title: "LOCATION", drop: 1, wrap: 14 },
  { title: "REASON", wrap: 16 },
];

function clusterLines(clusters: readonly ClusterStatus[], now: number, { paint, width }: Look): readonly string[] {
  if (clusters.length === 0) return ["no clusters"];
  const rows = clusters.map((cluster) => [
    cluster.name,
    stateCell(cluster.state),
    stateCell(cluster.health),
    `${cluster.endpoints.healthy}/${cluster.endpoints.total}`,
    cluster.latencyMs === null ? "" : `${cluster.latencyMs.toFixed(1)} ms`,
    formatSince(cluster.since, now),
    cluster.location.label,
    shownReason(cluster.reason),
  ]);
  return table(CLUSTER_COLUMNS, rows, paint, width);
}

const BACKEND_COLUMNS: readonly (string | Column)[] = [
  "  BACKEND",
  { title: "CLUSTER", drop: 3 },
  "STANDING",
  { title: "WEIGHT", drop: 2 },
  "SERVES",
  { title: "COUNTRIES", drop: 4, list: SHOWN_COUNTRIES, wrap: 9 },
  { title: "SINCE", drop: 1 },
  { title: "FAILBACK", wrap: 8 },
  { title: "REASON", wrap: 14 },
];

function routeLines(route: RouteStatus, now: number, look: Look): readonly string[] {
  const { paint, width } = look;
  const hosts = route.hosts.length > 3 ? `${route.hosts.slice(0, 3).join(" ")} and ${route.hosts.length - 3} more` : route.hosts.join(" ");
  const kind = [route.order, ...(route.sticky ? ["sticky"] : [])].join(", ");
  const last = route.lastFailover;
  const moved =
    last === null ? [] : hanging("  last failover ", `${last.from} → ${last.to}, ${formatSince(last.at, now)}: ${last.reason}`, look);
  const rows = route.backends.map((backend) => backendCells(route, backend, now));
  return [
    ...hanging(`${route.namespace}/${route.name}  `, `${hosts}  (${kind})`, look, { head: "bold" }),
    ...table(BACKEND_COLUMNS, rows, paint, width),
    ...moved,
  ];
}

function backendCells(route: RouteStatus, backend: BackendStatus, now: number): readonly Cell[] {
  const served = route.servedBy.find((share) => share.cluster === backend.cluster);
  const countries = served?.countries ?? [];
  return [
    `  ${backend.name}`,
    backend.cluster,
    stateCell(backend.standing),
    String(backend.weight),
    served === undefined ? "nobody" : formatPercent(served.population),
    countries.join(" "),
    formatSince(backend.since, now),
    formatFailback(backend.failbackAt, now),
    shownReason(backend.reason),
  ];
}

const SHORT_COLUMNS: readonly (string | Column)[] = [
  { title: "ROUTE", wrap: 16 },
  { title: "HOST", drop: 2, wrap: 20 },
  "BACKENDS",
  { title: "SERVED BY", wrap: 20 },
  { title: "LAST FAILOVER", drop: 1, wrap: 20 },
];

function shortRouteLines({ routes }: Status, now: number, { paint, width }: Look): readonly string[] {
  const rows = routes.map((route): readonly Cell[] => {
    const usable = route.backends.filter(({ standing }) => standing === "Usable").length;
    const [host = "", ...more] = route.hosts;
    const last = route.lastFailover;
    return [
      `${route.namespace}/${route.name}`,
      more.length === 0 ? host : `${host} +${more.length}`,
      {
        text: `${usable}/${route.backends.length} usable`,
        style: usable === route.backends.length ? "green" : usable === 0 ? "red" : "yellow",
      },
      route.servedBy.length === 0
        ? { text: "nobody", style: "red" }
        : route.servedBy.map(({ cluster, population }) => `${cluster} ${formatPercent(population)}`).join(", "),
      last === null ? "" : `${last.from} → ${last.to}, ${formatSince(last.at, now)}`,
    ];
  });
  return [...table(SHORT_COLUMNS, rows, paint, width), "", paint("dim", "one route in full: globalroute status NAMESPACE/ROUTE or HOST")];
}

/** That a probe succeeded is said by the health beside it. */
const shownReason = (reason: string): string => (reason === "ok" ? "" : reason);

/** `in 40 s`, `needs approval`, or nothing. */
function formatFailback(at: string | null, now: number): string {
  if (at === null) return "";
  return at === "approval" ? "needs approval" : `in ${formatAge((Date.parse(at) - now) / 1000)}`;
}

const FLEET_COLUMNS: readonly (string | Column)[] = ["FLEET", "TYPE", "PROXIES", "CURRENT", "REJECTED"];

/** Each fleet in a line, and below them what does not follow. */
function fleetLines(fleets: readonly FleetStatus[], look: Look): readonly string[] {
  if (fleets.length === 0) return [];
  const rows = fleets.map(({ name, type, proxies: { connected, current, rejected } }): readonly Cell[] => [
    name,
    type,
    { text: String(connected), style: connected === 0 ? "yellow" : "green" },
    { text: String(current), style: current < connected ? "yellow" : "green" },
    { text: String(rejected), style: rejected > 0 ? "red" : "green" },
  ]);
  const behind = fleets.flatMap(({ name, members, problems }) => [
    ...problems.map((problem) => `${name}: ${problem}`),
    ...members.flatMap((one) =>
      one.state === "Current"
        ? []
        : [`${name}/${one.name} at ${one.place}: ${one.state}${one.problem === undefined ? "" : `, ${one.problem}`}`],
    ),
  ]);
  const shown = behind.slice(0, SHOWN_PROBLEMS).flatMap((line) => hanging("  ", line, look));
  const more = behind.length > SHOWN_PROBLEMS ? [`  … and ${behind.length - SHOWN_PROBLEMS} more`] : [];
  return ["", ...table(FLEET_COLUMNS, rows, look.paint, look.width), ...shown, ...more];
}

const OVERRIDE_COLUMNS: readonly (string | Column)[] = [
  "OVERRIDE",
  { title: "TARGET", wrap: 16 },
  { title: "UNTIL", wrap: 20 },
  { title: "NAME", drop: 1, wrap: 16 },
  { title: "REASON", wrap: 16 },
];

function overrideLines({ overrides }: Pick<Status, "overrides">, { paint, width }: Look): readonly string[] {
  if (overrides.length === 0) return [];
  const rows = overrides.map(({ action, target, until, name, reason }) => [action, target, until ?? "", name, reason]);
  return ["", ...table(OVERRIDE_COLUMNS, rows, paint, width)];
}
