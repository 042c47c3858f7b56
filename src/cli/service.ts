/** One running GlobalRoute: folder, engine, probes, DNS and admin server put together. `serve` and `demo` both run this. */
import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { ObjectApi } from "../../dns-providers/dnsendpoint/object-api.ts";
import { createMonitor } from "../../health/monitor.ts";
import { systemPorts } from "../../health/ports.ts";
import { createProber } from "../../health/probes/prober.ts";
import { actsElsewhere } from "../admin/act-desk.ts";
import { createAdminServer } from "../admin/server.ts";
import { loadToken, tokenPath } from "../admin/token.ts";
import { regionsOf } from "../admin/world-map.ts";
import { answersByCluster, createAnswerRates } from "../dns/answer-rates.ts";
import { type Ask, createAsk } from "../dns/check/ask.ts";
import { exchangeOverTcp, exchangeOverUdp } from "../dns/check/exchange.ts";
import { readClusterAnswers, readCookies, readDecisions, readLimited, readQueries } from "../dns/counters.ts";
import { createDnsServer } from "../dns/dns-server.ts";
import { createFlattener } from "../dns/flatten.ts";
import { expandWildcards } from "../dns/local-addresses.ts";
import { createHostResolver } from "../dns/resolver.ts";
import type { TransportChoice } from "../dns/udp-transport.ts";
import { createAnswerWatch } from "../dns/watch/answer-watch.ts";
import { createZoneBuilder } from "../dns/zone-builder.ts";
import { createCompiler } from "../engine/compiler.ts";
import { createEngine } from "../engine/engine.ts";
import { createFolderSource } from "../engine/folder-source.ts";
import { createLastGoodStore, type LastGoodStore } from "../engine/last-good.ts";
import type { PeerPort } from "../engine/peer-port.ts";
import type { Source } from "../engine/source.ts";
import type { EngineView, Status } from "../engine/view.ts";
import { loadCentroids } from "../geo/country-centroids.ts";
import type { Location } from "../model/inventory.ts";
import { type Network, parseNetwork } from "../model/ip.ts";
import { formatListenAddress, type ListenAddress } from "../model/listen-address.ts";
import { ms } from "../model/units.ts";
import type { Log } from "../observe/log.ts";
import { createMetrics, type Metrics } from "../observe/metrics.ts";
import { createTimeline, type Timeline } from "../observe/timeline.ts";
import { createActDesk } from "./act-desk.ts";
import { type AnswerOptions, DEFAULT_ANSWERING } from "./answer-options.ts";
import { createDashboard } from "./dashboard-bundle.ts";
import { createDelegationPorts } from "./delegation-ports.ts";
import { createDnsPublisher } from "./dns-publisher.ts";
import { loadDrills, writeDrill } from "./drill-files.ts";
import { createDrillRecorder } from "./drill-recorder.ts";
import { createEmbeddedProxy, type ProxyOptions } from "./embedded-proxy.ts";
import { createFailoverFollower } from "./failover-follower.ts";
import type { FleetOptions } from "./fleet-options.ts";
import { lockFolder } from "./folder-lock.ts";
import { CommandError, type Io } from "./io.ts";
import { startNotifications } from "./notifications.ts";
import { openAnswerSettings } from "./open-answer-settings.ts";
import type { OpenNotifications } from "./open-notifications.ts";
import { createProviderOpener, digest } from "./open-provider.ts";
import { createPlanDesk } from "./plan-desk.ts";
import { createProviderPublisher, type ProviderPublisher } from "./provider-publisher.ts";
import { createProxyFleets, type ProxyFleets } from "./proxy-fleets.ts";
import { referenceEndpoint } from "./reference-endpoint.ts";
import { version } from "./version.ts";
import { readXdsCertificates } from "./xds-certificates.ts";
import { createZoneCopies } from "./zone-copies.ts";

