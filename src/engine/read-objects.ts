/** Text to inventory: the one way by which the engine and every command understand a folder of objects. */
import type { Capabilities } from "../geo/capabilities.ts";
import { loadCloudRegions } from "../geo/cloud-regions.ts";
import { offlineContext } from "../model/api-context.ts";
import type { Override, Zone } from "../model/inventory.ts";
import { type Manifests, parseManifests } from "../model/manifest.ts";
import { type ManifestObject, objectTitle } from "../model/manifest-object.ts";
import type { Problem } from "../model/problem.ts";
import type { RegionTable } from "../model/region-table.ts";
import { buildInventory } from "../model/to-inventory.ts";
import { geoWarnings } from "./geo-warnings.ts";
import { type FolderContent, readFolder } from "./read-folder.ts";
import { readTransferKeys } from "./read-transfer-keys.ts";
import { readZoneKeys } from "./read-zone-keys.ts";
import type { SourceReading } from "./source.ts";

export interface ObjectsRead extends SourceReading {
  readonly files: number;
  readonly objects: readonly ManifestObject[];
}

export interface ReadOptions {
  /** What the loaded geo databases can tell, if any are loaded. */
  readonly geo?: Capabilities | undefined;
  /** The files are manifests for a cluster whose controller runs in this namespace. Nothing is served from them then. */
  readonly controllerNamespace?: string | undefined;
  /** Objects that take the place of those of the same kind and name, or come beside them. */
  readonly replacedBy?: FolderContent | undefined;
}

/**
 * Reads the files that objects name, such as keys, too, but not for a cluster.
 *
 * @returns what the files say, with every problem of reading, parsing and cross-checking
 */
export function readObjects(
  content: FolderContent,
  regions: RegionTable,
  { geo, controllerNamespace, replacedBy }: ReadOptions = {},
): ObjectsRead {
  const parsed = parseManifests(content.files, { passForeign: controllerNamespace !== undefined });
  const { objects, rejected, problems, foreign } = replacedBy === undefined ? parsed : replace(parsed, parseManifests(replacedBy.files));
  const api = controllerNamespace === undefined ? undefined : offlineContext(foreign, controllerNamespace);
  const { inventory: built, problems: crossProblems } = buildInventory(objects, regions, rejected, api);
  const keys = api === undefined ? readKeys(built.zones, objects) : { zones: built.zones, problems: [], files: [] };
  const inventory = { ...built, zones: keys.zones, overrides: withFiles(built.overrides, objects) };
  const coarse = geo === undefined ? [] : geoWarnings(inventory, objects, geo);
  const all = [...content.problems, ...(replacedBy?.problems ?? []), ...problems, ...crossProblems, ...keys.problems, ...coarse];
  return {
    files: content.files.length,
    objects,
    inventory,
    problems: sortProblems(all),
    dependsOn: keys.files,
  };
}

function replace(before: Manifests, by: Manifests): Manifests {
  const titles = new Set(by.objects.map(objectTitle));
  return {
    objects: [...before.objects.filter((object) => !titles.has(objectTitle(object))), ...by.objects],
    rejected: [...before.rejected, ...by.rejected],
    problems: [...before.problems, ...by.problems],
    foreign: before.foreign,
  };
}

/** Keys of signed zones, and of those who may take copies. Those of a cluster are where its controller runs, and not here. */
function readKeys(zones: readonly Zone[], objects: readonly ManifestObject[]) {
  const keys = readZoneKeys(zones, objects);
  const transferKeys = readTransferKeys(keys.zones, objects);
  return {
    zones: transferKeys.zones,
    problems: [...keys.problems, ...transferKeys.problems],
    files: [...keys.files, ...transferKeys.files],
  };
}

/** Of two objects of one name the first counts, as in `buildInventory`. */
function withFiles(overrides: readonly Override[], objects: readonly ManifestObject[]): readonly Override[] {
  const files = new Map<string, string>();
  for (const { kind, namespace, name, locate } of objects) {
    const key = `${namespace}/${name}`;
    if (kind === "TrafficOverride" && !files.has(key)) files.set(key, locate(["metadata", "name"]).file);
  }
  return overrides.map((override) => {
    const file = files.get(`${override.namespace}/${override.name}`);
    return file === undefined ? override : { ...override, file };
  });
}

/** Several folders or files, read as one. */
export async function readObjectsAt(paths: readonly string[], options: ReadOptions = {}): Promise<ObjectsRead> {
  const contents = await Promise.all(paths.map((path) => readFolder(path)));
  const content = { files: contents.flatMap(({ files }) => files), problems: contents.flatMap((one) => problemsOf(one, paths.length)) };
  return readObjects(content, loadCloudRegions(), options);
}

/** One of several files that are named may hold comments alone. */
const problemsOf = ({ files, problems }: FolderContent, paths: number): readonly Problem[] =>
  paths > 1 && files.length > 0 ? problems.filter(({ code }) => code !== "folder-empty") : problems;

/** By file, line and column, so that a file can be mended from top to bottom. */
export function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  return [...problems].sort((a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column || compare(a.code, b.code));
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
