/** `globalroute approve`: lets failed backends return: needed where failback is by approval, a short cut where it has a delay. */
import type { Command } from "commander";
import { statusSchema } from "../../admin/api-schemas.ts";
import type { BackendStatus, Status } from "../../engine/view.ts";
import { type Act, formatTarget, parseTarget, requireReason, type Target } from "../act.ts";
import { createApiClient } from "../api-client.ts";
import { type HubFlags, hubOptions, isForHub, withHub } from "../hub.ts";
import { applyAct, backendsOut as hubBackendsOut, requireHubTarget } from "../hub-acts.ts";
import { type Cli, CommandError, type Io } from "../io.ts";
import { configOption, examples, type OutputFormat, outputOption, print, serverOption } from "../options.ts";
import { objectsFolder, requireTarget, writeOverride } from "../override-file.ts";

interface ApproveOptions extends HubFlags {
  readonly reason: string;
  readonly config?: string;
  readonly server?: string;
  readonly output: OutputFormat;
}

interface Approved {
  readonly effect: readonly string[];
  /** The file or the object. */
  readonly written: { readonly file: string } | { readonly object: string };
}

export function registerApprove(program: Command, { io }: Cli): void {
  const command = program
    .command("approve")
    .summary("let failed backends of a route return")
    .description(
      "let backends of a route return that failed, without waiting or as soon as they are healthy: writes a TrafficOverride into the folder of objects, or into a Kubernetes cluster",
    )
    .argument("<target>", "NAMESPACE/ROUTE or NAMESPACE/ROUTE/BACKEND")
    .option("--reason <text>", "shown in status, timeline and logs", "failback approved")
    .addOption(configOption("folder of objects (default: the running server's)"))
    .addOption(serverOption());
  hubOptions(command)
    .addOption(outputOption())
    .action(async (name: string, options: ApproveOptions) => {
      const target = parseTarget(name);
      if (target.kind !== "GlobalRoute")
        throw new CommandError(2, `${name} is no route. Write NAMESPACE/ROUTE or NAMESPACE/ROUTE/BACKEND.`);
      const reason = requireReason(options.reason);
      // `start` is the moment of approval: it counts for outages that began before it, not for the next one.
      const act = { verb: "approve", action: "ApproveFailback", target, reason, start: io.now(), by: io.user() } as const;
      const { effect, written } = isForHub(options) ? await approveInHub(act, options, io) : await approveInFolder(act, options, io);
      const approved = { target: formatTarget(target), reason, effect, ...written };
      print(io, options.output, approved, (it) => [
        `Approved: ${it.target}`,
        ...it.effect.map((line) => `  ${line}`),
        `Written: ${"file" in written ? written.file : written.object}`,
      ]);
    });
  examples(command, [
    "globalroute approve default/shop",
    "globalroute approve default/shop/eu-west --reason 'checked the replicas'",
    "globalroute approve default/shop --context hub",
  ]);
}

type Approval = Act & { readonly target: Target & { readonly kind: "GlobalRoute" } };

const nothingToApprove = (target: Target): CommandError =>
  new CommandError(1, `every backend of ${formatTarget(target)} serves: there is nothing to approve.`);

const effectOn = (name: string, isHealthy: boolean): string =>
  `${name}: serves again ${isHealthy ? "at once" : "as soon as it is healthy"}`;

async function approveInFolder(act: Approval, options: ApproveOptions, io: Io): Promise<Approved> {
  const { target } = act;
  const folder = await objectsFolder(io, options.config, options.server);
  const status = await createApiClient(io, options.server).tryGet("/v1/status", statusSchema);
  const out = status?.config.path === folder ? backendsOut(status, target) : undefined; // another server's world tells nothing of this one
  if (out?.length === 0) throw nothingToApprove(target);
  const { readObjectsAt } = await import("../../engine/read-objects.ts");
  await requireTarget((await readObjectsAt([folder])).inventory, target, io, options.server);
  const effect = (out ?? []).map((it) => effectOn(it.name, it.failbackAt !== null));
  return { effect, written: { file: await writeOverride(folder, act) } };
}

const approveInHub = (act: Approval, options: ApproveOptions, io: Io): Promise<Approved> =>
  withHub(options, io, async (hub) => {
    const out = hubBackendsOut(await requireHubTarget(hub, act.target), act.target);
    if (out.length === 0) throw nothingToApprove(act.target);
    const effect = out.map(({ name, failback }) => effectOn(name, failback !== undefined && failback.phase !== "Out"));
    return { effect, written: { object: await applyAct(hub, act, false) } };
  });

/** The target's backends that are out of service: waiting to return, or not healthy yet. Undefined when the server has no such route. */
function backendsOut({ routes }: Status, target: Target & { readonly kind: "GlobalRoute" }): readonly BackendStatus[] | undefined {
  const route = routes.find(({ namespace, name }) => namespace === target.namespace && name === target.name);
  return route?.backends
    .filter(({ name }) => target.backend === undefined || target.backend === name)
    .filter(({ failbackAt, health }) => failbackAt !== null || health === "Unhealthy");
}
