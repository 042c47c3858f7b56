/** Options of every command that runs a server, for passing requests on: where, by which certificates, and whom to believe. */
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { ListenAddress } from "../model/listen-address.ts";
import { PLACE_LIMITS } from "../proxy/embedded/front/front-settings.ts";
import type { ProxyOptions } from "./embedded-proxy.ts";
import { CommandError } from "./io.ts";
import { collect, parseCidr, parseHops, parseListenAddress, parsePath, parsePerClient } from "./options.ts";

/** As commander gives them. */
export interface ProxyFlags {
  readonly proxy?: readonly ListenAddress[];
  readonly proxyTls?: readonly ListenAddress[];
  readonly proxyCertificates?: string;
  readonly proxyTrustedHops: number;
  readonly proxyProtocol?: boolean;
  readonly proxyProtocolFrom?: readonly string[];
  readonly proxyPerClient: number;
  readonly proxyUpstreamCa?: string;
}

export function addProxyOptions(command: Command): Command {
  return command
    .optionsGroup("Passing requests on:")
    .option(
      "--proxy <addr:port>",
      "pass HTTP requests on to the nearest cluster that is in service; may be given several times (default: nowhere)",
      collect(parseListenAddress),
    )
    .option(
      "--proxy-tls <addr:port>",
      "the same by HTTPS (HTTP/2 and HTTP/1.1), with the certificates of --proxy-certificates; may be given several times",
      collect(parseListenAddress),
    )
    .option(
      "--proxy-certificates <dir>",
      "folder of NAME.crt and NAME.key, or of folders with tls.crt and tls.key; read again as they change",
      parsePath,
    )
    .addOption(
      new Option("--proxy-trusted-hops <count>", "proxies in front of it whose X-Forwarded-For counts").argParser(parseHops).default(0),
    )
    .option("--proxy-protocol", "every connection to the proxy begins with a header of the PROXY protocol, which says who the client is")
    .option(
      "--proxy-protocol-from <cidr>",
      "with --proxy-protocol: network that connections may come from; may be given several times (default: any)",
      collect(parseCidr),
    )
    .addOption(
      new Option("--proxy-per-client <count>", "connections and HTTP/2 streams that one client address may have at a time; 0 = any number")
        .argParser(parsePerClient)
        .default(PLACE_LIMITS.places),
    )
    .option(
      "--proxy-upstream-ca <file>",
      "who may have signed the certificates of clusters that are probed over TLS, as PEM (default: the authorities that Node knows)",
      parsePath,
    );
}

/**
 * What the options say; undefined when nothing is passed on.
 *
 * @throws CommandError (exit 2) for those that mean nothing without another
 */
export function proxyOptions(flags: ProxyFlags, cwd: string): ProxyOptions | undefined {
  const { proxy: listen = [], proxyTls, proxyCertificates: folder, proxyProtocol, proxyProtocolFrom: from, proxyUpstreamCa: ca } = flags;
  if ((proxyTls === undefined) !== (folder === undefined))
    throw new CommandError(2, "--proxy-tls and --proxy-certificates go together: give both, or neither.");
  if (from !== undefined && proxyProtocol !== true)
    throw new CommandError(2, "--proxy-protocol-from means nothing by itself. Give --proxy-protocol too.");
  if (listen.length === 0 && proxyTls === undefined) {
    const alone = proxyProtocol === true ? "--proxy-protocol" : ca !== undefined ? "--proxy-upstream-ca" : undefined;
    if (alone !== undefined) throw new CommandError(2, `${alone} means nothing by itself. Give --proxy or --proxy-tls too.`);
    return undefined;
  }
  return {
    listen,
    flag: "--proxy",
    trustedHops: flags.proxyTrustedHops,
    perClient: flags.proxyPerClient,
    ...(proxyTls !== undefined && folder !== undefined && { tls: { listen: proxyTls, certificates: resolve(cwd, folder) } }),
    ...(proxyProtocol === true && { proxyProtocol: { from: from ?? [] } }),
    ...(ca !== undefined && { upstreamCa: resolve(cwd, ca) }),
  };
}
