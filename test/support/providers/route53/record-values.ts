/**
 * Which values are valid for a type.
 *
 * @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html
 */
import { isIPv4, isIPv6 } from "node:net";
import { MAX_VALUE_CHARACTERS } from "./limits.ts";
import { normaliseName } from "./names.ts";
import type { RecordType } from "./record-set.ts";

const QUOTED = /"((?:[^"\\]|\\[^0-7]|\\[0-3][0-7]{2})*)"/y;
const MAX_CHARACTER_STRING = 255;

/** @returns what is wrong, as `Name (explanation)`; undefined when nothing is */
export function valueProblem(type: RecordType, value: string): string | undefined {
  if (value === "") return "ARRDATAEmpty (Value is empty)";
  if (value.length > MAX_VALUE_CHARACTERS) return `ValueTooLong (Value is longer than ${MAX_VALUE_CHARACTERS} characters)`;
  switch (type) {
    case "A":
      return isIPv4(value) ? undefined : "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)";
    case "AAAA":
      return isIPv6(value) && !value.includes("%") ? undefined : "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)";
    case "CNAME":
    case "NS":
    case "PTR":
      return nameProblem(value);
    case "MX":
      return fieldsProblem(type, value, [uint16, name]);
    case "SRV":
      return fieldsProblem(type, value, [uint16, uint16, uint16, target]);
    case "SOA":
      return fieldsProblem(type, value, [name, name, uint32, uint32, uint32, uint32, uint32]);
    case "DS":
      return fieldsProblem(type, value, [uint16, uint8, uint8, hex]);
    case "TLSA":
      return fieldsProblem(type, value, [uint8, uint8, uint8, hex]);
    case "SSHFP":
      return fieldsProblem(type, value, [uint8, uint8, hex]);
    case "CAA":
      return /^\d{1,3} [A-Za-z0-9]+ "[^"]*"$/.test(value) && uint8(value.split(" ")[0]!)
        ? undefined
        : 'CAARRDATAIllegalValue (Value is not: flags tag "value")';
    case "NAPTR":
      return /^\d{1,5} \d{1,5} "[A-Za-z0-9]*" "[^"]*" "[^"]*" \S+$/.test(value)
        ? undefined
        : 'NAPTRRRDATAIllegalValue (Value is not: order preference "flags" "service" "regexp" replacement)';
    case "SVCB":
    case "HTTPS": {
      const [priority = "", owner = "", ...parameters] = value.split(/\s+/);
      return uint16(priority) && target(owner) && parameters.every((one) => /^[a-z0-9-]+(=.+)?$/.test(one))
        ? undefined
        : `${type}RRDATAIllegalValue (Value is not: priority target parameters)`;
    }
    case "TXT":
    case "SPF":
      return textProblem(value);
  }
}

type FieldCheck = (field: string) => boolean;
const below =
  (bound: number): FieldCheck =>
  (field) =>
    /^\d{1,10}$/.test(field) && Number(field) < bound;
const uint8 = below(2 ** 8);
const uint16 = below(2 ** 16);
const uint32 = below(2 ** 32);
const hex: FieldCheck = (field) => /^(?:[0-9A-Fa-f]{2})+$/.test(field);
const name: FieldCheck = (field) => nameProblem(field) === undefined;
/** The root is allowed where it means «none» or «this name». */
const target: FieldCheck = (field) => field === "." || name(field);

function fieldsProblem(type: RecordType, value: string, checks: readonly FieldCheck[]): string | undefined {
  const fields = value.split(/\s+/);
  if (fields.length !== checks.length) return `${type}RRDATAWrongNumberOfFields (Record does not have ${checks.length} fields)`;
  const wrong = fields.findIndex((field, at) => !checks[at]!(field));
  return wrong === -1 ? undefined : `${type}RRDATAIllegalField (Field ${wrong + 1} is not valid)`;
}

function nameProblem(text: string): string | undefined {
  if (/\s/.test(text)) return "UnsupportedCharacter (Value contains unsupported characters)";
  if (/\.\./.test(text) || text.startsWith(".")) return "DomainLabelEmpty (Domain label is empty)";
  if (text.split(".").some((label) => label.length > 63 && normaliseName(`${label}.`) === undefined))
    return "DomainLabelTooLong (Domain label is too long)";
  return normaliseName(text) === undefined ? "DomainNameTooLong (Domain name is too long)" : undefined;
}

/** One or more strings in quotation marks, each of 255 characters at most; octal escapes count as one. */
function textProblem(value: string): string | undefined {
  const scan = new RegExp(QUOTED);
  for (;;) {
    const content = scan.exec(value)?.[1];
    if (content === undefined) return "InvalidCharacterString (Value should be enclosed in quotation marks)";
    const length = content.replace(/\\(?:[0-3][0-7]{2}|.)/g, "x").length;
    if (length > MAX_CHARACTER_STRING) return "CharacterStringTooLong (Value is too long)";
    const at = scan.lastIndex;
    if (at === value.length) return undefined;
    const gap = /^\s+/.exec(value.slice(at));
    if (gap === null) return "InvalidCharacterString (Value should be enclosed in quotation marks)";
    scan.lastIndex = at + gap[0].length;
    if (scan.lastIndex === value.length) return undefined;
  }
}
