/**
 * The chunked coding (RFC 9112 §7.1), undone as it arrives, byte by byte:
 *
 *     5;name=value CR LF    size, extensions
 *     hello CR LF           data, the only part that is passed on
 *     0 CR LF               last chunk
 *     Name: value CR LF     trailers
 *     CR LF
 *
 * Data is handed on as ranges of the borrowed buffer. What is sent on is chunked anew: extensions and trailers are checked and left out, which
 * RFC 9112 §7.1.1 and RFC 9110 §6.5.1 allow, so that nobody behind us ever parses a size line or a trailer that we did not write.
 */
import { COLON, CR, FIELD_VALUE, HEX_VALUE, LF, TOKEN } from "./characters.ts";
import type { Fault } from "./faults.ts";
import { FieldKind, fieldKind } from "./field-kind.ts";

/** Bytes of all extensions of one message: nobody uses them but to exhaust somebody (RFC 9112 §7.1.1). */
const MOST_EXTENSIONS = 4 << 10;
const MOST_TRAILERS = 8 << 10;
/** Digits of a size, leading zeros included. */
const MOST_DIGITS = 16;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const State = {
  Size: 0,
  SizeEnd: 1,
  ExtensionName: 2,
  ExtensionValue: 3,
  Quoted: 4,
  QuotedPair: 5,
  QuotedEnd: 6,
  Data: 7,
  DataCr: 8,
  DataLf: 9,
  TrailerStart: 10,
  TrailerName: 11,
  TrailerValue: 12,
  TrailerEnd: 13,
  LastLf: 14,
  Done: 15,
} as const;
type State = (typeof State)[keyof typeof State];

/** Used again for every body of a connection. */
export interface ChunkedDecoder {
  /** First byte that has not been taken. */
  at: number;
  /** The data of the last step that said "data". */
  dataStart: number;
  dataEnd: number;
  state: State;
  /** Of the chunk: while its size is read, what is known of it; then bytes that have not come yet. */
  left: number;
  digits: number;
  /** Characters of the extension's name or value, which must not be empty. */
  part: number;
  extensions: number;
  trailers: number;
  /** The trailer's name, as far as it has come. */
  readonly name: Uint8Array;
  nameLength: number;
}

export const newChunkedDecoder = (): ChunkedDecoder => ({
  at: 0,
  dataStart: 0,
  dataEnd: 0,
  state: State.Size,
  left: 0,
  digits: 0,
  part: 0,
  extensions: 0,
  trailers: 0,
  name: new Uint8Array(32),
  nameLength: 0,
});

/** Forgets the body before. */
export function restartChunked(decoder: ChunkedDecoder): void {
  decoder.state = State.Size;
  decoder.left = 0;
  decoder.digits = 0;
  decoder.extensions = 0;
  decoder.trailers = 0;
}

/**
 * Takes bytes from `decoder.at` up to `end`.
 *
 * @returns "data" when `dataStart` to `dataEnd` is data, and there may be more to take; "more" when all bytes are taken; "done" with `at` at
 *          the first byte behind the body
 */
export function stepChunked(decoder: ChunkedDecoder, bytes: Uint8Array, end: number): "data" | "more" | "done" | Fault {
  while (decoder.at < end && decoder.state !== State.Done) {
    if (decoder.state === State.Data) {
      decoder.dataStart = decoder.at;
      decoder.dataEnd = Math.min(end, decoder.at + decoder.left);
      decoder.left -= decoder.dataEnd - decoder.at;
      decoder.at = decoder.dataEnd;
      if (decoder.left === 0) decoder.state = State.DataCr;
      return "data";
    }
    const byte = bytes[decoder.at++]!;
    const fault = decoder.state >= State.TrailerStart ? trailerByte(decoder, byte) : chunkByte(decoder, byte);
    if (fault !== undefined) return fault;
  }
  return decoder.state === State.Done ? "done" : "more";
}

/** One byte of a size line, or of the CR LF behind the data. */
function chunkByte(decoder: ChunkedDecoder, byte: number): Fault | undefined {
  switch (decoder.state) {
    case State.Size:
      return sizeByte(decoder, byte);
    case State.SizeEnd:
      if (byte !== LF) return "bad-line-end";
      decoder.state = decoder.left > 0 ? State.Data : State.TrailerStart;
      return undefined;
    case State.DataCr:
      if (byte !== CR) return "bad-chunk-end";
      decoder.state = State.DataLf;
      return undefined;
    case State.DataLf:
      if (byte !== LF) return "bad-chunk-end";
      decoder.state = State.Size;
      decoder.digits = 0;
      return undefined;
    default:
      return ++decoder.extensions > MOST_EXTENSIONS ? "chunk-extensions-too-long" : extensionByte(decoder, byte);
  }
}

