/**
 * Values of static records: from what users write to strict presentation form, with whole names (RFC 1035 §5.1, RFC 2782, RFC 8659).
 * Zone files' oldest trap, a whole name that forgot its last dot, is a fault here and not a name below the zone.
 */
import { type Decoded, decoded, fault } from "./fault.ts";
import type { StaticRecord } from "./inventory.ts";
import { formatIp, parseIpv4, parseIpv6 } from "./ip.ts";

type Reader = (text: string, domain: string) => Decoded<string>;

/**
 * Checks the value of one record.
 *
 * @param domain of the zone, without a trailing dot
 * @returns presentation form; names in it are whole, in lower case, and end with a dot
 */
export const parseRecordValue = (type: StaticRecord["type"], text: string, domain: string): Decoded<string> =>
  readers[type](text.trim(), domain);

const wrong = (message: string, remedy: string) => fault("record-value", message, remedy);

const readers: Readonly<Record<StaticRecord["type"], Reader>> = {
  A(text) {
    const bytes = parseIpv4(text);
    return bytes === undefined ? wrong("is not an IPv4 address", "Write it as in 192.0.2.10.") : decoded(formatIp({ family: 4, bytes }));
  },
  AAAA(text) {
    const bytes = parseIpv6(text);
    return bytes === undefined ? wrong("is not an IPv6 address", "Write it as in 2001:db8::10.") : decoded(formatIp({ family: 6, bytes }));
  },
  CNAME: (text, domain) => parseTarget(text, domain),
  DS: (text) => parseDs(text),
  NS: (text, domain) => parseTarget(text, domain),
  MX: (text, domain) => numbersAndTarget(text, ["a preference"], domain, "10 mail.example.org."),
  SRV: (text, domain) => numbersAndTarget(text, ["a priority", "a weight", "a port"], domain, "10 5 443 www.example.org."),
  TXT: (text) => parseTexts(text),
  CAA: (text) => parseCaa(text),
};

function numbersAndTarget(text: string, numbers: readonly string[], domain: string, example: string): Decoded<string> {
  const fields = text.split(/\s+/);
  const remedy = `Write it as in "${example}": ${numbers.join(", ")} and a name.`;
  if (fields.length !== numbers.length + 1) return wrong(`has ${fields.length} parts, and ${numbers.length + 1} are needed`, remedy);
  const target = fields.at(-1) ?? "";
  for (const [i, what] of numbers.entries()) {
    const field = fields[i] ?? "";
    if (!/^\d{1,5}$/.test(field) || Number(field) > 65_535) return wrong(`has ${field} where ${what} from 0 to 65535 belongs`, remedy);
  }
  // A lone dot says that there is no such service (RFC 7505, RFC 2782).
  const name = target === "." ? decoded(".") : parseTarget(target, domain);
  return "fault" in name ? name : decoded([...fields.slice(0, -1).map(Number), name.value].join(" "));
}

const targetForm = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

/** `@`, one label below the zone, or a whole name with its last dot. */
function parseTarget(text: string, domain: string): Decoded<string> {
  if (text === "@") return decoded(`${domain}.`);
  const whole = text.endsWith(".");
  const name = whole ? text.slice(0, -1) : text;
  if (!targetForm.test(name) || name.length > 253)
    return wrong("is not a host name", "Write it as in www.example.org., with its last dot.");
  if (/^[\d.]+$/.test(name)) return wrong("is an address where a name belongs", "Write a host name; addresses go into A and AAAA records.");
  if (whole) return decoded(text.toLowerCase());
  if (!name.includes(".")) return decoded(`${name.toLowerCase()}.${domain}.`);
  const below = name.toLowerCase().endsWith(domain) ? "" : `, or ${name}.${domain}. if it lies below the zone`;
  return wrong("does not end with a dot, so it could mean two names", `Write ${name}. with its last dot${below}.`);
}

/** One text without quotes, of any length; or several in double quotes, of at most 255 bytes each. */
function parseTexts(text: string): Decoded<string> {
  const escapes = [...text.matchAll(/\\(\d{3}|\D|)/g)].map(([, escaped]) => escaped);
  if (escapes.some((escaped) => escaped === "" || Number(escaped) > 255)) {
    return wrong("has a backslash that escapes nothing", String.raw`Write \\ for a backslash.`);
  }
  if (!text.startsWith('"')) return decoded(text);
  const texts = text.match(/"(?:[^"\\]|\\\d{3}|\\\D)*"/g) ?? [];
  if (texts.join("") !== text.replace(/"\s+"/g, '""')) {
    return wrong("has unbalanced quotes", String.raw`Write each text in double quotes, "one" "two", and a quote inside one as \".`);
  }
  const long = texts.map((quoted) => byteLength(quoted)).find((length) => length > 255);
  if (long !== undefined)
    return wrong(`has a quoted text of ${long} bytes`, "Split it into several of at most 255 bytes, or leave the quotes out.");
  return decoded(text);
}

const byteLength = (quoted: string): number => new TextEncoder().encode(quoted.slice(1, -1).replace(/\\(\d{3}|\D)/g, "x")).length;

function parseCaa(text: string): Decoded<string> {
  const example = 'Write it as in 0 issue "ca.example.org".';
  const [, flags = "", tag = "", rest = ""] = /^(\d+)\s+([A-Za-z0-9]+)\s+(.+)$/s.exec(text) ?? [];
  if (rest === "") return wrong("does not consist of flags, a tag and a value", example);
  if (Number(flags) > 255) return wrong(`has the flags ${flags}, and at most 255 is possible`, example);
  if (tag.length > 15) return wrong(`has the tag ${tag}, and tags have at most 15 characters`, example);
  const bare = rest.startsWith('"') && rest.endsWith('"') && rest.length > 1 ? rest.slice(1, -1) : rest;
  if (/["\\]/.test(bare)) return wrong("has quotes or backslashes inside its value", example);
  return decoded(`${Number(flags)} ${tag.toLowerCase()} "${bare}"`);
}

/** Digits of a digest, two a byte, by digest type (RFC 3658, RFC 4509, RFC 6605). */
const DIGEST_DIGITS: Readonly<Record<number, number>> = { 1: 40, 2: 64, 4: 96 };

/** As the child zone's operator gives it; groups of digits are joined. */
function parseDs(text: string): Decoded<string> {
  const remedy =
    "Copy it from the child zone's operator: key tag, algorithm, digest type and digest, as in 12345 13 2 and 64 hexadecimal digits.";
  const [tag = "", algorithm = "", type = "", ...groups] = text.split(/\s+/);
  const digest = groups.join("").toLowerCase();
  const inRange = (field: string, most: number) => /^\d{1,5}$/.test(field) && Number(field) <= most;
  if (!inRange(tag, 65_535) || !inRange(algorithm, 255) || !inRange(type, 255))
    return wrong("does not begin with a key tag, an algorithm and a digest type", remedy);
  if (!/^([0-9a-f]{2})+$/.test(digest)) return wrong("has no digest of hexadecimal digits, two for each byte", remedy);
  const digits = DIGEST_DIGITS[Number(type)];
  if (digits !== undefined && digest.length !== digits)
    return wrong(`has a digest of ${digest.length} digits, and one of type ${Number(type)} has ${digits}`, remedy);
  return decoded(`${Number(tag)} ${Number(algorithm)} ${Number(type)} ${digest}`);
}
