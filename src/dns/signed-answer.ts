/**
 * The DNSSEC half of answers to queries with DO (RFC 4035 §3.1): copies signatures that stand in the zone table, finds those of RRsets that
 * depend on the client or on QNAME, and denies compactly (RFC 9824). Hot: allocates nothing, but where it has a signer.
 */
import { nextName } from "./dnssec/nsec.ts";
import { POINTER_TO_QNAME, type Reply, read32, write16, write32, writeRecords } from "./reply.ts";
import { addData, describeSet, findSignature, newSetScratch, type SetScratch, type Signer } from "./slow/rrset-signature.ts";
import { newSignatureCache, SIGNATURE_BYTES, type SignatureCache } from "./slow/signature-cache.ts";
import { Class, Type } from "./wire/codes.ts";
import { foldCase, MAX_NAME } from "./wire/name.ts";
import { HEADER, type Query } from "./wire/query.ts";
import { nsecBitmap } from "./zone-lookup.ts";
import type { ServingTables, ZoneTable } from "./zone-table.ts";

/** A thread's means of signing. */
export interface SigningTools {
  /** Signatures that were made on demand, shared by all threads. */
  readonly recent: SignatureCache;
  /** Undefined on threads that must not take their time: what has no signature yet is deferred to one that has it. */
  readonly signer: Signer | undefined;
}

/** Scratch of one thread. */
export interface AnswerSigning extends SigningTools {
  readonly set: SetScratch;
  /** What the query has behind its question, for a query whose buffer is written to and that may have to be handed on whole. */
  readonly tail: Uint8Array;
}

/** No query that can be handed on is longer. */
const LONGEST_TAIL = 2048;

/** @param tools without them whatever needs a signature is deferred */
export const newAnswerSigning = (tools: SigningTools = { recent: newSignatureCache(1), signer: undefined }): AnswerSigning => ({
  ...tools,
  set: newSetScratch(),
  tail: new Uint8Array(LONGEST_TAIL),
});

/** Octets of an RRSIG record before the signer's name: owner, type, class, TTL, RDLENGTH, and eighteen of RDATA (RFC 4034 §3.1). */
const RECORD_HEAD = 12;
const RRSIG_HEAD = 18;
const ALGORITHM = 13;

/** RRSIG, NSEC and NXNAME: a name that does not exist (RFC 9824 §3.1). */
const NXNAME_BITMAP = Uint8Array.of(0, 17, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80);

/** Whether answers about a zone are signed for whoever sets DO. */
export const isSigned = (zones: ZoneTable, zone: number): boolean => zones.zoneNegativeSignature[zone]! >= 0;

/**
 * Copies the RRSIG record of an RRset of the table.
 *
 * @param owner pointer to the RRset's owner
 * @returns how many records were written: none when they do not fit, or nothing signs the RRset
 */
export function copySignature(zones: ZoneTable, set: number, owner: number, out: Uint8Array, reply: Reply): number {
  const start = zones.setSignature[set]!;
  return start >= 0 && copyRecord(zones, start, owner, out, reply) ? 1 : 0;
}

function copyRecord(zones: ZoneTable, start: number, owner: number, out: Uint8Array, reply: Reply): boolean {
  const { bytes } = zones;
  return writeRecords(out, reply, zones, start, start + RECORD_HEAD + ((bytes[start + 10]! << 8) | bytes[start + 11]!), owner);
}

/** Begins the description of an RRset at QNAME, for {@link appendSignature}. */
export const describeAtQname = (type: number, originalTtl: number, { nameEnd }: Query, out: Uint8Array, set: SetScratch): void =>
  describeSet(type, originalTtl, out, HEADER, nameEnd, set);

/**
 * Appends the RRSIG record of the described RRset, whose owner is QNAME.
 *
 * @param ttl         of the RRset as it stands in the answer
 * @param originalTtl as described
 * @param now         seconds since the epoch
 * @returns false when there is no signature yet and no signer: the query must be deferred. A record that does not fit sets `overflow`
 */
export function appendSignature(
  tables: ServingTables,
  zone: number,
  type: number,
  ttl: number,
  originalTtl: number,
  now: number,
  query: Query,
  out: Uint8Array,
  reply: Reply,
  { recent, signer, set }: AnswerSigning,
): boolean {
  const { zones, signing } = tables;
  const apex = zones.zoneApex[zone]!;
  const name = zones.nodeName[apex]!;
  const nameLength = zones.nodeName[apex + 1]! - name;
  const at = reply.at;
  const end = at + RECORD_HEAD + RRSIG_HEAD + nameLength + SIGNATURE_BYTES;
  if (reply.overflow || end > reply.limit) {
    reply.overflow = true;
    return true;
  }
  const data = at + RECORD_HEAD;
  const signature = data + RRSIG_HEAD + nameLength;
  if (signing === undefined) return false;
  if (!findSignature(signing, recent, signer, zone, set, 2 * ttl, now, out, data + 8, signature)) return false;
  write16(out, at, POINTER_TO_QNAME);
  write16(out, at + 2, Type.RRSIG);
  write16(out, at + 4, Class.IN);
  write32(out, at + 6, ttl);
  write16(out, at + 10, end - data);
  write16(out, data, type);
  out[data + 2] = ALGORITHM;
  const isWildcard = out[HEADER] === 1 && out[HEADER + 1] === 0x2a; // QNAME itself begins with `*` (RFC 4034 §3.1.3)
  out[data + 3] = isWildcard ? query.labels - 1 : query.labels;
  write32(out, data + 4, originalTtl);
  write16(out, data + 16, zones.zoneKeyTag[zone]!);
  for (let i = 0; i < nameLength; i++) out[data + RRSIG_HEAD + i] = zones.bytes[name + i]!;
  reply.at = end;
  return true;
}

