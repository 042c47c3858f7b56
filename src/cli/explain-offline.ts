/** `explain --config`: the same decision as a server's, from a folder alone. Nothing is probed, so every health is Unknown. */
import { resolve } from "node:path";
import { explainWorld } from "../engine/engine-view.ts";
import { readObjectsAt } from "../engine/read-objects.ts";
import { createStandings } from "../engine/standings.ts";
import { compileWorld, createGeoCache } from "../engine/world.ts";
import { GeoFileError } from "../geo/geo-file-error.ts";
import { loadGeoFiles } from "../geo/geo-files.ts";
import { newLatencyMap } from "../geo/latency-model.ts";
import { NOT_PROBED } from "../model/health.ts";
import { formatProblem } from "../model/problem.ts";
import { createMetrics } from "../observe/metrics.ts";
import { createTimeline } from "../observe/timeline.ts";
import type { Explanation } from "../routing/explanation.ts";
import { CommandError, type Io } from "./io.ts";

export interface OfflineQuestion {
  /** Folder of objects. */
  readonly config: string;
  /** Geo databases, the most trusted first; empty = the one in the package. */
  readonly mmdb: readonly string[];
  readonly host: string;
  readonly client: string;
  readonly family: "A" | "AAAA";
}

/** @throws CommandError for objects with errors (exit 2), for a geo file (exit 2) and for a host that no route has (exit 1) */
export async function explainOffline(
  { config, mmdb, host, client, family }: OfflineQuestion,
  io: Pick<Io, "now" | "cwd">,
): Promise<Explanation> {
  const { inventory, problems } = await readObjectsAt([resolve(io.cwd, config)]);
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length > 0)
    throw new CommandError(2, [`${config} has errors, so a server would not take it:`, ...errors.map(formatProblem)].join("\n"));
  const files = await loadGeoFiles(mmdb.map((path) => resolve(io.cwd, path))).catch((error: unknown) => {
    throw error instanceof GeoFileError ? new CommandError(2, error.message, { cause: error }) : error;
  });
  const now = io.now();
  const latency = newLatencyMap();
  const { table } = compileWorld(inventory, createGeoCache().table(files, inventory), latency, 1, now);
  const health = () => NOT_PROBED;
  createStandings({
    population: new Map(),
    health,
    timeline: createTimeline(1, io.now),
    metrics: createMetrics(),
    now: io.now,
    onMemory: () => {},
  }).adopt(inventory, table);
  const answer = explainWorld({ inventory, table, latency }, host, client, family, { health, capabilities: files.capabilities, now });
  if (!answer.ok) throw new CommandError(1, answer.error);
  const note = "from the folder alone: nothing was probed, so every health is Unknown";
  return { ...answer.explanation, notes: [...answer.explanation.notes, note] };
}
