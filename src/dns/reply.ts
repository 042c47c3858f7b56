/** Writes replies. Hot: numbers and bytes only. A {@link Reply} is what has been written so far; OPT and header come last. */
import { COOKIE_SIZE } from "./cookies.ts";
import { clientSubnetSize, encodeClientSubnet } from "./wire/client-subnet.ts";
import { Class, Flag, Option, Type } from "./wire/codes.ts";
import { HEADER, type Query } from "./wire/query.ts";
import type { ZoneTable } from "./zone-table.ts";

/** Largest UDP answer, and the size we announce: it passes any path unfragmented (RFC 9715 §3.1). */
export const MAX_UDP = 1232;
const MIN_UDP = 512;
const OPT_FIXED = 11;
/** OPTION-CODE and OPTION-LENGTH. */
const OPTION = 4;
/** QNAME, which stands right behind the header. */
export const POINTER_TO_QNAME = 0xc000 | HEADER;

/** Reused. All counts are of records. */
export interface Reply {
  /** Of the whole buffer that it is written into: a word is written faster through it than byte by byte. */
  view: DataView;
  /** Where the next byte goes. */
  at: number;
  /** First byte that records may not use: behind it there is room for OPT with client subnet and cookie. */
  limit: number;
  /** First byte that nothing may use. */
  max: number;
  /** Something did not fit. */
  overflow: boolean;
  answers: number;
  authorities: number;
  additionals: number;
  flags: number;
  /** ECS SCOPE PREFIX-LENGTH. */
  scope: number;
  /** Seconds, of an answer that is put together from parts: the smallest of theirs. */
  ttl: number;
  /** INFO-CODE of an extended error; -1 = none. */
  extendedError: number;
  /** EXTRA-TEXT of it, ASCII. */
  errorText: Uint8Array;
  /** Whether {@link cookie} is to be sent. */
  hasCookie: boolean;
  /** Data of the COOKIE option. */
  readonly cookie: Uint8Array;
  /** Data of the NSID option for whoever asks for it; empty = none. */
  readonly nsid: Uint8Array;
  /** How long an idle connection stays, for whoever asks, in units of 100 ms (RFC 7828 §3.1); -1 = there is no connection. */
  keepalive: number;
}

const NO_TEXT = new Uint8Array(0);

export const newReply = (nsid: Uint8Array = NO_TEXT): Reply => ({
  view: new DataView(new ArrayBuffer(0)),
  at: 0,
  limit: 0,
  max: 0,
  overflow: false,
  answers: 0,
  authorities: 0,
  additionals: 0,
  flags: 0,
  scope: 0,
  ttl: 0,
  extendedError: -1,
  errorText: NO_TEXT,
  hasCookie: false,
  cookie: new Uint8Array(COOKIE_SIZE),
  nsid,
  keepalive: -1,
});

/**
 * Starts a reply: ID, OPCODE, RD and CD come from the query, the question is repeated byte for byte (0x20).
 *
 * @param out may be the query's own buffer
 * @param reply its `view` is of `out`; it keeps its cookie
 */
export function beginReply(query: Uint8Array, decoded: Query, out: Uint8Array, isUdp: boolean, reply: Reply): void {
  const end = decoded.questionEnd;
  if (out !== query) for (let i = HEADER; i < end; i++) out[i] = query[i]!;
  const wanted = !isUdp ? 0xffff : decoded.hasOpt ? Math.min(Math.max(decoded.udpSize, MIN_UDP), MAX_UDP) : MIN_UDP;
  reply.at = end;
  reply.max = Math.min(wanted, out.length);
  reply.limit = reply.max;
  reply.overflow = false;
  reply.answers = 0;
  reply.authorities = 0;
  reply.additionals = 0;
  reply.flags = Flag.QR | (decoded.flags & (0x7800 | Flag.RD | Flag.CD));
  reply.scope = 0;
  reply.extendedError = -1;
  reply.errorText = NO_TEXT;
  if (!decoded.hasOpt) return;
  reply.limit -= OPT_FIXED;
  if (decoded.hasSubnet) reply.limit -= clientSubnetSize(decoded.subnet);
  if (reply.hasCookie) reply.limit -= OPTION + COOKIE_SIZE;
}

/** Attaches an extended error (RFC 8914); a sender without EDNS is not told. */
export function setExtendedError(reply: Reply, code: number, text: Uint8Array = NO_TEXT): void {
  reply.extendedError = code;
  reply.errorText = text;
}

export function write16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 8;
  out[at + 1] = value;
}

/** @returns unsigned */
export const read32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;

export function write32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}

