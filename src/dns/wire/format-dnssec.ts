/** RDATA of DNSSEC records as presentation text (RFC 4034 §2.2, §3.2, §4.2, §5.3; RFC 7344). */
import { typeName } from "./codes.ts";
import { decodeName } from "./name.ts";

/** `257 3 13 mdsswUyr…`: flags, protocol, algorithm, key. @returns undefined when it is too short */
export function formatDnskey(rdata: Uint8Array): string | undefined {
  return rdata.length < 5 ? undefined : `${word(rdata, 0)} ${rdata[2]} ${rdata[3]} ${base64(rdata.subarray(4))}`;
}

/** `55648 13 2 b4c8c1fe…`: key tag, algorithm, digest type, digest. @returns undefined when it is too short */
export function formatDs(rdata: Uint8Array): string | undefined {
  return rdata.length < 5 ? undefined : `${word(rdata, 0)} ${rdata[2]} ${rdata[3]} ${hexOf(rdata.subarray(4))}`;
}

/** `A 13 3 3600 20100909100439 20100812100439 55648 example.net. qx6wLYqm…` @returns undefined when malformed */
export function formatRrsig(rdata: Uint8Array): string | undefined {
  const signer = rdata.length < 19 ? undefined : decodeName(rdata, 18);
  if (signer === undefined) return undefined;
  const numbers = `${rdata[2]} ${rdata[3]} ${long(rdata, 4)} ${formatTime(long(rdata, 8))} ${formatTime(long(rdata, 12))} ${word(rdata, 16)}`;
  const name = signer.name === "." ? "." : `${signer.name}.`;
  return `${typeName(word(rdata, 0))} ${numbers} ${name} ${base64(rdata.subarray(signer.end))}`;
}

/** `\000.www.example.org. A RRSIG NSEC` @returns undefined when the name or the bit maps are malformed */
export function formatNsec(rdata: Uint8Array): string | undefined {
  const next = decodeName(rdata, 0);
  const types = next === undefined ? undefined : decodeTypeBitmap(rdata.subarray(next.end));
  if (next === undefined || types === undefined) return undefined;
  return [next.name === "." ? "." : `${next.name}.`, ...types.map(typeName)].join(" ");
}

/** Types of an NSEC record's bit maps, lowest first (RFC 4034 §4.1.2). @returns undefined when malformed */
export function decodeTypeBitmap(bytes: Uint8Array): readonly number[] | undefined {
  const types: number[] = [];
  let last = -1;
  for (let at = 0; at < bytes.length; ) {
    const window = bytes[at]!;
    const length = bytes[at + 1] ?? 0;
    if (window <= last || length < 1 || length > 32 || at + 2 + length > bytes.length) return undefined;
    for (let bit = 0; bit < 8 * length; bit++)
      if ((bytes[at + 2 + (bit >>> 3)]! & (0x80 >>> (bit & 7))) !== 0) types.push(256 * window + bit);
    last = window;
    at += 2 + length;
  }
  return types;
}

const word = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
const long = (bytes: Uint8Array, at: number): number => word(bytes, at) * 0x1_0000 + word(bytes, at + 2);
const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

/** `YYYYMMDDHHmmSS`, UTC (RFC 4034 §3.2). */
const formatTime = (seconds: number): string => new Date(1000 * seconds).toISOString().slice(0, 19).replaceAll(/[-T:]/g, "");
