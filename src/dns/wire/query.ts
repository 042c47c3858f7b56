/** Decodes queries, as the hot path needs them: offsets and numbers into a reused {@link Query}, nothing allocated, nothing thrown. */
import { type ClientSubnet, decodeClientSubnet, newClientSubnet } from "./client-subnet.ts";
import { Opcode, Option, Rcode, Type } from "./codes.ts";
import { MAX_LABEL, MAX_LABELS, MAX_NAME } from "./name.ts";

export const HEADER = 12;
/** Bytes of a client cookie; a server cookie has 8 to 32 (RFC 7873 §4). */
const CLIENT_COOKIE = 8;

export interface Query {
  id: number;
  /** The header's second word as received. */
  flags: number;
  /** QTYPE and QCLASS; 0 when no question could be read. */
  type: number;
  class: number;
  /** Labels of QNAME, the root not counted; `labelAt[i]` is the offset of label i's length byte, first label first. */
  labels: number;
  readonly labelAt: Uint16Array;
  /** Offset behind QNAME. */
  nameEnd: number;
  /** Offset behind the question; {@link HEADER} when it could not be read. */
  questionEnd: number;
  hasOpt: boolean;
  /** The sender's UDP payload size as received. */
  udpSize: number;
  version: number;
  /** DO (RFC 3225). */
  dnssecOk: boolean;
  /** CO: NXDOMAIN is understood in compact denial (RFC 9824 §5). */
  compactOk: boolean;
  hasSubnet: boolean;
  readonly subnet: ClientSubnet;
  hasCookie: boolean;
  /** Where the data of the COOKIE option stand, and how many bytes: 8, or 16 to 40. */
  cookieAt: number;
  cookieLength: number;
  wantsNsid: boolean;
  /** Its sender would know how long an idle TCP connection stays (RFC 7828). */
  wantsKeepalive: boolean;
  hasTsig: boolean;
  /** Where the TSIG record begins, which is the last one. */
  tsigAt: number;
}

export const newQuery = (): Query => ({
  id: 0,
  flags: 0,
  type: 0,
  class: 0,
  labels: 0,
  labelAt: new Uint16Array(MAX_LABELS + 1),
  nameEnd: HEADER,
  questionEnd: HEADER,
  hasOpt: false,
  udpSize: 0,
  version: 0,
  dnssecOk: false,
  compactOk: false,
  hasSubnet: false,
  subnet: newClientSubnet(),
  hasCookie: false,
  cookieAt: 0,
  cookieLength: 0,
  wantsNsid: false,
  wantsKeepalive: false,
  hasTsig: false,
  tsigAt: 0,
});

/** What {@link decodeQuery} returns for a message that gets no answer at all: a response, or less than a header. */
export const DROP = -1;

/**
 * Decodes a query (RFC 1035 §4.1, RFC 6891 §6, RFC 7871 §6, RFC 7873 §5.2, RFC 8945 §5.1). One without a question passes if it has a
 * COOKIE option (RFC 7873 §5.4); its `questionEnd` is {@link HEADER}.
 *
 * @param length bytes of `message` that count
 * @param out    everything up to the first fault is filled in
 * @returns {@link DROP}, or the RCODE that the message as such deserves: NOERROR, FORMERR, NOTIMP or BADVERS
 */
export function decodeQuery(message: Uint8Array, length: number, out: Query): number {
  out.type = 0;
  out.class = 0;
  out.labels = 0;
  out.nameEnd = HEADER;
  out.questionEnd = HEADER;
  out.hasOpt = false;
  out.hasSubnet = false;
  out.hasCookie = false;
  out.wantsNsid = false;
  out.wantsKeepalive = false;
  out.hasTsig = false;
  out.dnssecOk = false;
  out.compactOk = false;
  out.version = 0;
  if (length < HEADER) return DROP;
  out.id = read16(message, 0);
  out.flags = read16(message, 2);
  if ((out.flags & 0x8000) !== 0) return DROP; // answering responses would let two servers talk for ever
  if (((out.flags >>> 11) & 15) !== Opcode.QUERY) return Rcode.NOTIMP;
  const questions = read16(message, 4);
  if (questions > 1 || (questions === 1 && !decodeQuestion(message, length, out))) return Rcode.FORMERR;
  const fault = decodeRecords(message, length, out);
  return questions === 0 && fault === Rcode.NOERROR && !out.hasCookie ? Rcode.FORMERR : fault;
}

