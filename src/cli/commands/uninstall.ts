/** `globalroute uninstall`: takes out of a Kubernetes cluster what the controller has put there. */
import type { Command } from "commander";
import { type HubFlags, hubOptions, withHub } from "../hub.ts";
import { type Cli, CommandError } from "../io.ts";
import { examples } from "../options.ts";

interface UninstallFlags extends HubFlags {
  readonly deployment?: string;
  readonly dryRun?: boolean;
}

export function registerUninstall(program: Command, { io }: Cli): void {
  const command = program
    .command("uninstall")
    .summary("take out of a Kubernetes cluster what the controller put there")
    .description(
      "take out of a Kubernetes cluster what the controller has put there: finalizers, generated objects, its admission policy and its Lease; what people wrote stays, and so do the kinds",
    );
  hubOptions(command)
    .option(
      "--deployment <name>",
      "the controller's Deployment, when it still runs and is deleted next: keeps the Lease held for a minute more, and leaves the policy to whoever installed it",
    )
    .option("--dry-run", "say what would be done, and change nothing")
    .action(async (flags: UninstallFlags) => {
      // All that knows Kubernetes: not needed to print a help text.
      const [{ uninstall }, { systemKubePorts }] = await Promise.all([
        import("../../../controller/deletion/uninstall.ts"),
        import("../../../controller/kube/system-ports.ts"),
      ]);
      const refused = await withHub(flags, io, ({ api, namespace }) =>
        uninstall({
          api,
          namespace,
          ...(flags.deployment === undefined ? {} : { deployment: flags.deployment }),
          dryRun: flags.dryRun === true,
          ports: { ...systemKubePorts(), wallClock: io.now },
          tell: (line) => io.stdout.write(`${line}.\n`),
        }),
      );
      if (refused !== undefined) throw new CommandError(2, refused.refusal);
      io.stdout.write(flags.dryRun === true ? "Nothing was changed.\n" : "Done.\n");
    });
  examples(command, [
    "globalroute uninstall --context hub --dry-run",
    "kubectl -n globalroute-system delete deployment globalroute && globalroute uninstall --context hub",
  ]);
}
