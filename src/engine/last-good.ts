/**
 * What outlives the process: the last inventory that was served, the geo table that it was compiled with, and what health and failback
 * remember. A start with everything else broken serves from here (safety rule 2).
 *
 * ```
 * DIR/world.snap       inventory, memory, name of the geo file     written at every change, at most once a second
 * DIR/geo-<key>.snap   the geo table                               written when geo data or what policies ask of it change
 * ```
 * Both are written aside, flushed and renamed, and carry a checksum: a torn or damaged file is no file.
 */
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { GeoTable } from "../geo/geo-table.ts";
import type { LatencyMap } from "../geo/latency-model.ts";
import { lookupTables } from "../geo/lpm-table.ts";
import type { EndpointHealth, EndpointKey } from "../model/health.ts";
import type { Inventory, Route, RouteKey } from "../model/inventory.ts";
import type { RouteMemory } from "../routing/evaluate-route.ts";
import type { GeoInfo } from "./compiler.ts";
import { readRecords, writeRecords } from "./record-file.ts";
import { decodeSnapshot, encodeSnapshot } from "./snapshot-codec.ts";
import type { Source } from "./source.ts";

/** Raised when the meaning of a member changes; other formats are not read. */
const FORMAT = 3;

export interface LastGood {
  /** {@link Source.path} of what it came from. */
  readonly source: string;
  readonly inventory: Inventory;
  readonly routes: ReadonlyMap<RouteKey, RouteMemory>;
  readonly health: ReadonlyMap<EndpointKey, EndpointHealth>;
  readonly latency: LatencyMap;
  readonly geo: GeoTable;
  readonly geoInfo: GeoInfo;
  /** A collapse of the inputs was held and nobody had confirmed it. */
  readonly inputsHeld: boolean;
  /** Milliseconds since the epoch. */
  readonly savedAt: number;
}

/** The first record; the rest are {@link Part}s. */
interface Head extends Pick<LastGood, "source" | "latency" | "geoInfo" | "inputsHeld" | "savedAt"> {
  readonly format: number;
  readonly geoFile: string;
  readonly inventory: Omit<Inventory, "routes">;
}

/** Exactly one member is set. */
interface Part {
  readonly routes?: readonly Route[];
  readonly memory?: readonly (readonly [RouteKey, RouteMemory])[];
  readonly health?: readonly (readonly [EndpointKey, EndpointHealth])[];
}

/** Routes or endpoints in a part; one takes milliseconds to write. */
const PART = 200;

/** The look-up tables are a third of a geo table and follow from the rest in 0.1 s. */
type SavedGeo = Omit<GeoTable, keyof ReturnType<typeof lookupTables>>;

const trieOf = ({ v4Groups: _v4Groups, v6Groups: _v6Groups, ...trie }: GeoTable): SavedGeo => trie;

export interface LastGoodStore {
  /** @returns undefined when there is none, or none that is whole */
  load(): Promise<LastGood | undefined>;
  save(lastGood: LastGood): Promise<void>;
}

export function createLastGoodStore(folder: string): LastGoodStore {
  const world = join(folder, "world.snap");
  let writtenGeo = "";

  return {
    async load() {
      const records = await readWhole(world, readRecords);
      if (records === undefined) return undefined;
      const [head, ...parts] = records as readonly [Head, ...Part[]];
      if (head?.format !== FORMAT) return undefined;
      const trie = (await readWhole(join(folder, head.geoFile), decodeSnapshot)) as SavedGeo | undefined;
      if (trie === undefined) return undefined;
      const { format: _format, geoFile: _geoFile, inventory, ...rest } = head;
      return {
        ...rest,
        inventory: { ...inventory, routes: parts.flatMap(({ routes = [] }) => routes) },
        routes: new Map(parts.flatMap(({ memory = [] }) => memory)),
        health: new Map(parts.flatMap(({ health = [] }) => health)),
        geo: { ...trie, ...lookupTables(trie) },
      };
    },
    async save(lastGood) {
      await mkdir(folder, { recursive: true });
      const geoFile = `geo-${lastGood.geo.id}.snap`;
      const isNewGeo = writtenGeo !== geoFile;
      if (isNewGeo) await replaceFile(join(folder, geoFile), (file) => file.writeFile(encodeSnapshot(trieOf(lastGood.geo))));
      await replaceFile(world, (file) => writeRecords(recordsOf(lastGood, geoFile), (bytes) => file.writeFile(bytes)));
      if (isNewGeo) {
        writtenGeo = geoFile;
        // what a killed process left half-written as well
        const old = (await readdir(folder)).filter((name) => /^geo-.*\.snap(\.tmp)?$/.test(name) && name !== geoFile);
        await Promise.all(old.map((name) => rm(join(folder, name), { force: true })));
      }
    },
  };
}

/** @returns undefined when the file is absent, unreadable or damaged: there is nothing to go back to */
async function readWhole<T>(path: string, decode: (bytes: Buffer) => T): Promise<T | undefined> {
  try {
    return decode(await readFile(path));
  } catch {
    return undefined;
  }
}

function* recordsOf({ inventory, routes, health, geo: _geo, ...rest }: LastGood, geoFile: string): Iterable<Head | Part> {
  const { routes: routeObjects, ...others } = inventory;
  yield { ...rest, format: FORMAT, geoFile, inventory: others };
  for (const part of slices(routeObjects, PART)) yield { routes: part };
  for (const part of slices(routes, PART)) yield { memory: part };
  for (const part of slices(health, PART)) yield { health: part };
}

function* slices<T>(items: Iterable<T>, size: number): Iterable<readonly T[]> {
  let part: T[] = [];
  for (const item of items) {
    part.push(item);
    if (part.length < size) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

async function replaceFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const aside = `${path}.tmp`;
  const file = await open(aside, "w", 0o600);
  try {
    await write(file);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
}
