/** RDATA between presentation text, as a zone file has it, and wire (RFC 1035 §3.3, §5; RFC 2782; RFC 3596; RFC 8659). */
import { type Decoded, decoded, fault } from "../../model/fault.ts";
import type { StaticRecord, Zone } from "../../model/inventory.ts";
import { parseIpv4, parseIpv6 } from "../../model/ip.ts";
import { Type } from "./codes.ts";
import { encodeName, readEscape } from "./name.ts";

/** Longest character-string (RFC 1035 §3.3). */
const MAX_STRING = 255;
const MAX_RDATA = 0xffff;

/**
 * Encodes one record's RDATA; names in it are not compressed.
 *
 * @param text   the form after the type in a zone file: `10 mail.example.org.` for MX
 * @param origin domain of the zone: names without a trailing dot are below it, `@` is the domain itself
 */
export function encodeRdata(type: StaticRecord["type"], text: string, origin: string): Decoded<Uint8Array> {
  const data = encoders[type](text.trim(), origin);
  if (data === undefined) return fault("record-value", `is no value of ${type}`, `Write it as in ${examples[type]}.`);
  if (data.length > MAX_RDATA) return fault("record-value", `is longer than ${MAX_RDATA} bytes`, "Split it over several records.");
  return decoded(data);
}

const examples: Readonly<Record<StaticRecord["type"], string>> = {
  A: "192.0.2.10",
  AAAA: "2001:db8::10",
  CAA: '0 issue "ca.example.org"',
  CNAME: "www.example.org.",
  DS: `12345 13 2 ${"0123456789abcdef".repeat(4)}`,
  MX: "10 mail.example.org.",
  NS: "ns1.example.org.",
  SRV: "10 5 443 www.example.org.",
  TXT: 'v=spf1 -all, or several texts of up to 255 bytes in double quotes: "one" "two"',
};

type Encoder = (text: string, origin: string) => Uint8Array | undefined;

const encoders: Readonly<Record<StaticRecord["type"], Encoder>> = {
  A: (text) => parseIpv4(text),
  AAAA: (text) => parseIpv6(text),
  CAA: encodeCaa,
  CNAME: encodeTarget,
  DS: encodeDsText,
  MX: (text, origin) => encodeNumbersAndTarget(text, 1, origin),
  NS: encodeTarget,
  SRV: (text, origin) => encodeNumbersAndTarget(text, 3, origin),
  TXT: (text) => encodeTexts(text),
};

/** A name of RDATA, relative to the origin unless it ends with a dot. */
export function encodeTarget(text: string, origin: string): Uint8Array | undefined {
  if (text === "@") return encodeName(origin);
  if (/\s/.test(text) || text === "") return undefined;
  const absolute = text.endsWith(".") && !/(^|[^\\])(\\\\)*\\\.$/.test(text); // `\.` at the end is a byte of the label
  return encodeName(absolute ? text : `${text}.${origin}`);
}

/** MX and SRV: 16-bit numbers, then a name. */
function encodeNumbersAndTarget(text: string, numbers: number, origin: string): Uint8Array | undefined {
  const fields = text.split(/\s+/);
  if (fields.length !== numbers + 1) return undefined;
  const target = encodeTarget(fields[numbers]!, origin);
  const values = fields.slice(0, numbers).map((field) => parseNumber(field, 0xffff));
  if (target === undefined || values.includes(undefined)) return undefined;
  return concat([...values.map((value) => uint16(value!)), target]);
}

