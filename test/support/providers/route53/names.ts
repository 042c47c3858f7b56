/**
 * Names as Route 53 stores and orders them.
 *
 * @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html
 */

const MAX_LABEL_BYTES = 63;
/** With its dots. */
const MAX_NAME_BYTES = 255;

/**
 * @param text with or without the trailing dot; `\ooo` is the byte of that octal number
 * @returns labels, the leftmost first, in lower case, one character a byte; undefined when it is no name
 */
export function parseName(text: string): readonly string[] | undefined {
  if (text === "." || text === "") return undefined;
  const labels: string[] = [];
  let label = "";
  for (let at = 0; at < text.length; at++) {
    const octal = /^\\([0-3][0-7]{2})/.exec(text.slice(at, at + 4));
    if (octal !== null) {
      label += lower(String.fromCharCode(Number.parseInt(octal[1]!, 8)));
      at += 3;
    } else if (text[at] === ".") {
      labels.push(label);
      label = "";
    } else {
      const code = text.charCodeAt(at);
      if (code <= 0x20 || code >= 0x7f) return undefined; // these are written as escapes only
      label += lower(text[at]!);
    }
  }
  if (label !== "") labels.push(label);
  const bytes = labels.reduce((sum, one) => sum + one.length + 1, 0);
  const isName = bytes <= MAX_NAME_BYTES && labels.every((one) => one.length > 0 && one.length <= MAX_LABEL_BYTES);
  return isName ? labels : undefined;
}

/** Of ASCII alone: other bytes have no case. */
const lower = (text: string): string => text.replace(/[A-Z]/g, (char) => char.toLowerCase());

/** Everything but a-z, 0-9, `-` and `_` as `\ooo`, and a trailing dot: `*.example.org` is `\052.example.org.`. */
export function formatName(labels: readonly string[]): string {
  const octal = (char: string): string => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`;
  return labels.map((label) => `${label.replace(/[^a-z0-9_-]/g, octal)}.`).join("");
}

/** The stored form of a name, or undefined when it is no name. Two spellings of one name have one stored form. */
export function normaliseName(text: string): string | undefined {
  const labels = parseName(text);
  return labels === undefined ? undefined : formatName(labels);
}

/** Of a stored name: its labels reversed, `org.example.www.`, which is the order of lists, by ASCII. */
export const reversedName = (name: string): string => `${name.slice(0, -1).split(".").reverse().join(".")}.`;

/** True when a stored name is the zone's or below it. */
export const isWithin = (name: string, zone: string): boolean => name === zone || name.endsWith(`.${zone}`);

/** By code unit, which is ASCII order. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