export interface ServiceOptions {
  /** Where the objects come from: a folder, or whatever `open` makes; `path` names it for people. */
  readonly source: { readonly folder: string } | { readonly open: (ports: SourcePorts) => Source };
  /** Folder of the server's own files. */
  readonly state: string;
  /** DNS over UDP and TCP. */
  readonly listen: readonly ListenAddress[];
  /** How UDP is answered, and by how many threads. */
  readonly transport: TransportChoice;
  readonly workers: number;
  /** Taken by AF_XDP. */
  readonly interfaces?: readonly string[];
  /** What `serve` does without options if not given. */
  readonly answering?: AnswerOptions;
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
  /** Where API servers are: not probed unless allowed. */
  readonly apiServers?: () => readonly ListenAddress[];
  readonly references: readonly ListenAddress[];
  readonly vantage: string;
  readonly vantageLocation?: Location;
  /** Tells the replicas of one site apart; any text. */
  readonly replica?: string;
  /** Other instances, which vote too. */
  readonly peers?: PeerPort;
  /** Which of the replicas writes, for people; undefined while that is not known. */
  readonly writer?: () => string | undefined;
  /** Of the API server that has our objects; absent where they are files. */
  readonly dnsEndpoints?: ObjectApi;
  /** Who is told of failovers and of what is degraded. */
  readonly notify?: OpenNotifications;
  /** Where HTTP requests are passed on to the nearest cluster; absent = nowhere. */
  readonly proxy?: ProxyOptions;
  /** How proxies of ProxyFleets are told; absent = they are not. */
  readonly fleets?: FleetOptions;
  /** Recursive resolvers that are asked whether a failover has reached them. */
  readonly watchResolvers?: readonly ListenAddress[];
  /** How long DNS goes on being answered after readiness has been taken back, ms: whoever sends clients here needs to notice. */
  readonly terminationDrain?: number;
}

/** What a source of objects may need of the rest. */
export interface SourcePorts {
  readonly timeline: Timeline;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly lastGood: LastGoodStore;
}

export interface Service {
  readonly view: EngineView;
  /** Who writes to zones that are kept elsewhere: this process while it has a term. Of a folder of objects nobody else does. */
  readonly writes: (epoch: number | undefined) => void;
  /** Removes all of our records in a zone that is kept elsewhere and whose object is being deleted, as the writer. Never rejects. */
  readonly removeRecords: ProviderPublisher["removeRecords"];
  /** Where it answers DNS, real ports. */
  readonly dns: readonly ListenAddress[];
  readonly admin: ListenAddress;
  /** Where it passes requests on, real ports; those with TLS last. */
  readonly proxy: readonly ListenAddress[];
  /** How the proxies of ProxyFleets follow. */
  readonly fleets: Pick<ProxyFleets, "status" | "refusals" | "watch">;
  /** Not ready first, then DNS, engine and API, in this order. */
  readonly stop: () => Promise<void>;
}

const TIMELINE_EVENTS = 1000;
/** While a scrape is written, between its parts, ms: where there is one core the DNS thread gets it only when this one sleeps. */
const SCRAPE_PAUSE = 1;
/** Of looking out for failovers, a second, to all servers together. */
const WATCH_QUERIES = 200;
/** For one such query, ms. */
const WATCH_TIMEOUT = 2000;

/**
 * Starts everything, or nothing.
 *
 * @throws StartError when there is nothing to serve, ListenError for a port, TokenError or CommandError for the state folder
 */
