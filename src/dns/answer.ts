/**
 * One query in, one answer out: decode → find the name → choose → encode. Authoritative only. Hot: nothing is allocated, and all state
 * comes through the context.
 */
import { newChoice } from "../routing/choose.ts";
import { ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA } from "../routing/table.ts";
import { type AnswerContext, DEFER } from "./answer-context.ts";
import { type AnswerSettings, NO_SETTINGS } from "./answer-settings.ts";
import { answerChaos } from "./chaos.ts";
import { CookieState, checkCookie, newCookieChecker } from "./cookies.ts";
import { countAnswer, newQueryCounters, Transport } from "./counters.ts";
import { answerNsec, answerRrsig, denied, NSEC_ALL, refer } from "./denial.ts";
import { AnswerKind, limitRate, newRateLimiter, RateAction } from "./rate-limit.ts";
import { beginReply, finishReply, newReply, POINTER_TO_QNAME, setExtendedError, write16, write32, writeRecords } from "./reply.ts";
import { answerHttps, answerRoute } from "./route-answer.ts";
import { defer, isByWildcard, signRecords } from "./sign-reply.ts";
import { copySignature, isSigned, newAnswerSigning, type SigningTools } from "./signed-answer.ts";
import { LANE_KNOWN } from "./slow/lane.ts";
import type { Source } from "./source.ts";
import { Class, ExtendedError, Flag, Rcode, Type } from "./wire/codes.ts";
import { DROP, decodeQuery, HEADER, newQuery, type Query } from "./wire/query.ts";
import { type Found, findName, findSet, newFound } from "./zone-lookup.ts";
import type { ServingTables, ZoneTable } from "./zone-table.ts";

/**
 * @param settings what is not there is off; a thread that answers what another one has counted already leaves `rateLimit` out
 * @param tools    what signs answers that depend on the client; see {@link newAnswerSigning}
 */
export function newAnswerContext(
  ports: Pick<AnswerContext, "now" | "random">,
  counters = newQueryCounters(),
  settings: AnswerSettings = NO_SETTINGS,
  tools?: SigningTools,
): AnswerContext {
  return {
    now: ports.now,
    random: ports.random,
    counters,
    cookies: settings.cookies && newCookieChecker(settings.cookies),
    limiter: settings.rateLimit && newRateLimiter(settings.rateLimit, settings.workers),
    versionBind: settings.versionBind ?? new Uint8Array(0),
    tables: undefined,
    message: NOTHING,
    view: viewOf(NOTHING),
    out: NOTHING,
    outView: viewOf(NOTHING),
    query: newQuery(),
    found: newFound(),
    choice: newChoice(),
    reply: newReply(settings.nsid),
    addresses: new Uint32Array(1),
    cookie: CookieState.None,
    signing: newAnswerSigning(tools),
    signed: false,
    lane: LANE_KNOWN,
    mode: -1,
  };
}

/** Answers from other tables from the next query on. */
export function useTables(context: AnswerContext, tables: ServingTables): void {
  if (tables.zones.maxAddresses > context.addresses.length) context.addresses = new Uint32Array(tables.zones.maxAddresses);
  context.tables = tables;
}

const NOTHING = new Uint8Array(0);
const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView => new DataView(buffer, byteOffset, byteLength);

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** The minimal answer to ANY (RFC 8482 §4.2). */
const HINFO = Uint8Array.of(7, ...ascii("RFC8482"), 0);
const HINFO_TTL = 3600;

/** Returned by steps of answering instead of an RCODE, as is {@link DEFER}: nothing stands against an answer; the rate limit drops it. */
const PASS = -2;
const SUPPRESS = -3;

/**
 * Answers one message.
 *
 * @param query  borrowed; untouched unless `out` is the same buffer, which is allowed
 * @param length bytes of `query` that count
 * @param out    at least 512 bytes; over UDP no more than 1,232 are used
 * @returns bytes written, 0 = send nothing, {@link DEFER} = hand on what is in `query` again. Never throws.
 */
