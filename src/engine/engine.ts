/**
 * The loop: source → gate → compile → standings → publishers, and probes → health → standings beside it. Nothing downstream writes
 * upstream. Everything that can be late or lost leaves the last good table serving.
 */
import { isDeepStrictEqual } from "node:util";
import type { GeoTable } from "../geo/geo-table.ts";
import { type LatencyMap, newLatencyMap } from "../geo/latency-model.ts";
import { count } from "../model/count.ts";
import { type Endpoint, type EndpointHealth, type EndpointKey, NOT_PROBED } from "../model/health.ts";
import type { Cluster, Inventory } from "../model/inventory.ts";
import { formatProblem, type Problem } from "../model/problem.ts";
import type { MetricReadings } from "../observe/metric-readings.ts";
import { formatCollapse } from "../routing/input-collapse.ts";
import { createMeters } from "../routing/meters.ts";
import type { RoutingTable } from "../routing/table.ts";
import type { GeoInfo } from "./compiler.ts";
import { degradedReasons } from "./degraded.ts";
import { createDrillBook } from "./drill-book.ts";
import { createEndpointGauges } from "./endpoint-gauges.ts";
import { createEndpointIndexer } from "./endpoints.ts";
import type { EngineOptions } from "./engine-options.ts";
import { createEngineView } from "./engine-view.ts";
import { createGeoKeeper } from "./geo-keeper.ts";
import { createInputGate } from "./input-gate.ts";
import { keepAddresses } from "./keep-addresses.ts";
import { createLatencyKeeper, LATENCY_WINDOW } from "./latency-keeper.ts";
import { createMonitorReports } from "./monitor-reports.ts";
import { createOrderReports } from "./order-reports.ts";
import { createProblemLog, createSentenceLog } from "./problem-log.ts";
import { createProgrammedReports } from "./programmed.ts";
import { createReadinessBook } from "./readiness.ts";
import { createRetriedWork } from "./retried-work.ts";
import { createSaver } from "./saver.ts";
import { createServingGauges } from "./serving-gauges.ts";
import { createServingMap } from "./serving-map.ts";
import type { SourceReading } from "./source.ts";
import { createStandings } from "./standings.ts";
import type { EngineView } from "./view.ts";
import type { World } from "./world.ts";

