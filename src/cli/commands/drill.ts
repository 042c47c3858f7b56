/** `globalroute drill`: rehearses the loss of a cluster, and measures how fast clients leave and come back. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { drillListSchema } from "../../admin/drill-schemas.ts";
import { formatDuration } from "../../model/duration.ts";
import { type Milliseconds, ms } from "../../model/units.ts";
import type { DrillReport } from "../../observe/drill-report.ts";
import { type Act, formatTarget, overrideName, parseTarget, requireReason } from "../act.ts";
import { createApiClient } from "../api-client.ts";
import { type DrillEffect, drillEffect } from "../drill-effect.ts";
import { followInHub } from "../drill-in-hub.ts";
import { drillVerdict } from "../drill-verdict.ts";
import { type Hub, type HubFlags, hubOptions, isForHub, withHub } from "../hub.ts";
import { applyAct, removeAct, requireHubTarget } from "../hub-acts.ts";
import { type Cli, CommandError, type ExitCode, type Io } from "../io.ts";
import { configOption, examples, type OutputFormat, outputOption, parsePath, parsePeriod, print, serverOption } from "../options.ts";
import { objectsFolder, removeOverride, requireTarget, writeOverride } from "../override-file.ts";
import { drillTable, renderDrill } from "../render-drill.ts";
import { beforeDrill, type DrillRun, reportOfDrill, requireEffect, writeReport } from "../run-drill.ts";

interface DrillOptions extends HubFlags {
  readonly for?: Milliseconds;
  readonly reason?: string;
  readonly in: Milliseconds;
  readonly at?: number;
  readonly wait: boolean;
  readonly within?: Milliseconds;
  readonly report?: string;
  readonly list?: boolean;
  readonly config?: string;
  readonly server?: string;
  readonly output: OutputFormat;
}

/** Namespace of an object in a file that names none. */
const FILE_NAMESPACE = "default";

export function registerDrill(program: Command, { io, exit }: Cli): void {
  const command = program
    .command("drill")
    .summary("rehearse the loss of a cluster, and measure it")
    .description(
      "send no clients to a cluster, route or backend for a while, as its loss would, and report how fast they left and came back; exit 1 when it did not run to its end or took longer than --within",
    )
    .argument("[target]", "CLUSTER, NAMESPACE/ROUTE or NAMESPACE/ROUTE/BACKEND")
    .option("--for <duration>", "how long, for example 5m; longer than answers are kept", parsePeriod)
    .option("--reason <text>", "why; shown in status, timeline and logs (default: drill by USER)")
    .option("--in <duration>", "begin after this long, so that all replicas begin together", parsePeriod, ms(5000))
    .addOption(new Option("--at <time>", "begin at this RFC 3339 time instead").argParser(parseInstant).conflicts("in"))
    .option("--no-wait", "only write it: the server runs, ends and reports it by itself")
    .option("--within <duration>", "exit 1 when any way from the act to an answer took longer", parsePeriod)
    .option("--report <file>", "write the report, as Markdown (.md) or JSON (.json)", parseReportPath)
    .option("--list", "show the drills that run and the last ones, and do nothing")
    .addOption(configOption("folder of objects (default: the running server's)"))
    .addOption(serverOption());
  hubOptions(command)
    .addOption(outputOption())
    .action(async (name: string | undefined, options: DrillOptions) => {
      if (options.list === true) return listDrills(options, io);
      const act = actOf(name, options, io);
      exit(
        isForHub(options) ? await withHub(options, io, (hub) => drillInHub(act, hub, options, io)) : await drillInFolder(act, options, io),
      );
    });
  examples(command, [
    "globalroute drill eu-west --for 5m",
    'globalroute drill eu-west --for 10m --reason "quarterly rehearsal" --within 90s --report drill.md',
    "globalroute drill default/shop/eu-west --for 5m --at 2026-11-21T18:00:00Z --no-wait",
    "globalroute drill --list",
  ]);
}

type DrillAct = Act & { readonly start: number; readonly until: number };

/** @throws CommandError (exit 2) */
function actOf(name: string | undefined, options: DrillOptions, io: Io): DrillAct {
  if (name === undefined || options.for === undefined)
    throw new CommandError(2, "a drill needs a target and --for, as in `globalroute drill eu-west --for 5m`. --list shows earlier ones.");
  const user = io.user();
  const start = options.at ?? io.now() + options.in;
  if (start < io.now()) throw new CommandError(2, `--at ${new Date(start).toISOString()} is over. Name a time to come.`);
  return {
    ...{ verb: "drill", action: "Drill", target: parseTarget(name), by: user },
    ...{ reason: requireReason(options.reason ?? `drill by ${user}`), start, until: start + options.for },
  };
}

