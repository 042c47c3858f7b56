/**
 * One side of `bench/routing.ts`, in a process of its own: whole answers, their parts, and look-ups, by the sources below `root`, which may be
 * those of another commit. Takes its {@link LoadSpec} as JSON in the first argument, says {@link Ready} when its world is built, and then runs what
 * it is told to.
 */

import { readFileSync } from "node:fs";
import maxmind, { type CountryResponse, Reader } from "maxmind";
import { defaultGeoFile } from "../../src/geo/geo-files.ts";
import { formatIp } from "../../src/model/ip.ts";
import { zone } from "../../test/support/dns-world.ts";
import { CLIENTS, newClients, newRandom } from "./clients.ts";
import type { Rival, Run } from "./interleaved.ts";
import { queryTemplates, WORDS } from "./query-templates.ts";
import { largeInventory } from "./routing-world.ts";

export interface LoadSpec {
  /** Folder of the sources to measure. */
  readonly root: string;
  readonly routes: number;
  readonly clusters: number;
  readonly weightSets: number;
}

export interface Ready {
  readonly workloads: readonly string[];
}

/** Answered with a {@link Run}. */
export interface RunRequest {
  readonly workload: string;
}

/** The system tells CPU time in steps of up to 4 ms. */
const LEAST_MS = 40;

const NOW = 1_800_000_000_000;
const BUSY = 20;
const MASK = CLIENTS - 1;

const spec: LoadSpec = JSON.parse(process.argv[2] ?? "{}");
const from = (path: string): string => `${spec.root}/src/${path}`;
const { compileWorld, createGeoCache }: typeof import("../../src/engine/world.ts") = await import(from("engine/world.ts"));
const { loadGeoFiles }: typeof import("../../src/geo/geo-files.ts") = await import(from("geo/geo-files.ts"));
const { newLatencyMap }: typeof import("../../src/geo/latency-model.ts") = await import(from("geo/latency-model.ts"));
const { leafOfV4, leafOfV6 }: typeof import("../../src/geo/lookup.ts") = await import(from("geo/lookup.ts"));
const routing: typeof import("../../src/routing/choose.ts") = await import(from("routing/choose.ts"));
const { answer, newAnswerContext, useTables }: typeof import("../../src/dns/answer.ts") = await import(from("dns/answer.ts"));
const { decodeQuery, newQuery }: typeof import("../../src/dns/wire/query.ts") = await import(from("dns/wire/query.ts"));
const { findName, newFound }: typeof import("../../src/dns/zone-lookup.ts") = await import(from("dns/zone-lookup.ts"));
const { buildZoneTable }: typeof import("../../src/dns/zone-table.ts") = await import(from("dns/zone-table.ts"));
const { newSource }: typeof import("../../src/dns/source.ts") = await import(from("dns/source.ts"));
const { Standing }: typeof import("../../src/routing/table.ts") = await import(from("routing/table.ts"));
const { choiceTtl, choose, chooseAddresses, newChoice, placeClientV4, placeClientV6 } = routing;

const inventory = { ...largeInventory(spec), zones: [zone("example-org", "example.org")] };
const files = await loadGeoFiles([]);
const { table } = compileWorld(inventory, createGeoCache().table(files, inventory), newLatencyMap(), 1, NOW);
table.state.standing.fill(Standing.Usable);
table.state.addressStanding.fill(Standing.Usable);
table.state.worsensAt.fill(NOW + 10_000);
const zones = buildZoneTable(inventory.zones, table, () => 1).zones;
const context = newAnswerContext({ now: () => NOW, random: Math.random });
useTables(context, { routing: table, zones });

const clients = newClients(files.trees[0]!);
const random = newRandom(2);
// Up to its commit 41de43c `choose` took the fraction itself.
const takesFraction = !("diceOf" in routing);
const dice = takesFraction ? (value: number): number => value : routing.diceOf;
const throws = Array.from({ length: CLIENTS }, () => dice(random()));
const randoms = takesFraction ? Float64Array.from(throws) : Int32Array.from(throws);
const everyRoute = Int32Array.from({ length: CLIENTS }, () => Math.floor(random() * inventory.routes.length));
const ROUTES = { one: new Int32Array(CLIENTS), busy: everyRoute.map((route) => route % BUSY), all: everyRoute } as const;

