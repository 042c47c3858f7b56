/** The files with TSIG secrets that zones name, for whoever takes them from us and whoever we write them to, read together with the objects so that a wrong one is a problem of theirs. Secrets are not kept. */
import { dirname, resolve } from "node:path";
import { fileStamp, readSecretFile } from "../dns/secret-file.ts";
import { readTsigKey } from "../dns/transfer/key-file.ts";
import type { TsigKey } from "../dns/transfer/tsig.ts";
import { findingsOn } from "../model/findings.ts";
import type { TransferKey, Zone, ZoneProvider } from "../model/inventory.ts";
import type { FieldPath } from "../model/manifest-object.ts";
import { TRANSFER_PATH } from "../model/to-transfer.ts";
import { API_KEY_PATH, CA_PATH, PROVIDER_KEY_PATH } from "../model/to-zone-provider.ts";
import type { LocatedObject, ZonesWithKeys } from "./read-zone-keys.ts";
import type { SourceFile } from "./source.ts";

/**
 * Makes the paths absolute and leaves zones out whose secrets cannot be used.
 *
 * @param objects that the zones were made of; a relative path begins at the folder of the object's file
 */
export function readTransferKeys(zones: readonly Zone[], objects: readonly LocatedObject[]): ZonesWithKeys {
  const files: SourceFile[] = [];
  const known = new Map<string, { readonly key: TsigKey; readonly zone: string }>();
  const results = zones.map((zone) => {
    const { transfer, provider } = zone;
    if (transfer === undefined && provider === undefined) return { zones: [zone], problems: [] };
    const object = objects.find(({ kind, name }) => kind === "DNSZone" && name === zone.name);
    if (object === undefined) throw new Error(`no object for zone ${zone.name}`);
    const findings = findingsOn(object);
    const folder = dirname(object.locate(["metadata", "name"]).file);
    const readKey = (entry: TransferKey, at: FieldPath, isShared: boolean): TransferKey => {
      const absolute = { ...entry, path: resolve(folder, entry.path) };
      files.push({ path: absolute.path, stamp: fileStamp(absolute.path) });
      const file = readTsigKey(absolute);
      if ("fault" in file) {
        findings.fault(at, absolute.path, file.fault);
        return absolute;
      }
      for (const { code, message, remedy } of file.warnings) findings.warn(at, code, `${absolute.path} ${message}`, remedy);
      if (!isShared) return absolute;
      const other = known.get(entry.name);
      if (other !== undefined && !isSame(other.key, file.key)) {
        const message = `${entry.name} is another key here than in DNSZone ${other.zone}, and requests tell keys apart by name`;
        findings.error(at, "transfer-key", message, "Rename one of them, or use the same file.");
      }
      if (other === undefined) known.set(entry.name, { key: file.key, zone: zone.name });
      return absolute;
    };
    /** Of files whose content is taken as it is. */
    const readText = (path: string, at: FieldPath): string => {
      const absolute = resolve(folder, path);
      files.push({ path: absolute, stamp: fileStamp(absolute) });
      const file = readSecretFile(absolute);
      if ("fault" in file) findings.fault(at, absolute, file.fault);
      else if (file.text.trim() === "")
        findings.error(at, "file-empty", `${absolute} is empty`, "Write the secret into it, or name another file.");
      else
        for (const { code, message, remedy } of at === API_KEY_PATH ? file.warnings : [])
          findings.warn(at, code, `${absolute} ${message}`, remedy);
      return absolute;
    };
    const withFiles = (kept: ZoneProvider): ZoneProvider => {
      switch (kept.type) {
        case "RFC2136":
          return { ...kept, key: readKey(kept.key, [...PROVIDER_KEY_PATH, "file"], false) };
        case "PowerDNS": {
          const { keyPath, caPath } = kept;
          return {
            ...kept,
            keyPath: readText(keyPath, API_KEY_PATH),
            ...(caPath === undefined ? {} : { caPath: readText(caPath, CA_PATH) }),
          };
        }
        case "Route53":
        case "ExternalDNS":
          return kept;
      }
    };
    const filled: Zone = {
      ...zone,
      ...(transfer === undefined
        ? {}
        : { transfer: { ...transfer, keys: transfer.keys.map((key, i) => readKey(key, [...TRANSFER_PATH, "keys", i, "file"], true)) } }),
      ...(provider === undefined ? {} : { provider: withFiles(provider) }),
    };
    return { zones: findings.failed() ? [] : [filled], problems: findings.problems };
  });
  return { zones: results.flatMap((one) => one.zones), problems: results.flatMap(({ problems }) => problems), files };
}

const isSame = (a: TsigKey, b: TsigKey): boolean => a.algorithm === b.algorithm && Buffer.from(a.secret).equals(b.secret);
