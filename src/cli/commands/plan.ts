/** `globalroute plan [ZONE…]`: what would change in zones that are kept elsewhere; by a running server or from a folder. */
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { ZonePlans } from "../../../dns-providers/zone-plan.ts";
import { zonePlansSchema } from "../../admin/plan-schemas.ts";
import { printable } from "../../model/printable.ts";
import { createApiClient } from "../api-client.ts";
import { type Cli, CommandError, type Io } from "../io.ts";
import {
  configOption,
  examples,
  folderMmdbOption,
  GROUPS,
  type OutputFormat,
  outputOption,
  parsePath,
  print,
  serverOption,
} from "../options.ts";
import { withProgress } from "../progress.ts";
import { renderPlans } from "../render-plan.ts";
import { paintFor } from "../text.ts";

interface PlanOptions {
  readonly all?: boolean;
  readonly destroy?: true;
  readonly save?: string;
  readonly output: OutputFormat;
  readonly server?: string;
  readonly config?: string;
  readonly mmdb?: readonly string[];
}

/** Longer than a server takes at most, ms. */
const PATIENCE = 75_000;

export function registerPlan(program: Command, { io, exit }: Cli): void {
  const command = program
    .command("plan")
    .summary("tell what would change in zones that are kept elsewhere")
    .description("tell what would change in zones that are kept elsewhere, and write nothing; exit 1 when there are changes, 2 on errors")
    .argument("[zones...]", "names or domains of DNSZones (default: all that are kept elsewhere)")
    .option("--all", "also show records that are GlobalRoute's own: registry, helpers")
    .option("--save <file>", "write the plan to a file, for `globalroute apply`", parsePath)
    .addOption(serverOption().conflicts("config"))
    .addOption(configOption("plan by a folder of objects instead of a server; every backend is taken for healthy"))
    .addOption(
      new Option(
        "--destroy",
        "with --config: plan that everything of ours in the zones that are named goes, whatever the objects and the policy say",
      ).helpGroup(GROUPS.folder),
    )
    .addOption(folderMmdbOption())
    .addOption(outputOption())
    .action(async (zones: readonly string[], options: PlanOptions) => {
      const plans = await withProgress(io, "asking providers what they have", () => ask(zones, options, io));
      const isWhole = plans.failures.length === 0;
      if (options.save !== undefined && isWhole) {
        const { savePlan } = await import("../plan-file.ts"); // providers and their clients: not needed to ask a server
        await savePlan(resolve(io.cwd, options.save), plans, io.now());
      }
      const view = { all: options.all ?? false, ...(options.save === undefined || !isWhole ? {} : { saved: options.save }) };
      print(io, options.output, plans, (value) => renderPlans(value, view, paintFor(io.stdout, io.env)));
      for (const { zone, message } of plans.failures) io.stderr.write(`globalroute: ${printable(`${zone}: ${message}`)}\n`);
      if (!isWhole && options.save !== undefined)
        io.stderr.write(`globalroute: ${options.save} was not written, as the plan is not whole.\n`);
      exit(isWhole ? (plans.zones.some(({ changes }) => changes.length > 0) ? 1 : 0) : 2);
    });
  examples(command, [
    "globalroute plan",
    "globalroute plan example-org --save plan.json    # then: globalroute apply plan.json",
    "globalroute plan --config my-config              # without a server",
    "globalroute plan example-org --config my-config --destroy --save plan.json",
    "globalroute plan --output json | jq '.zones[].changes[]'",
  ]);
}

async function ask(zones: readonly string[], { config, mmdb, server, destroy }: PlanOptions, io: Io): Promise<ZonePlans> {
  if (destroy && config === undefined)
    throw new CommandError(2, "--destroy goes with --config: a running server would publish again what goes. End it first.");
  if (destroy && zones.length === 0) throw new CommandError(2, "--destroy empties zones: name them.");
  if (config !== undefined) {
    const { planOffline } = await import("../plan-offline.ts"); // compiler and providers: not needed to ask a server
    return planOffline(zones, { config, mmdb: mmdb ?? [], ...(destroy === undefined ? {} : { destroy }) }, io);
  }
  if (mmdb !== undefined) throw new CommandError(2, "--mmdb goes with --config: a server has its own geo databases.");
  const query = new URLSearchParams(zones.map((zone): [string, string] => ["zone", zone]));
  try {
    return await createApiClient(io, server).get(`/v1/plan?${query}`, zonePlansSchema, [], PATIENCE);
  } catch (error) {
    // 1 says that there are changes, and nothing else.
    throw error instanceof CommandError ? new CommandError(2, error.message, { cause: error }) : error;
  }
}