const choice = newChoice();
const addresses = new Uint32Array(64);

/** Place, choose, addresses and TTL. */
function decideV4(name: string, routes: Int32Array, v4: Int32Array): Rival {
  return {
    name,
    run(count) {
      let sum = 0;
      for (let i = 0; i < count; i++) {
        const route = routes[i & MASK]!;
        placeClientV4(table, route, v4[i & MASK]!, 32, choice);
        choose(table, route, 0, randoms[i & MASK]!, choice);
        sum += addresses[chooseAddresses(table, route, 0, choice, addresses) - 1]! + choiceTtl(table, route, choice, NOW);
      }
      return sum;
    },
  };
}

function decideV6(name: string, routes: Int32Array): Rival {
  return {
    name,
    run(count) {
      let sum = 0;
      for (let i = 0; i < count; i++) {
        const route = routes[i & MASK]!;
        placeClientV6(table, route, clients.v6, 16 * (i & MASK), 128, choice);
        choose(table, route, 1, randoms[i & MASK]!, choice);
        sum += addresses[chooseAddresses(table, route, 1, choice, addresses) - 1]! + choiceTtl(table, route, choice, NOW);
      }
      return sum;
    },
  };
}

const lookupV4 = (name: string, v4: Int32Array): Rival => ({
  name,
  run(count) {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += leafOfV4(table.geo, v4[i & MASK]!);
    return sum;
  },
});

const lookupV6: Rival = {
  name: "lpm-v6",
  run(count) {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += leafOfV6(table.geo, clients.v6, 16 * (i & MASK));
    return sum;
  },
};

// One buffer for query and answer, as in the server; the queries are copied into it a word at a time.
const buffer = new ArrayBuffer(1232);
const words = new Int32Array(buffer, 0, WORDS);
const message = new Uint8Array(buffer);
const source = newSource(0);

type Step = (message: Uint8Array, length: number) => number;

/** Runs `step` over queries for random routes of a kind, with a client subnet (`ecs`) or from the client itself (`plain`). */
function overQueries(name: string, kind: keyof typeof ROUTES, isEcs: boolean, family: 4 | 6, step: Step): Rival {
  let templates: { readonly words: Int32Array; readonly lengths: Uint8Array } | undefined;
  return {
    name,
    run(count) {
      templates ??= queryTemplates(ROUTES[kind], (route) => inventory.routes[route]!.hosts[0]!, isEcs ? clients : undefined, family);
      const { words: all, lengths } = templates;
      let sum = 0;
      for (let i = 0; i < count; i++) {
        const client = i & MASK;
        for (let k = 0; k < WORDS; k++) words[k] = all[client * WORDS + k]!;
        source.isV6 = family === 6 && !isEcs;
        if (source.isV6) for (let k = 0; k < 16; k++) source.v6[k] = clients.v6[16 * client + k]!;
        else source.v4 = clients.v4[client]! >>> 0;
        sum += step(message, lengths[client]!);
      }
      return sum;
    },
  };
}

const whole: Step = (bytes, length) => {
  const written = answer(bytes, length, source, bytes, context);
  return written + bytes[written - 1]!;
};

let viewed: DataView = new DataView(new ArrayBuffer(0));
/** Kept for as long as the buffer is the same, as in a worker. */
const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView => {
  if (viewed.buffer !== buffer) viewed = new DataView(buffer, byteOffset, byteLength);
  return viewed;
};

