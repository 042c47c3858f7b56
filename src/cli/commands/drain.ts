/** `globalroute drain` and `undrain`: take a cluster, a route or one backend out of the answers, with a reason and an end, and undo it. */
import type { Command } from "commander";
import type { ObjectsRead } from "../../engine/read-objects.ts";
import type { Milliseconds } from "../../model/units.ts";
import { type Act, formatTarget, parseTarget, requireReason, sameTarget, type Target } from "../act.ts";
import { type HubFlags, hubOptions, isForHub, withHub } from "../hub.ts";
import { applyAct, drainsOf, removeAct, requireHubTarget, undoCommand } from "../hub-acts.ts";
import { type Cli, CommandError, type Io } from "../io.ts";
import { configOption, examples, type OutputFormat, outputOption, parsePeriod, print, serverOption } from "../options.ts";
import { missingTarget, objectsFolder, removeOverride, requireTarget, writeOverride } from "../override-file.ts";
import { clustersOf, NO_BACKEND_THERE, type TouchableRoute, touchedRoutes } from "../touched-routes.ts";

const TARGET = "<target>";
const TARGET_HELP = "CLUSTER, NAMESPACE/ROUTE or NAMESPACE/ROUTE/BACKEND";

interface DrainOptions extends HubFlags {
  readonly reason: string;
  readonly for: Milliseconds;
  readonly config?: string;
  readonly server?: string;
  readonly dryRun?: boolean;
  readonly output: OutputFormat;
}

interface Drained {
  readonly effect: readonly string[];
  /** The file or the object. */
  readonly written: { readonly file: string } | { readonly object: string };
  readonly undo: string;
}

export function registerDrain(program: Command, { io }: Cli): void {
  const drain = program
    .command("drain")
    .summary("send no clients to a cluster, route or backend for a while")
    .description("send no clients there for a while: writes a TrafficOverride into the folder of objects, or into a Kubernetes cluster")
    .argument(TARGET, TARGET_HELP)
    .requiredOption("--reason <text>", "why; shown in status, timeline and logs")
    .requiredOption("--for <duration>", "how long, for example 30m or 2h; ends by itself then", parsePeriod)
    .addOption(configOption("folder of objects (default: the running server's)"))
    .addOption(serverOption());
  hubOptions(drain)
    .option("--dry-run", "with Kubernetes: have the API server check it, and change nothing")
    .addOption(outputOption())
    .action(async (name: string, options: DrainOptions) => {
      const target = parseTarget(name);
      const reason = requireReason(options.reason);
      const until = io.now() + options.for;
      const act: Act = { verb: "drain", action: "Drain", target, reason, until, by: io.user() };
      const done = isForHub(options) ? await drainInHub(act, options, io) : await drainInFolder(act, options, io);
      const { effect, written, undo } = done;
      const drained = { target: formatTarget(target), until: new Date(until).toISOString(), reason, effect, ...written, undo };
      print(io, options.output, drained, (it) => [
        `Draining ${it.target} until ${it.until}: ${it.reason}`,
        ...it.effect.map((line) => `  ${line}`),
        options.dryRun === true ? "Checked; nothing was written." : `Written: ${"file" in written ? written.file : written.object}`,
        `Undo: ${it.undo}`,
      ]);
    });
  examples(drain, [
    'globalroute drain eu-west --reason "kernel upgrade" --for 2h',
    'globalroute drain default/shop/eu-west --reason "bad release 1.42" --for 30m',
    'globalroute drain eu-west --reason "kernel upgrade" --for 2h --context hub',
  ]);

  const undrain = program
    .command("undrain")
    .summary("undo a drain")
    .description("undo a drain; exit 1 when nothing drains the target")
    .argument(TARGET, TARGET_HELP)
    .addOption(configOption("folder of objects (default: the running server's)"))
    .addOption(serverOption());
  hubOptions(undrain)
    .addOption(outputOption())
    .action(async (name: string, options: UndrainOptions) => {
      const target = parseTarget(name);
      const { removed, others, where, absent } = isForHub(options)
        ? await undrainInHub(target, options, io)
        : await undrainInFolder(target, options, io);
      const undrained = { target: formatTarget(target), removed, drainedBy: others };
      if (removed || options.output !== "table")
        print(io, options.output, undrained, (it) => [`${it.target} is no longer drained by \`globalroute drain\`.`]);
      if (others.length > 0) {
        const remain = removed ? "it is still drained" : "it was not drained by `globalroute drain`";
        throw new CommandError(1, `${formatTarget(target)}: ${remain}, but by ${others.join(", ")}. Remove that object there.`);
      }
      if (!removed) {
        const fact = `nothing in ${where} drains ${formatTarget(target)}`;
        throw new CommandError(1, `${fact}${absent === undefined ? "." : `: ${absent}`} \`globalroute status\` lists the overrides.`);
      }
    });
  examples(undrain, ["globalroute undrain eu-west", "globalroute undrain default/shop/eu-west --config /etc/globalroute"]);
}

