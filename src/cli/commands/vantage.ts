/** `globalroute vantage`: probes from another site for a hub, which counts its votes. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Location } from "../../model/inventory.ts";
import type { ListenAddress } from "../../model/listen-address.ts";
import { LOG_LEVELS, type LogLevel } from "../../observe/log.ts";
import type { Cli, Io } from "../io.ts";
import { collect, examples, parseCidr, parseHostPort, parseListenAddress, parsePath } from "../options.ts";
import { runServer, serverLog } from "../server-options.ts";
import { parseVantageLocation } from "../vantage-location.ts";
import type { VantageOptions } from "../vantage-service.ts";

interface VantageFlags {
  readonly reportTo: readonly { readonly host: string; readonly port: number }[];
  readonly name: string;
  readonly credential: string;
  readonly location?: Location;
  readonly probeAllow?: readonly string[];
  readonly reference?: readonly ListenAddress[];
  readonly metrics?: ListenAddress;
  readonly sources?: boolean;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly logLevel: LogLevel;
  readonly json?: boolean;
}

export function registerVantage(program: Command, { io, exit }: Cli): void {
  const command = program
    .command("vantage")
    .summary("probe from another site for a hub")
    .description("probe from another site for a hub, which counts what is seen from there as one vote; answers no DNS")
    .requiredOption("--report-to <host:port>", "a hub's peer listener; may be given several times", collect(parseHostPort))
    .requiredOption("--name <name>", "name of the site, as the hub knows its credential", parseName)
    .requiredOption("--credential <file>", "what this vantage proves itself with: 32 characters or more", parsePath)
    .option("--location <place>", "where that is: CLOUD/REGION or LATITUDE,LONGITUDE", parseVantageLocation)
    .option(
      "--probe-allow <cidr>",
      "network that may be probed although it is loopback or link-local; may be given several times",
      collect(parseCidr),
    )
    .option(
      "--reference <addr:port>",
      "control target: while none of them answers, failed probes are this vantage's own fault",
      collect(parseListenAddress),
    )
    .option("--metrics <addr:port>", "where /healthz, /readyz and /metrics are (default: nowhere)", parseListenAddress)
    .option("--sources", "also report the Ingresses, Gateways and Services of the cluster here, as those of MemberCluster NAME")
    .option("--kubeconfig <file>", "access to that cluster (default: the one that this runs in)", parsePath)
    .option("--context <name>", "context of the kubeconfig (default: its current one)")
    .addOption(new Option("--log-level <level>", "least severe log lines that are written").choices(LOG_LEVELS).default("info"))
    .option("--json", "log JSON on a terminal too")
    .action(async (flags: VantageFlags) => {
      const log = serverLog(flags, io);
      const [{ startVantage }, { SOURCE_KINDS }] = await Promise.all([
        import("../vantage-service.ts"),
        import("../../../controller/clusters/cluster-objects.ts"),
      ]);
      const { kubeconfig, context } = flags;
      const sources = {
        kinds: SOURCE_KINDS,
        ...(kubeconfig === undefined ? {} : { kubeconfig }),
        ...(context === undefined ? {} : { context }),
      };
      const options: VantageOptions = { ...vantageOptions(flags, io), ...(flags.sources === true ? { sources } : {}) };
      exit(await runServer(() => startVantage(options, io, log), io, log));
    });
  examples(command, [
    "openssl rand -base64 32 > there.key       # and the same into the hub's Secret globalroute-vantages, as `there`",
    "globalroute vantage --report-to globalroute.example.org:8054 --name there --credential there.key",
  ]);
}

function vantageOptions(flags: VantageFlags, io: Io): VantageOptions {
  const { name, location, metrics } = flags;
  return {
    name,
    instance: `${name}/${io.env.POD_NAME || hostname()}`,
    incarnation: randomBytes(4).toString("hex"),
    hubs: flags.reportTo,
    credential: flags.credential,
    ...(location === undefined ? {} : { location }),
    probeAllow: flags.probeAllow ?? [],
    references: flags.reference ?? [],
    ...(metrics === undefined ? {} : { metrics }),
  };
}

function parseName(text: string): string {
  if (/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError("Write small letters, digits, hyphens and dots, at most 63, as in eu-west.");
}
