/** Appends signatures to the records of a reply, and says when somebody else has to. Hot. */
import { type AnswerContext, DEFER } from "./answer-context.ts";
import { read32 } from "./reply.ts";
import { appendSignature, describeAtQname } from "./signed-answer.ts";
import { LANE_KNOWN, LANE_RANDOM, type Lane } from "./slow/lane.ts";
import { addData } from "./slow/rrset-signature.ts";
import { Rcode } from "./wire/codes.ts";
import type { ServingTables } from "./zone-table.ts";

/** Whether QNAME exists only because a wildcard matches it. What is signed is a name of its own then (RFC 9824 §3.3). */
export const isByWildcard = ({ found }: AnswerContext): boolean => found.node !== found.encloser;

/**
 * Appends the signature of the records of one type and TTL, owned by QNAME, that stand from `first` to the end of the reply.
 *
 * @returns NOERROR, or DEFER
 */
export function signRecords(tables: ServingTables, type: number, first: number, out: Uint8Array, context: AnswerContext): number {
  const { query, reply, signing } = context;
  const ttl = read32(out, first + 6);
  describeAtQname(type, ttl, query, out, signing.set);
  for (let at = first; at < reply.at; ) {
    const size = (out[at + 10]! << 8) | out[at + 11]!;
    addData(signing.set, out, at + 12, size);
    at += 12 + size;
  }
  return sign(tables, type, ttl, ttl, out, context);
}

/**
 * Appends the signature of the RRset that was described, whose owner is QNAME.
 *
 * @param ttl of the RRset as it stands in the answer; `originalTtl` as it was described
 * @returns NOERROR, or DEFER
 */
export function sign(
  tables: ServingTables,
  type: number,
  ttl: number,
  originalTtl: number,
  out: Uint8Array,
  context: AnswerContext,
): number {
  const { query, reply, signing } = context;
  const now = Math.floor(context.now() / 1000);
  if (!appendSignature(tables, zoneOf(tables, context), type, ttl, originalTtl, now, query, out, reply, signing)) {
    return defer(context, isByWildcard(context) ? LANE_RANDOM : LANE_KNOWN);
  }
  reply.answers++;
  return Rcode.NOERROR;
}

/** Says that somebody else has to answer, and where the query is to wait. */
export function defer(context: AnswerContext, lane: Lane): typeof DEFER {
  context.lane = lane;
  return DEFER;
}

/** Number of the zone that QNAME is in. */
export const zoneOf = ({ zones }: ServingTables, { found }: AnswerContext): number => zones.nodeZone[found.encloser]!;
