/**
 * The heads that are sent on. Fields that are kept go on as they came, in their order; those about framing, connection, host and client are
 * written anew, from what was understood of them.
 *
 * No `Via` is added (RFC 9110 §7.6.3 wants one): like HAProxy and Envoy, because some servers turn compression off when they see it.
 */
import { listedNames } from "./connection-options.ts";
import { FieldKind } from "./field-kind.ts";
import { type Fields, lineEndOf, nameEndOf, nameStartOf } from "./fields.ts";
import type { BodyKind, Framing } from "./framing.ts";
import type { RequestFacts } from "./request.ts";
import type { RequestHead } from "./request-head.ts";
import type { RequestOrigin } from "./request-origin.ts";
import type { ResponseHead } from "./response-head.ts";

const KINDS = Object.keys(FieldKind).length;
const tableOf = (kinds: readonly FieldKind[]): Uint8Array =>
  Uint8Array.from({ length: KINDS }, (_, kind) => (kinds.some((one) => one === kind) ? 1 : 0));

const KEPT_IN_REQUESTS = tableOf([FieldKind.Other, FieldKind.LoadReport, FieldKind.Authenticate]);
const KEPT_IN_RESPONSES = tableOf([
  FieldKind.Other,
  FieldKind.Host,
  FieldKind.Expect,
  FieldKind.ForwardedFor,
  FieldKind.ForwardedProto,
  FieldKind.ForwardedHost,
  FieldKind.Forwarded,
  FieldKind.Alias,
  FieldKind.Authenticate,
]);

/**
 * A request as it goes to an endpoint: the target as a path (RFC 9112 §3.2.1), one Host, and whom it is from.
 *
 * @returns Latin-1: a character a byte
 */
export function formatRequestHead(
  bytes: Buffer,
  head: RequestHead,
  facts: RequestFacts,
  { authority, lines }: Pick<RequestOrigin, "authority" | "lines">,
): string {
  const { framing, target, upgrades } = facts;
  const path = bytes.toString("latin1", target.pathStart, head.targetEnd);
  const kept = keptLines(head.fields, bytes, framing.connection.others, KEPT_IN_REQUESTS, -1);
  // the absence of a length says the same, but for methods that usually have a body servers ask for it (RFC 9110 §8.6)
  const length = framing.length >= 0 ? `Content-Length: ${framing.length}\r\n` : "";
  const body = framing.body === "chunked" ? CHUNKED : length;
  const upgrade = upgrades ? UPGRADE : "";
  return `${head.method.name} ${target.prefix}${path} HTTP/1.1\r\nHost: ${authority}\r\n${kept}${lines}${body}${upgrade}\r\n`;
}

const CHUNKED = "Transfer-Encoding: chunked\r\n";
const UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

/** Whom a response goes to. */
export interface ResponseReader {
  /** HTTP/1.1 or HTTP/1.0. */
  readonly minor: 0 | 1;
  /** The connection goes on afterwards. */
  readonly keepAlive: boolean;
}

/** How a body is sent to a client: of a length that is not known, chunked; to HTTP/1.0, which has no chunks, until the connection closes. */
export function responseBody({ body }: Framing, minor: 0 | 1): BodyKind {
  if (body === "none" || body === "length") return body;
  return minor === 1 ? "chunked" : "until-close";
}

/** A response as it goes to the client. A switch of protocols (101) says so; other interim responses (1xx) speak of no body. */
export function formatResponseHead(bytes: Buffer, head: ResponseHead, framing: Framing, { minor, keepAlive }: ResponseReader): string {
  const hasReason = head.statusEnd - head.statusStart > 3; // or the space before it, which some leave out
  const status = hasReason ? "" : `${head.status} \r\n`;
  const kept = keptLines(head.fields, bytes, framing.connection.others, KEPT_IN_RESPONSES, hasReason ? head.statusStart : -1);
  const line = `HTTP/1.1 ${status}${kept}`;
  if (head.status < 200) return `${line}${head.status === 101 ? UPGRADE : ""}\r\n`;
  const body = responseBody(framing, minor);
  const hasLength = framing.length >= 0 && head.status !== 204;
  const length = body === "chunked" ? CHUNKED : hasLength ? `Content-Length: ${framing.length}\r\n` : "";
  const connection = keepAlive ? (minor === 0 ? "Connection: keep-alive\r\n" : "") : "Connection: close\r\n";
  return `${line}${length}${connection}\r\n`;
}

const NOTHING: ReadonlySet<string> = new Set();
const nameOf = (fields: Fields, bytes: Buffer, field: number): string =>
  bytes.toString("latin1", nameStartOf(fields, field), nameEndOf(fields, field)).toLowerCase();

/**
 * The lines of fields whose kind is kept and which the Connection field does not list, copied in runs as long as they come.
 *
 * @param start of what stands before them and is kept, too; -1: nothing
 */
function keptLines(fields: Fields, bytes: Buffer, hasListed: boolean, keeps: Uint8Array, start: number): string {
  const listed = hasListed ? listedNames(fields, bytes) : NOTHING;
  let lines = "";
  let runStart = start;
  for (let field = 0; field < fields.count; field++) {
    const isKept = keeps[fields.kinds[field]!] === 1 && !(hasListed && listed.has(nameOf(fields, bytes, field)));
    if (isKept && runStart < 0) runStart = nameStartOf(fields, field);
    if (!isKept && runStart >= 0) {
      lines += bytes.toString("latin1", runStart, nameStartOf(fields, field));
      runStart = -1;
    }
  }
  if (runStart >= 0) lines += bytes.toString("latin1", runStart, lineEndOf(fields, fields.count - 1));
  return lines;
}
