/** A whole engine in simulated time: real manifests, real compile, real judge; only clocks and the network are made up. */
import { join } from "node:path";
import { createMonitor } from "../../health/monitor.ts";
import type { Traffic } from "../../health/traffic.ts";
import type { Compiler } from "../../src/engine/compiler.ts";
import { createEngine, type Engine } from "../../src/engine/engine.ts";
import type { EngineOptions } from "../../src/engine/engine-options.ts";
import { createLastGoodStore, type LastGoodStore } from "../../src/engine/last-good.ts";
import { readObjects } from "../../src/engine/read-objects.ts";
import type { Source, SourceReading } from "../../src/engine/source.ts";
import { compileWorld, createGeoCache } from "../../src/engine/world.ts";
import { capabilitiesOf } from "../../src/geo/capabilities.ts";
import { loadCloudRegions } from "../../src/geo/cloud-regions.ts";
import { type MmdbTree, openMmdb } from "../../src/geo/mmdb-tree.ts";
import type { EndpointKey, ProbeResult } from "../../src/model/health.ts";
import type { Inventory } from "../../src/model/inventory.ts";
import { parsePrefix } from "../../src/model/ip.ts";
import type { Problem } from "../../src/model/problem.ts";
import { ms } from "../../src/model/units.ts";
import { createLog } from "../../src/observe/log.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { createTimeline } from "../../src/observe/timeline.ts";
import { type Decision, decide, findRoute, indexHosts } from "../../src/routing/decide.ts";
import type { RoutingTable } from "../../src/routing/table.ts";
import { writeMmdb } from "./mmdb-writer.ts";
import { createSimulatedClock, type SimulatedClock } from "./simulated-clock.ts";
import { tempFolder } from "./temp-folder.ts";

/** What a site's address does with a probe. `slow` answers after 100 ms with a failing status. */
export type SiteState = "up" | "refused" | "silent" | "error";

export interface SimulatedWorld {
  readonly clock: SimulatedClock;
  readonly engine: Engine;
  /** Changes what an address does from now on. */
  set(address: string, state: SiteState): void;
  /** Replaces the folder's content; the engine sees it at once. @param problems what went wrong while the folder was read */
  write(files: Readonly<Record<string, string>>, problems?: readonly Problem[]): void;
  /** Sets the wall clock that much forward, or back; the monotonic clock goes on as it was. */
  setWallClock(by: number): void;
  /** What a client is answered now. */
  ask(host: string, client: string, family?: 0 | 1): Decision;
  table(): RoutingTable;
  events(kind?: string): readonly string[];
  /** Samples of a metric, as they are exposed. */
  samples(metric: string): Promise<readonly string[]>;
  /** Log lines from `info` on: level and message. */
  logged(): readonly string[];
  stop(): Promise<void>;
}

/** 192.0.2.0/26 is in Germany, the next /26 in the United States, then Japan and Brazil. */
export const CLIENTS = { DE: "192.0.2.1", US: "192.0.2.65", JP: "192.0.2.129", BR: "192.0.2.193", nowhere: "203.0.113.1" } as const;

export const WORLD_MMDB: Buffer = writeMmdb(
  [
    ["192.0.2.0/26", "DE"],
    ["192.0.2.64/26", "US"],
    ["192.0.2.128/26", "JP"],
    ["192.0.2.192/26", "BR"],
  ].map(([network, country]) => ({ network: network!, record: { country_code: country! } })),
);

export interface WorldOptions {
  readonly files: Readonly<Record<string, string>>;
  /** In place of the files. */
  readonly source?: Source;
  /** Milliseconds that an address which is up takes to answer; default 5. */
  readonly latency?: () => number;
  readonly states?: Readonly<Record<string, SiteState>>;
  /** Last good folder of another world: a restart. */
  readonly state?: string;
  readonly clock?: SimulatedClock;
  /** Bytes of the geo file, or undefined when it cannot be read. */
  readonly geo?: () => Buffer | undefined;
  /** What went wrong while the folder was read. */
  readonly problems?: readonly Problem[];
  /** Stand between the engine and the real things, to hold them up or break them. */
  readonly compiler?: (real: Compiler) => Compiler;
  readonly lastGood?: (real: LastGoodStore) => LastGoodStore;
  readonly flatten?: EngineOptions["flatten"];
  readonly peers?: NonNullable<EngineOptions["peers"]>;
  /** What a source knows besides the objects. */
  readonly reading?: (read: SourceReading) => SourceReading;
  /** How far the wall clock is off at the start, ms. */
  readonly skew?: number;
  /** Where the folder is said to be. */
  readonly path?: string;
  /** Path of a real file whose changes announce new geo data. */
  readonly geoPath?: string;
  /** Called before each reading of the folder at the start; may throw. */
  readonly beforeRead?: () => void;
  /** Called before the table is taken over; may throw. */
  readonly beforePublish?: (table: RoutingTable, inventory: Inventory) => void;
  /** What became of users' requests at an endpoint since it was asked for last. */
  readonly traffic?: (key: EndpointKey) => Traffic;
}

