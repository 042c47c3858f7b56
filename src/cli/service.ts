/** One running GlobalRoute: folder, engine, probes, DNS and admin server put together. `serve` and `demo` both run this. */
import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { join, resolve } from "node:path";
import { createMonitor } from "../../health/monitor.ts";
import { systemPorts } from "../../health/ports.ts";
import { createProber } from "../../health/probes/prober.ts";
import { createAdminServer } from "../admin/server.ts";
import { loadToken, tokenPath } from "../admin/token.ts";
import { readDecisions, readQueries } from "../dns/counters.ts";
import { createDnsServer, type DnsServer } from "../dns/dns-server.ts";
import { createFlattener } from "../dns/flatten.ts";
import { expandWildcards } from "../dns/local-addresses.ts";
import { createHostResolver } from "../dns/resolver.ts";
import type { TransportChoice } from "../dns/udp-transport.ts";
import { type BuiltTables, createZoneBuilder, type ZoneBuilder } from "../dns/zone-builder.ts";
import { createCompiler } from "../engine/compiler.ts";
import { createEngine } from "../engine/engine.ts";
import { createFolderSource } from "../engine/folder-source.ts";
import { createLastGoodStore } from "../engine/last-good.ts";
import type { Publisher } from "../engine/source.ts";
import type { EngineView } from "../engine/view.ts";
import { loadCentroids } from "../geo/country-centroids.ts";
import { type Endpoint, endpointKey } from "../model/health.ts";
import type { Location, Probe } from "../model/inventory.ts";
import { type Network, parseNetwork } from "../model/ip.ts";
import { formatListenAddress, type ListenAddress } from "../model/listen-address.ts";
import { formatProblem } from "../model/problem.ts";
import { ms } from "../model/units.ts";
import type { Log } from "../observe/log.ts";
import { createMetrics } from "../observe/metrics.ts";
import { createTimeline } from "../observe/timeline.ts";
import type { Io } from "./io.ts";
import { version } from "./version.ts";

export interface ServiceOptions {
  /** Folder of objects. */
  readonly config: string;
  /** Folder of the server's own files. */
  readonly state: string;
  /** DNS over UDP and TCP. */
  readonly listen: readonly ListenAddress[];
  /** How UDP is answered, and by how many threads. */
  readonly transport: TransportChoice;
  readonly workers: number;
  /** The option that moves the DNS listeners, for messages. */
  readonly listenFlag: string;
  readonly admin: ListenAddress;
  /** The option that moves the admin listener, for messages. */
  readonly adminFlag: string;
  readonly metrics?: ListenAddress;
  /** Geo databases, the most trusted first; empty = the one in the package. */
  readonly mmdb: readonly string[];
  /** CIDRs that may be probed although they are loopback, link-local or the like. */
  readonly probeAllow: readonly string[];
  readonly references: readonly ListenAddress[];
  readonly vantage: string;
  readonly vantageLocation?: Location;
}

export interface Service {
  readonly view: EngineView;
  /** Where it answers DNS, real ports. */
  readonly dns: readonly ListenAddress[];
  readonly admin: ListenAddress;
  /** Not ready first, then DNS, engine and API, in this order. */
  readonly stop: () => Promise<void>;
}

const TIMELINE_EVENTS = 1000;

/**
 * Starts everything, or nothing.
 *
 * @throws StartError when there is nothing to serve, ListenError for a port, TokenError for the state folder
 */
