/** `Host` and the authority of a target (RFC 9110 §4.2, §7.2): a name or an address, and perhaps a port. */
import { COLON, HEX_VALUE, HOST_NAME, isDigit } from "./characters.ts";

const OPEN = 0x5b;
const CLOSE = 0x5d;
const DOT = 0x2e;
const LONGEST_PORT = 5;

/**
 * Where the host ends and `:port` begins.
 *
 * @returns `end` when there is no port; -1 when the bytes are no host: empty, with user information, a list, an escape
 */
export function hostEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  if (at < end && bytes[at] === OPEN) {
    at++;
    while (at < end && (HEX_VALUE[bytes[at]!] !== 255 || bytes[at] === COLON || bytes[at] === DOT)) at++;
    if (at === end || bytes[at] !== CLOSE || at === start + 1) return -1;
    at++;
  } else {
    while (at < end && HOST_NAME[bytes[at]!] === 1) at++;
    if (at === start) return -1;
  }
  const hostStop = at;
  if (at === end) return hostStop;
  if (bytes[at] !== COLON || end - at - 1 > LONGEST_PORT) return -1;
  while (++at < end) if (!isDigit(bytes[at]!)) return -1;
  return hostStop;
}

/** The host to route by: lower case, without port and final dot. The bytes are what {@link hostEnd} accepted. */
export function hostName(bytes: Buffer, start: number, end: number): string {
  const stop = hostEnd(bytes, start, end);
  const name = bytes.toString("latin1", start, stop > start + 1 && bytes[stop - 1] === DOT ? stop - 1 : stop);
  return name.toLowerCase();
}
