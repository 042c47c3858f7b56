/** `globalroute drain` and `undrain`: take a cluster, a route or one backend out of the answers, with a reason and an end, and undo it. */
import type { Command } from "commander";
import type { ObjectsRead } from "../../engine/read-objects.ts";
import { count } from "../../model/count.ts";
import type { Backend, Inventory, Route } from "../../model/inventory.ts";
import type { Milliseconds } from "../../model/units.ts";
import { type Cli, CommandError } from "../io.ts";
import { examples, type OutputFormat, outputOption, parsePath, parsePeriod, print, serverOption } from "../options.ts";
import {
  formatTarget,
  missingTarget,
  objectsFolder,
  parseTarget,
  removeOverride,
  requireReason,
  requireTarget,
  sameTarget,
  type Target,
  writeOverride,
} from "../override-file.ts";

const TARGET = "<target>";
const TARGET_HELP = "CLUSTER, NAMESPACE/ROUTE or NAMESPACE/ROUTE/BACKEND";

interface DrainOptions {
  readonly reason: string;
  readonly for: Milliseconds;
  readonly config?: string;
  readonly server?: string;
  readonly output: OutputFormat;
}

export function registerDrain(program: Command, { io }: Cli): void {
  const drain = program
    .command("drain")
    .description("send no clients there for a while: writes a TrafficOverride into the folder of objects")
    .argument(TARGET, TARGET_HELP)
    .requiredOption("--reason <text>", "why; shown in status, timeline and logs")
    .requiredOption("--for <duration>", "how long, for example 30m or 2h; ends by itself then", parsePeriod)
    .option("--config <dir>", "folder of objects (default: the running server's)", parsePath)
    .addOption(serverOption())
    .addOption(outputOption())
    .action(async (name: string, options: DrainOptions) => {
      const target = parseTarget(name);
      const reason = requireReason(options.reason);
      const folder = await objectsFolder(io, options.config, options.server);
      const { readObjectsAt } = await import("../../engine/read-objects.ts");
      const { inventory } = await readObjectsAt([folder]);
      await requireTarget(inventory, target, io, options.server);
      const until = io.now() + options.for;
      const file = await writeOverride(folder, { verb: "drain", action: "Drain", target, reason, until, by: io.user() });
      const undo = `globalroute undrain ${formatTarget(target)}${options.config === undefined ? "" : ` --config ${options.config}`}`;
      const drained = {
        target: formatTarget(target),
        until: new Date(until).toISOString(),
        reason,
        effect: drainEffect(inventory, target),
        file,
        undo,
      };
      print(io, options.output, drained, (it) => [
        `Draining ${it.target} until ${it.until}: ${it.reason}`,
        ...it.effect.map((line) => `  ${line}`),
        `Written: ${it.file}`,
        `Undo: ${it.undo}`,
      ]);
    });
  examples(drain, [
    'globalroute drain eu-west --reason "kernel upgrade" --for 2h',
    'globalroute drain default/shop/eu-west --reason "bad release 1.42" --for 30m',
  ]);

  const undrain = program
    .command("undrain")
    .description("undo a drain; exit 1 when nothing drains the target")
    .argument(TARGET, TARGET_HELP)
    .option("--config <dir>", "folder of objects (default: the running server's)", parsePath)
    .addOption(serverOption())
    .addOption(outputOption())
    .action(async (name: string, options: { config?: string; server?: string; output: OutputFormat }) => {
      const target = parseTarget(name);
      const folder = await objectsFolder(io, options.config, options.server);
      const removed = await removeOverride(folder, "drain", target);
      const { readObjectsAt } = await import("../../engine/read-objects.ts");
      const read = await readObjectsAt([folder]);
      const others = otherDrains(read, target);
      const undrained = { target: formatTarget(target), removed, drainedBy: others };
      if (removed || options.output !== "table")
        print(io, options.output, undrained, (it) => [`${it.target} is no longer drained by \`globalroute drain\`.`]);
      if (others.length > 0) {
        const remain = removed ? "it is still drained" : "it was not drained by `globalroute drain`";
        throw new CommandError(1, `${formatTarget(target)}: ${remain}, but by ${others.join(", ")}. Remove that object there.`);
      }
      if (!removed) {
        const absent = missingTarget(read.inventory, target);
        const fact = `nothing in ${folder} drains ${formatTarget(target)}`;
        throw new CommandError(1, `${fact}${absent === undefined ? "." : `: ${absent}`} \`globalroute status\` lists the overrides.`);
      }
    });
  examples(undrain, ["globalroute undrain eu-west", "globalroute undrain default/shop/eu-west --config /etc/globalroute"]);
}

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

/** What the drain means for each route: who takes over, or that nobody can. */
export function drainEffect(inventory: Inventory, target: Target): readonly string[] {
  const hit = inventory.routes.flatMap((route) => {
    const drained = route.backends.filter((backend) => isTarget(target, route, backend));
    return drained.length === 0 ? [] : [{ route, left: route.backends.filter((backend) => !drained.includes(backend)) }];
  });
  if (hit.length === 0) return ["no route has a backend there, so nothing changes for clients"];
  return hit.map(({ route, left }) => {
    const name = `${route.namespace}/${route.name}`;
    const others = [...new Set(left.map(({ cluster }) => cluster))];
    if (others.length === 0) return `${name}: nothing else is left, so its clients are still answered with it (fail-open)`;
    const clusters =
      others.length > 6 ? `${others.slice(0, 6).join(", ")} and ${count(others.length - 6, "more cluster")}` : others.join(", ");
    return `${name}: its clients go to ${clusters}; answers already given are kept for up to ${route.ttl.max} s`;
  });
}

function isTarget(target: Target, route: Route, backend: Backend): boolean {
  if (target.kind === "MemberCluster") return backend.cluster === target.name;
  return route.namespace === target.namespace && route.name === target.name && (target.backend ?? backend.name) === backend.name;
}
