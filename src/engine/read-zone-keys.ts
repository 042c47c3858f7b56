/** What only files tell of the keys of signed zones, read together with the objects, so that a wrong key is a problem of theirs. */
import { dirname, resolve } from "node:path";
import { publicKeyOf, readKeyFile } from "../dns/dnssec/key-file.ts";
import { zoneKey } from "../dns/dnssec/zone-key.ts";
import { fileStamp } from "../dns/secret-file.ts";
import { type Findings, findingsOn } from "../model/findings.ts";
import type { Zone, ZoneDnssec, ZoneKeyFile } from "../model/inventory.ts";
import type { FieldPath, Locate, RejectedObject } from "../model/manifest-object.ts";
import type { Problem } from "../model/problem.ts";
import { KEYS_PATH } from "../model/to-zone.ts";
import type { SourceFile } from "./source.ts";

/** What findings need of an object. */
export type LocatedObject = RejectedObject & { readonly locate: Locate };

export interface ZonesWithKeys {
  /** With paths made absolute and public halves filled in; without those whose keys cannot be used. */
  readonly zones: readonly Zone[];
  readonly problems: readonly Problem[];
  /** Whatever was read or looked for. */
  readonly files: readonly SourceFile[];
}

/** @param objects that the zones were made of; a relative path begins at the folder of the object's file */
export function readZoneKeys(zones: readonly Zone[], objects: readonly LocatedObject[]): ZonesWithKeys {
  const problems: Problem[] = [];
  const files: SourceFile[] = [];
  const kept = zones.flatMap((zone) => {
    if (zone.dnssec === undefined) return [zone];
    const object = objects.find(({ kind, name }) => kind === "DNSZone" && name === zone.name);
    if (object === undefined) throw new Error(`no object for zone ${zone.name}`);
    const findings = findingsOn(object);
    const folder = dirname(object.locate(["metadata", "name"]).file);
    const dnssec = readKeys(zone.dnssec, folder, findings, files);
    problems.push(...findings.problems);
    return findings.failed() ? [] : [{ ...zone, dnssec }];
  });
  return { zones: kept, problems, files };
}

function readKeys({ keys, delegation }: ZoneDnssec, folder: string, findings: Findings, files: SourceFile[]): ZoneDnssec {
  const byTag = new Map<number, ZoneKeyFile>();
  const read = keys.map((entry, i): ZoneKeyFile => {
    const at: FieldPath = [...KEYS_PATH, i, "file"];
    const path = resolve(folder, entry.path);
    files.push({ path, stamp: fileStamp(path) });
    const file = readKeyFile(path);
    if ("fault" in file) {
      findings.fault(at, path, file.fault);
      return entry;
    }
    for (const { code, message, remedy } of file.warnings) findings.warn(at, code, `${path} ${message}`, remedy);
    const publicKey = publicKeyOf(file.key);
    const { tag } = zoneKey(publicKey, entry.state);
    const text = Buffer.from(publicKey).toString("base64");
    const other = byTag.get(tag);
    if (other !== undefined) {
      const same = other.publicKey === text ? "holds the same key as" : `has the key tag ${tag}, as has`;
      findings.error(at, "dnssec-key", `${path} ${same} ${other.name}`, "Make another key with globalroute dnssec keygen.");
    }
    const known = { ...entry, path, tag, publicKey: text };
    byTag.set(tag, known);
    return known;
  });
  return { keys: read, delegation };
}
