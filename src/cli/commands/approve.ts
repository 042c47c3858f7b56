/** `globalroute approve`: lets failed backends return: needed where failback is by approval, a short cut where it has a delay. */
import type { Command } from "commander";
import { statusSchema } from "../../admin/api-schemas.ts";
import type { BackendStatus, Status } from "../../engine/view.ts";
import { createApiClient } from "../api-client.ts";
import { type Cli, CommandError } from "../io.ts";
import { examples, type OutputFormat, outputOption, parsePath, print, serverOption } from "../options.ts";
import { formatTarget, objectsFolder, parseTarget, requireReason, requireTarget, type Target, writeOverride } from "../override-file.ts";

export function registerApprove(program: Command, { io }: Cli): void {
  const command = program
    .command("approve")
    .description(
      "let backends of a route return that failed, without waiting or as soon as they are healthy: writes a TrafficOverride into the folder of objects",
    )
    .argument("<target>", "NAMESPACE/ROUTE or NAMESPACE/ROUTE/BACKEND")
    .option("--reason <text>", "shown in status, timeline and logs", "failback approved")
    .option("--config <dir>", "folder of objects (default: the running server's)", parsePath)
    .addOption(serverOption())
    .addOption(outputOption())
    .action(async (name: string, options: { reason: string; config?: string; server?: string; output: OutputFormat }) => {
      const target = parseTarget(name);
      if (target.kind !== "GlobalRoute")
        throw new CommandError(2, `${name} is no route. Write NAMESPACE/ROUTE or NAMESPACE/ROUTE/BACKEND.`);
      const reason = requireReason(options.reason);
      const folder = await objectsFolder(io, options.config, options.server);
      const status = await createApiClient(io, options.server).tryGet("/v1/status", statusSchema);
      const out = status?.config.path === folder ? backendsOut(status, target) : undefined; // another server's world tells nothing of this one
      if (out?.length === 0) throw new CommandError(1, `every backend of ${formatTarget(target)} serves: there is nothing to approve.`);
      const { readObjectsAt } = await import("../../engine/read-objects.ts");
      await requireTarget((await readObjectsAt([folder])).inventory, target, io, options.server);
      // `start` is the moment of approval: it counts for outages that began before it, not for the next one.
      const act = { verb: "approve", action: "ApproveFailback", target, reason, start: io.now(), by: io.user() } as const;
      const effect = (out ?? []).map((it) => `${it.name}: serves again ${it.failbackAt === null ? "as soon as it is healthy" : "at once"}`);
      const approved = { target: formatTarget(target), reason, effect, file: await writeOverride(folder, act) };
      print(io, options.output, approved, (it) => [
        `Approved: ${it.target}`,
        ...it.effect.map((line) => `  ${line}`),
        `Written: ${it.file}`,
      ]);
    });
  examples(command, ["globalroute approve default/shop", "globalroute approve default/shop/eu-west --reason 'checked the replicas'"]);
}

/** The target's backends that are out of service: waiting to return, or not healthy yet. Undefined when the server has no such route. */
function backendsOut({ routes }: Status, target: Target & { readonly kind: "GlobalRoute" }): readonly BackendStatus[] | undefined {
  const route = routes.find(({ namespace, name }) => namespace === target.namespace && name === target.name);
  return route?.backends
    .filter(({ name }) => target.backend === undefined || target.backend === name)
    .filter(({ failbackAt, health }) => failbackAt !== null || health === "Unhealthy");
}
