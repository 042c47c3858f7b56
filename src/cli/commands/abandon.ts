/** `globalroute abandon`: lets go of an object whose deletion waits for a provider that cannot be reached any more. */
import { type Command, Option } from "commander";
import { type HubFlags, hubOptions, withHub } from "../hub.ts";
import { type Cli, CommandError } from "../io.ts";
import { examples } from "../options.ts";

const KINDS = ["zone", "route"] as const;

export function registerAbandon(program: Command, { io }: Cli): void {
  const command = program
    .command("abandon")
    .summary("let a zone or a route go whose provider is gone")
    .description(
      "let a zone or a route be deleted although a DNS provider still holds records of it: they stay there; exit 1 when nothing is held",
    )
    .addArgument(program.createArgument("<kind>", "what it is").choices(KINDS))
    .argument("<name>", "NAME of the zone, or NAMESPACE/NAME of the route");
  hubOptions(command)
    .addOption(new Option("--dry-run", "say what would be done, and change nothing"))
    .action(async (kind: (typeof KINDS)[number], name: string, flags: HubFlags & { readonly dryRun?: boolean }) => {
      // What Kubernetes holds, with its schemas: not needed to print a help text.
      const [{ release }, { DNS_ZONES, GLOBAL_ROUTES }] = await Promise.all([
        import("../../../controller/deletion/uninstall.ts"),
        import("../../../controller/kube/resources.ts"),
      ]);
      const resource = kind === "zone" ? DNS_ZONES : GLOBAL_ROUTES;
      const [first = "", second, ...more] = name.split("/");
      if (more.length > 0 || first === "" || (second !== undefined) !== resource.namespaced || second === "")
        throw new CommandError(2, `${name} is no ${kind}. Write ${resource.namespaced ? "NAMESPACE/NAME" : "NAME"}.`);
      await withHub(flags, io, async ({ api }) => {
        const object = await (second === undefined ? api.get(resource, undefined, first) : api.get(resource, first, second));
        if (object === undefined) throw new CommandError(2, `there is no ${resource.kind} ${name} in ${api.server}.`);
        const tell = (line: string): unknown => io.stdout.write(`${line}.\n`);
        if (!(await release({ api, dryRun: flags.dryRun === true, tell }, resource, object)))
          throw new CommandError(1, `${resource.kind} ${name} is not held by GlobalRoute, so there is nothing to abandon.`);
      });
    });
  examples(command, ["globalroute abandon zone example-com --context hub", "globalroute abandon route web/shop --dry-run"]);
}