export function answer(query: Uint8Array, length: number, source: Source, out: Uint8Array, context: AnswerContext): number {
  const decoded = context.query;
  const fault = decodeQuery(query, length, decoded);
  if (fault === DROP) {
    context.counters.dropped[source.transport]!++;
    return 0;
  }
  if (fault !== Rcode.NOERROR) forgetOptions(decoded);
  const { reply, counters } = context;
  lookAt(query, out, context);
  judgeCookie(query, source, context);
  beginReply(query, decoded, out, source.transport === Transport.UDP, reply);
  context.mode = -1;
  context.signed = false;
  // What needs a signature is known only after records were written behind the question.
  const mayDefer = decoded.dnssecOk && out === query && context.tables?.signing !== undefined;
  if (mayDefer) keepTail(query, decoded.questionEnd, length, context.signing.tail);
  const rcode = fault === Rcode.NOERROR ? answerQuestion(query, source, out, context) : refuse(source, context, fault);
  if (rcode === DEFER) {
    if (mayDefer) restoreTail(query, decoded.questionEnd, length, context.signing.tail);
    return DEFER; // whoever answers it counts it
  }
  if (context.cookie !== CookieState.None) counters.cookies[context.cookie - 1]!++;
  if (rcode === SUPPRESS) {
    counters.dropped[source.transport]!++;
    return 0;
  }
  if (context.mode >= 0) countDecision(context);
  const written = finishReply(decoded, out, reply, rcode);
  if (reply.overflow) counters.truncated[0]!++;
  countAnswer(counters, source.transport, rcode, decoded.type);
  return written;
}

function countDecision({ counters, mode, choice, tables }: AnswerContext): void {
  counters.decisions[mode]!++;
  if (choice.backend >= 0) counters.clusters[tables!.routing.state.meter[choice.backend]!]!++;
}

/** Views are made when another buffer comes, and kept: making one costs as much as a look-up. */
function lookAt(query: Uint8Array, out: Uint8Array, context: AnswerContext): void {
  if (context.message !== query) {
    context.message = query;
    context.view = viewOf(query);
  }
  if (out !== query && context.out !== out) {
    context.out = out;
    context.outView = viewOf(out);
  }
  context.reply.view = out === query ? context.view : context.outView;
}

function keepTail(message: Uint8Array, from: number, end: number, tail: Uint8Array): void {
  for (let i = from; i < end; i++) tail[i - from] = message[i]!;
}

function restoreTail(message: Uint8Array, from: number, end: number, tail: Uint8Array): void {
  for (let i = from; i < end; i++) message[i] = tail[i - from]!;
}

/** Options of a malformed message may be half read. */
function forgetOptions(query: Query): void {
  query.hasSubnet = false;
  query.hasCookie = false;
  query.wantsNsid = false;
  query.wantsKeepalive = false;
}

/** Here, because the option may lie where the answer's records will: `out` may be the query's buffer. */
function judgeCookie(message: Uint8Array, source: Source, context: AnswerContext): void {
  const { query, reply, cookies } = context;
  reply.hasCookie = cookies !== undefined && query.hasCookie;
  context.cookie = CookieState.None;
  if (cookies === undefined || !query.hasCookie) return;
  context.cookie = checkCookie(cookies, message, query.cookieAt, query.cookieLength, source, context.now(), reply.cookie);
}

/**
 * Asks the rate limit. Every answer passes here once, as soon as its kind and name are known and before anything of it is made.
 *
 * @param name hash of the name that the answer counts for: random names below a wildcard, in a zone or behind a cut count as one
 * @returns {@link PASS}; or the RCODE of an answer without records, which sends an honest client to TCP (TC) or gives it a cookie
 *          (BADCOOKIE, as BIND does, for a client that knows cookies but has no valid one); or {@link SUPPRESS}
 */
