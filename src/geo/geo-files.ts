/** Geo files from disk: the ones that the user named, or the country file that npm brought. */
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { type Capabilities, capabilitiesOf, joinCapabilities } from "./capabilities.ts";
import { GeoFileError } from "./geo-file-error.ts";
import { type MmdbTree, openMmdb } from "./mmdb-tree.ts";

export interface GeoFile {
  /** As the user named it. */
  readonly path: string;
  readonly tree: MmdbTree;
  readonly capabilities: Capabilities;
}

export interface GeoFiles {
  /** Most trusted first, as they were named. */
  readonly files: readonly GeoFile[];
  /** The trees of `files`, as `buildGeoTable` takes them. */
  readonly trees: readonly MmdbTree[];
  /** Build date of the oldest file, ms since the epoch: what the age of geo data is told by. */
  readonly buildEpoch: number;
  /** Of all files together. */
  readonly capabilities: Capabilities;
  /** Changes whenever the content of a file or their order does. */
  readonly id: string;
}

/** The CC0 country file of npm `@ip-location-db/geo-whois-asn-country-mmdb`, IPv4 and IPv6 combined. */
export function defaultGeoFile(): string {
  return createRequire(import.meta.url).resolve("@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb");
}

/**
 * Reads and checks every file whole, so that what it returns cannot fail later.
 *
 * @param paths most trusted first; empty = {@link defaultGeoFile}
 * @throws {@link GeoFileError} for the first file that cannot be used; nothing of the others is returned then
 */
export async function loadGeoFiles(paths: readonly string[]): Promise<GeoFiles> {
  const files: GeoFile[] = [];
  for (const path of paths.length > 0 ? paths : [defaultGeoFile()]) {
    const tree = openMmdb(await readGeoFile(path), path);
    files.push({ path, tree, capabilities: capabilitiesOf(tree.records) });
  }
  return {
    files,
    trees: files.map(({ tree }) => tree),
    buildEpoch: Math.min(...files.map(({ tree }) => tree.buildEpoch)),
    capabilities: joinCapabilities(files.map(({ capabilities }) => capabilities)),
    id: createHash("sha256")
      .update(files.map(({ tree }) => tree.id).join(" "))
      .digest("hex")
      .slice(0, 16),
  };
}

/** Most of what the operating system says for no file at all, in words. */
const reasons: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  EACCES: "may not be read by this user",
  EPERM: "may not be read by this user",
};

async function readGeoFile(path: string): Promise<Buffer> {
  try {
    const facts = await stat(path);
    // A pipe would be waited for without end.
    if (!facts.isFile()) throw new GeoFileError("unreadable", path, facts.isDirectory() ? "is a folder" : "is no ordinary file");
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof GeoFileError) throw cause;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    throw new GeoFileError("unreadable", path, reasons[code] ?? (cause instanceof Error ? cause.message : "cannot be read"), cause);
  }
}
