/** Options of every command that runs a server, for programming proxies: where Envoys ask, by which certificates, and where HAProxies find their files. */
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { isLoopback } from "../admin/host-guard.ts";
import { formatListenAddress, type ListenAddress } from "../model/listen-address.ts";
import { CommandError } from "./io.ts";
import { parseListenAddress, parsePath } from "./options.ts";
import type { XdsFiles } from "./xds-certificates.ts";

/** As commander gives them. */
export interface FleetFlags {
  readonly xds?: ListenAddress;
  readonly xdsCert?: string;
  readonly xdsKey?: string;
  readonly xdsClientCa?: string;
  readonly xdsPlaintext?: boolean;
  readonly haproxyDir?: string;
}

export interface FleetOptions {
  /** Absent = Envoys are told nothing. */
  readonly xds?: {
    readonly listen: ListenAddress;
    /** The option that moves it, for messages. */
    readonly flag: string;
    /** Absent = in the clear, for whoever reaches it. */
    readonly files?: XdsFiles;
  };
  /** Absolute; absent = HAProxies are told nothing. */
  readonly haproxyFolder?: string;
}

export function addFleetOptions(command: Command): Command {
  return command
    .optionsGroup("Programming proxies:")
    .option("--xds <addr:port>", "where Envoys of ProxyFleets ask for their configuration (default: nowhere)", parseListenAddress)
    .option("--xds-cert <file>", "certificate in PEM that Envoys are shown; read again when it changes, as the next two", parsePath)
    .option("--xds-key <file>", "its private key in PEM", parsePath)
    .option("--xds-client-ca <file>", "who may sign the certificates of Envoys, in PEM", parsePath)
    .option("--xds-plaintext", "let Envoys ask without TLS where --xds is no loopback address")
    .option(
      "--haproxy-dir <dir>",
      "folder below which HAProxies of ProxyFleets find their configurations, as FLEET/MEMBER/haproxy.cfg (default: none is written)",
      parseHaproxyFolder,
    );
}

/**
 * What the options say.
 *
 * @throws CommandError (exit 2) when they do not go together
 */
export function fleetOptions({ xds, xdsCert, xdsKey, xdsClientCa, xdsPlaintext, haproxyDir }: FleetFlags, cwd: string): FleetOptions {
  const given = { "--xds-cert": xdsCert, "--xds-key": xdsKey, "--xds-client-ca": xdsClientCa };
  const missing = Object.entries(given).flatMap(([flag, file]) => (file === undefined ? [flag] : []));
  if (missing.length > 0 && missing.length < 3)
    throw new CommandError(
      2,
      `${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} missing: TLS towards Envoys needs all three files.`,
    );
  if (xds === undefined && missing.length === 0) throw new CommandError(2, "--xds-cert has no use without --xds ADDR:PORT.");
  const isPlain = missing.length > 0;
  if (xds !== undefined && isPlain && xdsPlaintext !== true && !isLoopback(xds.address)) {
    const at = formatListenAddress(xds);
    throw new CommandError(
      2,
      `--xds ${at} would tell everybody who reaches it where the endpoints are. Give --xds-cert, --xds-key and --xds-client-ca, or --xds-plaintext if the network is protected otherwise.`,
    );
  }
  if (xds === undefined && xdsPlaintext === true) throw new CommandError(2, "--xds-plaintext has no use without --xds ADDR:PORT.");
  const file = (path: string | undefined): string => resolve(cwd, path ?? "");
  const files = isPlain ? {} : { files: { certificate: file(xdsCert), key: file(xdsKey), clientCa: file(xdsClientCa) } };
  return {
    ...(xds === undefined ? {} : { xds: { listen: xds, flag: "--xds", ...files } }),
    ...(haproxyDir === undefined ? {} : { haproxyFolder: haproxyDir }),
  };
}

/** It stands in HAProxy's configuration, in expressions that have no quoting, and both programs must mean the same by it. */
function parseHaproxyFolder(text: string): string {
  if (/^(\/[a-zA-Z0-9@%+=:._-]+)+$/.test(text) && resolve(text) === text) return text;
  throw new InvalidArgumentError("Write an absolute path of letters, digits and -_.:@%+= alone, as in /run/globalroute-haproxy.");
}