/** `1*HEXDIG`, at once followed by CR or `;`. */
function sizeByte(decoder: ChunkedDecoder, byte: number): Fault | undefined {
  const digit = HEX_VALUE[byte]!;
  if (digit !== 255) {
    decoder.left = 16 * decoder.left + digit;
    return ++decoder.digits > MOST_DIGITS || decoder.left > Number.MAX_SAFE_INTEGER ? "bad-chunk-size" : undefined;
  }
  if (decoder.digits === 0 || (byte !== CR && byte !== SEMICOLON)) return "bad-chunk-size";
  endPart(decoder, byte);
  return undefined;
}

/** After CR the line ends, after `;` another extension begins. */
function endPart(decoder: ChunkedDecoder, byte: number): void {
  decoder.part = 0;
  decoder.state = byte === CR ? State.SizeEnd : State.ExtensionName;
}

/** `;name`, `;name=value` or `;name="value"` without white space between (RFC 9112 §7.1.1: senders must not make any). */
function extensionByte(decoder: ChunkedDecoder, byte: number): Fault | undefined {
  switch (decoder.state) {
    case State.ExtensionName:
    case State.ExtensionValue:
      if (TOKEN[byte] === 1) {
        decoder.part++;
      } else if (byte === QUOTE && decoder.part === 0 && decoder.state === State.ExtensionValue) {
        decoder.state = State.Quoted;
      } else if (decoder.part === 0) {
        return "bad-chunk-extension";
      } else if (byte === EQUALS && decoder.state === State.ExtensionName) {
        decoder.part = 0;
        decoder.state = State.ExtensionValue;
      } else if (byte === CR || byte === SEMICOLON) {
        endPart(decoder, byte);
      } else {
        return "bad-chunk-extension";
      }
      return undefined;
    case State.Quoted:
      if (FIELD_VALUE[byte] !== 1) return "bad-chunk-extension";
      if (byte === QUOTE) decoder.state = State.QuotedEnd;
      else if (byte === BACKSLASH) decoder.state = State.QuotedPair;
      return undefined;
    case State.QuotedPair:
      if (FIELD_VALUE[byte] !== 1) return "bad-chunk-extension";
      decoder.state = State.Quoted;
      return undefined;
    default:
      if (byte !== CR && byte !== SEMICOLON) return "bad-chunk-extension";
      endPart(decoder, byte);
      return undefined;
  }
}

/** Fields behind the last chunk are held to the rules of a head's, and may not speak of framing, host or connection (RFC 9110 §6.5.1):
 * llhttp heeds some of them there. */
function trailerByte(decoder: ChunkedDecoder, byte: number): Fault | undefined {
  if (++decoder.trailers > MOST_TRAILERS) return "trailers-too-large";
  switch (decoder.state) {
    case State.TrailerStart:
      if (byte === CR) {
        decoder.state = State.LastLf;
        return undefined;
      }
      decoder.nameLength = 0;
      decoder.state = State.TrailerName;
      return trailerNameByte(decoder, byte);
    case State.TrailerName:
      return trailerNameByte(decoder, byte);
    case State.TrailerValue:
      if (byte === CR) decoder.state = State.TrailerEnd;
      else if (FIELD_VALUE[byte] !== 1) return byte === LF ? "bad-line-end" : "bad-field-value";
      return undefined;
    case State.TrailerEnd:
      if (byte !== LF) return "bad-line-end";
      decoder.state = State.TrailerStart;
      return undefined;
    default:
      if (byte !== LF) return "bad-line-end";
      decoder.state = State.Done;
      return undefined;
  }
}

function trailerNameByte(decoder: ChunkedDecoder, byte: number): Fault | undefined {
  const { name, nameLength } = decoder;
  if (TOKEN[byte] === 1) {
    if (nameLength < name.length) name[nameLength] = byte;
    decoder.nameLength++;
    return undefined;
  }
  if (byte !== COLON || nameLength === 0) return "bad-field-name";
  const kind = nameLength > name.length ? FieldKind.Other : fieldKind(name, 0, nameLength);
  if (kind !== FieldKind.Other && kind <= FieldKind.HopByHop) return "bad-trailer";
  decoder.state = State.TrailerValue;
  return undefined;
}

/** What goes before the data of a chunk; CR LF goes behind it. */
export const chunkStart = (length: number): string => `${length.toString(16)}\r\n`;
/** The last chunk, without trailers. */
export const LAST_CHUNK = "0\r\n\r\n";
