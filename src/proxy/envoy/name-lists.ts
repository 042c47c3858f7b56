/**
 * The names in requests. Thousands of Envoys say the same thousands of names, and those that speak the state of the world say them again with every
 * answer: lists that were read lately are not read again, and are one object for all who said them. Pure but for what it remembers.
 */

export interface NameLists {
  /**
   * @param bytes of a message; borrowed
   * @param field number of a repeated string in it
   * @returns the strings, and the message without them; undefined when the bytes are no message, or the strings do not follow each other
   */
  take(bytes: Uint8Array, field: number): { readonly names: readonly string[]; readonly rest: Uint8Array } | undefined;
}

/** Lists that are remembered: of each place there are a few. */
const MOST = 32;
const NONE: readonly string[] = [];
const LENGTH_DELIMITED = 2;

export function createNameLists(): NameLists {
  /** Those of the latest use last. */
  const known: { readonly bytes: Uint8Array; readonly names: readonly string[] }[] = [];
  const namesIn = (bytes: Uint8Array): readonly string[] => {
    const at = known.findLastIndex((one) => Buffer.compare(one.bytes, bytes) === 0);
    const found = at < 0 ? { bytes: Uint8Array.from(bytes), names: stringsIn(bytes) } : known.splice(at, 1)[0]!;
    known.push(found);
    if (known.length > MOST) known.shift();
    return found.names;
  };
  return {
    take(bytes, field) {
      const range = rangeOf(bytes, field);
      if (range === undefined) return undefined;
      const [start, end] = range;
      if (start === end) return { names: NONE, rest: bytes };
      return { names: namesIn(bytes.subarray(start, end)), rest: Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]) };
    },
  };
}

/** @returns where the fields of a number begin and end in a message; undefined when others are between them, or the message is none */
function rangeOf(bytes: Uint8Array, field: number): readonly [start: number, end: number] | undefined {
  let [start, end] = [0, 0];
  for (let at = 0; at < bytes.length; ) {
    const next = endOfField(bytes, at);
    if (next === undefined) return undefined;
    if (bytes[at] === ((field << 3) | LENGTH_DELIMITED)) {
      if (end === 0) start = at;
      else if (end !== at) return undefined;
      end = next;
    }
    at = next;
  }
  return [start, end];
}

/** The messages read here have fields of this kind only, with numbers below 16. */
function endOfField(bytes: Uint8Array, at: number): number | undefined {
  if ((bytes[at]! & 0x87) !== LENGTH_DELIMITED) return undefined;
  const [length, from] = lengthAt(bytes, at + 1);
  const end = from + length;
  return end > bytes.length ? undefined : end;
}

/** A varint of at most four bytes; one that is longer has no end. */
function lengthAt(bytes: Uint8Array, at: number): readonly [length: number, end: number] {
  let length = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) break;
    length |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return [length, at + i + 1];
  }
  return [Number.POSITIVE_INFINITY, at];
}

/** Of fields that follow each other. */
function stringsIn(bytes: Uint8Array): readonly string[] {
  const decoder = new TextDecoder();
  const strings: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [length, from] = lengthAt(bytes, at + 1);
    strings.push(decoder.decode(bytes.subarray(from, from + length)));
    at = from + length;
  }
  return strings;
}
