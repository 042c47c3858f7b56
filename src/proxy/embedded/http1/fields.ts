/**
 * The field lines of a head (RFC 9112 §5), found by offset: no string is made of a field that nobody asks for.
 *
 *     Name: value CR LF
 *     ^   ^ ^    ^
 *     0   1 2    3    the four offsets of a field; white space around the value is left out
 */
import { COLON, CR, FIELD_VALUE, isOws, LF, TOKEN } from "./characters.ts";
import type { Progress } from "./faults.ts";
import { type FieldKind, fieldKind } from "./field-kind.ts";

/** What a head may need. Beyond it the sender is told so (431, 414) and the connection closed. */
export interface HeadLimits {
  /** From the first line to the empty one, that one included. */
  readonly bytes: number;
  readonly target: number;
  readonly fields: number;
}

export const HEAD_LIMITS: HeadLimits = { bytes: 16 << 10, target: 8 << 10, fields: 100 };

/** Filled line by line, and used again for the next head. */
export interface Fields {
  /** How many fields there are. */
  count: number;
  /** First byte that has not been understood yet, always the first of a line; after the last line the first byte behind the head. */
  at: number;
  /** Four offsets for each field. */
  readonly offsets: Int32Array;
  readonly kinds: Uint8Array;
}

export const newFields = (limits: HeadLimits): Fields => ({
  count: 0,
  at: 0,
  offsets: new Int32Array(4 * limits.fields),
  kinds: new Uint8Array(limits.fields),
});

/**
 * Reads whole lines up to the empty one. A line that has not arrived whole is read again from its start when there is more.
 *
 * Refused, because what parses them in other ways may stand before or behind us: white space before the colon (RFC 9112 §5.1), folded lines
 * (§5.2), LF or CR alone (§2.2), control characters in values (RFC 9110 §5.5).
 *
 * @param bytes what has arrived; borrowed
 * @param stop  first byte that may not be looked at
 */
export function parseFields(fields: Fields, bytes: Uint8Array, stop: number): Progress {
  const { offsets, kinds } = fields;
  for (;;) {
    const nameStart = fields.at;
    if (nameStart >= stop) return "more";
    if (bytes[nameStart] === CR) {
      if (nameStart + 1 === stop) return "more";
      if (bytes[nameStart + 1] !== LF) return "bad-line-end";
      fields.at = nameStart + 2;
      return "done";
    }
    let at = nameStart;
    while (at < stop && TOKEN[bytes[at]!] === 1) at++;
    if (at === stop) return "more";
    if (at === nameStart || bytes[at] !== COLON) {
      return at === nameStart && isOws(bytes[at]!) ? "folded-line" : "bad-field-name";
    }
    const nameEnd = at++;
    while (at < stop && isOws(bytes[at]!)) at++;
    const valueStart = at;
    while (at < stop && FIELD_VALUE[bytes[at]!] === 1) at++;
    if (at === stop) return "more";
    if (bytes[at] !== CR) return bytes[at] === LF ? "bad-line-end" : "bad-field-value";
    if (at + 1 === stop) return "more";
    if (bytes[at + 1] !== LF) return "bad-line-end";
    if (fields.count === kinds.length) return "too-many-fields";
    let valueEnd = at;
    while (valueEnd > valueStart && isOws(bytes[valueEnd - 1]!)) valueEnd--;
    const slot = 4 * fields.count;
    offsets[slot] = nameStart;
    offsets[slot + 1] = nameEnd;
    offsets[slot + 2] = valueStart;
    offsets[slot + 3] = valueEnd;
    kinds[fields.count++] = fieldKind(bytes, nameStart, nameEnd);
    fields.at = at + 2;
  }
}

export const nameStartOf = ({ offsets }: Fields, field: number): number => offsets[4 * field]!;
export const nameEndOf = ({ offsets }: Fields, field: number): number => offsets[4 * field + 1]!;
export const valueStartOf = ({ offsets }: Fields, field: number): number => offsets[4 * field + 2]!;
export const valueEndOf = ({ offsets }: Fields, field: number): number => offsets[4 * field + 3]!;
/** First byte behind the field's line. */
export const lineEndOf = (fields: Fields, field: number): number =>
  field + 1 < fields.count ? fields.offsets[4 * field + 4]! : fields.at - 2;

/** The values of all fields of this kind, as one list (RFC 9110 §5.3); "" when there is none. */
export function joinedValues(fields: Fields, bytes: Buffer, kind: FieldKind): string {
  let joined = "";
  for (let field = 0; field < fields.count; field++) {
    if (fields.kinds[field] !== kind) continue;
    const value = bytes.toString("latin1", valueStartOf(fields, field), valueEndOf(fields, field));
    joined = joined === "" ? value : `${joined}, ${value}`;
  }
  return joined;
}