function limit(source: Source, context: AnswerContext, kind: AnswerKind, name: number): number {
  const { limiter, query, reply, cookie, counters } = context;
  if (limiter === undefined || source.transport !== Transport.UDP || cookie === CookieState.Valid) return PASS;
  const action = limitRate(limiter, source, query, kind, name, context.now());
  if (action === RateAction.Answer) return PASS;
  counters.limited[action - 1]!++;
  if (action === RateAction.Drop) return SUPPRESS;
  if (cookie !== CookieState.None) return Rcode.BADCOOKIE;
  reply.flags |= Flag.TC;
  return Rcode.NOERROR;
}

/** An answer that is nothing but its RCODE, which it keeps when it is cut short. */
function refuse(source: Source, context: AnswerContext, rcode: number): number {
  const limited = limit(source, context, AnswerKind.Error, 0);
  return limited === SUPPRESS || limited === Rcode.BADCOOKIE ? limited : rcode;
}

/** @returns the RCODE, {@link SUPPRESS} or {@link DEFER}; records go into the reply */
function answerQuestion(message: Uint8Array, source: Source, out: Uint8Array, context: AnswerContext): number {
  const { query, tables, reply, found } = context;
  if (query.hasTsig) {
    // Whoever has the secrets takes the signature away and asks again.
    const limited = limit(source, context, AnswerKind.Error, 0);
    return limited === PASS ? defer(context, LANE_KNOWN) : limited;
  }
  if (query.questionEnd === HEADER) return answerCookie(source, context);
  if (query.class !== Class.IN) {
    const limited = limit(source, context, AnswerKind.Error, 0);
    return limited === PASS ? answerChaos(message, query, out, reply, context.versionBind, reply.nsid) : limited;
  }
  if (query.type === Type.IXFR && source.transport === Transport.UDP) query.type = Type.SOA; // alone it says: come by TCP (RFC 1995 §2)
  if (query.type >= Type.TKEY && query.type < Type.ANY) return refuse(source, context, answerMeta(query.type));
  if (query.type === Type.OPT) return refuse(source, context, Rcode.FORMERR);
  if (query.type === Type.NXNAME) {
    setExtendedError(reply, ExtendedError.InvalidQueryType); // RFC 9824 §3.5
    return refuse(source, context, Rcode.FORMERR);
  }
  if (tables === undefined) {
    setExtendedError(reply, ExtendedError.NotReady);
    return refuse(source, context, Rcode.SERVFAIL);
  }
  const { zones } = tables;
  // `out` may be the query's buffer: up to here only the reply's scratch was written
  findName(zones, context.view, query, found);
  if (found.encloser < 0) {
    setExtendedError(reply, ExtendedError.NotAuthoritative);
    return refuse(source, context, Rcode.REFUSED);
  }
  if (query.type === Type.DS && found.node >= 0) askParentSide(zones, found);
  context.signed = query.dnssecOk && isSigned(zones, zones.nodeZone[found.encloser]!);
  const cut = zones.nodeCut[found.encloser]!;
  // DS of a delegated name lives on this side of the cut (RFC 4035 §3.1.4.1)
  if (cut >= 0 && !(query.type === Type.DS && found.node === cut)) {
    const limited = limit(source, context, AnswerKind.Referral, zones.nodeHash[cut]!);
    return limited === PASS ? refer(zones, cut, out, context) : limited;
  }
  if (found.node < 0) {
    const apex = zones.zoneApex[zones.nodeZone[found.encloser]!]!;
    const limited = limit(source, context, AnswerKind.NoName, zones.nodeHash[apex]!);
    if (limited !== PASS) return limited;
    reply.flags |= Flag.AA;
    return context.signed && query.type === Type.NSEC
      ? answerNsec(tables, -1, out, context)
      : denied(tables, out, context, Rcode.NXDOMAIN, NSEC_ALL);
  }
  const limited = limit(source, context, AnswerKind.Data, zones.nodeHash[found.node]!);
  if (limited !== PASS) return limited;
  reply.flags |= Flag.AA;
  return answerName(tables, found.node, source, out, context);
}