const read16 = (message: Uint8Array, at: number): number => (message[at]! << 8) | message[at + 1]!;

/** A compression pointer in the question could only lead into the header, so none is accepted. */
function decodeQuestion(message: Uint8Array, length: number, out: Query): boolean {
  let at = HEADER;
  let labels = 0;
  for (;;) {
    if (at >= length) return false;
    const size = message[at]!;
    if (size === 0) break;
    if (size > MAX_LABEL) return false;
    out.labelAt[labels++] = at;
    at += size + 1;
    if (at - HEADER >= MAX_NAME) return false;
  }
  if (at + 5 > length) return false;
  out.labels = labels;
  out.labelAt[labels] = at;
  out.nameEnd = at + 1;
  out.type = read16(message, at + 1);
  out.class = read16(message, at + 3);
  out.questionEnd = at + 5;
  return true;
}

/** Walks all records behind the question. Only OPT is looked into; the rest (an IXFR's SOA) is stepped over, but for a TSIG's place. */
function decodeRecords(message: Uint8Array, length: number, out: Query): number {
  const others = read16(message, 6) + read16(message, 8);
  const records = others + read16(message, 10);
  let at = out.questionEnd;
  for (let i = 0; i < records; i++) {
    const start = at;
    at = skipName(message, at, length);
    if (at < 0 || at + 10 > length) return Rcode.FORMERR;
    const data = at + 10;
    const dataLength = read16(message, at + 8);
    if (data + dataLength > length) return Rcode.FORMERR;
    const type = read16(message, at);
    if (type === Type.TSIG) {
      if (i < others || i !== records - 1) return Rcode.FORMERR; // the last additional record, or nothing (RFC 8945 §5.1)
      out.hasTsig = true;
      out.tsigAt = start;
    } else if (i >= others && type === Type.OPT) {
      if (out.hasOpt || at !== start + 1) return Rcode.FORMERR; // one OPT, owned by the root (RFC 6891 §6.1.1, §6.1.2)
      out.hasOpt = true;
      out.udpSize = read16(message, at + 2);
      out.version = message[at + 5]!;
      out.dnssecOk = (message[at + 6]! & 0x80) !== 0;
      out.compactOk = (message[at + 6]! & 0x40) !== 0;
      if (out.version !== 0) return Rcode.BADVERS;
      if (!decodeOptions(message, data, data + dataLength, out)) return Rcode.FORMERR;
    }
    at = data + dataLength;
  }
  return at === length ? Rcode.NOERROR : Rcode.FORMERR;
}

/** @returns the offset behind a name, pointers not followed; negative when it leaves the message or has an unknown label type */
function skipName(message: Uint8Array, offset: number, length: number): number {
  let at = offset;
  for (;;) {
    if (at >= length) return -1;
    const size = message[at]!;
    if (size === 0) return at + 1;
    if (size >= 0xc0) return at + 2;
    if (size > MAX_LABEL || at - offset > MAX_NAME) return -1;
    at += size + 1;
  }
}

function decodeOptions(message: Uint8Array, start: number, end: number, out: Query): boolean {
  let at = start;
  while (at < end) {
    if (at + 4 > end) return false;
    const code = read16(message, at);
    const size = read16(message, at + 2);
    if (at + 4 + size > end) return false;
    if (code === Option.CLIENT_SUBNET) {
      if (out.hasSubnet || !decodeClientSubnet(message, at + 4, size, out.subnet)) return false;
      out.hasSubnet = true;
    } else if (code === Option.COOKIE && !out.hasCookie) {
      // of several only the first one counts (RFC 7873 §5.2)
      if (size !== CLIENT_COOKIE && (size < 2 * CLIENT_COOKIE || size > 5 * CLIENT_COOKIE)) return false;
      out.hasCookie = true;
      out.cookieAt = at + 4;
      out.cookieLength = size;
    } else if (code === Option.NSID) {
      out.wantsNsid = true;
    } else if (code === Option.TCP_KEEPALIVE) {
      out.wantsKeepalive = true;
    }
    at += 4 + size;
  }
  return true;
}
