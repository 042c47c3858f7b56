/** `globalroute apply FILE`: carries out a plan that was saved and reviewed; by a running server, or with a folder in its place. */
import { resolve } from "node:path";
import type { Command } from "commander";
import type { AppliedPlans, ZonePlan } from "../../../dns-providers/zone-plan.ts";
import { appliedPlansSchema } from "../../admin/plan-schemas.ts";
import { count } from "../../model/count.ts";
import { adminToken } from "../admin-token.ts";
import { createApiClient, ServerRefusal } from "../api-client.ts";
import { type Cli, CommandError, type Io } from "../io.ts";
import {
  configOption,
  examples,
  folderMmdbOption,
  type OutputFormat,
  outputOption,
  parsePath,
  print,
  serverOption,
  stateOption,
} from "../options.ts";
import { withProgress } from "../progress.ts";
import { renderApplied } from "../render-plan.ts";
import { paintFor } from "../text.ts";

interface ApplyOptions {
  readonly output: OutputFormat;
  readonly server?: string;
  readonly state?: string;
  readonly config?: string;
  readonly mmdb?: readonly string[];
}

/** Longer than the largest zones take, ms. `fetch` itself waits no longer for an answer to begin. */
const PATIENCE = 300_000;

export function registerApply(program: Command, { io, exit }: Cli): void {
  const command = program
    .command("apply")
    .summary("carry out a saved plan")
    .description("carry out a saved plan, if it is still all that would change; exit 1 when it is stale or refused, 2 on errors")
    .argument("<file>", "made by `globalroute plan --save`", parsePath)
    .addOption(serverOption().conflicts("config"))
    .addOption(stateOption().conflicts("config"))
    .addOption(configOption("without a server: with the folder of objects that the plan was made of"))
    .addOption(folderMmdbOption())
    .addOption(outputOption())
    .action(async (file: string, options: ApplyOptions) => {
      const { loadPlan } = await import("../plan-file.ts"); // providers and their clients: not needed to print a help text
      const plans = (await loadPlan(resolve(io.cwd, file))).filter(({ changes }) => changes.length > 0);
      const applied =
        plans.length === 0
          ? { zones: [] }
          : await withProgress(io, `changing ${count(plans.length, "zone")}`, () => apply(plans, options, io));
      print(io, options.output, applied, (value) => renderApplied(value, paintFor(io.stdout, io.env)));
      const outcomes = applied.zones.map(({ outcome }) => outcome);
      if (outcomes.includes("Failed")) exit(2);
      else if (outcomes.some((outcome) => outcome !== "Applied")) exit(1);
    });
  examples(command, [
    "globalroute apply plan.json",
    "globalroute apply plan.json --server http://127.0.0.1:8053 --state /var/lib/globalroute",
    "globalroute apply plan.json --config my-config   # without a server",
  ]);
}

async function apply(plans: readonly ZonePlan[], { config, mmdb, server, state }: ApplyOptions, io: Io): Promise<AppliedPlans> {
  if (config !== undefined) {
    const { applyOffline } = await import("../plan-offline.ts"); // compiler and providers: not needed to ask a server
    return applyOffline(plans, { config, mmdb: mmdb ?? [] }, io);
  }
  if (mmdb !== undefined) throw new CommandError(2, "--mmdb goes with --config: a server has its own geo databases.");
  try {
    const act = { body: { zones: plans }, within: PATIENCE };
    return await createApiClient(io, server).post("/v1/plan/apply", await adminToken(io, state), appliedPlansSchema, act);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const isRefused = error instanceof ServerRefusal && error.code === "not-writer";
    throw new CommandError(isRefused ? 1 : 2, error.message, { cause: error });
  }
}