export interface Engine {
  readonly view: EngineView;
  readonly readings: MetricReadings;
  /** Number under which answers are counted → cluster. */
  readonly meters: readonly string[];
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

export function createEngine(options: EngineOptions): Engine {
  const { source, publishers, compiler, peers, metrics, timeline, log, now, setTimer } = options;
  let world: World | undefined;
  let wanted: Inventory | undefined;
  /** Routes that the table was compiled from, or equal ones that came later. */
  let servedInputs: Inventory["routes"] | undefined;
  let endpoints: ReadonlyMap<EndpointKey, Endpoint> = new Map();
  let isMine: (key: EndpointKey) => boolean = () => true;
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
  const logProblems = createProblemLog(log);
  const logUnpublished = createSentenceLog(log);
  const reports = createMonitorReports(timeline, metrics);
  const programmed = createProgrammedReports(peers);
  const readiness = createReadinessBook(now);
  const indexEndpoints = createEndpointIndexer();
  const meters = createMeters();

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
      if (endpoint !== undefined) reports.health(endpoint, health, previous);
      endpointGauges.changed(key, health);
      standings.endpointChanged(key);
      scheduleTick(0);
    },
    onSuspect: reports.suspect,
    onVote: (key, vote) => peers?.voted(key, vote),
  });
  peers?.connect({
    offer(key, vote) {
      monitor.offer(key, vote);
      standings.endpointObserved(key);
    },
    forget: ({ site, replica }) => monitor.forgetVoter(site, replica),
    share(next) {
      isMine = next;
      monitor.setEndpoints([...endpoints.values()], isMine);
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
    readiness: readiness.apply,
    population: options.population,
    timeline,
    metrics,
    ...(options.onFailover === undefined ? {} : { onFailover: options.onFailover }),
    now,
    onMemory: saver.request,
  });

  const drills = createDrillBook({
    evaluation: standings.evaluation,
    isSuspect: () => monitor.holds().suspect,
    timeline,
    metrics,
    now,
  });
  const endpointGauges = createEndpointGauges(() => endpoints, healthOf);
  const serving = createServingGauges(() => world, standings, options.population);

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
    publish({ ...flat, overrides: drills.mark(wanted?.overrides ?? flat.overrides) }, compiled.table, map);
    noteServed(wanted !== undefined && isSameButOverrides(wanted, inventory) ? wanted : inventory);
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

  /** The table stands for these inputs. */
  function noteServed(inputs: Inventory): void {
    servedInputs = inputs.routes;
    programmed.published(version, inputs);
  }

  function publish(inventory: Inventory, table: RoutingTable, map: LatencyMap): void {
    takeOver(inventory, table); // before anybody answers from it
    try {
      logUnpublished(publishers.flatMap((publisher) => publisher.publish(table, inventory, map)));
      world = { inventory, table, latency: map };
    } catch (error) {
      if (world !== undefined) takeOver(world.inventory, world.table); // what goes on being served must not stand still
      throw error;
    }
    ordered(inventory.overrides);
  }

  function ordered(overrides: Inventory["overrides"]): void {
    reportOrders(overrides);
    options.onOverrides?.(overrides);
    scheduleTick(0);
    saver.request();
  }

  /** From here on probes and acts change this table. */
  function takeOver(inventory: Inventory, table: RoutingTable): void {
    const index = indexEndpoints(inventory);
    const hasSameEndpoints = index.endpoints === endpoints;
    endpoints = index.endpoints;
    clusters = new Map(inventory.clusters.map((cluster) => [cluster.name, cluster]));
    if (!hasSameEndpoints) {
      monitor.setEndpoints([...endpoints.values()], isMine);
      peers?.setEndpoints(endpoints);
    }
    readiness.setRoutes(inventory.routes);
    meters.number(table);
    standings.adopt(inventory, table, index);
  }

  /** Overrides need no compile: the same table, seen with other orders. */
  function applyOverrides(inventory: Inventory): void {
    wanted = inventory;
    if (world === undefined) return;
    const merged = { ...world.inventory, overrides: drills.mark(inventory.overrides) };
    standings.adopt(merged, world.table);
    world = { ...world, inventory: merged };
    ordered(merged.overrides);
  }

  function take(reading: SourceReading): void {
    if (stopping) return;
    programmed.note(reading);
    for (const route of readiness.take(reading.readiness)) standings.routeChanged(route);
    scheduleTick(0); // a drill may have to yield
    const heldBefore = gate.held();
    const wasRefused = gate.isRejecting() || heldBefore !== undefined;
    const verdict = gate.offer(reading);
    logProblems(reading.problems);
    switch (verdict.kind) {
      case "rejected": {
        const first = verdict.errors[0]!;
        const message = `${count(verdict.errors.length, "error")} in ${source.path}; what was serving goes on. First: ${formatProblem(first)}`;
        timeline.add({ kind: "ConfigRejected", object: source.path, message, details: { errors: verdict.errors.length } });
        if (verdict.inventory !== undefined) applyOverrides(verdict.inventory);
        return;
      }
      case "held": {
        applyOverrides(verdict.inventory);
        // A source that reads often says the same again and again.
        if (heldBefore !== undefined && formatCollapse(heldBefore) === formatCollapse(verdict.collapse)) return;
        metrics.guardHold("input-collapse");
        const message = `${formatCollapse(verdict.collapse)} at once; the last inputs are kept. Restore them, or run: globalroute confirm`;
        log.error(message);
        timeline.add({ kind: "ConfigHeld", object: source.path, message, details: {} });
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
    const isServed = wanted !== undefined && servedInputs === wanted.routes;
    if (wanted !== undefined && isSameParts(wanted, inventory)) {
      if (isServed) noteServed(inventory); // else it is being compiled
      return;
    }
    if (routes.length + clusters.length + zones.length === 0)
      log.warn({ config: source.path }, "no route, cluster or zone: every query is refused until there are some");
    timeline.add({
      kind: "ConfigApplied",
      object: source.path,
      message: [count(routes.length, "route"), count(clusters.length, "cluster"), count(zones.length, "zone")].join(", "),
      details: {},
    });
    if (world !== undefined && wanted !== undefined && isSameButOverrides(wanted, inventory)) {
      applyOverrides(inventory);
      if (isServed) noteServed(inventory);
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
      if (world !== undefined) {
        reportOrders(world.inventory.overrides);
        if (drills.review(world.inventory)) return applyOverrides(wanted ?? world.inventory);
      }
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
    const info = geo.info();
    const reasons = degradedReasons({
      rejectsConfig: gate.isRejecting(),
      holdsInputs: gate.held() !== undefined,
      ...(info === undefined ? {} : { geoAge: now() - info.buildEpoch }),
      rejectsGeo: geo.rejection() !== undefined,
      servesLastGood: fromLastGood,
      cannotSave: saver.isFailing(),
      cannotCompile: compiling.failure() !== undefined,
      suspectsItself: monitor.holds().suspect,
      failsOpen: standings.isDesperate(),
      holdsWithdrawals: standings.holdsWithdrawals(),
    });
    return [
      ...new Set([
        ...reasons,
        ...(source.degraded?.() ?? []),
        ...(peers?.degraded() ?? []),
        ...publishers.flatMap((one) => one.degraded?.() ?? []),
      ]),
    ];
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

  const map = createServingMap({
    table: () => world?.table,
    watch: standings.watch,
    clusters() {
      const seen = view.health.clusters();
      return (world?.inventory.clusters ?? []).flatMap(({ name, location: { label, latitude, longitude } }) => {
        const one = seen.get(name);
        return one === undefined ? [] : [{ name, state: one.state, health: one.health, location: { label, latitude, longitude } }];
      });
    },
    population: options.population,
    now,
    setTimer,
  });
  const view: EngineView = createEngineView({
    world: () => world,
    map,
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
      const atSource = source.confirm?.() ?? [];
      const confirmed = gate.confirm();
      if (confirmed === undefined) return atSource;
      log.info({ config: source.path }, "the objects that were held back are accepted, as was confirmed");
      accept(confirmed.inventory);
      return [...atSource, `accepted: ${formatCollapse(confirmed.collapse)}`];
    },
  });

  return {
    view,
    meters: meters.names,
    readings: {
      table: () => ({ version: world?.table.version ?? 0, ageSeconds: world === undefined ? 0 : (now() - world.table.builtAt) / 1000 }),
      geoAgeSeconds: () => (now() - (geo.info()?.buildEpoch ?? now())) / 1000,
      degraded,
      endpoints: endpointGauges.read,
      scopeFallbacks: () => scopeFallbacks,
      serving: serving.read,
      prepare: serving.prepare,
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
        if (!hasLastGood && reading.memory !== undefined) standings.restore(reading.memory.routes, reading.memory.at);
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
      map.close();
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

/** A source that makes its inventory of parts hands out the same ones while nothing about them changes. */
const isSameParts = (a: Inventory, b: Inventory): boolean =>
  a.routes === b.routes &&
  a.clusters === b.clusters &&
  a.zones === b.zones &&
  a.fleets === b.fleets &&
  isDeepStrictEqual(a.overrides, b.overrides);

const isSameButOverrides = (a: Inventory, b: Inventory): boolean =>
  a.routes.length === b.routes.length &&
  a.routes.every((route, i) => route === b.routes[i] || isDeepStrictEqual(route, b.routes[i])) &&
  isDeepStrictEqual({ ...a, routes: [], overrides: [] }, { ...b, routes: [], overrides: [] });
