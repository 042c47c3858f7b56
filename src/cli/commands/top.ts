/** `globalroute top`: who is served where, the largest share first. */
import type { Command } from "commander";
import { statusSchema } from "../../admin/api-schemas.ts";
import { createApiClient } from "../api-client.ts";
import { findRoute } from "../find-route.ts";
import type { Cli } from "../io.ts";
import { examples, type OutputFormat, outputOption, print, serverOption, type WatchFlags, watchOptions } from "../options.ts";
import { renderTop, topOf } from "../render-top.ts";
import { watch } from "../watch.ts";

interface TopFlags extends WatchFlags {
  readonly output: OutputFormat;
  readonly server?: string;
}

export function registerTop(program: Command, { io }: Cli): void {
  const command = program
    .command("top")
    .summary("show who is served where, the largest share first")
    .description(
      "show who is served where, the largest share first: which part of the world's population each cluster serves, in which countries; over all routes it is their mean",
    )
    .argument("[route]", "NAMESPACE/NAME, NAME or a host of a route (default: all)");
  watchOptions(command)
    .addOption(outputOption())
    .addOption(serverOption())
    .action(async (route: string | undefined, flags: TopFlags) => {
      const api = createApiClient(io, flags.server);
      const take = async () => {
        const status = await api.get("/v1/status", statusSchema);
        return topOf(status, route === undefined ? undefined : findRoute(status.routes, route));
      };
      const watched = { title: `globalroute top${route === undefined ? "" : ` ${route}`}`, url: api.url, take, render: renderTop };
      if (flags.watch === true) return watch({ ...watched, value: (top) => top }, flags.interval, flags.output, io);
      print(io, flags.output, await take(), renderTop);
    });
  examples(command, [
    "globalroute top",
    "globalroute top shop.example.org --watch",
    "globalroute top --output json | jq '.clusters[] | {cluster, population}'",
  ]);
}
