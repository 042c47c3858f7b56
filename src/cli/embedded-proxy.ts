/** The embedded proxy as a publisher of tables: its listeners, whom it may connect to, and its end. */
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { type AddressPolicy, forbiddenAddress } from "../../health/probes/address-check.ts";
import type { Traffic } from "../../health/traffic.ts";
import type { Publisher } from "../engine/source.ts";
import type { EndpointKey } from "../model/health.ts";
import { formatListenAddress, type ListenAddress, ListenError } from "../model/listen-address.ts";
import { type Milliseconds, ms } from "../model/units.ts";
import type { Log } from "../observe/log.ts";
import type { ProxyReading } from "../observe/metric-readings.ts";
import { openProxyServer, type ProxyServer } from "../proxy/embedded/forward/proxy-server.ts";
import { PROXY_SETTINGS } from "../proxy/embedded/forward/settings.ts";
import { createProxyOutcomes } from "../proxy/embedded/outcomes/proxy-outcomes.ts";
import { proxyReading } from "../proxy/embedded/outcomes/proxy-reading.ts";
import { createRouteChooser } from "../proxy/embedded/route-chooser.ts";
import { CommandError } from "./io.ts";

export interface EmbeddedProxyOptions {
  readonly listen: readonly ListenAddress[];
  /** The option that moves the listeners, for messages. */
  readonly flag: string;
  /** Proxies in front of it whose word on who the client is counts. */
  readonly trustedHops: number;
  /** Path of a PEM file: who may have signed endpoints' certificates; absent = the authorities that Node knows. */
  readonly upstreamCa?: string;
  /** Whoever writes a route must not reach by us what they could not reach themselves: the same rules as for probes. */
  readonly addresses: AddressPolicy;
  /** Monotonic. */
  readonly now: () => Milliseconds;
  readonly setTimer: (delay: Milliseconds, callback: () => void) => () => void;
  /** [0, 1) */
  readonly random: () => number;
  /** Seconds of each request that was answered. */
  readonly onDuration: (seconds: number) => void;
  readonly log: Pick<Log, "info" | "warn">;
}

export interface EmbeddedProxyService extends Publisher {
  /** Opens every listener, or none. @returns what was opened, with real ports. @throws ListenError */
  readonly start: () => Promise<readonly ListenAddress[]>;
  /** Takes no more requests, and lets those end that are being answered. */
  readonly stop: () => Promise<void>;
  /** What became of requests at an endpoint since this was asked last. */
  readonly traffic: (key: EndpointKey) => Traffic;
  readonly reading: () => ProxyReading;
}

/** How long requests may take to end after the proxy was told to stop. */
const PATIENCE = ms(10_000);

export function createEmbeddedProxy(options: EmbeddedProxyOptions): EmbeddedProxyService {
  const { listen, flag, trustedHops, addresses, now, setTimer, random, onDuration, log } = options;
  const chooser = createRouteChooser(random, (address, port) => forbiddenAddress(address, port, addresses) === undefined);
  const outcomes = createProxyOutcomes(now, onDuration);
  const settings = { ...PROXY_SETTINGS, forwarded: { ...PROXY_SETTINGS.forwarded, trustedHops } };
  const open: ProxyServer[] = [];

  const stop = async (): Promise<void> => void (await Promise.all(open.splice(0).map((server) => server.close(PATIENCE))));

  return {
    publish(table, { routes }) {
      outcomes.adopt(routes);
      chooser.adopt(table, routes);
      return [];
    },
    async start() {
      const ca = options.upstreamCa === undefined ? {} : { upstreamCa: await readAuthorities(options.upstreamCa) };
      const onError = (error: Error): void => log.warn({ err: error }, "the proxy's listener failed; serving goes on");
      for (const one of listen) {
        try {
          open.push(
            await openProxyServer(one, chooser.choose, { now, setTimer, onError, outcomes, tableVersion: chooser.version }, { ...settings, ...ca }),
          );
        } catch (cause) {
          await stop();
          throw new ListenError("HTTP proxy", one, flag, cause);
        }
      }
      const bound = open.map(({ port }, i) => ({ address: listen[i]!.address, port }));
      log.info({ proxy: bound.map(formatListenAddress) }, "passing requests on");
      return bound;
    },
    stop,
    traffic: outcomes.take,
    reading: () => proxyReading(open, outcomes, outcomes),
  };
}

/** @throws CommandError */
async function readAuthorities(path: string): Promise<string> {
  try {
    const pem = await readFile(path, "utf8");
    createSecureContext({ ca: pem });
    if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
    throw new Error("it holds no certificate");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(1, `--proxy-upstream-ca ${path}: ${why}. Name a PEM file with the certificates of the authorities.`, { cause });
  }
}
