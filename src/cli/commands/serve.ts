/** `globalroute serve`: answers DNS by a folder of objects until it is told to stop. */
import type { Command } from "commander";
import type { Cli } from "../io.ts";
import { examples, parsePath } from "../options.ts";
import { addServerOptions, runServer, type ServerFlags, serverLog, serverOptions } from "../server-options.ts";

interface ServeFlags extends ServerFlags {
  readonly config: string;
}

export function registerServe(program: Command, { io, exit }: Cli): void {
  const command = program
    .command("serve")
    .summary("answer DNS by a folder of objects")
    .description("probe the clusters of a folder of objects and answer DNS by it; changes of the folder are followed")
    .requiredOption("--config <dir>", "folder of objects (*.yaml, *.yml at any depth)", parsePath)
    .action(async (flags: ServeFlags) => {
      const log = serverLog(flags, io);
      const options = { ...serverOptions(flags, io, log), source: { folder: flags.config } };
      const { startService } = await import("../service.ts"); // the whole engine: not needed to print a help text
      exit(await runServer(() => startService(options, io, log), io, log));
    });
  addServerOptions(command);
  examples(command, [
    "globalroute serve --config examples/quickstart",
    "globalroute serve --config /etc/globalroute --listen 192.0.2.53:53 --listen '[2001:db8::53]:53' --metrics 0.0.0.0:9153",
    "globalroute serve --config /etc/globalroute --proxy 0.0.0.0:8080",
  ]);
}