/** `12345 13 2 01AB…`: key tag, algorithm, digest type, digest in hexadecimal digits, perhaps in groups (RFC 4034 §5.3). */
function encodeDsText(text: string): Uint8Array | undefined {
  const [tag = "", algorithm = "", digestType = "", ...groups] = text.split(/\s+/);
  const numbers = [parseNumber(tag, 0xffff), parseNumber(algorithm, 0xff), parseNumber(digestType, 0xff)] as const;
  const digest = groups.join("");
  if (numbers.includes(undefined) || !/^([0-9a-fA-F]{2})+$/.test(digest)) return undefined;
  const bytes = Uint8Array.from(digest.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return concat([uint16(numbers[0]!), Uint8Array.of(numbers[1]!, numbers[2]!), bytes]);
}

/** `0 issue "ca.example.org"`: flags, tag, value; the value's quotes may be left out (RFC 8659 §4.1). */
function encodeCaa(text: string): Uint8Array | undefined {
  const match = /^(\d{1,3})\s+([a-zA-Z0-9]{1,15})\s+(.+)$/s.exec(text);
  if (match === null) return undefined;
  const flags = parseNumber(match[1]!, 0xff);
  const texts = splitTexts(match[3]!);
  if (flags === undefined || texts?.length !== 1) return undefined;
  const tag = new TextEncoder().encode(match[2]!.toLowerCase());
  return concat([Uint8Array.of(flags, tag.length), tag, texts[0]!]);
}

/** Texts in quotes become one character-string each; text without quotes is one value, cut where a character-string must end. */
function encodeTexts(text: string): Uint8Array | undefined {
  const texts = splitTexts(text);
  if (texts === undefined) return undefined;
  const quoted = text.startsWith('"');
  if (quoted && texts.some((one) => one.length > MAX_STRING)) return undefined;
  const strings = texts.flatMap((one) => (one.length === 0 ? [one] : chunks(one, MAX_STRING)));
  return concat(strings.flatMap((one) => [Uint8Array.of(one.length), one]));
}

function chunks(bytes: Uint8Array, size: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) out.push(bytes.subarray(at, at + size));
  return out;
}

/** `"a b" "c"` → two texts; anything that does not begin with a quote → one text, spaces kept. Undefined when a quote or escape is not closed. */
function splitTexts(text: string): Uint8Array[] | undefined {
  if (!text.startsWith('"')) {
    const whole = readText(text, 0, undefined);
    return whole === undefined ? undefined : [whole.bytes];
  }
  const texts: Uint8Array[] = [];
  for (let at = 0; at < text.length; ) {
    if (/\s/.test(text[at]!)) {
      at++;
      continue;
    }
    const one = text[at] === '"' ? readText(text, at + 1, '"') : undefined;
    if (one === undefined) return undefined;
    texts.push(one.bytes);
    at = one.end;
  }
  return texts;
}

function readText(
  text: string,
  start: number,
  close: string | undefined,
): { readonly bytes: Uint8Array; readonly end: number } | undefined {
  const bytes: number[] = [];
  const utf8 = new TextEncoder();
  for (let at = start; at < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(at)!);
    if (character === close) return { bytes: Uint8Array.from(bytes), end: at + 1 };
    if (character === "\\") {
      const escaped = readEscape(text, at);
      if (escaped === undefined) return undefined;
      bytes.push(escaped.byte);
      at = escaped.end;
    } else {
      const code = character.charCodeAt(0);
      if (code < 0x80) bytes.push(code);
      else bytes.push(...utf8.encode(character)); // a call for each ASCII character was most of the time of a large update
      at += character.length;
    }
  }
  return close === undefined ? { bytes: Uint8Array.from(bytes), end: text.length } : undefined;
}

function parseNumber(text: string, max: number): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= max ? Number(text) : undefined;
}

/** @param serial 32 bits; it wraps (RFC 1982). @returns undefined when MNAME or RNAME is no domain name */
export function encodeSoa(soa: Zone["soa"], serial: number): Uint8Array | undefined {
  const mname = encodeName(soa.mname);
  const rname = encodeMailbox(soa.rname);
  if (mname === undefined || rname === undefined) return undefined;
  const numbers = [serial, soa.refresh, soa.retry, soa.expire, soa.minimum];
  return concat([mname, rname, ...numbers.map(uint32)]);
}

/** `first.last@example.org` as a name: dots of the local part are escaped (RFC 1035 §8). A text without `@` is such a name already. */
function encodeMailbox(text: string): Uint8Array | undefined {
  const at = text.indexOf("@");
  return encodeName(at < 0 ? text : `${text.slice(0, at).replaceAll(".", "\\.")}.${text.slice(at + 1)}`);
}

const uint16 = (value: number): Uint8Array => Uint8Array.of(value >>> 8, value);
const uint32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);

export interface RecordHead {
  readonly type: number;
  readonly ttl: number;
}

/** A whole record of class IN. */
export function encodeRecord(owner: Uint8Array, { type, ttl }: RecordHead, rdata: Uint8Array): Uint8Array {
  return concat([owner, uint16(type), uint16(1), uint32(ttl), uint16(rdata.length), rdata]);
}

export const typeCode = (type: StaticRecord["type"]): number => Type[type];

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
