/** The embedded proxy as a publisher of tables: its listeners and certificates, whom it may connect to, and its end. */
import { relative } from "node:path";
import { type AddressPolicy, forbiddenAddress } from "../../health/probes/address-check.ts";
import type { Traffic } from "../../health/traffic.ts";
import type { Publisher } from "../engine/source.ts";
import type { EndpointKey } from "../model/health.ts";
import { parseNetwork } from "../model/ip.ts";
import { formatListenAddress, type ListenAddress, ListenError } from "../model/listen-address.ts";
import { type Milliseconds, ms } from "../model/units.ts";
import type { Log } from "../observe/log.ts";
import type { CertificateReading, ProxyReading } from "../observe/metric-readings.ts";
import { openProxyServer, type ProxyServer } from "../proxy/embedded/forward/proxy-server.ts";
import { PROXY_SETTINGS, type ProxySettings } from "../proxy/embedded/forward/settings.ts";
import type { CertificateStore } from "../proxy/embedded/front/certificate-store.ts";
import {
  CONDUCT_LIMITS,
  type FrontSettings,
  NO_PLACE_LIMITS,
  PLACE_LIMITS,
  PROXY_HEADER_TIMEOUT,
  TLS_FRONT,
} from "../proxy/embedded/front/front-settings.ts";
import { createProxyOutcomes } from "../proxy/embedded/outcomes/proxy-outcomes.ts";
import { proxyReading } from "../proxy/embedded/outcomes/proxy-reading.ts";
import { createRouteChooser } from "../proxy/embedded/route-chooser.ts";
import { openCertificates, readAuthorities } from "./proxy-files.ts";

/** What operators say of it. */
export interface ProxyOptions {
  /** Plain HTTP/1.1. */
  readonly listen: readonly ListenAddress[];
  /** The option that moves the listeners, for messages. */
  readonly flag: string;
  /** Proxies in front of it whose word on who the client is counts. */
  readonly trustedHops: number;
  /** TLS with HTTP/2 and HTTP/1.1; the certificates are in this folder. */
  readonly tls?: { readonly listen: readonly ListenAddress[]; readonly certificates: string };
  /** Every connection begins with a header of the PROXY protocol and comes from one of these networks, CIDR; empty = from anywhere. */
  readonly proxyProtocol?: { readonly from: readonly string[] };
  /** Connections and streams of one client; 0 = any number. */
  readonly perClient?: number;
  /** Path of a PEM file: who may have signed endpoints' certificates; absent = the authorities that Node knows. */
  readonly upstreamCa?: string;
}

export interface EmbeddedProxyOptions extends ProxyOptions {
  /** Whoever writes a route must not reach by us what they could not reach themselves: the same rules as for probes. */
  readonly addresses: AddressPolicy;
  /** Monotonic. */
  readonly now: () => Milliseconds;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
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
  /** Those that clients are shown. */
  readonly certificates: () => readonly CertificateReading[];
}

/** How long requests may take to end after the proxy was told to stop. */
const PATIENCE = ms(10_000);

export function createEmbeddedProxy(options: EmbeddedProxyOptions): EmbeddedProxyService {
  const { listen, flag, tls, addresses, now, wallClock, setTimer, random, onDuration, log } = options;
  const chooser = createRouteChooser(random, (address, port) => forbiddenAddress(address, port, addresses) === undefined);
  const outcomes = createProxyOutcomes(now, onDuration);
  const onError = (error: Error): void => log.warn({ err: error }, "the proxy's listener failed; serving goes on");
  const ports = { now, setTimer, outcomes, tableVersion: chooser.version, onError };
  const front = frontSettings(options);
  const open: ProxyServer[] = [];
  let certificates: CertificateStore | undefined;

  const stop = async (): Promise<void> => {
    certificates?.close();
    await Promise.all(open.splice(0).map((server) => server.close(PATIENCE)));
  };

  async function openAll(all: readonly ListenAddress[], what: string, ownFlag: string, ownFront: FrontSettings): Promise<ListenAddress[]> {
    const upstreamCa = options.upstreamCa === undefined ? undefined : await readAuthorities(options.upstreamCa);
    const settings = proxySettings(options.trustedHops, ownFront.tls === undefined ? "http" : "https", upstreamCa);
    const bound: ListenAddress[] = [];
    for (const one of all) {
      try {
        const server = await openProxyServer(one, chooser.choose, ports, settings, ownFront);
        open.push(server);
        bound.push({ address: one.address, port: server.port });
      } catch (cause) {
        throw new ListenError(what, one, ownFlag, cause);
      }
    }
    return bound;
  }

  async function openWithTls(): Promise<ListenAddress[]> {
    if (tls === undefined) return [];
    const store = await openCertificates(tls.certificates, {
      wallClock,
      setTimer,
      warn: (message) => log.warn({}, message),
      inform: (message) => log.info({}, message),
    });
    certificates = store;
    return openAll(tls.listen, "HTTPS proxy", "--proxy-tls", { ...front, tls: { ...TLS_FRONT, certificates: store.current } });
  }

  return {
    publish(table, { routes }) {
      outcomes.adopt(routes);
      chooser.adopt(table, routes);
      return [];
    },
    async start() {
      try {
        const plain = await openAll(listen, "HTTP proxy", flag, front);
        const encrypted = await openWithTls();
        const tlsFields = tls === undefined ? {} : { proxyTls: encrypted.map(formatListenAddress) };
        log.info({ proxy: plain.map(formatListenAddress), ...tlsFields }, "passing requests on");
        return [...plain, ...encrypted];
      } catch (error) {
        await stop();
        throw error;
      }
    },
    stop,
    traffic: outcomes.take,
    reading: () => proxyReading(open, outcomes, outcomes),
    certificates: () =>
      Array.from(certificates?.ends() ?? [], ([path, end]) => ({
        listener: "proxy" as const,
        certificate: relative(tls?.certificates ?? "", path),
        seconds: (end - wallClock()) / 1000,
      })),
  };
}

/** Behind proxies that are trusted all clients have their addresses: there is no bound for one of them then. */
function frontSettings({ proxyProtocol, perClient, trustedHops }: ProxyOptions): FrontSettings {
  const most = perClient ?? PLACE_LIMITS.places;
  const isBound = trustedHops === 0 && most > 0;
  const places = isBound ? { places: most, silent: Math.min(PLACE_LIMITS.silent, most) } : NO_PLACE_LIMITS;
  const bounds = { places, ...(isBound ? { conduct: CONDUCT_LIMITS } : {}) };
  if (proxyProtocol === undefined) return bounds;
  const from = proxyProtocol.from.flatMap((text) => parseNetwork(text) ?? []);
  return { ...bounds, proxyProtocol: { from, timeout: PROXY_HEADER_TIMEOUT } };
}

const proxySettings = (trustedHops: number, scheme: "http" | "https", upstreamCa: string | undefined): ProxySettings => ({
  ...PROXY_SETTINGS,
  forwarded: { ...PROXY_SETTINGS.forwarded, trustedHops, scheme },
  ...(upstreamCa === undefined ? {} : { upstreamCa }),
});
