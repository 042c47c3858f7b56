/** RDATA of a received record as presentation text. */
import { formatIp } from "../../model/ip.ts";
import { Type } from "./codes.ts";
import { formatDnskey, formatDs, formatNsec, formatRrsig } from "./format-dnssec.ts";
import { decodeName, formatByte } from "./name.ts";
import { formatSvcb } from "./svcb.ts";

/**
 * Presentation form for the types this program serves, RFC 3597 `\\# length hex` for others.
 *
 * @param start where RDATA begins in its message (names in it may point back), `end` is behind it
 * @returns undefined when the RDATA does not have the form of its type
 */
export function formatRdata(message: Uint8Array, type: number, start: number, end: number): string | undefined {
  const rdata = message.subarray(start, end);
  const word = (at: number): number => (rdata[at]! << 8) | rdata[at + 1]!;
  const long = (at: number): number => word(at) * 0x1_0000 + word(at + 2);
  switch (type) {
    case Type.A:
      return rdata.length === 4 ? formatIp({ family: 4, bytes: rdata }) : undefined;
    case Type.AAAA:
      return rdata.length === 16 ? formatIp({ family: 6, bytes: rdata }) : undefined;
    case Type.NS:
    case Type.CNAME:
      return formatNameAt(message, start, end);
    case Type.MX:
      return prefixed(rdata.length >= 2 ? `${word(0)}` : undefined, formatNameAt(message, start + 2, end));
    case Type.SRV:
      return prefixed(rdata.length >= 6 ? `${word(0)} ${word(2)} ${word(4)}` : undefined, formatNameAt(message, start + 6, end));
    case Type.SOA: {
      const mname = decodeName(message, start, end);
      const rname = mname && decodeName(message, mname.end, end);
      if (mname === undefined || rname === undefined || rname.end + 20 !== end) return undefined;
      const numbers = [0, 4, 8, 12, 16].map((at) => long(rname.end - start + at));
      return `${dotted(mname.name)} ${dotted(rname.name)} ${numbers.join(" ")}`;
    }
    case Type.TXT:
      return formatStrings(rdata, 1);
    case Type.HINFO:
      return formatStrings(rdata, 2);
    case Type.CAA: {
      const tagEnd = 2 + (rdata[1] ?? 0);
      if (rdata.length < 3 || tagEnd > rdata.length) return undefined;
      return `${rdata[0]} ${new TextDecoder().decode(rdata.subarray(2, tagEnd))} ${quote(rdata.subarray(tagEnd))}`;
    }
    case Type.DS:
    case Type.CDS:
      return formatDs(rdata);
    case Type.DNSKEY:
    case Type.CDNSKEY:
      return formatDnskey(rdata);
    case Type.RRSIG:
      return formatRrsig(rdata);
    case Type.NSEC:
      return formatNsec(rdata);
    case Type.HTTPS:
      return formatSvcb(message, start, end);
    default:
      return `\\# ${rdata.length}${rdata.length === 0 ? "" : " "}${Array.from(rdata, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  }
}

const dotted = (name: string): string => (name === "." ? name : `${name}.`);
const prefixed = (prefix: string | undefined, name: string | undefined): string | undefined =>
  prefix === undefined || name === undefined ? undefined : `${prefix} ${name}`;

function formatNameAt(message: Uint8Array, start: number, end: number): string | undefined {
  const name = decodeName(message, start, end);
  return name?.end === end ? dotted(name.name) : undefined;
}

/** Character-strings, at least `least` of them. */
function formatStrings(rdata: Uint8Array, least: number): string | undefined {
  const texts: string[] = [];
  for (let at = 0; at < rdata.length; ) {
    const end = at + 1 + rdata[at]!;
    if (end > rdata.length) return undefined;
    texts.push(quote(rdata.subarray(at + 1, end)));
    at = end;
  }
  return texts.length < least ? undefined : texts.join(" ");
}

const quote = (bytes: Uint8Array): string => `"${Array.from(bytes, (byte) => (byte === 0x20 ? " " : formatByte(byte, '"\\'))).join("")}"`;
