/** Answers of routes: addresses, and HTTPS records with addresses as hints, for the client that asks. Hot. */
import { choiceTtl, choose, chooseAddresses, diceOf, Mode, placeClientV4, placeClientV6 } from "../routing/choose.ts";
import { ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA } from "../routing/table.ts";
import type { AnswerContext } from "./answer-context.ts";
import { denied, NSEC_WITHOUT_A, NSEC_WITHOUT_AAAA } from "./denial.ts";
import { POINTER_TO_QNAME, type Reply, setExtendedError, write16, write32, writeAddress } from "./reply.ts";
import { sign } from "./sign-reply.ts";
import { describeAtQname } from "./signed-answer.ts";
import { addData, sortAddresses } from "./slow/rrset-signature.ts";
import type { Source } from "./source.ts";
import { Class, ExtendedError, Flag, Rcode, SvcParam, Type } from "./wire/codes.ts";
import type { ServingTables } from "./zone-table.ts";

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** EXTRA-TEXT where no INFO-CODE fits: 22 (No Reachable Authority) and 23 (Network Error) speak of a resolver's upstreams. */
const NOTHING_ELIGIBLE = ascii("no backend may serve this client");
const FAIL_OPEN_UNKNOWN = ascii("no backend is healthy: answered with one of unknown health");
const FAIL_OPEN_UNHEALTHY = ascii("no backend is healthy: answered with an unhealthy one");
const FAIL_OPEN_DRAINING = ascii("no backend is healthy: answered with a draining one");

/** Addresses of one family for the client. @returns the RCODE, or DEFER */
export function answerRoute(tables: ServingTables, route: number, source: Source, out: Uint8Array, context: AnswerContext): number {
  const { query, reply, choice, addresses } = context;
  const { routing } = tables;
  const family = query.type === Type.A ? 0 : 1;
  place(context, route, source);
  choose(routing, route, family, diceOf(context.random()), choice);
  context.mode = choice.mode;
  // this client's plan lacks the family, another one may have it; negative answers have scope 0 all the same (RFC 7871 §7.4)
  if (choice.mode === Mode.NotOffered)
    return denied(tables, out, context, Rcode.NOERROR, family === 0 ? NSEC_WITHOUT_A : NSEC_WITHOUT_AAAA);
  const count = choice.backend < 0 ? 0 : chooseAddresses(routing, route, family, choice, addresses);
  if (count === 0) return nothingEligible(reply);
  tellStanding(choice.mode, reply);
  const ttl = choiceTtl(routing, route, choice, context.now());
  const bytes = routing.hot.addressBytes;
  const size = family === 0 ? 4 : 16;
  for (let i = 0; i < count; i++) writeAddress(out, reply, ttl, bytes, 16 * addresses[i]!, size);
  reply.scope = choice.scope;
  if (!context.signed) return Rcode.NOERROR;
  const originalTtl = routing.hot.routeTtlMax[route]!;
  describeAtQname(query.type, originalTtl, query, out, context.signing.set);
  sortAddresses(addresses, count, bytes, size);
  for (let i = 0; i < count; i++) addData(context.signing.set, bytes, 16 * addresses[i]!, size);
  return sign(tables, query.type, ttl, originalTtl, out, context);
}

/**
 * An HTTPS record in service mode for QNAME itself, with the addresses of the A and AAAA answers of this client as hints (RFC 9460 §7.3).
 *
 * ```
 * 0001 00  0001 len alpn  0004 len ipv4hint  0006 len ipv6hint      priority, target `.`, parameters in ascending order
 * ```
 *
 * @returns the RCODE, or DEFER
 */
export function answerHttps(tables: ServingTables, route: number, source: Source, out: Uint8Array, context: AnswerContext): number {
  const { query, reply, choice } = context;
  const { routing, zones } = tables;
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
  const dice = diceOf(context.random()); // one draw: both families take the same slot
  reply.ttl = 0xffff_ffff;
  const middle = writeHints(routing, route, 0, dice, hints, out, context);
  const end = writeHints(routing, route, 1, dice, middle, out, context);
  context.mode = choice.mode;
  if (reply.overflow) return Rcode.NOERROR;
  if (end === hints) return nothingEligible(reply);
  tellStanding(choice.mode, reply);
  write16(out, record, POINTER_TO_QNAME);
  write16(out, record + 2, Type.HTTPS);
  write16(out, record + 4, Class.IN);
  write32(out, record + 6, reply.ttl);
  write16(out, record + 10, end - record - 12);
  reply.at = end;
  reply.answers = 1;
  reply.scope = choice.scope;
  if (!context.signed) return Rcode.NOERROR;
  const originalTtl = routing.hot.routeTtlMax[route]!;
  describeAtQname(Type.HTTPS, originalTtl, query, out, context.signing.set);
  addData(context.signing.set, out, record + 12, end - record - 12);
  return sign(tables, Type.HTTPS, reply.ttl, originalTtl, out, context);
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
  dice: number,
  at: number,
  out: Uint8Array,
  { reply, choice, addresses, now }: AnswerContext,
): number {
  if ((routing.hot.routeFlags[route]! & (family === 0 ? ROUTE_OFFERS_A : ROUTE_OFFERS_AAAA)) === 0) return at;
  choose(routing, route, family, dice, choice);
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

/** An extended error where the answer is not an ordinary one. A pending failback is: its backends are healthy. */
function tellStanding(mode: number, reply: Reply): void {
  if (mode === Mode.Held) setExtendedError(reply, ExtendedError.StaleAnswer);
  else if (mode === Mode.Unknown) setExtendedError(reply, ExtendedError.Other, FAIL_OPEN_UNKNOWN);
  else if (mode === Mode.Unhealthy) setExtendedError(reply, ExtendedError.Other, FAIL_OPEN_UNHEALTHY);
  else if (mode === Mode.Draining) setExtendedError(reply, ExtendedError.Other, FAIL_OPEN_DRAINING);
}

/** The client is the ECS subnet if the query names one, else whoever sent the query (RFC 7871 §7.2.1). */
function place(context: AnswerContext, route: number, source: Source): void {
  const { query, choice } = context;
  const { routing } = context.tables!;
  if (query.hasSubnet && query.subnet.source > 0) {
    const { address } = query.subnet;
    if (query.subnet.family === 1) {
      const ip = (address[0]! << 24) | (address[1]! << 16) | (address[2]! << 8) | address[3]!; // signed: never boxed
      placeClientV4(routing, route, ip, query.subnet.source, choice);
    } else {
      placeClientV6(routing, route, address, 0, query.subnet.source, choice);
    }
  } else if (source.isV6) {
    placeClientV6(routing, route, source.v6, 0, 128, choice);
  } else {
    placeClientV4(routing, route, source.v4 | 0, 32, choice);
  }
}
