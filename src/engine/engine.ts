/**
 * The loop: source → gate → compile → standings → publishers, and probes → health → standings beside it. Nothing downstream writes
 * upstream. Everything that can be late or lost leaves the last good table serving.
 */
import { isDeepStrictEqual } from "node:util";
import type { Monitor, MonitorOptions } from "../../health/monitor.ts";
import type { GeoTable } from "../geo/geo-table.ts";
import { type LatencyMap, newLatencyMap } from "../geo/latency-model.ts";
import { count } from "../model/count.ts";
import { type Endpoint, type EndpointHealth, type EndpointKey, NOT_PROBED } from "../model/health.ts";
import type { Cluster, Inventory, Location } from "../model/inventory.ts";
import { formatProblem, type Problem } from "../model/problem.ts";
import type { Log } from "../observe/log.ts";
import type { MetricReadings, Metrics } from "../observe/metrics.ts";
import type { Timeline } from "../observe/timeline.ts";
import { formatCollapse } from "../routing/input-collapse.ts";
import type { RoutingTable } from "../routing/table.ts";
import type { Compiler, GeoInfo } from "./compiler.ts";
import { indexEndpoints } from "./endpoints.ts";
import { createEngineView } from "./engine-view.ts";
import { createGeoKeeper } from "./geo-keeper.ts";
import { createInputGate } from "./input-gate.ts";
import { keepAddresses } from "./keep-addresses.ts";
import type { LastGoodStore } from "./last-good.ts";
import { createLatencyKeeper, LATENCY_WINDOW } from "./latency-keeper.ts";
import { createOrderReports } from "./order-reports.ts";
import { createRetriedWork } from "./retried-work.ts";
import { createSaver } from "./saver.ts";
import type { Publisher, Source, SourceReading } from "./source.ts";
import { createStandings } from "./standings.ts";
import type { EngineView } from "./view.ts";
import type { World } from "./world.ts";

export interface EngineOptions {
  readonly source: Source;
  readonly publishers: readonly Publisher[];
  readonly compiler: Compiler;
  readonly lastGood: LastGoodStore;
  /** Geo databases, most trusted first; empty = the one that comes with the package. */
  readonly geoPaths: readonly string[];
  /** Where this instance probes from, if known. */
  readonly vantageLocation?: Location;
  readonly createMonitor: (events: Required<Pick<MonitorOptions, "onObservation" | "onChange" | "onSuspect">>) => Monitor;
  /** Replaces host names among addresses by what they resolve to; tells when that changed. */
  readonly flatten?: {
    readonly apply: (inventory: Inventory) => Inventory;
    readonly onChange: (listener: () => void) => void;
    readonly close: () => void;
  };
  /** Country → people, for shares of the population. */
  readonly population: ReadonlyMap<string, number>;
  readonly metrics: Metrics;
  readonly timeline: Timeline;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly setTimer: (delay: number, callback: () => void) => () => void;
}

export interface Engine {
  readonly view: EngineView;
  readonly readings: MetricReadings;
  /**
   * Serves the last good world if there is one, then today's.
   *
   * @throws {@link StartError} when there is nothing to serve at all
   */
  start(): Promise<void>;
  /** Stops probing and saves; what is published stays as it is. */
  stop(): Promise<void>;
}

/** Nothing can be served: no usable configuration (with its problems) or no geo data, and no last good world either. */
export class StartError extends Error {
  readonly problems: readonly Problem[];
  constructor(message: string, problems: readonly Problem[] = []) {
    super(message);
    this.problems = problems;
  }
}

const LONGEST_TICK = 1000;
/** A compile that failed for a reason outside its input (a thread that died) succeeds when it is tried again, ms. */
const COMPILE_RETRY = 15_000;
/** A geo database older than this many days is called stale. */
const GEO_STALE_DAYS = 180;

