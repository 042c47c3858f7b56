/** The configurations that a simulation compares: from folders, from a running server on this machine, or the demo's. Nothing is probed. */
import { basename, resolve } from "node:path";
import { statusSchema } from "../admin/api-schemas.ts";
import { readFolder } from "../engine/read-folder.ts";
import { type ObjectsRead, readObjects } from "../engine/read-objects.ts";
import { compileWorld, createGeoCache } from "../engine/world.ts";
import { loadCloudRegions } from "../geo/cloud-regions.ts";
import { newLatencyMap } from "../geo/latency-model.ts";
import type { Inventory } from "../model/inventory.ts";
import { formatIp, parseIp } from "../model/ip.ts";
import { hashText } from "../routing/hash.ts";
import type { World } from "../what-if/side.ts";
import { createApiClient } from "./api-client.ts";
import { demoManifests } from "./demo/world.ts";
import { CommandError, type Io } from "./io.ts";
import { openGeoFiles, soundInventory } from "./offline-world.ts";
import { objectsFolder } from "./override-file.ts";

export interface WorldsQuestion {
  /** Folder of objects; absent = the running server's, if `server` is given or answers, else the demo's. */
  readonly config?: string;
  readonly server?: string;
  /** Objects that replace those of the same name afterwards. */
  readonly policy?: string;
  /** Folder of the configuration afterwards. */
  readonly compare?: string;
  readonly mmdb: readonly string[];
}

export interface Worlds {
  readonly before: World;
  /** The same object when nothing changes. */
  readonly after: World;
  /** What the configurations are called. */
  readonly config: string;
  readonly changed?: string;
  /** `namespace/route/backend` that a running server has found unhealthy. */
  readonly sick: ReadonlySet<string>;
  readonly notes: readonly string[];
}

/** @throws CommandError (exit 2) for objects with errors, a geo file, or a folder that is not here */
export async function openWorlds(question: WorldsQuestion, io: Io): Promise<Worlds> {
  const { mmdb, policy, compare, server } = question;
  const here = question.config === undefined && server !== undefined ? await serverFolder(server, io) : undefined;
  const config = question.config ?? here?.config ?? "the demo";
  const content = question.config === undefined && here === undefined ? demoContent() : await readFolder(resolve(io.cwd, config));
  const read = readObjects(content, loadCloudRegions());
  const files = await openGeoFiles(mmdb, io);
  const geo = createGeoCache({ coordinates: true }); // distances are told whatever routes go by
  const latency = newLatencyMap();
  const notes: string[] = [...(here?.notes ?? [])];
  const open = (name: string, objects: ObjectsRead): World => {
    const { inventory, hostNames } = standInAddresses(soundInventory(name, objects));
    if (hostNames > 0 && !notes.includes(HOST_NAMES)) notes.push(HOST_NAMES);
    return { inventory, table: compileWorld(inventory, geo.table(files, inventory), latency, 1, io.now()).table, latency };
  };
  const before = open(config, read);
  const found = { config, sick: here?.sick ?? new Set<string>(), notes };
  if (compare !== undefined) {
    const other = readObjects(await readFolder(resolve(io.cwd, compare)), loadCloudRegions());
    return { ...found, before, after: open(compare, other), changed: compare };
  }
  if (policy === undefined) return { ...found, before, after: before };
  const replacedBy = await readFolder(resolve(io.cwd, policy));
  const changed = question.config === undefined ? `${config} with ${policy}` : `${config} with ${basename(policy)}`;
  return { ...found, before, after: open(policy, readObjects(content, loadCloudRegions(), { replacedBy })), changed };
}

const HOST_NAMES = "nothing is resolved here: a host name among the addresses of a backend counts as an address of each family";

const demoContent = () => ({ files: [...demoManifests(8080)].map(([path, text]) => ({ path: `demo/${path}`, text })), problems: [] });

/** The folder that a running server watches, if it is on this machine, and what that server has found out. */
async function serverFolder(server: string, io: Io) {
  const config = await objectsFolder(io, undefined, server).catch((error: unknown) => {
    // 1 says that too much would change, and nothing else.
    throw error instanceof CommandError ? new CommandError(2, error.message, { cause: error }) : error;
  });
  const status = await createApiClient(io, server).get("/v1/status", statusSchema);
  const sick = new Set(
    status.routes.flatMap((route) =>
      route.backends.filter(({ health }) => health === "Unhealthy").map(({ name }) => `${route.namespace}/${route.name}/${name}`),
    ),
  );
  const notes = sick.size === 0 ? [] : [`unhealthy already, says the server: ${[...sick].sort().join(", ")}`];
  return { config, sick, notes };
}

/** One address of each family for a host name, the same on both sides; from blocks that are for no one (RFC 1112 §4, RFC 6666). */
function standInAddresses(inventory: Inventory): { readonly inventory: Inventory; readonly hostNames: number } {
  let hostNames = 0;
  const standIn = (address: string): readonly string[] => {
    if (parseIp(address) !== undefined) return [address];
    hostNames++;
    const hash = hashText(address);
    const bytes = [24, 16, 8, 0].map((shift) => (hash >>> shift) & 255);
    const v6 = Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...bytes]);
    return [
      formatIp({ family: 4, bytes: Uint8Array.from([240 | (bytes[0]! & 7), bytes[1]!, bytes[2]!, bytes[3]!]) }),
      formatIp({ family: 6, bytes: v6 }),
    ];
  };
  const routes = inventory.routes.map((route) => ({
    ...route,
    backends: route.backends.map((backend) => ({ ...backend, addresses: backend.addresses.flatMap(standIn) })),
  }));
  return { inventory: hostNames === 0 ? inventory : { ...inventory, routes }, hostNames };
}
