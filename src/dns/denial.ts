/** Answers that there is nothing, or that somebody else has it: NODATA, NXDOMAIN and referrals, with their proofs. Hot. */
import type { AnswerContext } from "./answer-context.ts";
import { POINTER_TO_QNAME, writeRecords } from "./reply.ts";
import { defer, isByWildcard, zoneOf } from "./sign-reply.ts";
import { copyNsec, copySignature, writeNsecAtQname, writeSignedSoa } from "./signed-answer.ts";
import { LANE_RANDOM } from "./slow/lane.ts";
import { Rcode, Type } from "./wire/codes.ts";
import type { Query } from "./wire/query.ts";
import { findSet } from "./zone-lookup.ts";
import { GLUE, type ServingTables, type ZoneTable } from "./zone-table.ts";

/** Which of a node's NSEC records denies: that with all its types, or the one for clients without an address of a family. */
export const NSEC_ALL = 0;
/** See {@link NSEC_ALL}. */
export const NSEC_WITHOUT_A = 1;
/** See {@link NSEC_ALL}. */
export const NSEC_WITHOUT_AAAA = 2;

/**
 * NXDOMAIN or NODATA with the zone's SOA (RFC 2308 §2, §3). Signed, a name that does not exist is denied as one that has no data, with
 * NOERROR unless the client knows better (RFC 9824 §3.1, §5.1).
 *
 * @param which of the node's NSEC records, if QNAME has a node
 */
export function denied(tables: ServingTables, out: Uint8Array, context: AnswerContext, rcode: number, which: number): number {
  const { found, query, reply, signing } = context;
  const { zones } = tables;
  const zone = zones.nodeZone[found.encloser]!;
  const owner = pointerTo(zones, zones.zoneApex[zone]!, query);
  if (!context.signed) {
    if (writeRecords(out, reply, zones, zones.zoneNegative[zone]!, zones.zoneNegative[zone + 1]!, owner)) reply.authorities = 1;
    return rcode;
  }
  reply.authorities = writeSignedSoa(zones, zone, owner, out, reply);
  let nsec = found.node < 0 ? -1 : zones.nodeNsec[3 * found.node + which]!;
  if (nsec < 0 && found.node >= 0) nsec = zones.nodeNsec[3 * found.node]!;
  if (found.node >= 0 && !isByWildcard(context)) {
    reply.authorities += copyNsec(zones, nsec, POINTER_TO_QNAME, out, reply);
    return rcode;
  }
  const written = writeNsecAtQname(tables, zone, nsec, Math.floor(context.now() / 1000), query, out, reply, signing);
  if (written < 0) return defer(context, LANE_RANDOM);
  reply.authorities += written;
  return rcode === Rcode.NXDOMAIN && !query.compactOk ? Rcode.NOERROR : rcode;
}

/**
 * A referral: the cut's NS in the authority section, glue behind it, AA clear (RFC 1034 §4.3.2). Signed, DS says that the child is signed
 * too, or NSEC that it is not (RFC 4035 §3.1.4).
 */
export function refer(zones: ZoneTable, cut: number, out: Uint8Array, { query, reply, signed }: AnswerContext): number {
  const owner = pointerTo(zones, cut, query);
  const set = findSet(zones, cut, Type.NS);
  if (writeRecords(out, reply, zones, zones.setBytes[set]!, zones.setBytes[set + 1]!, owner)) reply.authorities = zones.setCount[set]!;
  if (signed) {
    const ds = findSet(zones, cut, Type.DS);
    if (ds < 0) {
      reply.authorities += copyNsec(zones, zones.nodeNsec[3 * cut]!, owner, out, reply);
    } else if (writeRecords(out, reply, zones, zones.setBytes[ds]!, zones.setBytes[ds + 1]!, owner)) {
      reply.authorities += zones.setCount[ds]! + copySignature(zones, ds, owner, out, reply);
    }
  }
  const glue = findSet(zones, cut, GLUE);
  if (glue >= 0 && writeRecords(out, reply, zones, zones.setBytes[glue]!, zones.setBytes[glue + 1]!, 0))
    reply.additionals = zones.setCount[glue]!;
  return Rcode.NOERROR;
}

/** Asked for by type: the NSEC record of QNAME, made for it. @param set the wildcard's; -1 = QNAME does not exist */
export function answerNsec(tables: ServingTables, set: number, out: Uint8Array, context: AnswerContext): number {
  const { query, reply, signing } = context;
  if (!context.signed) return denied(tables, out, context, Rcode.NOERROR, NSEC_ALL);
  const now = Math.floor(context.now() / 1000);
  const written = writeNsecAtQname(tables, zoneOf(tables, context), set, now, query, out, reply, signing);
  if (written < 0) return defer(context, LANE_RANDOM);
  reply.answers = written;
  return Rcode.NOERROR;
}

/** Signatures asked for by type: one of them is enough, as with ANY (RFC 8482 §4.1). NSEC's is the one that every name has. */
export function answerRrsig(tables: ServingTables, node: number, out: Uint8Array, context: AnswerContext): number {
  const { zones } = tables;
  const set = zones.nodeNsec[3 * node]!;
  if (set < 0 || isByWildcard(context)) return denied(tables, out, context, Rcode.NOERROR, NSEC_ALL);
  context.reply.answers = copySignature(zones, set, POINTER_TO_QNAME, out, context.reply);
  return Rcode.NOERROR;
}

/** Compression pointer to a name that QNAME ends with. */
const pointerTo = (zones: ZoneTable, node: number, query: Query): number =>
  0xc000 | (query.nameEnd - (zones.nodeName[node + 1]! - zones.nodeName[node]!));
