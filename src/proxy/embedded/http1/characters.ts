/** Which bytes may stand where in a message's head. A table for each class: 1 = allowed. */

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;

const ALPHANUMERIC = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Methods and field names (RFC 9110 §5.6.2, `tchar`). */
export const TOKEN = tableOf((byte) => "!#$%&'*+-.^_`|~".concat(ALPHANUMERIC).includes(String.fromCharCode(byte)));

/** Field values and reason phrases (RFC 9110 §5.5): visible, space, tab, and anything from 0x80. No control characters, so no CR, LF or NUL. */
export const FIELD_VALUE = tableOf((byte) => byte === HTAB || (byte >= SP && byte !== 0x7f));

/**
 * The request target: visible ASCII but for `#`, which no form of a target has (RFC 9112 §3.2). Browsers send some that RFC 3986 does not
 * allow unescaped, such as `|` and `"`; they do no harm here and are passed on.
 */
export const TARGET = tableOf((byte) => byte > SP && byte < 0x7f && byte !== 0x23);

/** Names of hosts and IPv4 addresses. Narrower than RFC 3986's `reg-name`: what is routed by are names in DNS. */
export const HOST_NAME = tableOf((byte) => "-._".concat(ALPHANUMERIC).includes(String.fromCharCode(byte)));

/** What a hexadecimal digit is worth; 255 for any other byte. */
export const HEX_VALUE = Uint8Array.from({ length: 256 }, (_, byte) => {
  const value = "0123456789abcdef".indexOf(String.fromCharCode(byte).toLowerCase());
  return value < 0 ? 255 : value;
});

function tableOf(isAllowed: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (isAllowed(byte) ? 1 : 0));
}

export const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
export const isOws = (byte: number): boolean => byte === SP || byte === HTAB;

/**
 * Are bytes `start` to `end` this word, whatever their case?
 *
 * @param word lower case, of letters, digits and `-`; the bytes are known to be {@link TOKEN} characters, so that setting bit 5 turns no
 *             other byte into one of the word
 */
export function isWord(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  const length = word.length;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) if ((bytes[start + i]! | 0x20) !== word[i]) return false;
  return true;
}

/** The bytes of an ASCII word, for {@link isWord}. */
export const wordBytes = (word: string): Uint8Array => Uint8Array.from(word, (letter) => letter.charCodeAt(0));
