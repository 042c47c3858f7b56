/**
 * One query in, one answer out: decode → find the name → choose → encode. Authoritative only. Hot: nothing is allocated, and all state
 * comes through the context.
 */
import { type Choice, choiceTtl, choose, chooseAddresses, Mode, newChoice, placeClientV4, placeClientV6 } from "../routing/choose.ts";
import { ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA } from "../routing/table.ts";
import { countAnswer, newQueryCounters, type QueryCounters, Transport } from "./counters.ts";
import {
  beginReply,
  finishReply,
  newReply,
  POINTER_TO_QNAME,
  type Reply,
  setExtendedError,
  write16,
  write32,
  writeAddress,
  writeRecords,
} from "./reply.ts";
import type { Source } from "./source.ts";
import { Class, ExtendedError, Flag, Rcode, SvcParam, Type } from "./wire/codes.ts";
import { DROP, decodeQuery, newQuery, type Query } from "./wire/query.ts";
import { type Found, findName, findSet, newFound } from "./zone-lookup.ts";
import { GLUE, type ServingTables, type ZoneTable } from "./zone-table.ts";

/** Everything that an answer depends on besides query and source. One for each thread. */
export interface AnswerContext {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** [0, 1) */
  readonly random: () => number;
  readonly counters: QueryCounters;
  /** Undefined until the first table; see {@link useTables}. */
  tables: ServingTables | undefined;
  /** Scratch, reused by every query. */
  readonly query: Query;
  readonly found: Found;
  readonly choice: Choice;
  readonly reply: Reply;
  addresses: Uint32Array;
}

export function newAnswerContext(ports: Pick<AnswerContext, "now" | "random">, counters = newQueryCounters()): AnswerContext {
  return {
    now: ports.now,
    random: ports.random,
    counters,
    tables: undefined,
    query: newQuery(),
    found: newFound(),
    choice: newChoice(),
    reply: newReply(),
    addresses: new Uint32Array(1),
  };
}

/** Answers from other tables from the next query on. */
export function useTables(context: AnswerContext, tables: ServingTables): void {
  if (tables.zones.maxAddresses > context.addresses.length) context.addresses = new Uint32Array(tables.zones.maxAddresses);
  context.tables = tables;
}

/** EXTRA-TEXT where no INFO-CODE fits: 22 (No Reachable Authority) and 23 (Network Error) speak of a resolver's upstreams. */
const NOTHING_ELIGIBLE = Uint8Array.from("no backend may serve this client", (character) => character.charCodeAt(0));

/** The minimal answer to ANY (RFC 8482 §4.2). */
const HINFO = Uint8Array.of(7, ...Uint8Array.from("RFC8482", (character) => character.charCodeAt(0)), 0);
const HINFO_TTL = 3600;

/**
 * Answers one message.
 *
 * @param query  borrowed; untouched unless `out` is the same buffer, which is allowed
 * @param length bytes of `query` that count
 * @param out    at least 512 bytes; over UDP no more than 1,232 are used
 * @returns bytes written, 0 = send nothing. Never throws.
 */
export function answer(query: Uint8Array, length: number, source: Source, out: Uint8Array, context: AnswerContext): number {
  const decoded = context.query;
  const fault = decodeQuery(query, length, decoded);
  if (fault === DROP) {
    context.counters.dropped[source.transport]!++;
    return 0;
  }
  if (fault !== Rcode.NOERROR) decoded.hasSubnet = false; // half read, perhaps
  const reply = context.reply;
  beginReply(query, decoded, out, source.transport === Transport.UDP, reply);
  const rcode = fault === Rcode.NOERROR ? answerQuestion(query, source, out, context) : fault;
  const written = finishReply(decoded, out, reply, rcode);
  if ((reply.flags & Flag.TC) !== 0) context.counters.truncated[0]!++;
  countAnswer(context.counters, source.transport, rcode, decoded.type);
  return written;
}

/** @returns the RCODE; records go into the reply */
function answerQuestion(message: Uint8Array, source: Source, out: Uint8Array, context: AnswerContext): number {
  const { query, tables, reply, found } = context;
  if (query.class !== Class.IN) return Rcode.REFUSED;
  if (query.type >= Type.TKEY && query.type < Type.ANY) return answerMeta(query.type);
  if (query.type === Type.OPT) return Rcode.FORMERR;
  if (tables === undefined) {
    setExtendedError(reply, ExtendedError.NotReady);
    return Rcode.SERVFAIL;
  }
  const { zones } = tables;
  // `out` may be the query's buffer: up to here only the reply's scratch was written
  findName(zones, message, query, found);
  if (found.encloser < 0) {
    setExtendedError(reply, ExtendedError.NotAuthoritative);
    return Rcode.REFUSED;
  }
  const cut = zones.nodeCut[found.encloser]!;
  // DS of a delegated name lives on this side of the cut (RFC 4035 §3.1.4.1)
  if (cut >= 0 && !(query.type === Type.DS && found.node === cut)) return refer(zones, cut, out, context);
  reply.flags |= Flag.AA;
  if (found.node < 0) return denied(zones, out, context, Rcode.NXDOMAIN);
  return answerName(tables, found.node, source, out, context);
}