interface UndrainOptions extends HubFlags {
  readonly config?: string;
  readonly server?: string;
  readonly output: OutputFormat;
}

interface Undrained {
  readonly removed: boolean;
  /** Other drains of the target. */
  readonly others: readonly string[];
  readonly where: string;
  /** Why the target cannot be meant. */
  readonly absent?: string | undefined;
}

async function drainInFolder(act: Act, options: DrainOptions, io: Io): Promise<Drained> {
  if (options.dryRun === true)
    throw new CommandError(2, "--dry-run asks an API server. Name one with --kubeconfig, --context or --namespace.");
  const folder = await objectsFolder(io, options.config, options.server);
  const { readObjectsAt } = await import("../../engine/read-objects.ts");
  const { inventory } = await readObjectsAt([folder]);
  await requireTarget(inventory, act.target, io, options.server);
  const file = await writeOverride(folder, act);
  const undo = `globalroute undrain ${formatTarget(act.target)}${options.config === undefined ? "" : ` --config ${options.config}`}`;
  return { effect: drainEffect(inventory, act.target), written: { file }, undo };
}

const drainInHub = (act: Act, options: DrainOptions, io: Io): Promise<Drained> =>
  withHub(options, io, async (hub) => {
    const world = await requireHubTarget(hub, act.target);
    const object = await applyAct(hub, act, options.dryRun === true);
    return { effect: drainEffect(world, act.target), written: { object }, undo: undoCommand(act.target, options) };
  });

async function undrainInFolder(target: Target, options: UndrainOptions, io: Io): Promise<Undrained> {
  const folder = await objectsFolder(io, options.config, options.server);
  const removed = await removeOverride(folder, "drain", target);
  const { readObjectsAt } = await import("../../engine/read-objects.ts");
  const read = await readObjectsAt([folder]);
  return { removed, others: otherDrains(read, target), where: folder, absent: missingTarget(read.inventory, target) };
}

const undrainInHub = (target: Target, options: UndrainOptions, io: Io): Promise<Undrained> =>
  withHub(options, io, async (hub) => {
    const removed = await removeAct(hub, "drain", target);
    return { removed, others: await drainsOf(hub, target), where: hub.api.server };
  });

/** Where drains of the target are written by hand: `file:line`. */
function otherDrains({ objects, inventory }: ObjectsRead, target: Target): readonly string[] {
  const drains = inventory.overrides.filter((override) => override.action === "Drain" && sameTarget(override.target, target));
  return drains.flatMap((drain) => {
    const object = objects.find(
      ({ kind, namespace, name }) => kind === "TrafficOverride" && namespace === drain.namespace && name === drain.name,
    );
    const place = object?.locate([]);
    return place === undefined ? [] : [`${place.file}:${place.line}`];
  });
}

interface DrainedRoute extends TouchableRoute {
  /** Seconds. */
  readonly ttl: { readonly max: number };
}

/** What the drain means for each route: who takes over, or that nobody can. */
export function drainEffect(inventory: { readonly routes: readonly DrainedRoute[] }, target: Target): readonly string[] {
  const touched = touchedRoutes(inventory.routes, target);
  if (touched.length === 0) return [NO_BACKEND_THERE];
  return touched.map(({ route, key, left }) =>
    left.length === 0
      ? `${key}: nothing else is left, so its clients are still answered with it (fail-open)`
      : `${key}: its clients go to ${clustersOf(left)}; answers already given are kept for up to ${route.ttl.max} s`,
  );
}
