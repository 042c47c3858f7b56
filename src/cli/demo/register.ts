/** `globalroute demo`, `demo up CLUSTER` and `demo down CLUSTER`. */
import { relative } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { ListenAddress } from "../../model/listen-address.ts";
import { type Cli, CommandError, type Io } from "../io.ts";
import { examples, mmdbOption, stateFolder, stateOption, watchResolverOption } from "../options.ts";
import { askControl } from "./control.ts";
import { runningDemo } from "./state-file.ts";
import { SITES } from "./world.ts";

interface DemoFlags {
  readonly port: number;
  readonly adminPort: number;
  readonly proxyPort: number;
  readonly clusterPort: number;
  readonly state?: string;
  readonly mmdb?: readonly string[];
  readonly watchResolver?: readonly ListenAddress[];
  readonly once?: boolean;
  /** False with `--no-tty`. */
  readonly tty: boolean;
}

const CLUSTERS = SITES.map((site) => site.name).join(", ");

export function registerDemo(program: Command, { io, exit }: Cli): void {
  const demo = program
    .command("demo")
    .summary("run a ready-made world of five sites")
    .description("run a ready-made world: five sites on 127.0.10.1 to 127.0.10.5, three routes in demo.example, and a live view of them")
    .option("--port <port>", "DNS port, on 127.0.0.1 and ::1", parsePort, 5300)
    .option("--admin-port <port>", "port of the HTTP API, on 127.0.0.1", parsePort, 8053)
    .option("--proxy-port <port>", "port of the HTTP proxy, on 127.0.0.1", parsePort, 8088)
    .option("--cluster-port <port>", "port of the sites' HTTP servers", parsePort, 8080)
    .addOption(stateOption())
    .addOption(mmdbOption("geo database instead of the one in the package; may be given several times, the most trusted first"))
    .addOption(watchResolverOption())
    .option("--once", "wait at most 20 s for probes of all clusters, print one frame and end; exit 1 when one is not healthy")
    .option("--no-tty", "print plain lines instead of the live view")
    .action(async (flags: DemoFlags) => {
      const { runDemo } = await import("./demo.ts"); // the whole engine: not needed to print a help text
      const terminal = flags.tty && io.stdout.isTTY === true ? io.terminal() : undefined;
      const view = flags.once === true ? "once" : terminal === undefined ? "plain" : "live";
      const { port: dnsPort, adminPort, proxyPort, clusterPort, watchResolver: watchResolvers = [], mmdb = [] } = flags;
      exit(
        await runDemo(
          {
            dnsPort,
            adminPort,
            proxyPort,
            clusterPort,
            watchResolvers,
            mmdb,
            state: stateFolder(flags.state, io),
            view,
            self: selfCommand(io),
          },
          io,
          terminal,
        ),
      );
    });
  examples(demo, [
    "globalroute demo",
    "globalroute demo --no-tty --port 5353",
    "dig @127.0.0.1 -p 5300 +subnet=91.64.0.0/16 shop.demo.example A",
    "curl -H 'Host: shop.demo.example' -H 'X-Forwarded-For: 91.64.0.1' http://127.0.0.1:8088/",
    "globalroute demo down eu-west          in another shell",
  ]);
  for (const act of ["up", "down"] as const) {
    demo
      .command(act)
      .description(act === "up" ? "start a site of the running demo again" : "kill a site of the running demo")
      .argument("<cluster>", `one of ${CLUSTERS}`)
      .action(async (cluster: string, _flags: unknown, command: Command) => {
        const { state } = command.optsWithGlobals<Pick<DemoFlags, "state">>();
        io.stdout.write(`${await changeSite(stateFolder(state, io), act, cluster)}\n`);
      });
  }
}

/** @returns what was done, in words */
async function changeSite(stateDir: string, act: "up" | "down", cluster: string): Promise<string> {
  const running = await runningDemo(stateDir);
  if (running === undefined) {
    throw new CommandError(
      1,
      `no demo is running with its state in ${stateDir}. Start one with \`globalroute demo\`, or name its folder with --state.`,
    );
  }
  if (!SITES.some((site) => site.name === cluster)) throw new CommandError(2, `no cluster is called ${cluster}. There are ${CLUSTERS}.`);
  const reply = await askControl(running.socket, { act, cluster });
  if (reply === undefined) throw new CommandError(1, "the demo ended before it answered. Start it again with `globalroute demo`.");
  if (!reply.ok) throw new CommandError(1, reply.message);
  return reply.message;
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError("Write a port from 1 to 65535, or 0 for any free one.");
  return Number(text);
}

/** What to type to run this program again: its path in a checkout, its name where it is installed. */
function selfCommand({ cwd }: Io): string {
  const program = process.argv[1] ?? "";
  return program.endsWith("/bin/globalroute.js") && !program.includes("/node_modules/") ? `node ${relative(cwd, program)}` : "globalroute";
}
