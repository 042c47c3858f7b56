/** A folder of objects compiled as a server would, without one. Nothing is probed: health is what the caller takes it for. */
import { resolve } from "node:path";
import { type ObjectsRead, readObjectsAt } from "../engine/read-objects.ts";
import { createStandings } from "../engine/standings.ts";
import { compileWorld, createGeoCache } from "../engine/world.ts";
import type { Capabilities } from "../geo/capabilities.ts";
import { GeoFileError } from "../geo/geo-file-error.ts";
import { type GeoFiles, loadGeoFiles } from "../geo/geo-files.ts";
import { type LatencyMap, newLatencyMap } from "../geo/latency-model.ts";
import type { EndpointHealth } from "../model/health.ts";
import type { Inventory } from "../model/inventory.ts";
import { formatProblem } from "../model/problem.ts";
import { createMetrics } from "../observe/metrics.ts";
import { createTimeline } from "../observe/timeline.ts";
import type { RoutingTable } from "../routing/table.ts";
import { CommandError, type Io } from "./io.ts";

export interface OfflineQuestion {
  /** Folder of objects. */
  readonly config: string;
  /** Geo databases, the most trusted first; empty = the one in the package. */
  readonly mmdb: readonly string[];
  /** Of every endpoint. */
  readonly health: EndpointHealth;
  /** What is compiled in place of what was read. */
  readonly flatten?: (inventory: Inventory) => Promise<Inventory>;
}

export interface OfflineWorld {
  readonly inventory: Inventory;
  readonly table: RoutingTable;
  readonly latency: LatencyMap;
  readonly capabilities: Capabilities;
}

/** @throws CommandError (exit 2) for objects with errors and for a geo file */
export async function compileFolder(
  { config, mmdb, health, flatten = async (inventory) => inventory }: OfflineQuestion,
  io: Pick<Io, "now" | "cwd">,
): Promise<OfflineWorld> {
  const sound = soundInventory(config, await readObjectsAt([resolve(io.cwd, config)]));
  const files = await openGeoFiles(mmdb, io);
  const inventory = await flatten(sound);
  const latency = newLatencyMap();
  const { table } = compileWorld(inventory, createGeoCache().table(files, inventory), latency, 1, io.now());
  createStandings({
    population: new Map(),
    health: () => health,
    timeline: createTimeline(1, io.now),
    metrics: createMetrics(),
    now: io.now,
    onMemory: () => {},
  }).adopt(inventory, table);
  return { inventory, table, latency, capabilities: files.capabilities };
}

/** @throws CommandError (exit 2) that holds all errors of the objects, which `config` names */
export function soundInventory(config: string, read: ObjectsRead): Inventory {
  const errors = read.problems.filter(({ severity }) => severity === "error");
  if (errors.length > 0)
    throw new CommandError(2, [`${config} has errors, so a server would not take it:`, ...errors.map(formatProblem)].join("\n"));
  return read.inventory;
}

/** @throws CommandError (exit 2) */
export function openGeoFiles(mmdb: readonly string[], io: Pick<Io, "cwd">): Promise<GeoFiles> {
  return loadGeoFiles(mmdb.map((path) => resolve(io.cwd, path))).catch((error: unknown) => {
    throw error instanceof GeoFileError ? new CommandError(2, error.message, { cause: error }) : error;
  });
}
