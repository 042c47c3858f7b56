/** Answers queries that carry a transaction signature (RFC 8945): checks it, has the rest answered as if there were none, signs the answer. */
import { Transport } from "../counters.ts";
import type { Source } from "../source.ts";
import { Flag, Option, Rcode, Type } from "../wire/codes.ts";
import { DROP, decodeQuery, HEADER, newQuery, type Query } from "../wire/query.ts";
import { appendTsig, appendTsigError, type TsigKey, tsigSize, verifyTsig } from "./tsig.ts";

/** As {@link answer} without its context: 0 or less is passed on to the caller. */
export type Answerer = (query: Uint8Array, length: number, source: Source, out: Uint8Array) => number;

const MIN_UDP = 512;
const MAX_UDP = 1232;

/**
 * Answers one message. A signature that is not accepted is answered with NOTAUTH and the reason, a misplaced one with FORMERR; a message
 * without any goes to `inner` as it is.
 *
 * @param query  borrowed; unchanged. Not the buffer of `out`
 * @param length bytes of `query` that count
 * @param out    at least 1,232 bytes
 * @param now    milliseconds since the epoch
 * @returns bytes written; 0 = send nothing; less = what `inner` said of the query without its signature
 */
export function answerSigned(
  query: Uint8Array,
  length: number,
  source: Source,
  out: Uint8Array,
  keys: readonly TsigKey[],
  now: number,
  inner: Answerer,
): number {
  const decoded = newQuery();
  if (decodeQuery(query, length, decoded) === DROP) return 0;
  const verdict = verifyTsig(query, length, keys, now);
  switch (verdict.kind) {
    case "Unsigned":
      return inner(query, length, source, out);
    case "Malformed":
      return writeError(query, decoded, out, Rcode.FORMERR);
    case "Refused":
      return appendTsigError(out, writeError(query, decoded, out, Rcode.NOTAUTH), verdict, now); // 888 bytes at most
    case "Valid": {
      const bare = new Uint8Array(query.subarray(0, verdict.at));
      bare[10] = (bare[10]! - (bare[11] === 0 ? 1 : 0)) & 0xff;
      bare[11] = (bare[11]! - 1) & 0xff;
      const room = out.subarray(0, roomFor(source, decoded, out.length, tsigSize(verdict.chain.key)));
      const written = inner(bare, bare.length, source, room);
      return written <= 0 ? written : appendTsig(out, written, verdict.chain, now);
    }
  }
}

/** Bytes for an answer, so that the sender takes it with its signature. With EDNS never less than 512, which options may need. */
function roomFor(source: Source, { hasOpt, udpSize }: Query, size: number, signature: number): number {
  if (source.transport !== Transport.UDP) return Math.min(size, 0xffff) - signature;
  return hasOpt ? Math.max(Math.min(udpSize, MAX_UDP, size) - signature, MIN_UDP) : MIN_UDP - signature;
}

/**
 * An answer without records, but with an OPT if the query had one (RFC 6891 §6.1.1).
 *
 * @param extendedError INFO-CODE (RFC 8914); -1 = none
 * @returns bytes written
 */
export function writeError(query: Uint8Array, decoded: Query, out: Uint8Array, rcode: number, extendedError = -1): number {
  const end = decoded.questionEnd;
  out.set(query.subarray(0, end));
  const flags = Flag.QR | (decoded.flags & (0x7800 | Flag.RD | Flag.CD)) | rcode;
  out.set([flags >>> 8, flags & 0xff, 0, end > HEADER ? 1 : 0, 0, 0, 0, 0, 0, decoded.hasOpt ? 1 : 0], 2);
  return decoded.hasOpt ? writeOpt(out, end, decoded.dnssecOk, extendedError) : end;
}

/** An OPT record (RFC 6891 §6.1.2). @returns the offset behind it: 11 bytes, or 17 with an extended error */
export function writeOpt(out: Uint8Array, at: number, dnssecOk: boolean, extendedError = -1): number {
  const option = extendedError < 0 ? [] : [0, Option.EXTENDED_ERROR, 0, 2, extendedError >>> 8, extendedError & 0xff];
  out.set([0, 0, Type.OPT, MAX_UDP >>> 8, MAX_UDP & 0xff, 0, 0, dnssecOk ? 0x80 : 0, 0, 0, option.length, ...option], at);
  return at + 11 + option.length;
}