export function createEngine(options: EngineOptions): Engine {
  const { source, publishers, compiler, metrics, timeline, log, now, setTimer } = options;
  let world: World | undefined;
  let wanted: Inventory | undefined;
  let endpoints: ReadonlyMap<EndpointKey, Endpoint> = new Map();
  let clusters: ReadonlyMap<string, Cluster> = new Map();
  let version = 0;
  let scopeFallbacks = 0;
  let fromLastGood = false;
  let stopping = false;
  /** Geo data to compile with while no file can be loaded. */
  let knownGeo: GeoTable | undefined;
  /** What the table that is served was compiled with. */
  let servedGeo: GeoInfo | undefined;
  let gate = createInputGate(undefined, now);
  let latency = createLatencyKeeper(options.vantageLocation, newLatencyMap(), now);
  let cancelTick = () => {};
  let cancelFit = () => {};
  const reportOrders = createOrderReports(timeline, now);

  const healthOf = (key: EndpointKey): EndpointHealth => monitor.health(key) ?? NOT_PROBED;

  const monitor = options.createMonitor({
    onObservation(observation) {
      const endpoint = endpoints.get(observation.endpoint);
      if (endpoint === undefined) return;
      metrics.probe(endpoint.cluster, observation.reason, observation.latency / 1000);
      const cluster = clusters.get(endpoint.cluster);
      if (cluster !== undefined) latency.observe(observation, cluster);
      standings.endpointObserved(observation.endpoint);
    },
    onChange(key, health, previous) {
      const endpoint = endpoints.get(key);
      if (endpoint !== undefined) reportHealth(endpoint, health, previous);
      standings.endpointChanged(key);
      scheduleTick(0);
    },
    onSuspect({ suspect, clusters }) {
      if (suspect) metrics.guardHold("self-distrust");
      timeline.add({
        kind: suspect ? "VantageSuspect" : "VantageTrusted",
        object: "vantage",
        message: suspect
          ? `probes of ${count(clusters.length, "cluster")} fall silent at once (${clusters.join(", ")}): this vantage may be the one that is cut off, so their verdicts wait`
          : `probes of ${count(clusters.length, "cluster")} are believed again (${clusters.join(", ")})`,
        details: { clusters: clusters.join(",") },
      });
    },
  });

  const saver = createSaver({
    write: writeWorld,
    setTimer,
    now,
    onError: (error) => log.error({ err: error }, "the last good world could not be saved; trying again"),
  });
  const standings = createStandings({
    health: healthOf,
    population: options.population,
    timeline,
    metrics,
    now,
    onMemory: saver.request,
  });

  let geo = createGeoKeeper(options.geoPaths, undefined, geoPorts());
  function geoPorts() {
    return {
      load: (paths: readonly string[]) => compiler.loadGeo(paths),
      setTimer,
      onLoaded(info: GeoInfo) {
        timeline.add({
          kind: "GeoLoaded",
          object: "geo",
          message: `geo data of ${new Date(info.buildEpoch).toISOString().slice(0, 10)} is in use`,
          details: { id: info.id },
        });
        void compiling.request();
      },
      onRejected(message: string) {
        log.error({ geo: message }, "geo data refused; what was loaded stays in use");
        timeline.add({ kind: "GeoRejected", object: "geo", message, details: {} });
      },
    };
  }

  function reportHealth(endpoint: Endpoint, health: EndpointHealth, previous: EndpointHealth): void {
    if (health.health === previous.health) return;
    const kind = health.health === "Healthy" ? "EndpointHealthy" : health.health === "Unhealthy" ? "EndpointUnhealthy" : "EndpointUnknown";
    timeline.add({
      kind,
      object: `endpoint ${endpoint.address}:${endpoint.probe.port}`,
      message: `${endpoint.cluster} (${endpoint.address}:${endpoint.probe.port}, ${endpoint.probe.host}) is ${health.health}${health.health === "Healthy" ? "" : `: ${health.reason}`}`,
      details: { cluster: endpoint.cluster, address: endpoint.address, reason: health.reason, firstSign: health.firstSign },
    });
  }

  const compiling = createRetriedWork({
    async run() {
      if (wanted !== undefined) await compileAndPublish(wanted);
    },
    setTimer,
    retryAfter: COMPILE_RETRY,
    onError: (error) => log.error({ err: error }, "compile failed; the last table goes on serving"),
  });

  async function compileAndPublish(inventory: Inventory): Promise<void> {
    const flat = options.flatten === undefined ? inventory : keepAddresses(options.flatten.apply(inventory), world?.inventory);
    const map = latency.map();
    const info = geo.info();
    const { compiled, seconds } = await compiler.compile(flat, map, version + 1, now(), knownGeo);
    if (stopping) return;
    await Promise.all(publishers.map((publisher) => publisher.prepare?.(compiled.table, flat)));
    if (stopping) return;
    version++;
    metrics.compile(seconds);
    scopeFallbacks = compiled.scopeFallbacks;
    // Operators may have acted while it was compiled.
    publish({ ...flat, overrides: wanted?.overrides ?? flat.overrides }, compiled.table, map);
    knownGeo = compiled.table.geo;
    servedGeo = info;
    log.info({ version, routes: flat.routes.length, clusters: flat.clusters.length, seconds }, "table published");
    timeline.add({
      kind: "TablePublished",
      object: "table",
      message: `table ${version} is served: ${count(flat.routes.length, "route")}, ${count(flat.clusters.length, "cluster")}`,
      details: { version, seconds },
    });
  }

  function publish(inventory: Inventory, table: RoutingTable, map: LatencyMap): void {
    takeOver(inventory, table); // before anybody answers from it
    try {
      const warnings = publishers.flatMap((publisher) => publisher.publish(table, inventory));
      world = { inventory, table, latency: map, warnings };
    } catch (error) {
      if (world !== undefined) takeOver(world.inventory, world.table); // what goes on being served must not stand still
      throw error;
    }
    reportOrders(inventory.overrides);
    scheduleTick(0);
    saver.request();
  }

  /** From here on probes and acts change this table. */
  function takeOver(inventory: Inventory, table: RoutingTable): void {
    const index = indexEndpoints(inventory);
    endpoints = index.endpoints;
    clusters = new Map(inventory.clusters.map((cluster) => [cluster.name, cluster]));
    monitor.setEndpoints([...endpoints.values()]);
    standings.adopt(inventory, table, index);
  }

  /** Overrides need no compile: the same table, seen with other orders. */
  function applyOverrides(inventory: Inventory): void {
    wanted = inventory;
    if (world === undefined) return;
    const merged = { ...world.inventory, overrides: inventory.overrides };
    standings.adopt(merged, world.table);
    world = { ...world, inventory: merged };
    reportOrders(merged.overrides);
    scheduleTick(0);
    saver.request();
  }

  function take(reading: SourceReading): void {
    if (stopping) return;
    const wasRefused = gate.isRejecting() || gate.held() !== undefined;
    const verdict = gate.offer(reading);
    for (const problem of reading.problems) log[problem.severity === "error" ? "error" : "warn"](formatProblem(problem));
    switch (verdict.kind) {
      case "rejected": {
        const first = verdict.errors[0]!;
        const message = `${count(verdict.errors.length, "error")} in ${source.path}; what was serving goes on. First: ${formatProblem(first)}`;
        timeline.add({ kind: "ConfigRejected", object: source.path, message, details: { errors: verdict.errors.length } });
        if (verdict.inventory !== undefined) applyOverrides(verdict.inventory);
        return;
      }
      case "held": {
        metrics.guardHold("input-collapse");
        const message = `${formatCollapse(verdict.collapse)} at once; the last inputs are kept. Restore them, or run: globalroute confirm`;
        log.error(message);
        timeline.add({ kind: "ConfigHeld", object: source.path, message, details: {} });
        applyOverrides(verdict.inventory);
        return;
      }
      case "accepted":
        if (wasRefused) log.info({ config: source.path }, "the objects are accepted again");
        accept(verdict.inventory);
    }
  }

  function accept(inventory: Inventory): void {
    fromLastGood = false;
    const { routes, clusters, zones } = inventory;
    if (routes.length + clusters.length + zones.length === 0)
      log.warn({ config: source.path }, "no route, cluster or zone: every query is refused. Write objects into the folder");
    timeline.add({
      kind: "ConfigApplied",
      object: source.path,
      message: [count(routes.length, "route"), count(clusters.length, "cluster"), count(zones.length, "zone")].join(", "),
      details: {},
    });
    if (world !== undefined && wanted !== undefined && isSameButOverrides(wanted, inventory)) {
      applyOverrides(inventory);
      return;
    }
    wanted = inventory;
    void compiling.request();
  }

  function scheduleTick(delay: number): void {
    cancelTick();
    if (stopping) return;
    cancelTick = setTimer(delay, () => {
      const due = standings.tick();
      if (world !== undefined) reportOrders(world.inventory.overrides);
      scheduleTick(Math.min(LONGEST_TICK, Math.max(10, due - now())));
    });
  }

  function scheduleFit(): void {
    cancelFit = setTimer(LATENCY_WINDOW, () => {
      if (stopping) return;
      if (latency.fit()) void compiling.request();
      scheduleFit();
    });
  }

  async function writeWorld(): Promise<void> {
    if (world === undefined || servedGeo === undefined) return;
    await options.lastGood.save({
      source: source.path,
      inventory: world.inventory,
      routes: standings.memory(),
      health: monitor.snapshot(),
      latency: latency.map(),
      geo: world.table.geo,
      geoInfo: servedGeo,
      inputsHeld: gate.held() !== undefined,
      savedAt: now(),
    });
  }

  function degraded(): readonly string[] {
    const reasons: string[] = [];
    const info = geo.info();
    if (gate.isRejecting()) reasons.push("config-rejected");
    if (gate.held() !== undefined) reasons.push("inputs-held");
    if (info !== undefined && now() - info.buildEpoch > GEO_STALE_DAYS * 86_400_000) reasons.push("geo-stale");
    if (geo.rejection() !== undefined) reasons.push("geo-rejected");
    if (fromLastGood) reasons.push("last-good");
    if (saver.isFailing()) reasons.push("state-unsaved");
    if (compiling.failure() !== undefined) reasons.push("compile-failed");
    if (monitor.holds().suspect) reasons.push("vantage-suspect");
    if (standings.isDesperate()) reasons.push("fail-open");
    if (standings.holdsWithdrawals()) reasons.push("withdrawal-held");
    return reasons;
  }

  async function serveLastGood(): Promise<boolean> {
    const saved = await options.lastGood.load();
    if (saved === undefined) return false;
    if (saved.source !== source.path) {
      log.warn({ source: saved.source }, "the state folder holds the last good world of another configuration: it is not served");
      return false;
    }
    knownGeo = saved.geo;
    gate = createInputGate(saved.inventory, now, saved.inputsHeld);
    latency = createLatencyKeeper(options.vantageLocation, saved.latency, now);
    geo = createGeoKeeper(options.geoPaths, saved.geoInfo, geoPorts());
    standings.restore(saved.routes, saved.savedAt);
    monitor.restore(saved.health);
    wanted = saved.inventory;
    fromLastGood = true;
    await compiling.request();
    if (world === undefined) return false;
    const age = Math.round((now() - saved.savedAt) / 1000);
    log.warn({ ageSeconds: age }, "serving the last good world until today's inputs are read");
    timeline.add({
      kind: "LastGoodLoaded",
      object: "state",
      message: `the world of ${age} s ago is served until today's inputs are read`,
      details: { ageSeconds: age },
    });
    return true;
  }

  const view = createEngineView({
    world: () => world,
    path: source.path,
    standings,
    health: healthOf,
    capabilities: () => geo.info()?.capabilities,
    problems: () => gate.problems(),
    population: options.population,
    degraded,
    isStopping: () => stopping,
    timeline,
    now,
    confirm() {
      const confirmed = gate.confirm();
      if (confirmed === undefined) return [];
      log.info({ config: source.path }, "the objects that were held back are accepted, as was confirmed");
      accept(confirmed.inventory);
      return [`accepted: ${formatCollapse(confirmed.collapse)}`];
    },
  });

  return {
    view,
    readings: {
      table: () => ({ version: world?.table.version ?? 0, ageSeconds: world === undefined ? 0 : (now() - world.table.builtAt) / 1000 }),
      geoAgeSeconds: () => (now() - (geo.info()?.buildEpoch ?? now())) / 1000,
      degraded,
      endpoints: () =>
        [...endpoints.values()].map((endpoint) => ({
          cluster: endpoint.cluster,
          address: endpoint.address.includes(":")
            ? `[${endpoint.address}]:${endpoint.probe.port}`
            : `${endpoint.address}:${endpoint.probe.port}`,
          healthy: healthOf(endpoint.key).health === "Healthy",
        })),
      scopeFallbacks: () => scopeFallbacks,
    },
    async start() {
      options.flatten?.onChange(() => void compiling.request());
      const hasLastGood = await serveLastGood();
      const geoLoaded = await geo.load();
      if (!geoLoaded && !hasLastGood) throw new StartError(geo.rejection() ?? "no geo data");
      try {
        const reading = await source.read();
        const errors = reading.problems.filter((problem) => problem.severity === "error");
        if (errors.length > 0 && !hasLastGood) throw new StartError(`${source.path} cannot be used`, reading.problems);
        take(reading);
      } catch (error) {
        if (!hasLastGood) throw error;
        log.error({ err: error }, "today's inputs could not be read; the last good world goes on serving");
      }
      await compiling.settled();
      if (world === undefined) throw new StartError(compiling.failure() ?? "nothing to serve");
      if (stopping) return;
      source.watch(take);
      geo.watch();
      scheduleFit();
    },
    async stop() {
      stopping = true;
      cancelTick();
      cancelFit();
      compiling.stop();
      source.close();
      geo.close();
      options.flatten?.close();
      monitor.close();
      await compiler.close(); // whoever waits for it is refused: nothing needs a new table any more
      await compiling.settled();
      await saver.finish();
    },
  };
}

const isSameButOverrides = (a: Inventory, b: Inventory): boolean => isDeepStrictEqual({ ...a, overrides: [] }, { ...b, overrides: [] });
