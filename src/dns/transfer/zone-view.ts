/**
 * The static view of a zone: what a secondary has of it. Every RRset at once, the answers of routes for a client from nowhere. Immutable; a
 * change makes another view with another serial, and the journal says how to get from the ones before to it.
 */
import { sharedUint8 } from "../../model/shared-array.ts";
import { Type } from "../wire/codes.ts";
import { MAX_NAME } from "../wire/name.ts";
import { concat, encodeRecord } from "../wire/rdata.ts";

/** One RRset of a view, with its signature if the zone is signed and the set is authoritative. */
export interface ViewSet {
  /** Uncompressed wire form, small letters. */
  readonly owner: Uint8Array;
  readonly type: number;
  /** Seconds; the signature's too. */
  readonly ttl: number;
  /** One for each record; at least one. */
  readonly rdata: readonly Uint8Array[];
  /** RDATA of the RRSIG record. */
  readonly signature?: Uint8Array;
}

/** What is shared with whoever sends it: survives a structured clone, which shares the bytes. */
export interface ZoneView {
  readonly domain: string;
  readonly serial: number;
  /** Milliseconds since the epoch. */
  readonly changedAt: number;
  /** Whole records with uncompressed owners, one after another, the SOA first. */
  readonly records: Uint8Array;
  /** Oldest first; each leads to the next, the last one to this view. */
  readonly journal: readonly Difference[];
}

/** How to get from one serial to the next (RFC 1995 §4): whole records, each list with its own SOA first. */
export interface Difference {
  readonly from: number;
  readonly to: number;
  readonly deleted: Uint8Array;
  readonly added: Uint8Array;
}

/** Identifies a set within a view. */
export const setKey = ({ owner, type }: Pick<ViewSet, "owner" | "type">): string => `${Buffer.from(owner).toString("latin1")}/${type}`;

/** Whether two sets are the same records with the same TTL, signatures aside. */
export const sameContent = (a: ViewSet, b: ViewSet): boolean =>
  a.ttl === b.ttl && a.rdata.length === b.rdata.length && a.rdata.every((rdata, i) => sameBytes(rdata, b.rdata[i]!));

/** The set's records in wire form, its RRSIG behind them. */
export function encodeSet({ owner, type, ttl, rdata, signature }: ViewSet): Uint8Array[] {
  const records = rdata.map((one) => encodeRecord(owner, { type, ttl }, one));
  return signature === undefined ? records : [...records, encodeRecord(owner, { type: Type.RRSIG, ttl }, signature)];
}

/** @param sets the SOA first */
export const encodeView = (sets: readonly ViewSet[]): Uint8Array => sharedUint8(concat(sets.flatMap(encodeSet)));

/**
 * The records of a view put back into sets, in the order of the view.
 *
 * @returns undefined when the bytes are not whole records that begin with an SOA. Never throws.
 */
export function decodeView(bytes: Uint8Array): readonly ViewSet[] | undefined {
  const sets = new Map<string, { owner: Uint8Array; type: number; ttl: number; rdata: Uint8Array[]; signature?: Uint8Array }>();
  for (let at = 0; at < bytes.length; ) {
    const fixed = nameEnd(bytes, at);
    if (fixed < 0 || fixed + 10 > bytes.length) return undefined;
    const end = fixed + 10 + read16(bytes, fixed + 8);
    if (end > bytes.length) return undefined;
    const owner = new Uint8Array(bytes.subarray(at, fixed));
    const type = read16(bytes, fixed);
    const rdata = new Uint8Array(bytes.subarray(fixed + 10, end));
    if (type === Type.RRSIG) {
      const covered = sets.get(setKey({ owner, type: read16(rdata, 0) }));
      if (covered === undefined || rdata.length < 18) return undefined;
      covered.signature = rdata;
    } else {
      const key = setKey({ owner, type });
      const set = sets.get(key) ?? { owner, type, ttl: read16(bytes, fixed + 4) * 0x1_0000 + read16(bytes, fixed + 6), rdata: [] };
      set.rdata.push(rdata);
      sets.set(key, set);
    }
    at = end;
  }
  const all = [...sets.values()];
  return all[0]?.type === Type.SOA && all[0].rdata[0]!.length > 20 ? all : undefined;
}

/** SERIAL of an SOA's RDATA: the first of the five numbers at its end. */
export const serialOf = (soa: Uint8Array): number => new DataView(soa.buffer, soa.byteOffset).getUint32(soa.length - 20);

/**
 * What to delete and what to add on the way from one view to the next, SOA records first (RFC 1995 §4). Records that both have are in neither.
 *
 * @param before, after begin with the SOA
 */
export function differenceOf(before: readonly ViewSet[], after: readonly ViewSet[]): Difference {
  const [old, now] = [before, after].map((sets) => new Map(sets.map((set) => [setKey(set), set])));
  const deleted = before.flatMap((set) => without(set, now!.get(setKey(set))));
  const added = after.flatMap((set) => without(set, old!.get(setKey(set))));
  return {
    from: serialOf(before[0]!.rdata[0]!),
    to: serialOf(after[0]!.rdata[0]!),
    deleted: sharedUint8(concat(deleted)),
    added: sharedUint8(concat(added)),
  };
}

/** The records of a set that another version of it does not have. */
function without(set: ViewSet, other: ViewSet | undefined): readonly Uint8Array[] {
  if (other === undefined) return encodeSet(set);
  if (set === other) return [];
  const known = new Set(encodeSet(other).map((record) => Buffer.from(record).toString("latin1")));
  return encodeSet(set).filter((record) => !known.has(Buffer.from(record).toString("latin1")));
}

/** Where the record behind an uncompressed name goes on; negative when there is no whole name. */
export function nameEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== 0) at += bytes[at]! + 1;
  return at < bytes.length && at - from < MAX_NAME ? at + 1 : -1;
}

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);
const read16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
