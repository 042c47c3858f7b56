/** A body of whichever framing, read as it arrives: one interface for both directions. */
import { type ChunkedDecoder, newChunkedDecoder, restartChunked, stepChunked } from "./chunked.ts";
import type { Fault } from "./faults.ts";
import type { BodyKind, Framing } from "./framing.ts";

/** Used again for every body of a connection. */
export interface BodyReader {
  kind: BodyKind;
  /** Bytes that have not come yet of a body whose length is known. */
  left: number;
  /** First byte that has not been taken. */
  at: number;
  /** The data of the last step that said "data". */
  dataStart: number;
  dataEnd: number;
  readonly chunked: ChunkedDecoder;
}

export const newBodyReader = (): BodyReader => ({
  kind: "none",
  left: 0,
  at: 0,
  dataStart: 0,
  dataEnd: 0,
  chunked: newChunkedDecoder(),
});

/** Forgets the body before. */
export function restartBody(reader: BodyReader, { body, length }: Framing): void {
  reader.kind = body;
  reader.left = body === "length" ? length : 0;
  if (body === "chunked") restartChunked(reader.chunked);
}

/**
 * Takes bytes from `reader.at` up to `end`.
 *
 * @returns "data" when `dataStart` to `dataEnd` is data, and there may be more to take; "more" when all bytes are taken and the body is not at
 *          its end, which one that lasts until the connection closes never says; "done" with `at` at the first byte behind the body
 */
export function stepBody(reader: BodyReader, bytes: Uint8Array, end: number): "data" | "more" | "done" | Fault {
  if (reader.kind === "chunked") {
    const { chunked } = reader;
    chunked.at = reader.at;
    const step = stepChunked(chunked, bytes, end);
    reader.at = chunked.at;
    reader.dataStart = chunked.dataStart;
    reader.dataEnd = chunked.dataEnd;
    return step;
  }
  if (reader.kind === "none" || (reader.kind === "length" && reader.left === 0)) return "done";
  if (reader.at === end) return "more";
  reader.dataStart = reader.at;
  reader.dataEnd = reader.kind === "length" ? Math.min(end, reader.at + reader.left) : end;
  reader.left -= reader.dataEnd - reader.dataStart;
  reader.at = reader.dataEnd;
  return "data";
}