// The parts, each with all before it.
const query = newQuery();
const found = newFound();
const copied: Step = (bytes, length) => bytes[length - 1]!;
const decoded: Step = (bytes, length) => decodeQuery(bytes, length, query) + query.nameEnd;
const named: Step = (bytes, length) => {
  decodeQuery(bytes, length, query);
  findName(zones, viewOf(bytes), query, found);
  return found.node;
};
const placed: Step = (bytes, length) => {
  decodeQuery(bytes, length, query);
  findName(zones, viewOf(bytes), query, found);
  const { address } = query.subnet;
  const ip = (address[0]! << 24) | (address[1]! << 16) | (address[2]! << 8) | address[3]!;
  placeClientV4(table, zones.nodeRoute[found.node]!, ip, query.subnet.source, choice);
  return choice.plan;
};
const chosen: Step = (bytes, length) => {
  placed(bytes, length);
  const route = zones.nodeRoute[found.node]!;
  choose(table, route, 0, dice(Math.random()), choice);
  return chooseAddresses(table, route, 0, choice, addresses) + choiceTtl(table, route, choice, NOW);
};

// The peer finds a country and nothing else. Its addresses are text made beforehand; either is one step from a DNS packet.
const cached = await maxmind.open<CountryResponse>(defaultGeoFile());
const plain = new Reader<CountryResponse>(readFileSync(defaultGeoFile()));
const texts = (family: 4 | 6, bytesOf: (client: number) => Uint8Array): readonly string[] =>
  Array.from({ length: CLIENTS }, (_, client) => formatIp({ family, bytes: bytesOf(client) }));
const v4Bytes = (ip: number): Uint8Array => Uint8Array.of(ip >>> 24, ip >>> 16, ip >>> 8, ip);
const asked = {
  get: texts(4, (client) => v4Bytes(clients.v4[client]!)),
  "get-networks": texts(4, (client) => v4Bytes(clients.v4Networks[client]!)),
  "get-v6": texts(6, (client) => clients.v6.subarray(16 * client, 16 * client + 16)),
} as const;
const maxmindGet = (workload: keyof typeof asked, peer: string, reader: Reader<CountryResponse>): Rival => ({
  name: `${workload} ${peer}`,
  run(count) {
    let known = 0;
    for (let i = 0; i < count; i++) if (reader.get(asked[workload][i & MASK]!) !== null) known++;
    return known;
  },
});

const rivals: readonly Rival[] = [
  ...(["get", "get-networks", "get-v6"] as const).flatMap((workload) => [
    maxmindGet(workload, "maxmind", cached),
    maxmindGet(workload, "maxmind-plain", plain),
  ]),
  decideV4("decision-one", ROUTES.one, clients.v4),
  decideV4("decision", ROUTES.busy, clients.v4),
  decideV4("decision-networks", ROUTES.busy, clients.v4Networks),
  decideV4("decision-all", ROUTES.all, clients.v4),
  decideV6("decision-v6", ROUTES.busy),
  lookupV4("lpm", clients.v4),
  lookupV4("lpm-networks", clients.v4Networks),
  lookupV6,
  ...(["one", "busy", "all"] as const).flatMap((kind) =>
    ([4, 6] as const).flatMap((family) => {
      const suffix = family === 6 ? "-v6" : "";
      return [
        overQueries(`answer-${kind}-plain${suffix}`, kind, false, family, whole),
        overQueries(`answer-${kind}-ecs${suffix}`, kind, true, family, whole),
      ];
    }),
  ),
  overQueries("step-copy", "busy", true, 4, copied),
  overQueries("step-decode", "busy", true, 4, decoded),
  overQueries("step-find", "busy", true, 4, named),
  overQueries("step-place", "busy", true, 4, placed),
  overQueries("step-choose", "busy", true, 4, chosen),
];

process.on("message", ({ workload }: RunRequest) => {
  const { run } = rivals.find(({ name }) => name === workload)!;
  let checksum = 0;
  let count = 0;
  const started = performance.now();
  const before = process.threadCpuUsage();
  while (performance.now() - started < LEAST_MS) {
    checksum = (checksum + run(CLIENTS)) % 0x1_0000_0000;
    count += CLIENTS;
  }
  const { user, system } = process.threadCpuUsage(before);
  // CPU time: what else runs on the machine takes caches from us, but not time
  const reply: Run = { nanoseconds: (1000 * (user + system)) / count, checksum };
  process.send?.(reply);
});
const ready: Ready = { workloads: rivals.map(({ name }) => name) };
process.send?.(ready);