async function listDrills({ server, output }: DrillOptions, io: Io): Promise<void> {
  const list = await createApiClient(io, server).get("/v1/drills", drillListSchema);
  print(io, output, list, ({ drills }, look) => drillTable(drills, look, io.now()));
}

async function drillInFolder(act: DrillAct, options: DrillOptions, io: Io): Promise<ExitCode> {
  const { target } = act;
  const api = createApiClient(io, options.server);
  const folder = await objectsFolder(io, options.config, options.server);
  const { readObjectsAt } = await import("../../engine/read-objects.ts");
  const { inventory } = await readObjectsAt([folder]);
  await requireTarget(inventory, target, io, options.server);
  const before = options.wait ? await beforeDrill(api, target) : undefined;
  if (before !== undefined && before.status.config.path !== folder)
    throw new CommandError(2, `the server ${api.url} reads ${before.status.config.path}, not ${folder}. Name its server with --server.`);
  const effect = drillEffect(inventory.routes, before?.status.routes ?? [], target);
  requireEffect(effect, target);
  const file = await writeOverride(folder, act);
  const key = `${target.kind === "GlobalRoute" ? target.namespace : FILE_NAMESPACE}/${overrideName(act)}`;
  tellBegin(act, effect, { file }, options, io);
  if (before === undefined) return 0;
  const run: DrillRun = { ...act, key, effect, remove: () => removeOverride(folder, "drill", target) };
  return conclude(await reportOfDrill(run, api, before.newest, io), options, io);
}

async function drillInHub(act: DrillAct, hub: Hub, options: DrillOptions, io: Io): Promise<ExitCode> {
  const { target } = act;
  const world = await requireHubTarget(hub, target);
  // The usual address is somebody else's server, unless it is named.
  const isNamed = (options.server ?? io.env.GLOBALROUTE_SERVER ?? "") !== "";
  const api = createApiClient(io, options.server);
  const before = options.wait && isNamed ? await beforeDrill(api, target) : undefined;
  const effect = drillEffect(world.routes, before?.status.routes ?? world.routes, target);
  requireEffect(effect, target);
  const object = await applyAct(hub, act, false);
  tellBegin(act, effect, { object }, options, io);
  if (!options.wait) return 0;
  const run: DrillRun = { ...act, key: object.replace(/^TrafficOverride /, ""), effect, remove: () => removeAct(hub, "drill", target) };
  if (before !== undefined) return conclude(await reportOfDrill(run, api, before.newest, io), options, io);
  const { ok, words } = await followInHub(hub, { ...run, patience: 0 }, io);
  await run.remove();
  const where = "Its report is at the controller's API: kubectl globalroute drill --list";
  print(io, options.output, { target: formatTarget(target), ok, message: words }, () => [words, where]);
  return ok ? 0 : 1;
}

/** What will happen, while it can still be taken back. With JSON only where nothing else is to come. */
function tellBegin(
  act: DrillAct,
  effect: DrillEffect,
  written: { file: string } | { object: string },
  options: DrillOptions,
  io: Io,
): void {
  const { target, reason } = act;
  const [start, until] = [act.start, act.until].map((at) => new Date(at).toISOString());
  const isShort = act.until - act.start <= effect.longestTtl * 1000;
  const told = { target: formatTarget(target), start, until, reason, effect: effect.lines, ...written };
  if (options.wait && options.output !== "table") return;
  print(io, options.output, told, (it) => [
    `Drill of ${it.target} at ${it.start} for ${formatDuration(ms(act.until - act.start))}: ${reason}`,
    ...effect.lines.map((line) => `  ${line}`),
    ...(isShort ? ["  Answers are kept longer than that, so it cannot show when all clients have left: try a longer --for."] : []),
    `Written: ${"file" in written ? written.file : written.object}`,
    options.wait ? "Ctrl-C takes it back at once." : "It ends by itself; `globalroute drill --list` tells how.",
  ]);
}

async function conclude(report: DrillReport, options: DrillOptions, io: Io): Promise<ExitCode> {
  const { ok, words } = drillVerdict(report, options.within);
  print(io, options.output, report, (it, { paint }) => [
    ...["", ...renderDrill(it, paint)],
    ...(words === undefined ? [] : ["", paint(ok ? "green" : "red", words)]),
  ]);
  if (options.report !== undefined) {
    await writeReport(options.report, report, io);
    io.stderr.write(`globalroute: ${options.report} is written.\n`);
  }
  return ok ? 0 : 1;
}

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

function parseInstant(text: string): number {
  const at = Date.parse(text);
  if (!RFC3339.test(text) || Number.isNaN(at)) throw new InvalidArgumentError("Write an RFC 3339 time such as 2026-11-21T18:00:00Z.");
  return at;
}

function parseReportPath(text: string): string {
  if (!/\.(md|json)$/.test(text)) throw new InvalidArgumentError("Name a file that ends with .md or .json.");
  return parsePath(text);
}