/** Writes the SOA record of a negative answer with its signature. @param owner pointer to the apex. @returns how many records */
export function writeSignedSoa(zones: ZoneTable, zone: number, owner: number, out: Uint8Array, reply: Reply): number {
  if (!writeRecords(out, reply, zones, zones.zoneNegative[zone]!, zones.zoneNegative[zone + 1]!, owner)) return 0;
  return copyRecord(zones, zones.zoneNegativeSignature[zone]!, owner, out, reply) ? 2 : 1;
}

/** Copies an NSEC record of the table with its signature. @param set an entry of `nodeNsec`. @returns how many records */
export function copyNsec(zones: ZoneTable, set: number, owner: number, out: Uint8Array, reply: Reply): number {
  if (!writeRecords(out, reply, zones, zones.setBytes[set]!, zones.setBytes[set + 1]!, owner)) return 0;
  return 1 + copySignature(zones, set, owner, out, reply);
}

/**
 * Writes the NSEC record of QNAME where no node stands for it: one that does not exist, or that a wildcard makes.
 *
 * @param set the NSEC RRset of the wildcard, whose types QNAME has; -1 = QNAME does not exist
 * @param now seconds since the epoch
 * @returns how many records were written, -1 = defer
 */
export function writeNsecAtQname(
  tables: ServingTables,
  zone: number,
  set: number,
  now: number,
  query: Query,
  out: Uint8Array,
  reply: Reply,
  signing: AnswerSigning,
): number {
  const { zones } = tables;
  const bitmap = set < 0 ? NXNAME_BITMAP : zones.bytes;
  const bitmapFrom = set < 0 ? 0 : nsecBitmap(zones, set);
  const bitmapLength = (set < 0 ? NXNAME_BITMAP.length : zones.setBytes[set + 1]!) - bitmapFrom;
  const at = reply.at;
  const data = at + RECORD_HEAD;
  if (reply.overflow || data + Math.min(query.nameEnd - HEADER + 2, MAX_NAME) + bitmapLength > reply.limit) {
    reply.overflow = true;
    return 0;
  }
  const nameEnd = writeNextName(zones, zone, query, out, data);
  const end = nameEnd + bitmapLength;
  for (let i = 0; i < bitmapLength; i++) out[nameEnd + i] = bitmap[bitmapFrom + i]!;
  const ttl = negativeTtl(zones, zone);
  write16(out, at, POINTER_TO_QNAME);
  write16(out, at + 2, Type.NSEC);
  write16(out, at + 4, Class.IN);
  write32(out, at + 6, ttl);
  write16(out, at + 10, end - data);
  reply.at = end;
  describeAtQname(Type.NSEC, ttl, query, out, signing.set);
  addData(signing.set, out, data, end - data);
  if (!appendSignature(tables, zone, Type.NSEC, ttl, ttl, now, query, out, reply, signing)) return -1;
  return 2;
}

/** TTL of a zone's negative answers, NSEC records among them (RFC 2308 §3, RFC 9077 §3.1). */
const negativeTtl = ({ bytes, zoneNegative }: ZoneTable, zone: number): number => read32(bytes, zoneNegative[zone]! + 6);

/** The name right behind QNAME: `\000.QNAME` wherever that is short enough. @returns offset behind it */
function writeNextName(zones: ZoneTable, zone: number, { nameEnd }: Query, out: Uint8Array, at: number): number {
  const length = nameEnd - HEADER;
  if (length + 2 <= MAX_NAME) {
    out[at] = 1;
    out[at + 1] = 0;
    for (let i = 0; i < length; i++) out[at + 2 + i] = foldCase(out[HEADER + i]!);
    return at + 2 + length;
  }
  const apex = zones.zoneApex[zone]!;
  const next = nextName(
    out.slice(HEADER, nameEnd).map(foldCase),
    zones.bytes.slice(zones.nodeName[apex], zones.nodeName[apex + 1]), // so long a name is a rarity that may allocate
  );
  out.set(next, at);
  return at + next.length;
}
