/** `globalroute kubectl`: what `kubectl globalroute` runs. */
import type { Command } from "commander";
import type { Cli, ExitCode, Io } from "../io.ts";
import type { PluginFlags } from "../kubectl-plugin.ts";
import { examples } from "../options.ts";

export function registerKubectl(program: Command, { io, exit }: Cli, run: (args: readonly string[], io: Io) => Promise<ExitCode>): void {
  program.enablePositionalOptions(); // so that what stands behind the command is the command's own
  const command = program
    .command("kubectl")
    .summary("run a command against the GlobalRoute of a Kubernetes cluster")
    .description("run a command against the GlobalRoute of a Kubernetes cluster; as a plugin: kubectl globalroute COMMAND")
    .usage("[options] <command> [its arguments]")
    .option("--kubeconfig <file>", "kubeconfig (default: as kubectl)")
    .option("--context <name>", "context of the kubeconfig (default: its current one)")
    .option("--namespace <name>", "where GlobalRoute is installed", "globalroute-system")
    .argument(
      "<command...>",
      "explain, status and plan ask a replica through kubectl port-forward; confirm runs in each; drain and others write objects, drill does both",
    )
    .passThroughOptions()
    .action(async (args: readonly string[], flags: PluginFlags) => {
      const { runPlugin } = await import("../kubectl-plugin.ts");
      exit(await runPlugin(args, flags, io, run));
    });
  examples(command, [
    "kubectl globalroute status",
    "kubectl globalroute --context hub explain shop.example.org --client 192.0.2.1",
    "kubectl globalroute drain eu-west --reason 'patching' --for 2h",
  ]);
}