/** Types that are no data: transfers are not offered, transaction types do not belong in a question, the rest is obsolete. */
function answerMeta(type: number): number {
  if (type === Type.AXFR || type === Type.IXFR) return Rcode.REFUSED;
  return type === Type.TKEY || type === Type.TSIG ? Rcode.FORMERR : Rcode.NOTIMP;
}

/** The name exists, be it by a wildcard, and is ours. */
function answerName({ routing, zones }: ServingTables, node: number, source: Source, out: Uint8Array, context: AnswerContext): number {
  const { query, reply } = context;
  const route = zones.nodeRoute[node]!;
  if (route >= 0 && (query.type === Type.A || query.type === Type.AAAA)) {
    const offers = routing.hot.routeFlags[route]! & (query.type === Type.A ? ROUTE_OFFERS_A : ROUTE_OFFERS_AAAA);
    return offers === 0 ? denied(zones, out, context, Rcode.NOERROR) : answerRoute(context.tables!, route, source, out, context);
  }
  if (query.type === Type.ANY) return answerAny(out, reply);
  if (route >= 0 && query.type === Type.HTTPS) {
    const hasRecord = zones.routeAlpn[route + 1]! > zones.routeAlpn[route]!;
    return hasRecord ? answerHttps(context.tables!, route, source, out, context) : denied(zones, out, context, Rcode.NOERROR);
  }
  let set = findSet(zones, node, query.type);
  if (set < 0) set = findSet(zones, node, Type.CNAME); // an alias answers for every type; resolvers chase it themselves
  if (set < 0) return denied(zones, out, context, Rcode.NOERROR);
  if (writeRecords(out, reply, zones, zones.setBytes[set]!, zones.setBytes[set + 1]!, POINTER_TO_QNAME))
    reply.answers = zones.setCount[set]!;
  return Rcode.NOERROR;
}

function answerRoute({ routing }: ServingTables, route: number, source: Source, out: Uint8Array, context: AnswerContext): number {
  const { query, reply, choice, addresses } = context;
  const family = query.type === Type.A ? 0 : 1;
  place(context, route, source);
  choose(routing, route, family, context.random(), choice);
  context.counters.decisions[choice.mode]!++;
  if (choice.mode === Mode.NotOffered) return denied(context.tables!.zones, out, context, Rcode.NOERROR);
  const count = choice.backend < 0 ? 0 : chooseAddresses(routing, route, family, choice, addresses);
  if (count === 0) return nothingEligible(reply);
  const ttl = choiceTtl(routing, route, choice, context.now());
  const bytes = routing.hot.addressBytes;
  for (let i = 0; i < count; i++) writeAddress(out, reply, ttl, bytes, 16 * addresses[i]!, family === 0 ? 4 : 16);
  reply.scope = choice.scope;
  return Rcode.NOERROR;
}

/**
 * An HTTPS record in service mode for QNAME itself, with the addresses of the A and AAAA answers of this client as hints (RFC 9460 §7.3).
 *
 * ```
 * 0001 00  0001 len alpn  0004 len ipv4hint  0006 len ipv6hint      priority, target `.`, parameters in ascending order
 * ```
 */
function answerHttps({ routing, zones }: ServingTables, route: number, source: Source, out: Uint8Array, context: AnswerContext): number {
  const { reply, choice } = context;
  const record = reply.at;
  const alpn = zones.routeAlpn[route]!;
  const alpnLength = zones.routeAlpn[route + 1]! - alpn;
  if (record + 19 + alpnLength > reply.limit) {
    reply.overflow = true;
    return Rcode.NOERROR;
  }
  write16(out, record + 12, 1);
  out[record + 14] = 0;
  write16(out, record + 15, SvcParam.ALPN);
  write16(out, record + 17, alpnLength);
  for (let i = 0; i < alpnLength; i++) out[record + 19 + i] = zones.bytes[alpn + i]!;
  const hints = record + 19 + alpnLength;
  place(context, route, source);
  const random = context.random(); // one draw: both families take the same slot
  reply.ttl = 0xffff_ffff;
  const middle = writeHints(routing, route, 0, random, hints, out, context);
  const end = writeHints(routing, route, 1, random, middle, out, context);
  context.counters.decisions[choice.mode]!++;
  if (reply.overflow) return Rcode.NOERROR;
  if (end === hints) return nothingEligible(reply);
  write16(out, record, POINTER_TO_QNAME);
  write16(out, record + 2, Type.HTTPS);
  write16(out, record + 4, Class.IN);
  write32(out, record + 6, reply.ttl);
  write16(out, record + 10, end - record - 12);
  reply.at = end;
  reply.answers = 1;
  reply.scope = choice.scope;
  return Rcode.NOERROR;
}

