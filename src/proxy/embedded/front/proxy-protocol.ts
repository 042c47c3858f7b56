/**
 * The header that a load balancer without HTTP puts before a connection's first byte, to say whom it accepted the connection from (PROXY
 * protocol, versions 1 and 2, https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
 *
 *     PROXY TCP4 192.0.2.1 198.51.100.1 50000 443 CR LF              version 1
 *
 *     0d0a0d0a000d0a515549540a  21   11   000c  c0000201 c6336401 c350 01bb
 *     signature (12)            cmd  fam  len   source   destination, ports; then TLVs    version 2
 */
import { formatIp, parseIp, unmapped } from "../../../model/ip.ts";

export type ProxyHeader =
  | { readonly kind: "more" }
  /** `length` bytes are the header's. `source`: the client's address; undefined when the connection is the balancer's own, or of no IP. */
  | { readonly kind: "done"; readonly length: number; readonly source: string | undefined }
  /** It is none, and the connection cannot be read. */
  | { readonly kind: "bad" };

const SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const WORD = "PROXY ";
/** CR LF included (§2.1). */
const LONGEST_TEXT = 107;
const FIXED = 16;
/** Addresses and TLVs: the few that are in use take some hundred bytes. */
const MOST_BINARY = 4096;

const MORE: ProxyHeader = { kind: "more" };
const BAD: ProxyHeader = { kind: "bad" };

/**
 * Reads the header at the beginning of what has arrived; after "more" call again with more. Each header has one reading: what is not exactly
 * as the specification has it is "bad". Never throws.
 */
export function parseProxyHeader(bytes: Uint8Array): ProxyHeader {
  if (bytes.length === 0) return MORE;
  return bytes[0] === SIGNATURE[0] ? parseBinary(bytes) : parseText(bytes);
}

function parseText(bytes: Uint8Array): ProxyHeader {
  for (let i = 0; i < WORD.length; i++) {
    if (i === bytes.length) return MORE;
    if (bytes[i] !== WORD.charCodeAt(i)) return BAD;
  }
  const end = bytes.subarray(0, LONGEST_TEXT).indexOf(0x0a);
  if (end < 0) return bytes.length < LONGEST_TEXT ? MORE : BAD;
  const line = String.fromCharCode(...bytes.subarray(0, end + 1));
  if (!/^[\x20-\x7e]*\r\n$/.test(line)) return BAD;
  const [, protocol, source = "", destination = "", ...ports] = line.slice(0, -2).split(" ");
  if (protocol === "UNKNOWN") return { kind: "done", length: end + 1, source: undefined };
  const family = protocol === "TCP4" ? 4 : protocol === "TCP6" ? 6 : undefined;
  const from = parseIp(source);
  const isWhole = ports.length === 2 && ports.every(isPort) && from?.family === family && parseIp(destination)?.family === family;
  return isWhole && from !== undefined ? { kind: "done", length: end + 1, source: textOf(from.bytes) } : BAD;
}

const isPort = (text: string): boolean => /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;

const [LOCAL, PROXY] = [0x20, 0x21];
const [UNSPECIFIED, TCP4, TCP6, UNIX] = [0x00, 0x11, 0x21, 0x31];

function parseBinary(bytes: Uint8Array): ProxyHeader {
  for (let i = 0; i < SIGNATURE.length; i++) {
    if (i === bytes.length) return MORE;
    if (bytes[i] !== SIGNATURE[i]) return BAD;
  }
  if (bytes.length < FIXED) return MORE;
  const [command, family] = [bytes[12]!, bytes[13]!];
  const rest = (bytes[14]! << 8) | bytes[15]!;
  if ((command !== LOCAL && command !== PROXY) || rest > MOST_BINARY) return BAD;
  const size = family === TCP4 ? 4 : family === TCP6 ? 16 : 0;
  // whoever speaks for itself may write any family, and it is to be passed over (§2.2)
  if (command === PROXY && size === 0 && family !== UNSPECIFIED && family !== UNIX) return BAD;
  if (command === PROXY && size > 0 && rest < 2 * size + 4) return BAD;
  if (bytes.length < FIXED + rest) return MORE;
  const source = command === PROXY && size > 0 ? textOf(bytes.subarray(FIXED, FIXED + size)) : undefined;
  return { kind: "done", length: FIXED + rest, source };
}

/** An IPv4 address in IPv6's clothes is told as what it is, as everywhere else. */
const textOf = (bytes: Uint8Array): string => formatIp(unmapped({ family: bytes.length === 4 ? 4 : 6, bytes }));
