/** `globalroute explain HOST --client IP`: what one client is answered, and why; from a running server or from a folder. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { explanationSchema } from "../../admin/api-schemas.ts";
import { parsePrefix } from "../../model/ip.ts";
import type { Explanation } from "../../routing/explanation.ts";
import { createApiClient } from "../api-client.ts";
import { type Cli, CommandError, type Io } from "../io.ts";
import { configOption, examples, folderMmdbOption, type OutputFormat, outputOption, print, serverOption } from "../options.ts";
import { renderExplanation } from "../render-explanation.ts";

interface ExplainOptions {
  readonly client: string;
  readonly type: "A" | "AAAA";
  readonly output: OutputFormat;
  readonly server?: string;
  readonly config?: string;
  readonly mmdb?: readonly string[];
}

export function registerExplain(program: Command, { io, exit }: Cli): void {
  const command = program
    .command("explain")
    .summary("tell what a client is answered, and why")
    .description("tell what a client is answered, and why: place, rules, tiers, every candidate; exit 1 when nothing can be answered")
    .argument("<host>", "host name of a route", parseHostName)
    .requiredOption("--client <ip[/n]>", "address of the client, or its network (as a resolver's client subnet)", parseClient)
    .addOption(new Option("--type <type>", "query type").choices(["A", "AAAA"]).default("A"))
    .addOption(serverOption().conflicts("config"))
    .addOption(configOption("ask a folder of objects; nothing is probed then"))
    .addOption(folderMmdbOption())
    .addOption(outputOption())
    .action(async (host: string, options: ExplainOptions) => {
      const explanation = await ask(host, options, io);
      print(io, options.output, explanation, renderExplanation);
      if (explanation.addresses.length === 0) exit(1);
    });
  examples(command, [
    "globalroute explain shop.example.org --client 192.0.2.1",
    "globalroute explain shop.example.org --client 2001:db8::/56 --type AAAA",
    "globalroute explain shop.example.org --client 192.0.2.0/24 --output json | jq .candidates",
    "globalroute explain shop.example --client 192.0.2.1 --config examples/quickstart",
  ]);
}

async function ask(host: string, { client, type, config, mmdb, server }: ExplainOptions, io: Io): Promise<Explanation> {
  if (config !== undefined) {
    const { explainOffline } = await import("../explain-offline.ts"); // compiler and geo data: not needed to ask a server
    return explainOffline({ config, mmdb: mmdb ?? [], host, client, family: type }, io);
  }
  if (mmdb !== undefined) throw new CommandError(2, "--mmdb goes with --config: a server has its own geo databases.");
  const query = new URLSearchParams({ host, client, family: type });
  return createApiClient(io, server).get(`/v1/explain?${query}`, explanationSchema);
}

function parseHostName(text: string): string {
  if (/[/:\s]/.test(text) || text === "")
    throw new InvalidArgumentError("Write the host name alone, for example shop.example.org: no scheme, port or path.");
  return text;
}

function parseClient(text: string): string {
  if (parsePrefix(text) === undefined)
    throw new InvalidArgumentError("Write an address or a network: 192.0.2.1, 192.0.2.0/24, 2001:db8::/56.");
  return text;
}
