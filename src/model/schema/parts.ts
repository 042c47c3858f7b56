/**
 * What the schemas are made of. Each part is one kind of value with its bounds, and carries as metadata what the CRDs and the reference
 * page tell about it:
 *
 * - `description`: for operators, in whole sentences;
 * - `whenAbsent`: what holds without the field, where a plain default cannot say it;
 * - `remedy`: the next step after a type error, where the general one is not enough;
 * - `pattern`: for the API server; never stricter than the decoder. With `form`, which tells the form and the remedy, it becomes a rule:
 *   the API server would show the bare pattern;
 * - `x-kubernetes-…`: copied into the CRDs.
 */
import { z } from "zod";
import { ADDRESS_PATTERN, parseAddress } from "../address.ts";
import { parseCountry } from "../countries.ts";
import { DURATION_PATTERN, formatDuration, parseDuration } from "../duration.ts";
import { type Decoded, decoded, type Fault, fault } from "../fault.ts";
import { HOST_PATTERN, parseHost, WILDCARD_HOST_PATTERN } from "../host-name.ts";
import { formatIp, formatNetwork, maskNetwork, parseIp, parsePrefix } from "../ip.ts";
import { type Milliseconds, ms, type Seconds, seconds } from "../units.ts";

/** A rule of the API server over several fields: a CEL expression that must hold, and what to say when it does not. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
}

/** Metadata that makes the API server check `rules`. */
export const celRules = (...rules: readonly CelRule[]) => ({ "x-kubernetes-validations": rules });

/**
 * A text that `decode` reads. Its faults become problems with their own code and remedy.
 *
 * @param form what the API server says of a text that does not match the pattern
 */
export function text<T>(maxLength: number, pattern: string, decode: (text: string) => Decoded<T>, form?: string) {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .transform((value, context): T => {
      const result = decode(value);
      if ("value" in result) return result.value;
      context.issues.push({ code: "custom", input: value, message: result.fault.message, params: { fault: result.fault } });
      return z.NEVER;
    })
    .meta({ pattern, ...(form === undefined ? {} : { form }) });
}

/** The fault that {@link text} put into an issue. */
export function faultOf(issue: z.core.$ZodIssue): Fault | undefined {
  if (issue.code !== "custom") return undefined;
  const fault: unknown = issue.params?.fault;
  return isFault(fault) ? fault : undefined;
}

const isFault = (value: unknown): value is Fault => typeof value === "object" && value !== null && "code" in value && "remedy" in value;

/** A text of a fixed form. `form` completes "is not …"; the remedy shows an example. */
export function formed(maxLength: number, pattern: string, form: string, remedy: string) {
  const expression = new RegExp(pattern);
  const decode = (value: string) => (expression.test(value) ? decoded(value) : fault("field-format", `is not ${form}`, remedy));
  return text(maxLength, pattern, decode, `must be ${form}. ${remedy}`);
}

/** A GEP-2257 duration from `least` to `most`, both in that form too. */
export function duration(least: string, most: string) {
  const [from, to] = [mustParse(least), mustParse(most)];
  return text(32, DURATION_PATTERN, (value): Decoded<Milliseconds> => {
    const result = parseDuration(value);
    if ("fault" in result || (result.value >= from && result.value <= to)) return result;
    return fault("field-range", `is outside ${least} to ${most}`, `Write a duration from ${least} to ${most}.`);
  }).meta({
    pattern: DURATION_PATTERN,
    form: "must be a duration: whole numbers with the units h, m, s or ms, as in 5s, 1500ms or 1h30m",
    ...celRules({
      rule: `duration(self) >= duration('${least}') && duration(self) <= duration('${most}')`,
      message: `must be from ${least} to ${most}`,
    }),
  });
}

/** A duration of whole seconds, for what DNS carries. */
export function wholeSeconds(least: string, most: string) {
  const [from, to] = [mustParse(least), mustParse(most)];
  return text(32, DURATION_PATTERN, (value): Decoded<Seconds> => {
    const result = parseDuration(value);
    if ("fault" in result) return result;
    if (result.value % 1000 !== 0) {
      const near = formatDuration(ms(Math.max(1000, Math.round(result.value / 1000) * 1000)));
      return fault("field-format", "is not a whole number of seconds, which is all that DNS can carry", `Write ${near}.`);
    }
    if (result.value >= from && result.value <= to) return decoded(seconds(result.value / 1000));
    return fault("field-range", `is outside ${least} to ${most}`, `Write a duration from ${least} to ${most}.`);
  }).meta({
    pattern: DURATION_PATTERN,
    form: "must be a duration of whole seconds, as in 5s, 2m or 1h30m",
    ...celRules(
      {
        rule: `duration(self) >= duration('${least}') && duration(self) <= duration('${most}')`,
        message: `must be from ${least} to ${most}`,
      },
      { rule: "duration(self).getMilliseconds() % 1000 == 0", message: "must be whole seconds, as in 5s: DNS carries no fractions" },
    ),
  });
}

