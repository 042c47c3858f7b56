/**
 * Plain values with typed arrays inside, to bytes and back; arrays come back over SharedArrayBuffers. Used for what must outlive the
 * process.
 *
 * ```
 * "GRSNAP1\n"  u32 LE header length  header (JSON; an array is {"$array": kind, "length": n})  zero padding to 8
 * array 0, padded to 8  array 1 …  SHA-256 of all before
 * ```
 */
import { createHash } from "node:crypto";

const MAGIC = Buffer.from("GRSNAP1\n");
const DIGEST = 32;

const kinds = { Uint8Array, Uint16Array, Uint32Array, Int32Array, Float64Array } as const;
type Kind = keyof typeof kinds;
type Numbers = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;

function viewOf(kind: Kind, buffer: SharedArrayBuffer): Numbers {
  switch (kind) {
    case "Uint8Array":
      return new Uint8Array(buffer);
    case "Uint16Array":
      return new Uint16Array(buffer);
    case "Uint32Array":
      return new Uint32Array(buffer);
    case "Int32Array":
      return new Int32Array(buffer);
    case "Float64Array":
      return new Float64Array(buffer);
  }
}

const kindOf = (value: unknown): Kind | undefined => (Object.keys(kinds) as Kind[]).find((kind) => value instanceof kinds[kind]);

const padding = (length: number): number => (8 - (length % 8)) % 8;

export function encodeSnapshot(value: unknown): Buffer {
  const arrays: Numbers[] = [];
  const header = Buffer.from(
    JSON.stringify(value, (_key, inner: unknown) => {
      const kind = kindOf(inner);
      if (kind === undefined) return inner;
      arrays.push(inner as Numbers);
      return { $array: kind, length: (inner as Numbers).length };
    }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const parts: Buffer[] = [MAGIC, length, header, Buffer.alloc(padding(MAGIC.length + 4 + header.length))];
  for (const array of arrays) {
    parts.push(Buffer.from(array.buffer, array.byteOffset, array.byteLength), Buffer.alloc(padding(array.byteLength)));
  }
  const body = Buffer.concat(parts);
  return Buffer.concat([body, createHash("sha256").update(body).digest()]);
}

/** @returns undefined for bytes that are not a whole, undamaged snapshot */
export function decodeSnapshot(bytes: Buffer): unknown {
  if (bytes.length < MAGIC.length + 4 + DIGEST || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const body = bytes.subarray(0, bytes.length - DIGEST);
  if (
    !createHash("sha256")
      .update(body)
      .digest()
      .equals(bytes.subarray(bytes.length - DIGEST))
  )
    return undefined;
  const headerLength = body.readUInt32LE(MAGIC.length);
  const headerEnd = MAGIC.length + 4 + headerLength;
  let at = headerEnd + padding(headerEnd);
  const header: unknown = JSON.parse(body.toString("utf8", MAGIC.length + 4, headerEnd));
  const restore = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map(restore);
    const marker = value as { readonly $array?: Kind; readonly length?: number };
    if (marker.$array !== undefined) {
      const size = marker.length! * kinds[marker.$array].BYTES_PER_ELEMENT;
      const shared = new SharedArrayBuffer(size);
      new Uint8Array(shared).set(body.subarray(at, at + size));
      at += size + padding(size);
      return viewOf(marker.$array, shared);
    }
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, restore(inner)]));
  };
  return restore(header);
}