export async function startService(options: ServiceOptions, io: Pick<Io, "now" | "every" | "cwd">, log: Log): Promise<Service> {
  const lock = await lockFolder(options.state, "server.lock", (reason) =>
    log.warn({ reason }, "the state folder cannot be locked here: see to it that no other server uses it"),
  );
  if (!lock.taken) {
    const remedy = "End that server, or give this one a folder of its own with --state.";
    throw new CommandError(1, `the state folder ${options.state} is in use by ${lock.holder}. ${remedy}`);
  }
  try {
    const service = await compose(options, io, log);
    return { ...service, stop: () => service.stop().finally(lock.release) };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function compose(options: ServiceOptions, io: Pick<Io, "now" | "every" | "cwd">, log: Log): Promise<Service> {
  const xds = options.fleets?.xds;
  const xdsTls = xds?.files === undefined ? undefined : readXdsCertificates(xds.files); // before anything is open that would keep the process
  const token = await loadToken(options.state, () => randomBytes(24).toString("base64url"));
  const answering = await openAnswerSettings(options.answering ?? DEFAULT_ANSWERING, options.state, io, log);
  const metrics = createMetrics({ processMetrics: true, now: io.now, breathe: () => setTimeout(SCRAPE_PAUSE) });
  const timeline = createTimeline(TIMELINE_EVENTS, io.now);
  const allow = networks(options.probeAllow);
  const others = [
    ...(options.metrics === undefined ? [] : [options.metrics]),
    ...(options.proxy?.listen ?? []),
    ...(options.proxy?.tls?.listen ?? []),
    ...(xds === undefined ? [] : [xds.listen]),
  ];
  const listeners = [...options.listen, options.admin, ...others];
  const addresses = {
    allow,
    refuse: expandWildcards(listeners, networkInterfaces()),
    ...(options.apiServers === undefined ? {} : { apiServers: options.apiServers }),
  };
  const prober = createProber(addresses);
  const ports = systemPorts(prober.probe);

  const copies = createZoneCopies({ listen: options.listen, ...ports, wallClock: io.now, metrics, log });
  const dns = createDnsServer({
    listen: options.listen,
    flag: options.listenFlag,
    ports,
    transport: options.transport,
    workers: options.workers,
    interfaces: options.interfaces ?? [],
    settings: answering.settings,
    transfers: copies.transfers,
    onTaken: (interfaces) => log.info({ interfaces }, "DNS over UDP is taken out of these interfaces by AF_XDP"),
    onFallback: (reason) => log.warn({ reason }, "DNS: the fast transport cannot be had here; UDP is answered by node:dgram"),
    onDuration: metrics.dnsQueryDuration,
    onError: (error) => log.warn({ err: error }, "DNS: a socket failed; serving goes on"),
  });
  const resolver = createHostResolver();
  const flattener = createFlattener({ resolver, now: ports.now, setTimer: ports.setTimer, allow });
  const compiler = createCompiler();
  const lastGood = createLastGoodStore(join(options.state, "last-good"));
  const source = openSource();
  const zoneBuilder = createZoneBuilder({
    now: io.now,
    hashKey: new Int32Array(new Uint8Array(randomBytes(16)).buffer),
    viewFolder: join(options.state, "zones"),
  });
  function openSource(): Source {
    if ("open" in options.source) return options.source.open({ timeline, metrics, log, lastGood });
    return createFolderSource(
      resolve(io.cwd, options.source.folder),
      compiler.parse,
      (delay, callback) => ports.setTimer(ms(delay), callback),
      (error) => log.error({ err: error }, "the folder could not be parsed; trying again"),
    );
  }
  const publisher = createDnsPublisher({
    dns,
    builder: zoneBuilder,
    copies,
    now: io.now,
    setTimer: ports.setTimer,
    onError: (error) =>
      log.error({ err: error }, "zones could not be brought up to date; trying again, and what is there serves meanwhile"),
  });
  const openProvider = createProviderOpener({
    wallClock: io.now,
    now: ports.now,
    geoFiles: options.mmdb.map((path) => resolve(io.cwd, path)),
    ...(options.dnsEndpoints === undefined ? {} : { dnsEndpoints: options.dnsEndpoints }),
    setTimer: (delay, callback) => ports.setTimer(ms(delay), callback),
    onPropagated: (domain, milliseconds) => metrics.providerPropagation(domain, milliseconds / 1000),
  });
  const drillsFolder = join(options.state, "drills");
  const earlierDrills = await loadDrills(drillsFolder, (file) => log.warn({ file }, "this is no report of a drill; it is left alone"));
  const centroids = loadCentroids();
  const population = new Map([...centroids].map(([country, { population }]) => [country, population]));
  let ownServer: ListenAddress | undefined;
  const follower = createFailoverFollower({
    ...{ metrics, timeline, log, population, now: io.now },
    watch: createAnswerWatch({
      ask: askOnce,
      now: ports.now,
      setTimer: (delay, callback) => ports.setTimer(ms(delay), callback),
      queriesPerSecond: WATCH_QUERIES,
    }),
    self: () => ownServer,
    resolvers: options.watchResolvers ?? [],
    setTimer: (delay, callback) => ports.setTimer(ms(delay), callback),
  });
  const drills = createDrillRecorder({
    ...{ timeline, log, earlier: earlierDrills, now: io.now, every: io.every },
    isWatching: follower.isWatching,
    write: (report) => writeDrill(drillsFolder, report),
  });
  const providers = createProviderPublisher({
    open: openProvider,
    digest,
    now: ports.now,
    deadline: AbortSignal.timeout,
    setTimer: (delay, callback) => ports.setTimer(ms(delay), callback),
    delegations: createDelegationPorts(io.now),
    metrics,
    onPublished: follower.published,
    log,
  });
  const proxy =
    options.proxy === undefined
      ? undefined
      : createEmbeddedProxy({
          ...options.proxy,
          addresses,
          now: ports.now,
          wallClock: io.now,
          setTimer: ports.setTimer,
          random: ports.random,
          onDuration: metrics.proxyRequestDuration,
          log,
        });
  const fleets = createProxyFleets({
    ...{ ...options.fleets, tls: xdsTls, addresses, timeline, log, now: ports.now, wallClock: io.now },
    ...{ setTimer: ports.setTimer, every: io.every, random: ports.random },
    classes: compiler.classes,
  });
  const engine = createEngine({
    source,
    publishers: [publisher, providers, follower, fleets, ...(proxy === undefined ? [] : [proxy])],
    compiler,
    lastGood,
    ...(options.peers === undefined ? {} : { peers: options.peers }),
    geoPaths: options.mmdb.map((path) => resolve(io.cwd, path)),
    ...(options.vantageLocation === undefined ? {} : { vantageLocation: options.vantageLocation }),
    createMonitor: (events) =>
      createMonitor({
        ...events,
        vantage: options.vantage,
        replica: options.replica ?? "",
        ports,
        references: options.references.map(referenceEndpoint),
        ...(proxy === undefined ? {} : { traffic: proxy.traffic }),
      }),
    flatten: flattener,
    population,
    metrics,
    timeline,
    onFailover(notice) {
      follower.began(notice);
      providers.began(notice);
    },
    onOverrides: follower.overrides,
    log,
    now: io.now,
    setTimer: (delay, callback) => ports.setTimer(ms(delay), callback),
  });
  const view: EngineView = {
    ...engine.view,
    status: (withShares) => withFleets(engine.view.status(withShares), fleets),
    confirm: () => [...engine.view.confirm(), ...providers.confirm()],
  };
  providers.follow(view.health);
  fleets.follow(view.health);
  const notifications =
    options.notify === undefined
      ? undefined
      : startNotifications(options.notify, options.vantage, view, { ports, wallClock: io.now, metrics, log });
  metrics.attach({
    ...engine.readings,
    dnsQueries: () => readQueries(dns.counters()),
    decisions: () => readDecisions(dns.counters()),
    answers: () => answersByCluster(engine.meters, readClusterAnswers(dns.counters())),
    rateLimited: () => readLimited(dns.counters()),
    cookies: () => readCookies(dns.counters()),
    slow: dns.slow,
    signatures: publisher.signatures,
    zoneSerials: publisher.serials,
    providerZones: providers.readings,
    ...(proxy === undefined ? {} : { proxy: proxy.reading }),
    proxyFleets: () => fleets.status().map(({ name, proxies }) => ({ fleet: name, ...proxies })),
    proxyStrangers: fleets.strangers,
    certificates: () => [...(proxy?.certificates() ?? []), ...fleets.certificates()],
    version,
  });

  const rates = createAnswerRates({ counts: () => readClusterAnswers(dns.counters()), names: engine.meters, now: ports.now });
  const endRates = io.every(1000, rates.tick);
  const admin = await createAdminServer({
    view,
    acts:
      "folder" in options.source
        ? createActDesk({ folder: resolve(io.cwd, options.source.folder), view, log, now: io.now })
        : actsElsewhere('globalroute drain CLUSTER --reason "…" --for 30m --context CONTEXT'),
    drills: drills.list,
    regions: regionsOf(centroids),
    load: rates.read,
    dashboard: createDashboard(log, io.now),
    plans: createPlanDesk({
      publisher: providers,
      open: openProvider,
      deadline: AbortSignal.timeout,
      writer: options.writer ?? (() => undefined),
      metrics,
      log,
    }),
    metrics,
    listen: options.admin,
    flag: options.adminFlag,
    ...(options.metrics === undefined ? {} : { metricsListen: options.metrics }),
    token,
    version: version(),
    log,
    every: io.every,
  });
  let isServing = false;
  const sleep = (delay: number): Promise<void> => new Promise((resolve) => void ports.setTimer(ms(delay), resolve));
  const stop = async (): Promise<void> => {
    admin.shutdownBegan();
    follower.close();
    if (options.terminationDrain !== undefined && isServing) await sleep(options.terminationDrain);
    answering.close();
    endRates();
    await Promise.all([dns.stop(), proxy?.stop(), fleets.close()]);
    await engine.stop();
    await drills.close();
    publisher.close();
    await providers.close();
    await notifications?.close();
    copies.close();
    await zoneBuilder.close();
    resolver.close();
    await prober.close();
    await admin.stop();
  };
  try {
    // Listeners first: a taken port is told at once, readiness can be asked while the rest comes up, and the first table answers at once.
    await admin.start();
    const bound = await dns.start();
    const passing = (await proxy?.start()) ?? [];
    const asked = await fleets.start();
    if (asked !== undefined) log.info({ xds: formatListenAddress(asked) }, "Envoys may ask");
    [ownServer] = bound;
    await engine.start();
    await dns.settled(); // whoever reads "serving" and asks at once gets an answer
    log.info(
      {
        dns: bound.map(formatListenAddress),
        transport: dns.transport(),
        admin: formatListenAddress(admin.address()),
        ...(options.metrics === undefined ? {} : { metrics: formatListenAddress(admin.metricsAddress() ?? options.metrics) }),
        config: source.path,
        tokenFile: tokenPath(options.state),
      },
      "serving",
    );
    isServing = true;
    const writes: Service["writes"] = (epoch) => {
      providers.term(epoch);
      notifications?.tells(epoch !== undefined);
    };
    if ("folder" in options.source) {
      providers.term("Own");
      notifications?.tells(true);
    }
    return { view, writes, removeRecords: providers.removeRecords, dns: bound, admin: admin.address(), proxy: passing, fleets, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Where there are no fleets nothing is said of them. */
function withFleets(status: Status, fleets: ProxyFleets): Status {
  const found = fleets.status();
  return found.length === 0 ? status : { ...status, fleets: found };
}

/** One question on its way to see whether a failover has arrived. */
const askOnce: Ask = (server, question) =>
  createAsk(
    {
      exchange: { udp: exchangeOverUdp, tcp: exchangeOverTcp },
      randomId: () => randomBytes(2).readUInt16BE(),
      deadline: AbortSignal.timeout,
    },
    { timeout: WATCH_TIMEOUT, tries: 1, concurrency: 1, total: 2 * WATCH_TIMEOUT },
  )(server, question);

const networks = (texts: readonly string[]): readonly Network[] => texts.flatMap((text) => parseNetwork(text) ?? []);
