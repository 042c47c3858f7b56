/**
 * The messages of one zone transfer (RFC 5936 §2.2, RFC 1995 §4), made one by one as they can be sent: a view's bytes are shared by all who
 * take it, so that a slow reader holds one message of memory.
 */

import { Flag, Type } from "../wire/codes.ts";
import { decodeName } from "../wire/name.ts";
import { HEADER, type Query } from "../wire/query.ts";
import { writeOpt } from "./signed-answer.ts";
import { appendTsig, type TsigChain, tsigSize } from "./tsig.ts";
import type { Difference, ZoneView } from "./zone-view.ts";
import { nameEnd, serialOf } from "./zone-view.ts";

export interface MessageStream {
  /**
   * Writes the next message. @param out 65,535 bytes @returns its length; 0 = there is none left
   */
  next(out: Uint8Array): number;
}

/** Messages are filled up to here: every name in one can be pointed to (RFC 1035 §4.1.4), and several fit a socket's buffer. */
const FULL_MESSAGE = 16_384;
const OPT = 11;
/** QNAME, which stands right behind the header. */
const POINTER_TO_QNAME = [0xc0, HEADER] as const;

/** Whole records, one after another, with uncompressed owners. */
type Records = readonly Uint8Array[];

/** The whole zone: its SOA first and last (RFC 5936 §2.2). */
export const wholeZone = (view: ZoneView): Records => [view.records, soaRecord(view)];

/**
 * What an IXFR is answered with (RFC 1995 §4): the SOA alone for whoever has this serial or a later one, the differences from theirs to
 * ours, or the whole zone when those are not known or larger.
 */
export function changesSince(
  view: ZoneView,
  serial: number,
): { readonly kind: "Current" | "Changes" | "Whole"; readonly records: Records } {
  const soa = soaRecord(view);
  if (((view.serial - serial) | 0) <= 0) return { kind: "Current", records: [soa] };
  const first = view.journal.findIndex(({ from }) => from === serial);
  const steps = first < 0 ? [] : view.journal.slice(first);
  const size = steps.reduce((total, { deleted, added }) => total + deleted.length + added.length, 0);
  if (steps.length === 0 || size >= view.records.length) return { kind: "Whole", records: wholeZone(view) };
  return { kind: "Changes", records: [soa, ...steps.flatMap(({ deleted, added }: Difference) => [deleted, added]), soa] };
}

/** The view's first record. */
function soaRecord({ records }: ZoneView): Uint8Array {
  const fixed = nameEnd(records, 0);
  return records.subarray(0, fixed + 10 + ((records[fixed + 8]! << 8) | records[fixed + 9]!));
}

/** The serial that an IXFR's sender has: of the SOA in its authority section (RFC 1995 §3). @returns undefined when there is none */
export function clientSerial(query: Uint8Array, length: number, { questionEnd }: Query): number | undefined {
  const count = (query[8]! << 8) | query[9]!;
  const owner = count === 1 ? decodeName(query, questionEnd, length) : undefined;
  if (owner === undefined || ((query[owner.end]! << 8) | query[owner.end + 1]!) !== Type.SOA) return undefined;
  const end = owner.end + 10 + ((query[owner.end + 8]! << 8) | query[owner.end + 9]!);
  const mname = decodeName(query, owner.end + 10, length);
  const rname = mname === undefined ? undefined : decodeName(query, mname.end, length);
  if (rname === undefined || end > length || rname.end + 20 !== end) return undefined;
  return serialOf(query.subarray(0, end));
}

/**
 * @param question borrowed until the stream ends: header and question of the query, which every message repeats
 * @param decoded  of the query
 * @param chain    signs every message, if the query was signed
 * @param now      milliseconds since the epoch
 */
export function messageStream(
  question: Uint8Array,
  decoded: Pick<Query, "flags" | "nameEnd" | "hasOpt" | "dnssecOk">,
  records: Records,
  chain: TsigChain | undefined,
  now: () => number,
): MessageStream {
  const apexSize = decoded.nameEnd - HEADER;
  const reserved = (decoded.hasOpt ? OPT : 0) + (chain === undefined ? 0 : tsigSize(chain.key));
  const { hasOpt, dnssecOk } = decoded;
  const flags = Flag.QR | Flag.AA | (decoded.flags & Flag.RD);
  let part = 0;
  let at = 0;
  return {
    next(out) {
      if (part === records.length) return 0;
      out.set(question);
      out.set([flags >>> 8, flags & 0xff, 0, 1], 2);
      let end = question.length;
      let count = 0;
      while (part < records.length) {
        const bytes = records[part]!;
        const fixed = nameEnd(bytes, at);
        const next = fixed + 10 + ((bytes[fixed + 8]! << 8) | bytes[fixed + 9]!);
        const own = fixed - at - apexSize; // bytes of the owner in front of the apex
        if (count > 0 && end + own + 2 + next - fixed + reserved > FULL_MESSAGE) break;
        out.set(bytes.subarray(at, at + own), end);
        out.set(POINTER_TO_QNAME, end + own);
        out.set(bytes.subarray(fixed, next), end + own + 2);
        end += own + 2 + next - fixed;
        count++;
        at = next;
        if (at === bytes.length) {
          part++;
          at = 0;
        }
      }
      out.set([count >>> 8, count & 0xff, 0, 0, 0, hasOpt ? 1 : 0], 6);
      if (hasOpt) end = writeOpt(out, end, dnssecOk);
      return chain === undefined ? end : appendTsig(out, end, chain, now());
    },
  };
}
