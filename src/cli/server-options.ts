/** Options of every command that runs a server, and how it is run until it is told to stop. */
import { type Command, Option } from "commander";
import { TokenError } from "../admin/token.ts";
import { FastTransportUnavailable } from "../dns/fast/libc.ts";
import { TRANSPORTS, type TransportChoice } from "../dns/udp-transport.ts";
import type { Location } from "../model/inventory.ts";
import { type ListenAddress, ListenError } from "../model/listen-address.ts";
import { formatProblem } from "../model/problem.ts";
import { createLog, LOG_LEVELS, type Log, type LogLevel } from "../observe/log.ts";
import { type AnswerFlags, addAnswerOptions, answerOptions } from "./answer-options.ts";
import { addFleetOptions, type FleetFlags, fleetOptions } from "./fleet-options.ts";
import { CommandError, type ExitCode, type Io } from "./io.ts";
import { hasIpv6Loopback } from "./loopback.ts";
import { openNotifications } from "./open-notifications.ts";
import {
  collect,
  defaultWorkers,
  parseCidr,
  parseListenAddress,
  parsePath,
  parseWorkers,
  stateFolder,
  stateOption,
  watchResolverOption,
} from "./options.ts";
import { addProxyOptions, type ProxyFlags, proxyOptions } from "./proxy-options.ts";
import type { Service, ServiceOptions } from "./service.ts";
import { stopSignals } from "./stop-signals.ts";
import { parseVantageLocation } from "./vantage-location.ts";

/** As commander gives them. */
export interface ServerFlags extends AnswerFlags, FleetFlags, ProxyFlags {
  readonly state?: string;
  readonly listen?: readonly ListenAddress[];
  readonly dnsTransport: TransportChoice;
  readonly dnsWorkers: number;
  readonly dnsXdp?: readonly string[];
  readonly admin: ListenAddress;
  readonly metrics?: ListenAddress;
  readonly notify?: string;
  readonly mmdb?: readonly string[];
  readonly probeAllow?: readonly string[];
  readonly reference?: readonly ListenAddress[];
  readonly watchResolver?: readonly ListenAddress[];
  readonly vantage: string;
  readonly vantageLocation?: Location;
  readonly logLevel: LogLevel;
  readonly json?: boolean;
}

/** 127.0.0.1:5300 and, where there is IPv6, [::1]:5300. */
const defaultListen = (): readonly ListenAddress[] =>
  ["127.0.0.1", ...(hasIpv6Loopback() ? ["::1"] : [])].map((address) => ({ address, port: 5300 }));

export function addServerOptions(command: Command): Command {
  command
    .optionsGroup("Answering DNS:")
    .option(
      "--listen <addr:port>",
      "DNS over UDP and TCP; may be given several times (default: 127.0.0.1:5300 and [::1]:5300)",
      collect(parseListenAddress),
    )
    .addOption(
      new Option(
        "--dns-transport <kind>",
        "how DNS over UDP is answered: by threads of its own, by node:dgram, or by the former where it can be had",
      )
        .choices(TRANSPORTS)
        .default("auto"),
    )
    .addOption(
      new Option("--dns-workers <count>", "threads that answer DNS over UDP (not with node:dgram)")
        .argParser(parseWorkers)
        .default(defaultWorkers(), "one less than there are cores, 1 to 8"),
    )
    .option(
      "--dns-xdp <interface>",
      "take DNS over UDP out of a network interface by AF_XDP, past the kernel's sockets and firewall (Linux, as root); may be given several times",
      collect(String),
    )
    .optionsGroup("Being asked and watched:")
    .addOption(
      new Option("--admin <addr:port>", "HTTP API, probes and metrics")
        .argParser(parseListenAddress)
        .default({ address: "127.0.0.1", port: 8053 }, "127.0.0.1:8053"),
    )
    .option("--metrics <addr:port>", "second listener, for probes and metrics alone", parseListenAddress)
    .option("--notify <file>", "who is told of failovers and of what is degraded, by webhook; see docs/notifications.md", parsePath);
  addFleetOptions(addProxyOptions(command))
    .optionsGroup("Where clients are:")
    .option(
      "--mmdb <file>",
      "geo database; may be given several times, the most trusted first (default: the one in the package)",
      collect(parsePath),
    )
    .optionsGroup("Probing:")
    .option(
      "--probe-allow <cidr>",
      "network that may be probed although it is loopback or link-local; may be given several times",
      collect(parseCidr),
    )
    .option(
      "--reference <addr:port>",
      "control target: while none of them answers, failed probes are this server's own fault",
      collect(parseListenAddress),
    )
    .addOption(watchResolverOption())
    .option("--vantage <name>", "name of the site that this server probes from", "local")
    .option("--vantage-location <place>", "where that is: CLOUD/REGION or LATITUDE,LONGITUDE", parseVantageLocation)
    .optionsGroup("Own files and logs:")
    .addOption(stateOption().helpGroup("Own files and logs:"))
    .addOption(new Option("--log-level <level>", "least severe log lines that are written").choices(LOG_LEVELS).default("info"))
    .option("--json", "log JSON on a terminal too");
  return addAnswerOptions(command.optionsGroup("Limits of answers, and what is told of this server:"));
}

