/**
 * Transaction signatures (RFC 8945): who may take a zone proves it, and so do we, by a MAC over each message with a shared secret.
 *
 * ```
 * NAME = the key's · TYPE 250 · CLASS ANY · TTL 0 · RDLENGTH
 * algorithm name · time signed 6 · fudge 2 · MAC size 2 · MAC · original ID 2 · error 2 · other length 2 · other
 * ```
 * It is the last record of the additional section. The MAC covers, one after another: the MAC before it (length in front), the message
 * without the record, and the record's own variables; from the second message of a stream on only its two timers (§4.3, §5.3.1).
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { Class, Type } from "../wire/codes.ts";
import { decodeName, encodeName } from "../wire/name.ts";
import { HEADER } from "../wire/query.ts";

/** Bytes of each algorithm's whole MAC. */
export const TSIG_ALGORITHMS = { "hmac-sha256": 32, "hmac-sha512": 64 } as const;
export type TsigAlgorithm = keyof typeof TSIG_ALGORITHMS;

export interface TsigKey {
  /** Lower case, without the trailing dot. */
  readonly name: string;
  readonly algorithm: TsigAlgorithm;
  readonly secret: Uint8Array;
}

/** Values of the record's error field (RFC 8945 §3). In the header they all are NOTAUTH. */
export const TsigError = { NOERROR: 0, BADSIG: 16, BADKEY: 17, BADTIME: 18, BADTRUNC: 22 } as const;

/** Seconds by which two clocks may differ (RFC 8945 §10). */
export const FUDGE = 300;

/** What a signed message continues: the MAC that the next one covers, and the key. One for each exchange; changes with every message. */
export interface TsigChain {
  readonly key: TsigKey;
  /** Of the request, then of each message that was signed. Empty before a request. */
  mac: Uint8Array;
  /** True from the second message of a stream on. */
  timersOnly: boolean;
}

/** A signature that was not accepted, and what the answer must say about it. */
export interface TsigRefusal {
  readonly kind: "Refused";
  readonly error: number;
  /** Offset of the TSIG record: the message without it. */
  readonly at: number;
  /** Wire names as the request had them. */
  readonly name: Uint8Array;
  readonly algorithm: Uint8Array;
  /** Seconds since the epoch, the request's. */
  readonly time: number;
  /** Present where the answer is signed all the same: BADTIME and BADTRUNC (RFC 8945 §5.3.2). */
  readonly chain?: TsigChain;
}

export type TsigVerdict =
  /** The message has no signature. */
  | { readonly kind: "Unsigned" }
  /** FORMERR: the record is not where or what it must be. */
  | { readonly kind: "Malformed" }
  | TsigRefusal
  /** `at` = length of the message without the record; `chain` signs the answer. */
  | { readonly kind: "Valid"; readonly at: number; readonly chain: TsigChain };

/** A key for a message that begins an exchange. */
export const tsigChain = (key: TsigKey): TsigChain => ({ key, mac: new Uint8Array(0), timersOnly: false });

/**
 * Checks a message's signature (RFC 8945 §5.2): key, MAC, time, truncation, in this order. Never throws.
 *
 * @param message borrowed; unchanged
 * @param length  bytes of it that count
 * @param now     milliseconds since the epoch
 * @param request for an answer or a stream: what was sent before it; its `mac` moves on when the message is valid
 */
