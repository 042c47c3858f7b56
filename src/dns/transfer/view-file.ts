/**
 * Views outlive the process: a copy that was taken before a restart must find the same content under the same serial after it, and the
 * RRsets that are held through an incident must not be forgotten in it. The journal is not kept: who was behind takes the whole zone.
 *
 * ```
 * FOLDER/<domain>.zone    "GRZONE1\n"   SHA-256 of the rest, 32 bytes   the view's records
 * ```
 * Written aside, flushed and renamed; a torn or damaged file is no file.
 */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { sharedUint8 } from "../../model/shared-array.ts";
import { decodeName } from "../wire/name.ts";
import { firstViews, type ZoneViews } from "./advance-views.ts";
import { decodeView, sameBytes, serialOf } from "./zone-view.ts";

const MAGIC = new TextEncoder().encode("GRZONE1\n");
const DIGEST = 32;
const SUFFIX = ".zone";

/** Everything that was saved; what cannot be read counts as absent, and its zone gets a new serial. Does its reading before it returns. */
export function loadViews(folder: string): ZoneViews {
  const loaded = namesIn(folder).flatMap((name) => {
    try {
      return loadView(new Uint8Array(readFileSync(join(folder, name))));
    } catch {
      return [];
    }
  });
  return firstViews(loaded);
}

function loadView(file: Uint8Array) {
  const records = sharedUint8(file.subarray(MAGIC.length + DIGEST));
  const isWhole =
    sameBytes(file.subarray(0, MAGIC.length), MAGIC) && sameBytes(file.subarray(MAGIC.length, MAGIC.length + DIGEST), digest(records));
  const sets = isWhole ? decodeView(records) : undefined;
  const domain = sets === undefined ? undefined : decodeName(sets[0]!.owner, 0)?.name;
  if (sets === undefined || domain === undefined) return [];
  const serial = serialOf(sets[0]!.rdata[0]!);
  return [{ view: { domain, serial, changedAt: Number.NEGATIVE_INFINITY, records, journal: [] }, sets }];
}

/**
 * Saves the views and removes those of zones that have none any more. Does its writing before it returns: a serial must be on the disk before
 * anybody sees it.
 *
 * Throws the system's error; what was saved before is untouched then.
 *
 * @param saved serials of the views that are in the folder already, by domain
 */
export function saveViews(folder: string, views: ZoneViews, saved: ReadonlyMap<string, number> = new Map()): void {
  const unsaved = [...views.byDomain.values()].filter(({ domain, serial }) => saved.get(domain) !== serial);
  if (unsaved.length === 0 && views.byDomain.size === saved.size) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const { domain, records } of unsaved) writeWhole(join(folder, domain + SUFFIX), records);
  for (const name of namesIn(folder)) if (!views.byDomain.has(name.slice(0, -SUFFIX.length))) rmSync(join(folder, name), { force: true });
}

function writeWhole(path: string, records: Uint8Array): void {
  const aside = `${path}.tmp`;
  const file = openSync(aside, "w", 0o600);
  try {
    for (const part of [MAGIC, digest(records), records]) {
      for (let at = 0; at < part.length; ) at += writeSync(file, part, at);
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(aside, path);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(SUFFIX));
  } catch {
    return []; // there is none yet
  }
}

const digest = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();
