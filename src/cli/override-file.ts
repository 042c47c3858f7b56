/** Operators' acts as files: a command writes one `TrafficOverride` into the folder that the server watches, or removes it again. */
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { statusSchema } from "../admin/api-schemas.ts";
import { type Inventory, routeKey } from "../model/inventory.ts";
import { didYouMean } from "../model/nearest-word.ts";
import { type Act, formatTarget, overrideObject, type Target } from "./act.ts";
import { createApiClient } from "./api-client.ts";
import { CommandError, type Io } from "./io.ts";

/** The folder for these files, below the folder of objects. */
const SUBFOLDER = "overrides";

/** What acts can be aimed at: cluster names, and route keys with the names of their backends. */
interface Targets {
  readonly clusters: readonly string[];
  readonly routes: ReadonlyMap<string, readonly string[]>;
}

/** An inventory's, a status's and a hub's routes and clusters have in common what is needed here. */
interface World {
  readonly clusters: readonly { readonly name: string }[];
  readonly routes: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly backends: readonly { readonly name: string }[];
  }[];
}

const targetsOf = ({ clusters, routes }: World): Targets => ({
  clusters: clusters.map(({ name }) => name),
  routes: new Map(routes.map((route) => [routeKey(route), route.backends.map(({ name }) => name)])),
});

/**
 * Checks that a target exists, in the folder or, while the folder has errors, in what the server still serves: an act must not wait
 * until they are mended.
 *
 * @throws CommandError (exit 2) that names what there is
 */
export async function requireTarget(inventory: Inventory, target: Target, io: Io, server: string | undefined): Promise<void> {
  const inFolder = targetsOf(inventory);
  if (missing(inFolder, target) === undefined) return;
  const status = await createApiClient(io, server).tryGet("/v1/status", statusSchema);
  const refusal = missing(status === undefined ? inFolder : targetsOf(status), target);
  if (refusal !== undefined) throw new CommandError(2, missing(inFolder, target) ?? refusal);
}

/** @returns why the target cannot be meant, and what there is; undefined when it is there */
export const missingTarget = (world: World, target: Target): string | undefined => missing(targetsOf(world), target);

function missing({ clusters, routes }: Targets, target: Target): string | undefined {
  if (target.kind === "MemberCluster") return absent("MemberCluster", target.name, clusters);
  const key = routeKey(target);
  const noRoute = absent("GlobalRoute", key, [...routes.keys()]);
  return noRoute ?? (target.backend === undefined ? undefined : absent(`backend of ${key}`, target.backend, routes.get(key) ?? []));
}

function absent(what: string, name: string, known: readonly string[]): string | undefined {
  if (known.includes(name)) return undefined;
  const all = known.length === 0 ? "There is none." : `There is: ${known.slice(0, 20).join(", ")}${known.length > 20 ? ", …" : ""}.`;
  return `there is no ${what} called ${name}. ${didYouMean(name, known)}${all}`;
}

/**
 * Where the objects are: the option, else what the running server says.
 *
 * @throws CommandError when neither tells, or the folder is not on this machine
 */
export async function objectsFolder(io: Io, config: string | undefined, server: string | undefined): Promise<string> {
  const api = createApiClient(io, server);
  const path = config === undefined ? (await api.tryGet("/v1/status", statusSchema))?.config.path : resolve(io.cwd, config);
  if (path === undefined)
    throw new CommandError(1, `no server answers at ${api.url}, so the folder of objects is not known. Name it with --config DIR.`);
  const isFolder = await stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
  if (isFolder) return path;
  if (config !== undefined) throw new CommandError(2, `${path} is no folder. Name the folder of objects with --config DIR.`);
  throw new CommandError(
    1,
    `the server ${api.url} reads its objects from ${path}, which is no folder of this machine. Run this where the server runs, or name the folder with --config DIR.`,
  );
}

/**
 * The file of an act: equal for equal verb and target, so that doing it again replaces it. `_` stands in no name, so that no two
 * targets share a file.
 */
export const overridePath = (folder: string, verb: Act["verb"], target: Target): string =>
  join(folder, SUBFOLDER, `${verb}-${formatTarget(target).replaceAll("/", "_")}.yaml`);

/**
 * Writes the file whole or not at all: the reader of the folder never sees half of it.
 *
 * @returns its path
 * @throws CommandError (exit 1) when the folder cannot be written
 */
export async function writeOverride(folder: string, act: Act): Promise<string> {
  const path = overridePath(folder, act.verb, act.target);
  try {
    await mkdir(join(folder, SUBFOLDER)).catch(ignoreExisting);
    const aside = join(folder, SUBFOLDER, `.${process.pid}.tmp`); // the reader leaves out names that begin with a dot
    await writeFile(aside, overrideText(act));
    await rename(aside, path);
  } catch (cause) {
    throw notWritten(path, cause);
  }
  return path;
}

/** Removes the file. @returns false when there was none */
export async function removeOverride(folder: string, verb: Act["verb"], target: Target): Promise<boolean> {
  const path = overridePath(folder, verb, target);
  const existed = await stat(path).then(
    () => true,
    () => false,
  );
  if (!existed) return false;
  await rm(path).catch((cause: unknown) => {
    throw notWritten(path, cause);
  });
  return true;
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
}

function notWritten(path: string, cause: unknown): CommandError {
  const fact = cause instanceof Error ? cause.message : String(cause);
  return new CommandError(1, `${path} cannot be changed: ${fact}. Run this as a user who may write there.`, { cause });
}

const overrideText = (act: Act): string =>
  `# Written by \`globalroute ${act.verb} ${formatTarget(act.target)}\`. Deleting this file undoes it.\n${stringify(overrideObject(act))}`;