export async function startService(options: ServiceOptions, io: Pick<Io, "now" | "every" | "cwd">, log: Log): Promise<Service> {
  const token = await loadToken(options.state, () => randomBytes(24).toString("base64url"));
  const metrics = createMetrics({ processMetrics: true });
  const timeline = createTimeline(TIMELINE_EVENTS, io.now);
  const allow = networks(options.probeAllow);
  const listeners = [...options.listen, options.admin, ...(options.metrics === undefined ? [] : [options.metrics])];
  const prober = createProber({ allow, refuse: expandWildcards(listeners, networkInterfaces()) });
  const ports = systemPorts(prober.probe);

  const dns = createDnsServer({
    listen: options.listen,
    flag: options.listenFlag,
    ports,
    transport: options.transport,
    workers: options.workers,
    onFallback: (reason) => log.warn({ reason }, "DNS: the fast transport cannot be had here; UDP is answered by node:dgram"),
    onDuration: metrics.dnsQueryDuration,
    onError: (error) => log.warn({ err: error }, "DNS: a socket failed; serving goes on"),
  });
  const resolver = createHostResolver();
  const flattener = createFlattener({ resolver, now: ports.now, setTimer: ports.setTimer, allow });
  const config = resolve(io.cwd, options.config);
  const compiler = createCompiler();
  const zoneBuilder = createZoneBuilder({ now: io.now });
  const engine = createEngine({
    source: createFolderSource(
      config,
      compiler.parse,
      (delay, callback) => ports.setTimer(ms(delay), callback),
      (error) => log.error({ err: error }, "the folder could not be parsed; trying again"),
    ),
    publishers: [dnsPublisher(dns, zoneBuilder)],
    compiler,
    lastGood: createLastGoodStore(join(options.state, "last-good")),
    geoPaths: options.mmdb.map((path) => resolve(io.cwd, path)),
    ...(options.vantageLocation === undefined ? {} : { vantageLocation: options.vantageLocation }),
    createMonitor: (events) =>
      createMonitor({ ...events, vantage: options.vantage, ports, references: options.references.map(referenceEndpoint) }),
    flatten: flattener,
    population: new Map([...loadCentroids()].map(([country, { population }]) => [country, population])),
    metrics,
    timeline,
    log,
    now: io.now,
    setTimer: (delay, callback) => ports.setTimer(ms(delay), callback),
  });
  metrics.attach({ ...engine.readings, dnsQueries: () => readQueries(dns.counters()), decisions: () => readDecisions(dns.counters()) });

  const admin = await createAdminServer({
    view: engine.view,
    metrics,
    listen: options.admin,
    flag: options.adminFlag,
    ...(options.metrics === undefined ? {} : { metricsListen: options.metrics }),
    token,
    version: version(),
    log,
    every: io.every,
  });
  const stop = async (): Promise<void> => {
    admin.shutdownBegan();
    await dns.stop();
    await engine.stop();
    await zoneBuilder.close();
    resolver.close();
    await prober.close();
    await admin.stop();
  };
  try {
    // Listeners first: a taken port is told at once, readiness can be asked while the rest comes up, and the first table answers at once.
    await admin.start();
    const bound = await dns.start();
    await engine.start();
    log.info(
      {
        dns: bound.map(formatListenAddress),
        transport: dns.transport(),
        admin: formatListenAddress(admin.address()),
        ...(options.metrics === undefined ? {} : { metrics: formatListenAddress(admin.metricsAddress() ?? options.metrics) }),
        config,
        tokenFile: tokenPath(options.state),
      },
      "serving",
    );
    return { view: engine.view, dns: bound, admin: admin.address(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Zone tables are built beforehand, on a thread of their own; the DNS server takes them over by one assignment. */
function dnsPublisher(dns: Pick<DnsServer, "swap">, builder: Pick<ZoneBuilder, "build">): Publisher {
  let prepared: BuiltTables | undefined;
  return {
    async prepare(routing, inventory) {
      prepared = await builder.build(inventory.zones, routing);
    },
    publish(routing) {
      if (prepared?.routing !== routing) throw new Error("a table is published that was not prepared");
      const { zones, problems } = prepared;
      prepared = undefined; // its parts live on where they are used
      dns.swap({ routing, zones });
      return problems.map(formatProblem);
    },
  };
}

/** A control target: whether a TCP connection opens, often enough to tell within seconds that the network is there. */
function referenceEndpoint({ address, port }: ListenAddress): Endpoint {
  const probe: Probe = { type: "TCP", scheme: "HTTP", port, path: "/", host: "", service: "", expect: { status: [] }, verify: true };
  const policy: Endpoint["policy"] = { interval: ms(5000), timeout: ms(2000), rise: 1, fall: 1, quorum: { type: "Majority" } };
  return { key: endpointKey(address, probe, policy), cluster: "", address, probe, policy };
}

const networks = (texts: readonly string[]): readonly Network[] => texts.flatMap((text) => parseNetwork(text) ?? []);