export function verifyTsig(message: Uint8Array, length: number, keys: readonly TsigKey[], now: number, request?: TsigChain): TsigVerdict {
  const at = findTsig(message, length);
  if (at === UNSIGNED) return { kind: "Unsigned" };
  const record = at === MALFORMED ? undefined : readRecord(message, at, length);
  if (record === undefined) return { kind: "Malformed" };
  const { name, algorithm, time, fudge, mac } = record;
  const refuse = (error: number, chain?: TsigChain): TsigRefusal => ({
    kind: "Refused",
    error,
    at,
    name,
    algorithm,
    time,
    ...(chain === undefined ? {} : { chain }),
  });

  const key = keys.find((one) => equal(nameOf(one), name) && equal(encodeName(one.algorithm)!, algorithm));
  if (key === undefined) return refuse(TsigError.BADKEY);
  const whole = TSIG_ALGORITHMS[key.algorithm];
  if (mac.length > whole || mac.length < Math.max(10, whole / 2)) return { kind: "Malformed" };
  const hmac = createHmac(hashOf(key), key.secret);
  if (request !== undefined && request.mac.length > 0) hmac.update(uint16(request.mac.length)).update(request.mac);
  hmac.update(withoutTsig(message, at, record.originalId));
  hmac.update(request?.timersOnly === true ? timers(time, fudge) : variables(record));
  if (!timingSafeEqual(hmac.digest().subarray(0, mac.length), mac)) return refuse(TsigError.BADSIG);

  const chain: TsigChain = { key, mac, timersOnly: request !== undefined };
  if (Math.abs(Math.floor(now / 1000) - time) > fudge) return refuse(TsigError.BADTIME, { ...chain, timersOnly: false });
  if (mac.length < whole) return refuse(TsigError.BADTRUNC, { ...chain, timersOnly: false }); // nobody needs to save these bytes
  if (request !== undefined) {
    request.mac = mac;
    request.timersOnly = true;
  }
  return { kind: "Valid", at, chain };
}

/** Bytes that {@link appendTsig} adds to an answer. */
export const tsigSize = ({ name, algorithm }: TsigKey): number =>
  name.length + 2 + 10 + (algorithm.length + 2) + 16 + TSIG_ALGORITHMS[algorithm];

/**
 * Signs a message in place (RFC 8945 §5.3).
 *
 * @param length bytes of `out` that are the message; {@link tsigSize} more must be there
 * @param chain  moves on to this message's MAC, so that the next message of a stream follows it
 * @param now    milliseconds since the epoch
 * @returns the length with the record
 */
export function appendTsig(out: Uint8Array, length: number, chain: TsigChain, now: number): number {
  const name = nameOf(chain.key);
  const algorithm = encodeName(chain.key.algorithm)!;
  const record = { name, algorithm, time: Math.floor(now / 1000), fudge: FUDGE, error: 0, other: new Uint8Array(0) };
  const mac = sign(out, length, chain, record);
  chain.mac = mac;
  chain.timersOnly = true;
  return append(out, length, record, mac);
}

/**
 * Tells a requester why its signature was not accepted: the record of an answer whose RCODE is NOTAUTH (RFC 8945 §5.3.2).
 *
 * @param now milliseconds since the epoch
 * @returns the length with the record
 */
export function appendTsigError(out: Uint8Array, length: number, refusal: TsigRefusal, now: number): number {
  const other = refusal.error === TsigError.BADTIME ? uint48(Math.floor(now / 1000)) : new Uint8Array(0);
  const { name, algorithm, time, error, chain } = refusal;
  const record = { name, algorithm, time, fudge: FUDGE, error, other };
  return append(out, length, record, chain === undefined ? new Uint8Array(0) : sign(out, length, chain, record));
}

interface TsigVariables {
  readonly name: Uint8Array;
  readonly algorithm: Uint8Array;
  readonly time: number;
  readonly fudge: number;
  readonly error: number;
  readonly other: Uint8Array;
}

interface TsigRecord extends TsigVariables {
  readonly mac: Uint8Array;
  readonly originalId: number;
}

const UNSIGNED = -1;
const MALFORMED = -2;

/** Where the message's TSIG begins; {@link MALFORMED} when there is one that is not the last of all records. */
function findTsig(message: Uint8Array, length: number): number {
  if (length < HEADER) return MALFORMED;
  let at = HEADER;
  for (let i = read16(message, 4); i > 0; i--) {
    const name = decodeName(message, at, length);
    if (name === undefined) return MALFORMED;
    at = name.end + 4;
  }
  const additionals = read16(message, 10);
  const records = read16(message, 6) + read16(message, 8) + additionals;
  for (let i = 1; i <= records; i++) {
    const name = decodeName(message, at, length);
    if (name === undefined || name.end + 10 > length) return MALFORMED;
    const end = name.end + 10 + read16(message, name.end + 8);
    if (end > length) return MALFORMED;
    if (read16(message, name.end) === Type.TSIG) return i === records && additionals > 0 && end === length ? at : MALFORMED;
    at = end;
  }
  return UNSIGNED;
}