/** What the options say of a service; where its objects come from is the command's. */
export function serverOptions(flags: ServerFlags, io: Io, log: Log): Omit<ServiceOptions, "source"> {
  const proxy = proxyOptions(flags, io.cwd);
  return {
    state: stateFolder(flags.state, io),
    listen: flags.listen ?? defaultListen(),
    listenFlag: "--listen",
    transport: flags.dnsTransport,
    workers: flags.dnsWorkers,
    interfaces: flags.dnsXdp ?? [],
    answering: answerOptions(flags),
    admin: flags.admin,
    adminFlag: "--admin",
    ...(flags.metrics === undefined ? {} : { metrics: flags.metrics }),
    ...(flags.notify === undefined ? {} : { notify: openNotifications(flags.notify, io.cwd, (line) => log.warn(line)) }),
    mmdb: flags.mmdb ?? [],
    probeAllow: flags.probeAllow ?? [],
    references: flags.reference ?? [],
    ...(proxy === undefined ? {} : { proxy }),
    fleets: fleetOptions(flags, io.cwd),
    ...(flags.watchResolver === undefined ? {} : { watchResolvers: flags.watchResolver }),
    vantage: flags.vantage,
    ...(flags.vantageLocation === undefined ? {} : { vantageLocation: flags.vantageLocation }),
  };
}

export function serverLog({ logLevel, json }: Pick<ServerFlags, "logLevel" | "json">, io: Io): Log {
  const pretty = io.stderr.isTTY === true && json !== true;
  return createLog({ level: logLevel, pretty, now: io.now, write: (line) => void io.stderr.write(line) });
}

/** Runs a service until a signal asks it to stop, be it while it starts: then it stops once it has. A second one ends it at once. */
export async function runServer(start: () => Promise<Pick<Service, "stop">>, io: Io, log: Log): Promise<ExitCode> {
  const stop = stopSignals(io, () => {
    log.warn("asked twice to stop: ending at once");
    io.abort(1);
  });
  const { StartError } = await import("../engine/engine.ts"); // the whole engine: not needed to print a help text
  const service = await start().catch((error: unknown) => {
    stop.forget();
    if (error instanceof StartError)
      throw new CommandError(2, [error.message, ...error.problems.map(formatProblem)].join("\n"), { cause: error });
    if (error instanceof FastTransportUnavailable)
      throw new CommandError(1, `${error.message}. Leave out --dns-transport fast, or use dgram.`, { cause: error });
    if (error instanceof ListenError || error instanceof TokenError) throw new CommandError(1, error.message, { cause: error });
    throw error;
  });
  await stop.asked;
  log.info("stopping");
  await service.stop();
  log.info("stopped");
  stop.forget();
  return 0;
}