export async function startWorld(options: WorldOptions): Promise<SimulatedWorld & { readonly state: string }> {
  const clock = options.clock ?? createSimulatedClock();
  const states = new Map(Object.entries(options.states ?? {}));
  const state = options.state ?? (await tempFolder());
  const log: string[] = [];
  let files = options.files;
  let problems = options.problems ?? [];
  let skew = options.skew ?? 0;
  const wallClock = () => clock.wallClock() + skew;
  let onChange: (reading: SourceReading) => void = () => undefined;
  let table: RoutingTable | undefined;
  const regions = loadCloudRegions();
  const read = () =>
    (options.reading ?? ((reading: SourceReading) => reading))(
      readObjects({ files: Object.entries(files).map(([path, text]) => ({ path, text })), problems }, regions),
    );
  const timeline = createTimeline(10_000, wallClock);
  const metrics = createMetrics();
  const probe = async (endpoint: { readonly address: string }, limits: { readonly timeout: number }): Promise<ProbeResult> => {
    switch (states.get(endpoint.address) ?? "up") {
      case "up": {
        const latency = options.latency?.() ?? 5;
        await clock.sleep(latency);
        return { ok: true, reason: "ok", latency: ms(latency) };
      }
      case "error":
        await clock.sleep(5);
        return { ok: false, reason: "status", latency: ms(5) };
      case "refused":
        return { ok: false, reason: "refused", latency: ms(0) };
      case "silent":
        await clock.sleep(limits.timeout);
        return { ok: false, reason: "timeout", latency: ms(limits.timeout) };
    }
  };
  const engine = createEngine({
    source: options.source ?? {
      path: options.path ?? "world",
      read: async () => {
        options.beforeRead?.();
        return read();
      },
      watch: (listener) => {
        onChange = listener;
      },
      close: () => undefined,
    },
    publishers: [
      {
        publish: (next, inventory) => {
          options.beforePublish?.(next, inventory);
          table = next;
          return [];
        },
      },
    ],
    compiler: (options.compiler ?? ((real) => real))(inlineCompiler(options.geo ?? (() => WORLD_MMDB))),
    lastGood: (options.lastGood ?? ((real) => real))(createLastGoodStore(join(state, "last-good"))),
    ...(options.flatten === undefined ? {} : { flatten: options.flatten }),
    ...(options.peers === undefined ? {} : { peers: options.peers }),
    geoPaths: [options.geoPath ?? "world.mmdb"],
    createMonitor: (events) =>
      createMonitor({
        vantage: "here",
        ports: { now: clock.now, wallClock, setTimer: clock.setTimer, random: () => 0.5, probe },
        ...events,
        ...(options.traffic === undefined ? {} : { traffic: options.traffic }),
      }),
    population: new Map([
      ["DE", 83],
      ["US", 330],
    ]),
    metrics,
    timeline,
    log: createLog({ level: "info", pretty: false, write: (line) => log.push(line), now: wallClock }),
    now: wallClock,
    setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
  });
  await engine.start();
  return {
    clock,
    engine,
    state,
    set: (address, value) => states.set(address, value),
    write(next, found = []) {
      files = next;
      problems = found;
      onChange(read());
    },
    setWallClock(by) {
      skew += by;
    },
    ask(host, client, family = 0) {
      const route = findRoute(indexHosts(table!), host);
      if (route === undefined) throw new Error(`no route for ${host}`);
      return decide(table!, route, parsePrefix(client)!, family, 0.5, wallClock());
    },
    table: () => table!,
    events: (kind) =>
      timeline
        .list()
        .filter((event) => kind === undefined || event.kind === kind)
        .map((event) => event.message),
    samples: async (metric) => (await metrics.expose()).split("\n").filter((line) => line.startsWith(`${metric}{`)),
    logged: () =>
      log.map((line) => {
        const { level, msg } = JSON.parse(line);
        return `${level}: ${msg}`;
      }),
    stop: () => engine.stop(),
  };
}

/** The worker's job done in place, so that a test needs no thread and no real time. */
function inlineCompiler(geoFile: () => Buffer | undefined): Compiler {
  const cache = createGeoCache();
  let tree: MmdbTree | undefined;
  return {
    parse: () => Promise.reject(new Error("this source gives inventories")),
    async loadGeo() {
      const bytes = geoFile();
      if (bytes === undefined) throw new Error("world.mmdb: unreadable. Mount the file again.");
      tree = openMmdb(bytes, "world.mmdb");
      return { id: tree.id, buildEpoch: tree.buildEpoch, capabilities: capabilitiesOf(tree.records) };
    },
    async compile(inventory, latency, version, now, fallback) {
      const files =
        tree === undefined
          ? undefined
          : { files: [], trees: [tree], buildEpoch: tree.buildEpoch, capabilities: capabilitiesOf(tree.records), id: tree.id };
      const geo = files === undefined ? fallback : cache.table(files, inventory);
      if (geo === undefined) throw new Error("no geo data");
      return { compiled: compileWorld(inventory, geo, latency, version, now), seconds: 0 };
    },
    classes: () => Promise.reject(new Error("no proxies are programmed here")),
    close: async () => undefined,
  };
}

/** A cluster for each name, in the AWS region given. */
export function clusterYaml(name: string, region: string, more = ""): string {
  return `apiVersion: globalroute.dev/v1alpha1
kind: MemberCluster
metadata: {name: ${name}}
spec:
  location: {cloud: aws, region: ${region}}
${more}---
`;
}
