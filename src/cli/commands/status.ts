/** `globalroute status`: clusters, routes, who is served where, what is overridden and what is degraded. */
import type { Command } from "commander";
import { readinessSchema, statusSchema } from "../../admin/api-schemas.ts";
import { type ApiClient, createApiClient } from "../api-client.ts";
import { findRoute } from "../find-route.ts";
import type { Cli } from "../io.ts";
import { examples, type OutputFormat, outputOption, print, serverOption, type WatchFlags, watchOptions } from "../options.ts";
import { renderRouteStatus, renderStatus, type StatusView } from "../render-status.ts";
import type { Look } from "../text.ts";
import { watch } from "../watch.ts";

interface StatusFlags extends WatchFlags {
  readonly output: OutputFormat;
  readonly server?: string;
}

export function registerStatus(program: Command, { io, exit }: Cli): void {
  const command = program
    .command("status")
    .summary("show clusters, routes, who is served where, and what is degraded")
    .description(
      "show clusters, routes, who is served where, and what is degraded, or one route alone; exit 1 when the server is not ready",
    )
    .argument("[route]", "NAMESPACE/NAME, NAME or a host of a route (default: everything)");
  watchOptions(command)
    .addOption(outputOption())
    .addOption(serverOption())
    .action(async (route: string | undefined, flags: StatusFlags) => {
      const api = createApiClient(io, flags.server);
      const take = () => takeStatus(api, route, io.now);
      const render = (view: StatusView, look: Look) => show(view, route, look);
      const value = (view: StatusView) => (route === undefined ? view.status : findRoute(view.status.routes, route));
      if (flags.watch === true)
        return watch(
          { title: `globalroute status${route === undefined ? "" : ` ${route}`}`, url: api.url, take, render, value },
          flags.interval,
          flags.output,
          io,
        );
      const view = await take();
      print(io, flags.output, value(view), (_, look) => render(view, look));
      if (!view.readiness.ready) exit(1);
    });
  examples(command, [
    "globalroute status",
    "globalroute status --watch",
    "globalroute status shop.example.org",
    "globalroute status --output json | jq '.routes[].servedBy'",
  ]);
}

/** @throws CommandError (exit 2) when there is no such route */
async function takeStatus(api: ApiClient, route: string | undefined, now: () => number): Promise<StatusView> {
  const [status, readiness] = await Promise.all([api.get("/v1/status", statusSchema), api.get("/readyz", readinessSchema, [503])]);
  if (route !== undefined) findRoute(status.routes, route);
  return { status, readiness, url: api.url, now: now() };
}

const show = (view: StatusView, route: string | undefined, look: Look): readonly string[] =>
  route === undefined ? renderStatus(view, look) : renderRouteStatus(view, findRoute(view.status.routes, route), look);
