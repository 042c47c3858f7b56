/**
 * Ethernet frames of DNS over UDP, of which an answer is made in the place of its query: who sent it gets it back. Only what the program
 * lets through comes here: IPv4 without options, IPv6 without extension headers. Pure. Hot.
 *
 * ```
 *        Ethernet        IP                                        UDP                             message
 * IPv4   0 to, 6 from    16 length · 22 TTL · 24 sum · 26 · 30     34 from · 36 to · 38 length     42
 * IPv6   0 to, 6 from    18 length · 21 hop limit · 22 · 38        54 from · 56 to · 58 · 60 sum   62
 * ```
 * Frames begin at even places, so that headers can be read as 16-bit words; sums do not depend on their byte order (RFC 1071 §2).
 */

export const MESSAGE_V4 = 42;
export const MESSAGE_V6 = 62;

const TTL = 64;
const PROTOCOL_UDP = 17;

const swapBytes = (word: number): number => ((word & 0xff) << 8) | (word >>> 8);

/** @param at where the frame begins, in words */
export const isV6Frame = (words: Uint16Array, at: number): boolean => words[at + 6] === 0xdd86;

/**
 * Bytes of the message in a frame of `length` bytes.
 *
 * @param at in words
 * @returns -1 when its headers contradict each other, or nobody could be answered (port 0)
 */
export function messageLength(words: Uint16Array, at: number, length: number, isV6: boolean): number {
  const udp = at + ((isV6 ? MESSAGE_V6 : MESSAGE_V4) - 8) / 2;
  const message = swapBytes(words[udp + 2]!) - 8;
  if (words[udp] === 0 || message < 0 || message > length - (isV6 ? MESSAGE_V6 : MESSAGE_V4)) return -1;
  return message;
}

/**
 * Makes the headers of a query those of its answer.
 *
 * @param at      in words
 * @param message bytes of the answer, which stands where the query stood
 * @returns bytes of the frame
 */
export function turnAround(words: Uint16Array, at: number, message: number, isV6: boolean): number {
  for (let i = 0; i < 3; i++) swap(words, at + i, at + 3 + i);
  return isV6 ? turnV6(words, at, message) : turnV4(words, at, message);
}

function turnV4(words: Uint16Array, at: number, message: number): number {
  swap(words, at + 13, at + 15);
  swap(words, at + 14, at + 16);
  swap(words, at + 17, at + 18);
  words[at + 7] = 0x0045; // version, header length; no traffic class of somebody else's
  words[at + 8] = swapBytes(message + 28);
  words[at + 9] = 0; // one datagram, which nobody may cut up (RFC 6864 §4.1)
  words[at + 10] = 0x0040; // DF
  words[at + 11] = TTL | (PROTOCOL_UDP << 8);
  words[at + 12] = 0;
  let sum = 0;
  for (let i = 7; i < 17; i++) sum += words[at + i]!;
  words[at + 12] = ~fold(sum);
  words[at + 19] = swapBytes(message + 8);
  words[at + 20] = 0; // no checksum, as IPv4 allows (RFC 768)
  return MESSAGE_V4 + message;
}

function turnV6(words: Uint16Array, at: number, message: number): number {
  for (let i = 0; i < 8; i++) swap(words, at + 11 + i, at + 19 + i);
  swap(words, at + 27, at + 28);
  words[at + 7] = 0x0060;
  words[at + 8] = 0;
  words[at + 9] = swapBytes(message + 8);
  words[at + 10] = PROTOCOL_UDP | (TTL << 8);
  words[at + 29] = swapBytes(message + 8);
  words[at + 30] = 0;
  // The pseudo-header: addresses, length and next header (RFC 8200 §8.1); then UDP's own header and the message.
  let sum = swapBytes(message + 8) + swapBytes(PROTOCOL_UDP);
  const whole = at + MESSAGE_V6 / 2 + (message >>> 1);
  for (let i = at + 11; i < whole; i++) sum += words[i]!;
  if ((message & 1) !== 0) sum += words[whole]! & 0xff;
  const check = ~fold(sum) & 0xffff;
  words[at + 30] = check === 0 ? 0xffff : check;
  return MESSAGE_V6 + message;
}

function swap(words: Uint16Array, a: number, b: number): void {
  const word = words[a]!;
  words[a] = words[b]!;
  words[b] = word;
}

function fold(sum: number): number {
  let folded = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  folded = (folded & 0xffff) + (folded >>> 16);
  return (folded & 0xffff) + (folded >>> 16);
}
