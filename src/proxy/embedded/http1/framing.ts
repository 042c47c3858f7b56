/**
 * Where a message's body ends (RFC 9112 §6.3), and what else must be known before it is passed on. This is where requests are smuggled: whoever
 * stands behind us must not find another end. So a message that says two things, or one thing oddly, is refused, never mended.
 */
import { CR, isDigit, isWord, TOKEN, wordBytes } from "./characters.ts";
import { type ConnectionOptions, clearConnectionOptions, newConnectionOptions, readConnectionOptions } from "./connection-options.ts";
import type { Fault } from "./faults.ts";
import { FieldKind } from "./field-kind.ts";
import { type Fields, valueEndOf, valueStartOf } from "./fields.ts";

export type BodyKind =
  | "none"
  /** Content-Length bytes. */
  | "length"
  | "chunked"
  /** Up to the end of the connection; responses only. */
  | "until-close";

/** What the fields say of framing and connection. Used again for every message of a connection. */
export interface Framing {
  body: BodyKind;
  /** Bytes of the body when it is "length"; of a response without a body what it would have had, or -1. */
  length: number;
  readonly connection: ConnectionOptions;
  /** Field numbers, -1 when there is none. */
  host: number;
  upgrade: number;
  expect: number;
  /** A response that is about who speaks over this connection, as with NTLM: nobody else may from then on. */
  bindsConnection: boolean;
}

export const newFraming = (): Framing => ({
  body: "none",
  length: -1,
  connection: newConnectionOptions(),
  host: -1,
  upgrade: -1,
  expect: -1,
  bindsConnection: false,
});

/** Requests (RFC 9112 §6.3 rules 4 to 7): without a length there is no body. @returns undefined when all is well */
export function frameRequest(framing: Framing, fields: Fields, bytes: Uint8Array, minor: 0 | 1): Fault | undefined {
  const fault = readFields(framing, fields, bytes, minor);
  if (fault !== undefined) return fault;
  if (framing.host < 0 && minor === 1) return "host-missing";
  if (framing.body === "until-close") framing.body = "none";
  return undefined;
}

/**
 * Responses (RFC 9112 §6.3). Those to HEAD, and 1xx, 204 and 304, have no body whatever they say (rule 1); the others without a length last
 * until the connection closes (rule 8).
 *
 * @param toHead the request's method was HEAD
 */
export function frameResponse(
  framing: Framing,
  fields: Fields,
  bytes: Uint8Array,
  { minor, status, toHead }: { readonly minor: 0 | 1; readonly status: number; readonly toHead: boolean },
): Fault | undefined {
  const fault = readFields(framing, fields, bytes, minor);
  if (fault !== undefined) return fault;
  // they must not speak of one (RFC 9110 §8.6), and llhttp would read it
  if (status < 200 && (framing.body === "length" || framing.body === "chunked")) return "interim-with-body";
  // it must not speak of one either (RFC 9112 §6.1, RFC 9110 §8.6): should some come after all, nobody's response is to begin with it
  if (status === 204 && framing.body !== "none" && framing.body !== "until-close") framing.connection.close = true;
  if (toHead || status < 200 || status === 204 || status === 304) framing.body = "none";
  return undefined;
}

function readFields(framing: Framing, fields: Fields, bytes: Uint8Array, minor: 0 | 1): Fault | undefined {
  clearConnectionOptions(framing.connection);
  framing.length = -1;
  framing.host = -1;
  framing.upgrade = -1;
  framing.expect = -1;
  framing.bindsConnection = false;
  let isChunked = false;
  for (let field = 0; field < fields.count; field++) {
    const start = valueStartOf(fields, field);
    const end = valueEndOf(fields, field);
    switch (fields.kinds[field]) {
      case FieldKind.Host:
        if (framing.host >= 0) return "host-repeated"; // RFC 9112 §3.2
        framing.host = field;
        break;
      case FieldKind.ContentLength:
        if (framing.length >= 0) return "content-length-repeated";
        framing.length = parseLength(bytes, start, end);
        if (framing.length < 0) return "bad-content-length";
        break;
      case FieldKind.TransferEncoding:
        if (isChunked) return "transfer-encoding-repeated";
        if (minor === 0) return "transfer-encoding-in-1.0"; // RFC 9112 §6.1: framing is faulty
        if (!isChunkedAlone(bytes, start, end)) return "unsupported-transfer-encoding";
        isChunked = true;
        break;
      case FieldKind.Connection:
        readConnectionOptions(framing.connection, bytes, start, end);
        break;
      case FieldKind.Upgrade:
        framing.upgrade = field;
        break;
      case FieldKind.Expect:
        framing.expect = field;
        break;
      case FieldKind.Authenticate:
        framing.bindsConnection ||= BINDING.test(latin1(bytes, start, end));
        break;
    }
  }
  if (isChunked && framing.length >= 0) return "length-and-transfer-encoding";
  framing.body = isChunked ? "chunked" : framing.length < 0 ? "until-close" : framing.length === 0 ? "none" : "length";
  return undefined;
}

/** Schemes that know a client by its connection. In a list of challenges, or, seldom, in words of another one: that costs a connection only. */
const BINDING = /\b(?:NTLM|Negotiate)\b/i;
const latin1 = (bytes: Uint8Array, start: number, end: number): string => String.fromCharCode(...bytes.subarray(start, end));

/**
 * `1*DIGIT` (RFC 9110 §8.6): no sign, no list, no white space inside.
 *
 * @returns -1 when it is anything else, or larger than 2^53 - 1
 */
export function parseLength(bytes: Uint8Array, start: number, end: number): number {
  if (start === end) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    if (!isDigit(bytes[at]!)) return -1;
    value = 10 * value + bytes[at]! - 0x30;
    if (value > Number.MAX_SAFE_INTEGER) return -1;
  }
  return value;
}

const CHUNKED = wordBytes("chunked");

/**
 * `chunked` and nothing else: of other codings we could not tell the length, and lists and white space are how this field is disguised.
 * llhttp refuses a tab behind it.
 */
function isChunkedAlone(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (TOKEN[bytes[at]!] !== 1) return false;
  return bytes[end] === CR && isWord(bytes, start, end, CHUNKED);
}
