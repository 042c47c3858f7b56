/**
 * A response's head (RFC 9112 §4, §5), read as it arrives, as {@link file://./request-head.ts} does for requests.
 *
 *     HTTP/1.1 200 OK CR LF    minor version, status; the reason is kept as offsets
 */
import { CR, FIELD_VALUE, isDigit, LF, SP } from "./characters.ts";
import type { Progress } from "./faults.ts";
import { type Fields, type HeadLimits, newFields, parseFields } from "./fields.ts";
import { parseVersion, VERSION_LENGTH } from "./request-head.ts";

/** Used again for every response of a connection. */
export interface ResponseHead {
  readonly limits: HeadLimits;
  readonly fields: Fields;
  /** The first line is read, fields follow. */
  inFields: boolean;
  minor: 0 | 1;
  /** 100 to 599 (RFC 9110 §15). */
  status: number;
  /** The status line from the status on: `200 OK`. */
  statusStart: number;
  statusEnd: number;
}

export function newResponseHead(limits: HeadLimits): ResponseHead {
  return { limits, fields: newFields(limits), inFields: false, minor: 1, status: 0, statusStart: 0, statusEnd: 0 };
}

/** Forgets the response before. */
export function restartResponseHead(head: ResponseHead): void {
  head.inFields = false;
  head.fields.count = 0;
  head.fields.at = 0;
}

/** As parseRequestHead. A missing space behind the status is forgiven (RFC 9112 §4): many servers leave it out with the reason. */
export function parseResponseHead(head: ResponseHead, bytes: Uint8Array, end: number): Progress {
  const { limits, fields } = head;
  const stop = Math.min(end, limits.bytes);
  let progress: Progress = head.inFields ? "done" : parseStatusLine(head, bytes, stop);
  if (progress === "done") {
    head.inFields = true;
    progress = parseFields(fields, bytes, stop);
  }
  return progress === "more" && stop === limits.bytes ? "head-too-large" : progress;
}

function parseStatusLine(head: ResponseHead, bytes: Uint8Array, stop: number): Progress {
  const version = parseVersion(bytes, 0, stop);
  if (version !== "done") return version;
  let at = VERSION_LENGTH;
  if (at === stop) return "more";
  if (bytes[at] !== SP) return "bad-start-line";
  const statusStart = ++at;
  let status = 0;
  for (; at < statusStart + 3; at++) {
    if (at === stop) return "more";
    if (!isDigit(bytes[at]!)) return "bad-status";
    status = 10 * status + bytes[at]! - 0x30;
  }
  if (status < 100 || status > 599) return "bad-status";
  if (at === stop) return "more";
  if (bytes[at] !== SP && bytes[at] !== CR) return "bad-status";
  while (at < stop && FIELD_VALUE[bytes[at]!] === 1) at++;
  if (at === stop) return "more";
  if (bytes[at] !== CR) return bytes[at] === LF ? "bad-line-end" : "bad-start-line";
  if (at + 1 === stop) return "more";
  if (bytes[at + 1] !== LF) return "bad-line-end";
  head.minor = bytes[VERSION_LENGTH - 1] === 0x31 ? 1 : 0;
  head.status = status;
  head.statusStart = statusStart;
  head.statusEnd = at;
  head.fields.at = at + 2;
  return "done";
}
