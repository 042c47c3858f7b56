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
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { GeoTable } from "../geo/geo-table.ts";
import type { LatencyMap } from "../geo/latency-model.ts";
import { lookupTables } from "../geo/lpm-table.ts";
import type { EndpointHealth, EndpointKey } from "../model/health.ts";
import type { Inventory, RouteKey } from "../model/inventory.ts";
import type { RouteMemory } from "../routing/evaluate-route.ts";
import type { GeoInfo } from "./compiler.ts";
import { decodeSnapshot, encodeSnapshot } from "./snapshot-codec.ts";

/** Raised when the meaning of a member changes; other formats are not read. */
const FORMAT = 1;

export interface LastGood {
  readonly inventory: Inventory;
  readonly routes: Readonly<Record<RouteKey, RouteMemory>>;
  readonly health: Readonly<Record<EndpointKey, EndpointHealth>>;
  readonly latency: LatencyMap;
  readonly geo: GeoTable;
  readonly geoInfo: GeoInfo;
  /** Milliseconds since the epoch. */
  readonly savedAt: number;
}

interface WorldFile extends Omit<LastGood, "geo"> {
  readonly format: number;
  readonly geoFile: string;
}

/** The look-up tables are two thirds of a geo table and follow from the rest in 0.1 s. */
type SavedGeo = Omit<GeoTable, keyof ReturnType<typeof lookupTables>>;

const trieOf = ({ v4Root: _v4Root, v4Blocks: _v4Blocks, v6Root: _v6Root, v6Blocks: _v6Blocks, ...trie }: GeoTable): SavedGeo => trie;

export interface LastGoodStore {
  /** @returns undefined when there is none, or none that is whole */
  load(): Promise<LastGood | undefined>;
  save(lastGood: LastGood): Promise<void>;
}

export function createLastGoodStore(folder: string): LastGoodStore {
  const world = join(folder, "world.snap");
  let writtenGeo = "";

  async function readSnapshot(path: string): Promise<unknown> {
    try {
      return decodeSnapshot(await readFile(path));
    } catch {
      return undefined; // absent or unreadable: there is nothing to go back to
    }
  }

  return {
    async load() {
      const file = (await readSnapshot(world)) as WorldFile | undefined;
      if (file?.format !== FORMAT) return undefined;
      const trie = (await readSnapshot(join(folder, file.geoFile))) as SavedGeo | undefined;
      if (trie === undefined) return undefined;
      const { format: _format, geoFile: _geoFile, ...rest } = file;
      return { ...rest, geo: { ...trie, ...lookupTables(trie) } };
    },
    async save({ geo, ...rest }) {
      await mkdir(folder, { recursive: true });
      const geoFile = `geo-${geo.id}.snap`;
      if (writtenGeo !== geoFile) {
        await replaceFile(join(folder, geoFile), encodeSnapshot(trieOf(geo)));
      }
      const file: WorldFile = { ...rest, format: FORMAT, geoFile };
      await replaceFile(world, encodeSnapshot(file));
      if (writtenGeo !== geoFile) {
        writtenGeo = geoFile;
        const old = (await readdir(folder)).filter((name) => /^geo-.*\.snap$/.test(name) && name !== geoFile);
        await Promise.all(old.map((name) => rm(join(folder, name), { force: true })));
      }
    },
  };
}

async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const aside = `${path}.tmp`;
  const file = await open(aside, "w", 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
}