/** A zone inside another of ours: the outer one knows its DS. */
function askParentSide({ zoneApex, zoneParentSide, nodeZone }: ZoneTable, found: Found): void {
  const zone = nodeZone[found.node]!;
  const side = zoneParentSide[zone]!;
  if (side < 0 || zoneApex[zone] !== found.node) return;
  found.encloser = side;
  found.node = side;
}

/** A query without a question, which asks for a cookie or whether one is still good (RFC 7873 §5.4). */
function answerCookie(source: Source, context: AnswerContext): number {
  const rcode = context.cookies === undefined ? Rcode.FORMERR : context.cookie === CookieState.Invalid ? Rcode.BADCOOKIE : Rcode.NOERROR;
  return refuse(source, context, rcode);
}

/** Types that are no data: transfers are not for this function to give, transaction types do not belong in a question, the rest is obsolete. */
function answerMeta(type: number): number {
  if (type === Type.AXFR || type === Type.IXFR) return Rcode.REFUSED;
  return type === Type.TKEY || type === Type.TSIG ? Rcode.FORMERR : Rcode.NOTIMP;
}

/** The name exists, be it by a wildcard, and is ours. */
function answerName(tables: ServingTables, node: number, source: Source, out: Uint8Array, context: AnswerContext): number {
  const { query } = context;
  const { routing, zones } = tables;
  const route = zones.nodeRoute[node]!;
  if (route >= 0 && (query.type === Type.A || query.type === Type.AAAA)) {
    const offers = routing.hot.routeFlags[route]! & (query.type === Type.A ? ROUTE_OFFERS_A : ROUTE_OFFERS_AAAA);
    return offers === 0 ? denied(tables, out, context, Rcode.NOERROR, NSEC_ALL) : answerRoute(tables, route, source, out, context);
  }
  if (query.type === Type.ANY) return answerAny(tables, out, context);
  if (route >= 0 && query.type === Type.HTTPS) {
    const hasRecord = zones.routeAlpn[route + 1]! > zones.routeAlpn[route]!;
    return hasRecord ? answerHttps(tables, route, source, out, context) : denied(tables, out, context, Rcode.NOERROR, NSEC_ALL);
  }
  if (query.type === Type.NSEC && isByWildcard(context)) return answerNsec(tables, zones.nodeNsec[3 * node]!, out, context);
  if (query.type === Type.RRSIG) return answerRrsig(tables, node, out, context);
  let set = findSet(zones, node, query.type);
  if (set < 0) set = findSet(zones, node, Type.CNAME); // an alias answers for every type; resolvers chase it themselves
  return set < 0 ? denied(tables, out, context, Rcode.NOERROR, NSEC_ALL) : answerSet(tables, set, out, context);
}

/** An RRset of the table. */
function answerSet(tables: ServingTables, set: number, out: Uint8Array, context: AnswerContext): number {
  const { reply } = context;
  const { zones } = tables;
  const first = reply.at;
  if (!writeRecords(out, reply, zones, zones.setBytes[set]!, zones.setBytes[set + 1]!, POINTER_TO_QNAME)) return Rcode.NOERROR;
  reply.answers = zones.setCount[set]!;
  if (!context.signed) return Rcode.NOERROR;
  if (isByWildcard(context)) return signRecords(tables, zones.setType[set]!, first, out, context);
  reply.answers += copySignature(zones, set, POINTER_TO_QNAME, out, reply);
  return Rcode.NOERROR;
}

function answerAny(tables: ServingTables, out: Uint8Array, context: AnswerContext): number {
  const { reply } = context;
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
  return context.signed ? signRecords(tables, Type.HINFO, at, out, context) : Rcode.NOERROR;
}