/**
 * Writes one family's hints at `at`, if the route offers it and has an answer in it.
 *
 * @returns where the next parameter goes; sets `overflow` when they do not fit, lowers `reply.ttl` to theirs
 */
function writeHints(
  routing: ServingTables["routing"],
  route: number,
  family: 0 | 1,
  random: number,
  at: number,
  out: Uint8Array,
  { reply, choice, addresses, now }: AnswerContext,
): number {
  if ((routing.hot.routeFlags[route]! & (family === 0 ? ROUTE_OFFERS_A : ROUTE_OFFERS_AAAA)) === 0) return at;
  choose(routing, route, family, random, choice);
  const count = choice.backend < 0 ? 0 : chooseAddresses(routing, route, family, choice, addresses);
  if (count === 0) return at;
  const size = family === 0 ? 4 : 16;
  if (at + 4 + count * size > reply.limit) {
    reply.overflow = true;
    return at;
  }
  write16(out, at, family === 0 ? SvcParam.IPV4HINT : SvcParam.IPV6HINT);
  write16(out, at + 2, count * size);
  let to = at + 4;
  for (let i = 0; i < count; i++) {
    const from = 16 * addresses[i]!;
    for (let k = 0; k < size; k++) out[to++] = routing.hot.addressBytes[from + k]!;
  }
  reply.ttl = Math.min(reply.ttl, choiceTtl(routing, route, choice, now()));
  return to;
}

/** SERVFAIL: to answer nothing, or what rules forbid, would be worse. */
function nothingEligible(reply: Reply): number {
  reply.flags &= ~Flag.AA;
  setExtendedError(reply, ExtendedError.Other, NOTHING_ELIGIBLE);
  return Rcode.SERVFAIL;
}

/** The client is the ECS subnet if the query names one, else whoever sent the query (RFC 7871 §7.2.1). */
function place(context: AnswerContext, route: number, source: Source): void {
  const { query, choice } = context;
  const { routing } = context.tables!;
  if (query.hasSubnet && query.subnet.source > 0) {
    const { address } = query.subnet;
    if (query.subnet.family === 1) {
      const ip = ((address[0]! << 24) | (address[1]! << 16) | (address[2]! << 8) | address[3]!) >>> 0;
      placeClientV4(routing, route, ip, query.subnet.source, choice);
    } else {
      placeClientV6(routing, route, address, 0, query.subnet.source, choice);
    }
  } else if (source.isV6) {
    placeClientV6(routing, route, source.v6, 0, 128, choice);
  } else {
    placeClientV4(routing, route, source.v4, 32, choice);
  }
}

function answerAny(out: Uint8Array, reply: Reply): number {
  const at = reply.at;
  if (at + 12 + HINFO.length > reply.limit) {
    reply.overflow = true;
    return Rcode.NOERROR;
  }
  write16(out, at, POINTER_TO_QNAME);
  write16(out, at + 2, Type.HINFO);
  write16(out, at + 4, Class.IN);
  write32(out, at + 6, HINFO_TTL);
  write16(out, at + 10, HINFO.length);
  for (let i = 0; i < HINFO.length; i++) out[at + 12 + i] = HINFO[i]!;
  reply.at = at + 12 + HINFO.length;
  reply.answers = 1;
  return Rcode.NOERROR;
}

/** NXDOMAIN or NODATA with the zone's SOA (RFC 2308 §2, §3). */
function denied(zones: ZoneTable, out: Uint8Array, context: AnswerContext, rcode: number): number {
  const zone = zones.nodeZone[context.found.encloser]!;
  const owner = pointerTo(zones, zones.zoneApex[zone]!, context.query);
  if (writeRecords(out, context.reply, zones, zones.zoneNegative[zone]!, zones.zoneNegative[zone + 1]!, owner))
    context.reply.authorities = 1;
  return rcode;
}

/** A referral: the cut's NS in the authority section, glue behind it, AA clear (RFC 1034 §4.3.2). */
function refer(zones: ZoneTable, cut: number, out: Uint8Array, { query, reply }: AnswerContext): number {
  const set = findSet(zones, cut, Type.NS);
  if (writeRecords(out, reply, zones, zones.setBytes[set]!, zones.setBytes[set + 1]!, pointerTo(zones, cut, query))) {
    reply.authorities = zones.setCount[set]!;
  }
  const glue = findSet(zones, cut, GLUE);
  if (glue >= 0 && writeRecords(out, reply, zones, zones.setBytes[glue]!, zones.setBytes[glue + 1]!, 0))
    reply.additionals = zones.setCount[glue]!;
  return Rcode.NOERROR;
}

/** Compression pointer to a name that QNAME ends with. */
const pointerTo = (zones: ZoneTable, node: number, query: Query): number =>
  0xc000 | (query.nameEnd - (zones.nodeName[node + 1]! - zones.nodeName[node]!));