function mustParse(bound: string): number {
  const result = parseDuration(bound);
  if ("fault" in result) throw new Error(`bound ${bound} ${result.fault.message}`);
  return result.value;
}

const labelPattern = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";

/** A name inside an object: an RFC 1123 label. */
export const entryName = () =>
  formed(
    63,
    `^${labelPattern}$`,
    "a name",
    "Use at most 63 lower-case letters, digits and hyphens, with a letter or digit first and last.",
  );

/** The name of an object: an RFC 1123 subdomain. */
export const objectName = () =>
  formed(
    253,
    `^${labelPattern}(\\.${labelPattern})*$`,
    "the name of an object",
    "Use at most 253 lower-case letters, digits, hyphens and dots, with a letter or digit first and last.",
  );

const hostForm =
  "must be a bare host name in lower case, as in shop.example.org: no scheme, port, path or dot at the end, and international names as A-labels (xn--…)";

/** A host name without wildcard. */
export const host = () => text(253, HOST_PATTERN, (value) => parseHost(value, { wildcard: false }), hostForm);
/** A host name whose first label may be `*`. */
export const wildcardHost = () =>
  text(255, WILDCARD_HOST_PATTERN, (value) => parseHost(value, { wildcard: true }), `${hostForm}; *.shop.example.org is a wildcard`);
/** An IPv4 or IPv6 address or a host name, in canonical form after decoding. */
export const address = () =>
  text(
    253,
    ADDRESS_PATTERN,
    parseAddress,
    "must be a bare IP address or host name, as in 192.0.2.10 or 2001:db8::10: no port, prefix or scheme",
  );

/** An IPv4 or IPv6 address, in canonical form after decoding. */
export const plainIp = () => text(45, "^[0-9A-Fa-f:.]+$", parsePlainIp, "must be an IP address, as in 192.0.2.53 or 2001:db8::53");

function parsePlainIp(value: string): Decoded<string> {
  const ip = parseIp(value);
  return ip === undefined
    ? fault("address-syntax", "is not an IP address", "Write it as in 192.0.2.53 or 2001:db8::53.")
    : decoded(formatIp(ip));
}

/** A network in canonical CIDR form after decoding; a bare address is a network of one. */
export const subnet = () =>
  text(49, "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$", parseSubnet, "must be a network, as in 198.51.100.0/24 or 2001:db8::/32");

function parseSubnet(value: string): Decoded<string> {
  const prefix = parsePrefix(value);
  if (prefix === undefined) return fault("field-format", "is not a network", "Write it as in 198.51.100.0/24 or 2001:db8::/32.");
  const network = formatNetwork(maskNetwork(prefix, prefix.length));
  if (network === formatNetwork(prefix)) return decoded(network);
  return fault("field-format", "has bits set behind its prefix length", `Write ${network}, or a longer prefix if one address was meant.`);
}

/** An ISO 3166-1 alpha-2 code. */
export const countryCode = () => text(2, "^[A-Z]{2}$", parseCountry, "must be an ISO 3166-1 code of two capital letters, as in DE");

export const integer = (least: number, most: number) => z.int().min(least).max(most);
export const percent = (least = 0, most = 100) => integer(least, most);

/** A list whose entries are all different by value. */
export const setOf = <T extends z.ZodType>(entry: T, most: number, least = 1) =>
  z.array(entry).min(least).max(most).meta({ "x-kubernetes-list-type": "set" });

/** A list of objects, each known by its `name`, which is unique in the list. */
export const namedList = <T extends z.ZodType>(entry: T, most: number, least = 0) =>
  z
    .array(entry)
    .min(least)
    .max(most)
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] });

const labelValuePattern = "^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$";
const labelKeyPattern = new RegExp(`^(${labelPattern}(\\.${labelPattern})*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`);
const labelValue = new RegExp(labelValuePattern);

/** Kubernetes labels. */
export const labels = (most: number) =>
  z
    .record(
      z.string().max(317).regex(labelKeyPattern),
      z
        .string()
        .max(63)
        .transform((value, context) => {
          if (labelValue.test(value)) return value;
          const { fault: wrong } = fault(
            "field-format",
            "is not a label value",
            "Use letters, digits, -, _ and . only, at most 63 of them.",
          );
          context.issues.push({ code: "custom", input: value, message: wrong.message, params: { fault: wrong } });
          return z.NEVER;
        })
        .meta({ pattern: labelValuePattern, remedy: 'Put it in quotes, for example "true": label values are texts.' }),
    )
    .meta({ maxProperties: most });

/** A selector of Kubernetes, by equal labels. */
export const labelSelector = (meaning: string) => z.strictObject({ matchLabels: labels(16).describe(meaning) });
