/**
 * RDATA of SVCB and HTTPS records (RFC 9460 §2).
 *
 * ```
 * 0001 00  0001 0006 02 6832 02 6833      priority, target `.`, alpn=h2,h3
 * ```
 */
import { formatIp } from "../../model/ip.ts";
import { decodeName, formatByte } from "./name.ts";

/** Keys whose values are written in a form of their own (RFC 9460 §14.3.2). */
const KEYS = ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint"] as const;
const ALPN = 1;

/**
 * Presentation text (RFC 9460 §2.1, Appendix A): `1 . alpn=h2,h3`. Values are quoted only where they must be.
 *
 * @returns undefined when the RDATA does not have this form
 */
export function formatSvcb(message: Uint8Array, start: number, end: number): string | undefined {
  const target = end - start >= 3 ? decodeName(message, start + 2, end) : undefined;
  if (target === undefined) return undefined;
  const words = [`${word(message, start)}`, target.name === "." ? "." : `${target.name}.`];
  let last = -1;
  for (let at = target.end; at < end; ) {
    if (end - at < 4) return undefined;
    const [key, valueEnd] = [word(message, at), at + 4 + word(message, at + 2)];
    const value = valueEnd <= end && key > last ? formatValue(key, message.subarray(at + 4, valueEnd)) : undefined;
    if (value === undefined) return undefined;
    words.push(`${KEYS[key] ?? `key${key}`}${value === "" ? "" : `=${value}`}`);
    last = key;
    at = valueEnd;
  }
  return words.join(" ");
}

/** @returns undefined when it does not have the form of its key */
function formatValue(key: number, value: Uint8Array): string | undefined {
  switch (KEYS[key]) {
    case "mandatory": {
      const keys = pieces(value, 2)?.map((bytes) => word(bytes, 0));
      return keys?.map((one) => KEYS[one] ?? `key${one}`).join(",");
    }
    case "alpn":
      return formatIds(value);
    case "port":
      return value.length === 2 ? `${word(value, 0)}` : undefined;
    case "ipv4hint":
      return pieces(value, 4)
        ?.map((bytes) => formatIp({ family: 4, bytes }))
        .join(",");
    case "ipv6hint":
      return pieces(value, 16)
        ?.map((bytes) => formatIp({ family: 6, bytes }))
        .join(",");
    case "ech":
      return btoa(String.fromCharCode(...value));
    default:
      return value.length === 0 ? "" : `"${Array.from(value, (byte) => formatByte(byte, '"\\')).join("")}"`;
  }
}

/** Ids in which commas are no separators are escaped twice, as a list and as text (RFC 9460 Appendix A.1). */
function formatIds(value: Uint8Array): string | undefined {
  const ids: string[] = [];
  for (let at = 0; at < value.length; ) {
    const end = at + 1 + value[at]!;
    if (end > value.length || end === at + 1) return undefined;
    ids.push(Array.from(value.subarray(at + 1, end), (byte) => ESCAPED[byte] ?? formatByte(byte, '"')).join(""));
    at = end;
  }
  const text = ids.join(",");
  return /^[A-Za-z0-9/._,-]+$/.test(text) ? text : `"${text}"`;
}

const ESCAPED: Readonly<Record<number, string>> = { 44: "\\\\,", 92: "\\\\\\\\" };

function pieces(value: Uint8Array, size: number): readonly Uint8Array[] | undefined {
  if (value.length === 0 || value.length % size !== 0) return undefined;
  return Array.from({ length: value.length / size }, (_, i) => value.slice(i * size, (i + 1) * size));
}

/** HTTPS data in service mode for the owner itself, without hints; {@link encodeAlpn} reads it. @param ids of ALPN, plain ones such as `h2` */
export const formatAlpn = (ids: readonly string[]): string => `1 . alpn=${ids.join(",")}`;

/** @param text as {@link formatAlpn} makes it @returns undefined for any other */
export function encodeAlpn(text: string): Uint8Array | undefined {
  const ids = /^1 \. alpn=([A-Za-z0-9/._-]+(?:,[A-Za-z0-9/._-]+)*)$/.exec(text)?.[1]?.split(",");
  if (ids === undefined || ids.some(({ length }) => length > 255)) return undefined;
  const value = ids.flatMap((id) => [id.length, ...new TextEncoder().encode(id)]);
  return Uint8Array.of(0, 1, 0, 0, ALPN, value.length >>> 8, value.length, ...value);
}

const word = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