/** Writes an A or AAAA record of QNAME. @param size 4 or 16 bytes at `from` of `bytes` */
export function writeAddress(out: Uint8Array, reply: Reply, ttl: number, bytes: Uint8Array, from: number, size: number): void {
  const at = reply.at;
  if (at + 12 + size > reply.limit) {
    reply.overflow = true;
    return;
  }
  const { view } = reply;
  view.setInt32(at, (POINTER_TO_QNAME << 16) | (size === 4 ? Type.A : Type.AAAA));
  view.setInt32(at + 4, (Class.IN << 16) | (ttl >>> 16));
  view.setInt32(at + 8, (ttl << 16) | size);
  for (let i = 0; i < size; i++) out[at + 12 + i] = bytes[from + i]!;
  reply.at = at + 12 + size;
  reply.answers++;
}

/**
 * Copies records that a zone table holds encoded.
 *
 * @param owner pointer that replaces the records' own `c00c`, or 0 to copy them as they are
 * @returns false when they do not fit
 */
export function writeRecords(out: Uint8Array, reply: Reply, zones: ZoneTable, start: number, end: number, owner: number): boolean {
  if (reply.at + end - start > reply.limit) {
    reply.overflow = true;
    return false;
  }
  const { bytes } = zones;
  const first = reply.at;
  for (let i = start; i < end; i++) out[first + i - start] = bytes[i]!;
  reply.at = first + end - start;
  if (owner !== 0 && owner !== POINTER_TO_QNAME) {
    for (let at = first; at < reply.at; at += 12 + ((out[at + 10]! << 8) | out[at + 11]!)) write16(out, at, owner);
  }
  return true;
}

/**
 * Ends a reply: truncates it if something did not fit (TC, no records), appends OPT if the query had one (RFC 6891 §7), writes the header.
 *
 * @param rcode may exceed 15 only if the query had an OPT
 * @returns length of the whole message
 */
export function finishReply(query: Query, out: Uint8Array, reply: Reply, rcode: number): number {
  if (reply.overflow) {
    reply.at = query.questionEnd;
    reply.answers = 0;
    reply.authorities = 0;
    reply.additionals = 0;
    reply.flags |= Flag.TC;
  }
  if (query.hasOpt) {
    writeOpt(query, out, reply, rcode >>> 4);
    reply.additionals++;
  }
  const { view } = reply;
  view.setInt32(0, (query.id << 16) | reply.flags | (rcode & 15));
  view.setInt32(4, ((query.questionEnd > HEADER ? 1 : 0) << 16) | reply.answers);
  view.setInt32(8, (reply.authorities << 16) | reply.additionals);
  return reply.at;
}

/** Client subnet and cookie have their room; NSID, an extended error and its text are left out when they do not fit, the text first. */
function writeOpt(query: Query, out: Uint8Array, reply: Reply, upperRcode: number): void {
  const at = reply.at;
  const { view } = reply;
  view.setInt32(at, (Type.OPT << 8) | (MAX_UDP >>> 8)); // the root, TYPE, half of CLASS
  view.setInt32(at + 4, ((MAX_UDP & 0xff) << 24) | (upperRcode << 16)); // the rest, extended RCODE, VERSION 0, half of the flags
  view.setInt16(at + 7, (query.dnssecOk ? 0x8000 : 0) | (query.compactOk ? 0x4000 : 0)); // DO and CO are copied (RFC 3225 §3, RFC 9824 §5.1)
  let end = at + OPT_FIXED;
  if (query.hasSubnet) end = encodeClientSubnet(view, end, query.subnet, query.subnet.source === 0 ? 0 : reply.scope);
  if (reply.hasCookie) end = writeOption(out, end, Option.COOKIE, reply.cookie);
  if (query.wantsKeepalive && reply.keepalive >= 0 && end + OPTION + 2 <= reply.max) {
    write16(out, end, Option.TCP_KEEPALIVE);
    write16(out, end + 2, 2);
    write16(out, end + 4, reply.keepalive);
    end += OPTION + 2;
  }
  if (query.wantsNsid && reply.nsid.length > 0 && end + OPTION + reply.nsid.length <= reply.max)
    end = writeOption(out, end, Option.NSID, reply.nsid);
  if (reply.extendedError >= 0 && end + OPTION + 2 <= reply.max) {
    const text = end + OPTION + 2 + reply.errorText.length <= reply.max ? reply.errorText : NO_TEXT;
    write16(out, end, Option.EXTENDED_ERROR);
    write16(out, end + 2, 2 + text.length);
    write16(out, end + 4, reply.extendedError);
    for (let i = 0; i < text.length; i++) out[end + 6 + i] = text[i]!;
    end += 6 + text.length;
  }
  view.setInt16(at + 9, end - at - OPT_FIXED);
  reply.at = end;
}

/** @returns offset behind it */
function writeOption(out: Uint8Array, at: number, code: number, data: Uint8Array): number {
  write16(out, at, code);
  write16(out, at + 2, data.length);
  for (let i = 0; i < data.length; i++) out[at + OPTION + i] = data[i]!;
  return at + OPTION + data.length;
}