function readRecord(message: Uint8Array, at: number, length: number): TsigRecord | undefined {
  const owner = decodeName(message, at, length);
  if (owner === undefined) return undefined;
  const isAny = read16(message, owner.end + 2) === Class.ANY;
  const ttl = read16(message, owner.end + 4) | read16(message, owner.end + 6);
  const algorithm = decodeName(message, owner.end + 10, length);
  if (!isAny || ttl !== 0 || algorithm === undefined || algorithm.end + 10 > length) return undefined;
  const start = algorithm.end + 10;
  const macEnd = start + read16(message, algorithm.end + 8);
  if (macEnd + 6 > length || macEnd + 6 + read16(message, macEnd + 4) !== length) return undefined;
  return {
    name: encodeName(owner.name.toLowerCase())!,
    algorithm: encodeName(algorithm.name.toLowerCase())!,
    time:
      read16(message, algorithm.end) * 0x1_0000_0000 + read16(message, algorithm.end + 2) * 0x1_0000 + read16(message, algorithm.end + 4),
    fudge: read16(message, algorithm.end + 6),
    mac: copyOf(message, start, macEnd),
    originalId: read16(message, macEnd),
    error: read16(message, macEnd + 2),
    other: copyOf(message, macEnd + 6, length),
  };
}

function sign(out: Uint8Array, length: number, chain: TsigChain, record: TsigVariables): Uint8Array {
  const hmac = createHmac(hashOf(chain.key), chain.key.secret);
  if (chain.mac.length > 0) hmac.update(uint16(chain.mac.length)).update(chain.mac);
  return hmac
    .update(out.subarray(0, length))
    .update(chain.timersOnly ? timers(record.time, record.fudge) : variables(record))
    .digest();
}

/** Writes the record behind the message and counts it. */
function append(out: Uint8Array, length: number, record: TsigVariables, mac: Uint8Array): number {
  const { name, algorithm, time, fudge, error, other } = record;
  const rdata = algorithm.length + 16 + mac.length + other.length;
  const parts = [
    name,
    ...[uint16(Type.TSIG), uint16(Class.ANY), uint16(0), uint16(0), uint16(rdata)],
    ...[algorithm, timers(time, fudge), uint16(mac.length), mac, copyOf(out, 0, 2), uint16(error), uint16(other.length), other],
  ];
  let at = length;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  out.set(uint16(read16(out, 10) + 1), 10);
  return at;
}

/** The message as it was signed: without the record, not counting it, under the ID that the signer gave it (RFC 8945 §5.2.2.1, §4.3.2). */
function withoutTsig(message: Uint8Array, at: number, originalId: number): Uint8Array {
  const copy = copyOf(message, 0, at);
  copy.set(uint16(originalId), 0);
  copy.set(uint16(read16(message, 10) - 1), 10);
  return copy;
}

const variables = ({ name, algorithm, time, fudge, error, other }: TsigVariables): Uint8Array =>
  Buffer.concat([
    name,
    uint16(Class.ANY),
    uint16(0),
    uint16(0),
    algorithm,
    timers(time, fudge),
    uint16(error),
    uint16(other.length),
    other,
  ]);

/** `slice` of a Buffer, which a socket's chunk is, would be a view. */
const copyOf = (bytes: Uint8Array, start: number, end: number): Uint8Array => new Uint8Array(bytes.subarray(start, end));

const timers = (time: number, fudge: number): Uint8Array => Buffer.concat([uint48(time), uint16(fudge)]);

const nameOf = ({ name }: TsigKey): Uint8Array => encodeName(name)!;
const hashOf = ({ algorithm }: TsigKey): string => algorithm.slice("hmac-".length);
const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);
const read16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
const uint16 = (value: number): Uint8Array => Uint8Array.of(value >>> 8, value);
const uint48 = (value: number): Uint8Array =>
  Uint8Array.of(value / 2 ** 40, value / 2 ** 32, value >>> 24, value >>> 16, value >>> 8, value);
