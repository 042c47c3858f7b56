/** `globalroute status`: clusters, routes, who is served where, what is overridden and what is degraded. */
import type { Command } from "commander";
import { readinessSchema, statusSchema } from "../../admin/api-schemas.ts";
import type { BackendStatus, ClusterStatus, Readiness, RouteStatus, Status } from "../../engine/view.ts";
import { count } from "../../model/count.ts";
import { formatProblem } from "../../model/problem.ts";
import { createApiClient } from "../api-client.ts";
import type { Cli } from "../io.ts";
import { examples, type OutputFormat, outputOption, print, serverOption } from "../options.ts";
import { formatAge, formatPercent, formatSince, type Paint, paintFor, stateCell, table } from "../text.ts";

const SHOWN_PROBLEMS = 5;
const SHOWN_COUNTRIES = 6;

export function registerStatus(program: Command, { io, exit }: Cli): void {
  const command = program
    .command("status")
    .description("show clusters, routes, who is served where, and what is degraded; exit 1 when the server is not ready")
    .addOption(outputOption())
    .addOption(serverOption())
    .action(async (options: { output: OutputFormat; server?: string }) => {
      const api = createApiClient(io, options.server);
      const [status, readiness] = await Promise.all([api.get("/v1/status", statusSchema), api.get("/readyz", readinessSchema, [503])]);
      print(io, options.output, status, (value) => renderStatus(value, readiness, api.url, io.now(), paintFor(io.stdout, io.env)));
      if (!readiness.ready) exit(1);
    });
  examples(command, ["globalroute status", "globalroute status --output json | jq '.routes[].servedBy'"]);
}

/** @returns the lines of the table form */
export function renderStatus(status: Status, readiness: Readiness, url: string, now: number, paint: Paint): readonly string[] {
  const ready = readiness.ready ? paint("green", "ready") : paint("red", "not ready");
  return [
    `${paint("bold", url)}  ${ready}  table ${status.table.version}, ${formatAge(status.table.age)} old`,
    ...configLines(status, paint),
    ...(status.degraded.length === 0 ? [] : [`${paint("yellow", "degraded:")} ${status.degraded.join(", ")}`]),
    "",
    ...clusterLines(status.clusters, now, paint),
    ...(status.routes.length === 0 ? ["", "no routes: nothing but the records of zones is answered"] : []),
    ...status.routes.flatMap((route) => ["", ...routeLines(route, now, paint)]),
    ...overrideLines(status, paint),
  ];
}

function configLines({ config }: Status, paint: Paint): readonly string[] {
  const errors = config.problems.filter(({ severity }) => severity === "error").length;
  const warnings = config.problems.length - errors;
  if (config.problems.length === 0) return [`objects  ${config.path}`];
  const shown = config.problems.slice(0, SHOWN_PROBLEMS).map((problem) => `  ${formatProblem(problem)}`);
  const more = config.problems.length > SHOWN_PROBLEMS ? [`  … and ${count(config.problems.length - SHOWN_PROBLEMS, "more problem")}`] : [];
  const counts = `${count(errors, "error")}, ${count(warnings, "warning")}`;
  return [`objects  ${config.path}  ${paint(errors > 0 ? "red" : "yellow", counts)}`, ...shown, ...more];
}

function clusterLines(clusters: readonly ClusterStatus[], now: number, paint: Paint): readonly string[] {
  if (clusters.length === 0) return ["no clusters"];
  const header = ["CLUSTER", "STATE", "HEALTH", "ENDPOINTS", "PROBE", "SINCE", "LOCATION", "REASON"];
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
  return table(header, rows, paint);
}

function routeLines(route: RouteStatus, now: number, paint: Paint): readonly string[] {
  const hosts = route.hosts.length > 3 ? `${route.hosts.slice(0, 3).join(" ")} and ${route.hosts.length - 3} more` : route.hosts.join(" ");
  const kind = [route.order, ...(route.sticky ? ["sticky"] : [])].join(", ");
  const last = route.lastFailover;
  const moved = last === null ? [] : [`  last failover ${last.from} → ${last.to}, ${formatSince(last.at, now)}: ${last.reason}`];
  const header = ["  BACKEND", "CLUSTER", "STANDING", "WEIGHT", "SERVES", "COUNTRIES", "SINCE", "FAILBACK", "REASON"];
  const rows = route.backends.map((backend) => backendCells(route, backend, now));
  return [`${paint("bold", `${route.namespace}/${route.name}`)}  ${hosts}  (${kind})`, ...table(header, rows, paint), ...moved];
}

function backendCells(route: RouteStatus, backend: BackendStatus, now: number) {
  const served = route.servedBy.find((share) => share.cluster === backend.cluster);
  const countries = served?.countries ?? [];
  const more = countries.length > SHOWN_COUNTRIES ? ` +${countries.length - SHOWN_COUNTRIES}` : "";
  return [
    `  ${backend.name}`,
    backend.cluster,
    stateCell(backend.standing),
    String(backend.weight),
    served === undefined ? "nobody" : formatPercent(served.population),
    countries.slice(0, SHOWN_COUNTRIES).join(" ") + more,
    formatSince(backend.since, now),
    formatFailback(backend.failbackAt, now),
    shownReason(backend.reason),
  ];
}

/** That a probe succeeded is said by the health beside it. */
const shownReason = (reason: string): string => (reason === "ok" ? "" : reason);

/** `in 40 s`, `needs approval`, or nothing. */
function formatFailback(at: string | null, now: number): string {
  if (at === null) return "";
  return at === "approval" ? "needs approval" : `in ${formatAge((Date.parse(at) - now) / 1000)}`;
}

function overrideLines({ overrides }: Status, paint: Paint): readonly string[] {
  if (overrides.length === 0) return [];
  const rows = overrides.map(({ action, target, until, name, reason }) => [action, target, until ?? "", name, reason]);
  return ["", ...table(["OVERRIDE", "TARGET", "UNTIL", "NAME", "REASON"], rows, paint)];
}
