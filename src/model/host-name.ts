/** Host names as users write them, checked down to the letter. Labels and lengths: RFC 1123 §2.1, RFC 1035 §2.3.4. */
import { type Decoded, decoded, fault } from "./fault.ts";

const label = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";

/** Lower-case A-labels, at most 253 characters in all (which the pattern cannot say). */
export const HOST_PATTERN = `^${label}(\\.${label})*$`;
/** As {@link HOST_PATTERN}, but the first label may be `*`. */
export const WILDCARD_HOST_PATTERN = `^(\\*\\.)?${label}(\\.${label})*$`;

const wholeLabel = new RegExp(`^${label}$`);

/**
 * Checks a host name.
 *
 * @returns the name itself, or a fault whose remedy is the right spelling where one can be told
 */
export function parseHost(text: string, allow: { readonly wildcard: boolean }): Decoded<string> {
  const name = allow.wildcard && text.startsWith("*.") ? text.slice(2) : text;
  if (name === "") return fault("host-syntax", "is empty", "Write a host name such as shop.example.org.");
  if (/[^\x21-\x7e]/.test(name)) return internationalName(text);
  if (/[/:@?#\\]/.test(name)) return fault("host-syntax", "is not a bare host name", "Write the name alone: no scheme, port or path.");
  if (/[A-Z]/.test(name)) return fault("host-uppercase", "has capital letters", `Write ${text.toLowerCase()}.`);
  if (name.endsWith(".")) return fault("host-syntax", "ends with a dot", `Write ${text.replace(/\.+$/, "")}: hosts are always absolute.`);
  if (name.includes("*")) return fault("host-syntax", wildcardMessage(allow.wildcard), wildcardRemedy(allow.wildcard));
  if (name.length > 253) return fault("host-syntax", `has ${name.length} characters`, "A host name has at most 253.");
  for (const part of name.split(".")) {
    if (wholeLabel.test(part)) continue;
    if (part === "") return fault("host-syntax", "has an empty label", "Write exactly one dot between labels.");
    if (part.length > 63) return fault("host-syntax", `has a label of ${part.length} characters`, "A label has at most 63.");
    return fault(
      "host-syntax",
      `has the label ${part}`,
      "A label has letters, digits and hyphens, and neither starts nor ends with a hyphen.",
    );
  }
  if (/^\d+$/.test(name.slice(name.lastIndexOf(".") + 1))) {
    return fault(
      "host-syntax",
      "ends with a number, so clients would take it for an address",
      "Write a host name such as shop.example.org.",
    );
  }
  return decoded(text);
}

const wildcardMessage = (allowed: boolean): string => (allowed ? "has a * that is not the whole first label" : "is a wildcard");
const wildcardRemedy = (allowed: boolean): string =>
  allowed ? "Write *.example.org: a wildcard is the whole first label (RFC 4592)." : "Write one whole host name here.";

function internationalName(text: string): Decoded<string> {
  if (/[\s\p{Cc}]/u.test(text)) return fault("host-syntax", "holds white space or control characters", "Remove the white space.");
  const ascii = toAscii(text);
  if (ascii === undefined) return fault("host-idn", "has letters outside ASCII", "Write the name as A-labels (xn--…).");
  return fault("host-idn", "has letters outside ASCII", `Write its A-label: ${ascii}.`);
}

/** The A-label form by the platform's UTS 46 mapping; undefined when it has none. */
function toAscii(text: string): string | undefined {
  const wildcard = text.startsWith("*.");
  const name = wildcard ? text.slice(2) : text;
  const url = `http://${name}/`;
  if (/[/:@?#\\%*]/.test(name) || !URL.canParse(url)) return undefined;
  return `${wildcard ? "*." : ""}${new URL(url).hostname}`;
}

/** True when `name` is `domain` or lies below it, by whole labels. */
export const isWithin = (name: string, domain: string): boolean => name === domain || name.endsWith(`.${domain}`);
