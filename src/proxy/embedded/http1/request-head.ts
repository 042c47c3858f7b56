/**
 * A request's head (RFC 9112 §3, §5), read as it arrives. It begins at byte 0 of a borrowed buffer and is described by offsets into it:
 *
 *     GET /cart HTTP/1.1 CR LF    method, target, minor version
 *     Host: shop.example.org CR LF
 *     CR LF                       fields.at is behind it
 */
import { CR, isDigit, LF, SP, TARGET, TOKEN, wordBytes } from "./characters.ts";
import type { Progress } from "./faults.ts";
import { type Fields, type HeadLimits, newFields, parseFields } from "./fields.ts";
import { findMethod, GET, LONGEST_METHOD, type Method } from "./method.ts";

/** Used again for every request of a connection. */
export interface RequestHead {
  readonly limits: HeadLimits;
  readonly fields: Fields;
  /** The first line is read, fields follow. */
  inFields: boolean;
  method: Method;
  targetStart: number;
  targetEnd: number;
  /** HTTP/1.1 or HTTP/1.0. */
  minor: 0 | 1;
}

export function newRequestHead(limits: HeadLimits): RequestHead {
  return { limits, fields: newFields(limits), inFields: false, method: GET, targetStart: 0, targetEnd: 0, minor: 1 };
}

/** Forgets the request before. */
export function restartRequestHead(head: RequestHead): void {
  head.inFields = false;
  head.fields.count = 0;
  head.fields.at = 0;
}

/**
 * Reads on where the call before stopped.
 *
 * @param bytes everything from the head's first byte; after "more" call again with the same bytes and those that came since behind them
 * @param end   how many there are
 * @returns "done" with `fields.at` at the first byte behind the head; what a fault means is in FAULT_ANSWERS. However the bytes were cut
 *          into pieces, the outcome is the same.
 */
export function parseRequestHead(head: RequestHead, bytes: Uint8Array, end: number): Progress {
  const { limits, fields } = head;
  const stop = Math.min(end, limits.bytes);
  let progress: Progress = head.inFields ? "done" : parseRequestLine(head, bytes, stop);
  if (progress === "done") {
    head.inFields = true;
    progress = parseFields(fields, bytes, stop);
  }
  return progress === "more" && stop === limits.bytes ? "head-too-large" : progress;
}

const HTTP = wordBytes("HTTP/");

function parseRequestLine(head: RequestHead, bytes: Uint8Array, stop: number): Progress {
  let at = 0;
  // one empty line before a request is skipped (RFC 9112 §2.2)
  if (stop > 0 && bytes[0] === CR) {
    if (stop === 1) return "more";
    if (bytes[1] !== LF) return "bad-line-end";
    at = 2;
  }
  const methodStart = at;
  while (at < stop && TOKEN[bytes[at]!] === 1) at++;
  if (at - methodStart > LONGEST_METHOD) return "unknown-method";
  if (at === stop) return "more";
  if (at === methodStart || bytes[at] !== SP) return "bad-start-line";
  const method = findMethod(bytes, methodStart, at);
  if (method === undefined) return "unknown-method";

  const targetStart = ++at;
  const most = Math.min(stop, targetStart + head.limits.target);
  while (at < most && TARGET[bytes[at]!] === 1) at++;
  if (at === stop) return "more";
  if (at === targetStart + head.limits.target && TARGET[bytes[at]!] === 1) return "target-too-long";
  if (at === targetStart || bytes[at] !== SP) return "bad-target";
  const targetEnd = at++;

  const progress = parseVersion(bytes, at, stop);
  if (progress !== "done") return progress;
  at += VERSION_LENGTH;
  if (at === stop) return "more";
  if (bytes[at] !== CR) return bytes[at] === LF ? "bad-line-end" : "bad-start-line";
  if (at + 1 === stop) return "more";
  if (bytes[at + 1] !== LF) return "bad-line-end";
  head.method = method;
  head.targetStart = targetStart;
  head.targetEnd = targetEnd;
  head.minor = bytes[at - 1] === 0x31 ? 1 : 0;
  head.fields.at = at + 2;
  return "done";
}

export const VERSION_LENGTH = "HTTP/1.1".length;

/** `HTTP/1.1` or `HTTP/1.0` at this place (RFC 9112 §2.3), byte for byte. */
export function parseVersion(bytes: Uint8Array, start: number, stop: number): Progress {
  for (let i = 0; i < HTTP.length; i++) {
    if (start + i >= stop) return "more";
    if (bytes[start + i] !== HTTP[i]) return "bad-start-line";
  }
  const at = start + HTTP.length;
  if (at >= stop) return "more";
  if (bytes[at] !== 0x31) return isDigit(bytes[at]!) ? "unsupported-version" : "bad-start-line";
  if (at + 1 >= stop) return "more";
  if (bytes[at + 1] !== 0x2e) return "bad-start-line";
  if (at + 2 >= stop) return "more";
  if (bytes[at + 2] === 0x30 || bytes[at + 2] === 0x31) return "done";
  return isDigit(bytes[at + 2]!) ? "unsupported-version" : "bad-start-line";
}
