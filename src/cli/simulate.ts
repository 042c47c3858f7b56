/** `simulate`: gathers what a simulation is made of, and runs it. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { loadCentroids } from "../geo/country-centroids.ts";
import { loadHomes } from "../geo/population.ts";
import { type Route, routeKey } from "../model/inventory.ts";
import { didYouMean } from "../model/nearest-word.ts";
import { readClientFile } from "../what-if/client-file.ts";
import type { Clients } from "../what-if/clients.ts";
import type { CsvFault } from "../what-if/csv-rows.ts";
import { listClients, MOST_CLIENTS_OF_NETWORK } from "../what-if/listed-clients.ts";
import type { LoadRow } from "../what-if/load.ts";
import { readLoadFile } from "../what-if/load-file.ts";
import { type Simulated, simulate } from "../what-if/simulate.ts";
import type { ClientsReport } from "../what-if/simulation.ts";
import { drawWorld } from "../what-if/world-clients.ts";
import { CommandError, type Io } from "./io.ts";
import { openWorlds, type Worlds, type WorldsQuestion } from "./simulation-worlds.ts";

export interface SimulateQuestion extends WorldsQuestion {
  readonly down: readonly string[];
  readonly drain: readonly string[];
  /** `namespace/name` or `name`; empty = all. */
  readonly routes: readonly string[];
  /** How many clients of the world, or a file of them. */
  readonly clients: number | string;
  readonly seed: number;
  readonly atLoad?: string;
}

export interface SimulationRun extends Simulated {
  readonly worlds: Worlds;
}

/** @throws CommandError (exit 2) for anything that cannot be read or is not there */
export async function runSimulation(question: SimulateQuestion, io: Io, progress: (text: string) => void): Promise<SimulationRun> {
  progress("compiling");
  const worlds = await openWorlds(question, io);
  const { before, after } = worlds;
  requireClusters(worlds, question);
  const all = [...before.inventory.routes, ...after.inventory.routes];
  const only = new Set(question.routes.map((name) => requireRoute(name, all)));
  const load = question.atLoad === undefined ? undefined : await readLoad(question.atLoad, all, io);
  const homes = loadHomes();
  progress("drawing clients");
  const { clients, source, notes } = await gatherClients(question, worlds, homes, io);
  const simulated = simulate({
    ...{ before, after, outage: { down: question.down, drain: question.drain }, sick: worlds.sick, clients, source },
    ...(only.size > 0 && { only }),
    ...(load !== undefined && { load }),
    atlas: { homes, centroids: loadCentroids() },
    scenario: {
      ...{ config: worlds.config, down: question.down, drain: question.drain },
      ...(worlds.changed !== undefined && { changed: worlds.changed }),
      ...(question.atLoad !== undefined && { load: question.atLoad }),
    },
    notes: [...worlds.notes, ...notes],
    now: io.now(),
    onProgress: (done, of) => progress(`deciding: route ${done + 1} of ${of}`),
  });
  return { ...simulated, worlds };
}

function requireClusters({ after }: Worlds, { down, drain }: SimulateQuestion): void {
  const known = after.inventory.clusters.map(({ name }) => name);
  for (const name of [...down, ...drain]) {
    if (known.includes(name)) continue;
    throw new CommandError(2, `there is no MemberCluster called ${name}. ${didYouMean(name, known)}There is: ${known.join(", ")}.`);
  }
}

function findRoute(name: string, routes: readonly Route[]): string | undefined {
  const keys = new Set(routes.filter((route) => routeKey(route) === name || route.name === name).map(routeKey));
  return keys.has(name) || keys.size === 1 ? (keys.has(name) ? name : [...keys][0]) : undefined;
}

function requireRoute(name: string, routes: readonly Route[]): string {
  const key = findRoute(name, routes);
  if (key !== undefined) return key;
  const known = [...new Set(routes.map(routeKey))];
  const shown = `${known.slice(0, 20).join(", ")}${known.length > 20 ? ", …" : ""}`;
  throw new CommandError(
    2,
    `there is no one GlobalRoute called ${name}. ${didYouMean(name, known)}Write NAMESPACE/NAME; there is: ${shown}.`,
  );
}

async function gatherClients(
  { clients: asked, seed }: SimulateQuestion,
  { before }: Worlds,
  homes: ReturnType<typeof loadHomes>,
  io: Io,
): Promise<{
  readonly clients: Clients;
  readonly source: Pick<ClientsReport, "source" | "unit" | "seed">;
  readonly notes: readonly string[];
}> {
  if (typeof asked === "number") {
    const { clients, without } = drawWorld(before.table.geo, homes, asked, seed);
    if (clients.count === 0)
      throw new CommandError(2, "the geo databases name no country, so nobody's place is known. Name others with --mmdb.");
    const left = without.length === 0 ? [] : [`the geo databases hold no network of ${fewOf(without)}: their people are left out`];
    return { clients, source: { source: "world", unit: "people", seed }, notes: left };
  }
  const file = readClientFile(await readText(asked, io));
  if ("message" in file) throw atLine(asked, file);
  const clients = listClients(before.table.geo, file.list);
  if ("tooWide" in clients) {
    const message = `the network spans more than ${MOST_CLIENTS_OF_NETWORK} clients of different places. Write narrower ones.`;
    throw atLine(asked, { line: file.list[clients.tooWide]!.line, message });
  }
  return { clients, source: { source: asked, unit: file.unit }, notes: [] };
}

const fewOf = (names: readonly string[]): string =>
  names.length > 12 ? `${names.slice(0, 10).join(", ")} and ${names.length - 10} more` : names.join(", ");

async function readLoad(path: string, routes: readonly Route[], io: Io): Promise<readonly LoadRow[]> {
  const file = readLoadFile(await readText(path, io), (name) => findRoute(name, routes));
  if ("message" in file) throw atLine(path, file);
  return file.rows;
}

const atLine = (path: string, { line, message }: CsvFault): CommandError => new CommandError(2, `${path}:${line}: ${message}`);

async function readText(path: string, io: Io): Promise<string> {
  try {
    return await readFile(resolve(io.cwd, path), "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new CommandError(2, `${path} cannot be read (${code}). Name a file of CSV.`, { cause });
  }
}
