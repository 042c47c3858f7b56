/** `globalroute promote`: lets a rollout take its next step, or ends it. */
import type { Command } from "commander";
import { GLOBAL_ROUTES } from "../../../controller/kube/resources.ts";
import { readStatus } from "../../model/read-status.ts";
import type { RolloutStatus } from "../../model/status.ts";
import { type Act, formatTarget, parseTarget, requireReason, type Target } from "../act.ts";
import { type Hub, type HubFlags, hubOptions, withHub } from "../hub.ts";
import { applyAct, removeAct, requireHubTarget } from "../hub-acts.ts";
import { type Cli, CommandError } from "../io.ts";
import { examples, type OutputFormat, outputOption, print } from "../options.ts";

interface PromoteOptions extends HubFlags {
  readonly abort?: boolean;
  readonly reason?: string;
  readonly output: OutputFormat;
}

export function registerPromote(program: Command, { io }: Cli): void {
  const command = program
    .command("promote")
    .summary("let a rollout take its next step, or end it")
    .description(
      "let the rollout of a route take its next step at once, begin again after an abort, or end: writes a TrafficOverride into a Kubernetes cluster",
    )
    .argument("<route>", "NAMESPACE/ROUTE")
    .option("--abort", "go back to the weights from before the rollout")
    .option("--reason <text>", "shown in status, timeline and logs");
  hubOptions(command)
    .addOption(outputOption())
    .action(async (name: string, options: PromoteOptions) => {
      const target = parseTarget(name);
      if (target.kind !== "GlobalRoute" || target.backend !== undefined)
        throw new CommandError(2, `${name} is no route. Write NAMESPACE/ROUTE.`);
      const isAbort = options.abort === true;
      const reason = requireReason(options.reason ?? (isAbort ? "rollout aborted" : "step promoted"));
      // `start` is the moment of the act: it counts for the step that is under way then, not for the next one.
      const how = isAbort ? ({ verb: "abort", action: "AbortRollout" } as const) : ({ verb: "promote", action: "PromoteStep" } as const);
      const act: Act = { ...how, target, reason, start: io.now(), by: io.user() };
      const done = await withHub(options, io, async (hub) => {
        await requireHubTarget(hub, target);
        const { name: step = "", phase } = await rolloutOf(hub, target, isAbort);
        // While an abort stands, nothing begins anew.
        if (phase === "Aborted") await removeAct(hub, "abort", target);
        return { step, phase, object: await applyAct(hub, act, false) };
      });
      print(io, options.output, { target: formatTarget(target), reason, ...done }, (it) => [
        `${isAbort ? "Aborted" : "Promoted"}: ${it.target}${it.step === "" ? "" : `, step ${it.step}`}`,
        `Written: ${it.object}`,
      ]);
    });
  examples(command, ["globalroute promote web/shop", "globalroute promote web/shop --abort --reason 'errors on the canary'"]);
}

/** @throws CommandError (exit 1) when there is no rollout that could be promoted or aborted. One that was aborted can be begun anew. */
async function rolloutOf({ api }: Hub, target: Target & { readonly kind: "GlobalRoute" }, isAbort: boolean): Promise<RolloutStatus> {
  const route = await api.get(GLOBAL_ROUTES, target.namespace, target.name);
  const rollout = readStatus("GlobalRoute", route?.status)?.rollout;
  if (rollout === undefined) throw new CommandError(1, `${formatTarget(target)} has no rollout under way. Its steps are spec.rollout.`);
  if (rollout.phase === "Completed" || (rollout.phase === "Aborted" && isAbort))
    throw new CommandError(
      1,
      `the rollout of ${formatTarget(target)} is ${rollout.phase}: there is nothing to ${isAbort ? "abort" : "promote"}.`,
    );
  return rollout;
}
