/** The `Connection` field (RFC 9110 §7.6.1): what the sender wants of this connection, and which of its fields are for this connection only. */
import { isOws, isWord, TOKEN, wordBytes } from "./characters.ts";
import { FieldKind } from "./field-kind.ts";
import { type Fields, valueEndOf, valueStartOf } from "./fields.ts";

/** Used again for every message of a connection. */
export interface ConnectionOptions {
  close: boolean;
  keepAlive: boolean;
  upgrade: boolean;
  /** It lists something else, perhaps fields: {@link isListed} tells. */
  others: boolean;
}

export const newConnectionOptions = (): ConnectionOptions => ({ close: false, keepAlive: false, upgrade: false, others: false });

export function clearConnectionOptions(options: ConnectionOptions): void {
  options.close = false;
  options.keepAlive = false;
  options.upgrade = false;
  options.others = false;
}

const CLOSE = wordBytes("close");
const KEEP_ALIVE = wordBytes("keep-alive");
const UPGRADE = wordBytes("upgrade");
const COMMA = 0x2c;

/** Adds what one `Connection` value says. Items that are no tokens say nothing. */
export function readConnectionOptions(options: ConnectionOptions, bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; ) {
    const stop = tokenEnd(bytes, at, end);
    if (isWord(bytes, at, stop, KEEP_ALIVE)) options.keepAlive = true;
    else if (isWord(bytes, at, stop, CLOSE)) options.close = true;
    else if (isWord(bytes, at, stop, UPGRADE)) options.upgrade = true;
    else if (stop > at) options.others = true;
    at = nextItem(bytes, stop, end);
  }
}

/**
 * What the `Connection` fields of a head list, lower case. Asked only where there are {@link ConnectionOptions.others}. Read once for a head: for
 * each of its fields anew, a list of thousands would cost as many milliseconds.
 */
export function listedNames(fields: Fields, bytes: Buffer): ReadonlySet<string> {
  const names = new Set<string>();
  for (let i = 0; i < fields.count; i++) {
    if (fields.kinds[i] !== FieldKind.Connection) continue;
    const end = valueEndOf(fields, i);
    for (let at = valueStartOf(fields, i); at < end; ) {
      const stop = tokenEnd(bytes, at, end);
      names.add(bytes.toString("latin1", at, stop).toLowerCase());
      at = nextItem(bytes, stop, end);
    }
  }
  return names;
}

function tokenEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && TOKEN[bytes[at]!] === 1) at++;
  return at;
}

/** Behind the next comma and the white space there. */
function nextItem(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== COMMA) at++;
  at++;
  while (at < end && isOws(bytes[at]!)) at++;
  return at;
}
