/** Domain names between text and wire (RFC 1035 §3.1, §4.1.4, §5.1). Names as text have no trailing dot; the root is ".". */

/** Length of a whole name on the wire, root label included. */
export const MAX_NAME = 255;
export const MAX_LABEL = 63;
/** A name of 255 bytes has at most this many labels, the root not counted. */
export const MAX_LABELS = 127;

/** An ASCII capital as its small letter, any other byte as it is (RFC 4343 §3). */
export const foldCase = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte);

/**
 * Presentation form to wire form, case kept. A trailing dot is allowed; `\.` and `\DDD` escape (RFC 1035 §5.1).
 *
 * @returns undefined when a label is empty or longer than 63 bytes, the name longer than 255, or an escape malformed
 */
export function encodeName(text: string): Uint8Array | undefined {
  if (text === "." || text === "") return text === "." ? new Uint8Array(1) : undefined;
  const bytes: number[] = [0]; // the first label's length, filled in when it ends
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return undefined;
    if (code === 0x2e) {
      if (!closeLabel(bytes, start)) return undefined;
      if (i === text.length - 1) return finishName(bytes);
      start = bytes.length;
      bytes.push(0);
    } else if (code === 0x5c) {
      const escaped = readEscape(text, i);
      if (escaped === undefined) return undefined;
      bytes.push(escaped.byte);
      i = escaped.end - 1;
    } else {
      bytes.push(code);
    }
  }
  return closeLabel(bytes, start) ? finishName(bytes) : undefined;
}

function closeLabel(bytes: number[], start: number): boolean {
  const length = bytes.length - start - 1;
  bytes[start] = length;
  return length > 0 && length <= MAX_LABEL;
}

function finishName(bytes: number[]): Uint8Array | undefined {
  bytes.push(0);
  return bytes.length <= MAX_NAME ? Uint8Array.from(bytes) : undefined;
}

/** `\DDD` is a byte in decimal, `\X` the character itself. @returns undefined when malformed */
export function readEscape(text: string, at: number): { readonly byte: number; readonly end: number } | undefined {
  const digits = /^\d{3}/.exec(text.slice(at + 1, at + 4));
  if (digits !== null) return Number(digits[0]) > 255 ? undefined : { byte: Number(digits[0]), end: at + 4 };
  const code = text.charCodeAt(at + 1);
  return code > 0x20 && code < 0x7f && !(code >= 0x30 && code <= 0x39) ? { byte: code, end: at + 2 } : undefined;
}

export interface DecodedName {
  /** Presentation form, case kept, without the trailing dot; the root is ".". */
  readonly name: string;
  /** Offset behind the name where it stands, not where a pointer led. */
  readonly end: number;
}

/**
 * Decodes a name at an offset of a message, following compression pointers.
 *
 * @param length bytes of the message that count
 * @returns undefined when it leaves the message, is longer than 255 bytes, has an unknown label type, or a pointer that does not point
 *          backwards (so that no loop is possible)
 */
export function decodeName(message: Uint8Array, offset: number, length = message.length): DecodedName | undefined {
  const labels: string[] = [];
  let at = offset;
  let end = -1;
  let total = 1;
  let limit = offset; // a pointer must lead before where the present run of labels began
  for (;;) {
    if (at >= length) return undefined;
    const size = message[at]!;
    if (size === 0) return { name: labels.length === 0 ? "." : labels.join("."), end: end < 0 ? at + 1 : end };
    if (size >= 0xc0) {
      if (at + 1 >= length) return undefined;
      const target = ((size & 0x3f) << 8) | message[at + 1]!;
      if (target >= limit) return undefined;
      if (end < 0) end = at + 2;
      limit = target;
      at = target;
    } else {
      total += size + 1;
      if (size > MAX_LABEL || at + 1 + size > length || total > MAX_NAME) return undefined;
      labels.push(formatLabel(message, at + 1, size));
      at += size + 1;
    }
  }
}

function formatLabel(bytes: Uint8Array, offset: number, length: number): string {
  let text = "";
  for (let i = offset; i < offset + length; i++) text += formatByte(bytes[i]!, '.\\"();@$');
  return text;
}

/** A byte of presentation text: itself, `\X` when it is one of `special`, `\DDD` when it is not printable ASCII. */
export function formatByte(byte: number, special: string): string {
  if (byte <= 0x20 || byte >= 0x7f) return `\\${String(byte).padStart(3, "0")}`;
  const character = String.fromCharCode(byte);
  return special.includes(character) ? `\\${character}` : character;
}

/** Whether two uncompressed wire names are the same name, case folded (RFC 4343). */
export function equalNames(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => foldCase(byte) === foldCase(b[i]!));
}
