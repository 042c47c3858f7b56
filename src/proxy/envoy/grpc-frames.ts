/**
 * Messages as gRPC has them on a stream of HTTP/2 (PROTOCOL-HTTP2.md, "Length-Prefixed-Message"):
 *
 * ```
 * 0       1               5
 * | 0 or 1 | length, 4 bytes | message …
 *   1 = compressed, which nobody may do who was not told that it is understood
 * ```
 */

/** The larger ones are what an Envoy that comes back has: some 60 bytes for each resource. */
const MOST_BYTES = 64 << 20;
const HEAD_BYTES = 5;

export interface FrameReader {
  /**
   * @param chunk borrowed: what is kept of it is copied
   * @param onMessage is given each message that is whole now; it is borrowed, too
   * @returns why nothing more of this stream can be read; undefined as long as all is well
   */
  read(chunk: Buffer, onMessage: (message: Buffer) => void): "compressed" | "too large" | undefined;
}

/** In which messages are put together that come in pieces. Garbage of this kind is slow to go: thousands of streams use a few buffers in turn. */
export type Spares = Buffer[];

const MOST_SPARES = 16;
const [SMALLEST_SPARE, LARGEST_SPARE] = [1 << 16, 1 << 20];

/** @param spares of all readers that read in turn */
export function createFrameReader(spares: Spares = []): FrameReader {
  /** Its first `have` bytes are of a message that is not whole yet, its head included. */
  let kept: Buffer | undefined;
  let have = 0;
  const keep = (bytes: Buffer): Buffer => {
    const wanted = have + bytes.length;
    if (kept === undefined || kept.length < wanted) {
      const before = kept?.subarray(0, have);
      kept = spares.pop();
      // Not as large as the message says that it is: that costs a client nothing to say.
      if (kept === undefined || kept.length < wanted)
        kept = Buffer.allocUnsafeSlow(Math.max(SMALLEST_SPARE, 2 ** Math.ceil(Math.log2(wanted))));
      if (before !== undefined) kept.set(before);
    }
    kept.set(bytes, have);
    have = wanted;
    return kept;
  };
  const release = (): void => {
    if (kept !== undefined && kept.length <= LARGEST_SPARE && spares.length < MOST_SPARES) spares.push(kept);
    kept = undefined;
    have = 0;
  };
  return {
    read(chunk, onMessage) {
      let rest = chunk;
      while (rest.length > 0) {
        if (kept !== undefined && have < HEAD_BYTES) {
          const missing = rest.subarray(0, HEAD_BYTES - have);
          keep(missing);
          rest = rest.subarray(missing.length);
          if (have < HEAD_BYTES) return undefined;
        }
        const head = kept ?? rest;
        if (head.length < HEAD_BYTES) {
          keep(rest);
          return undefined;
        }
        if (head[0] !== 0) return "compressed";
        const length = head.readUInt32BE(1);
        if (length > MOST_BYTES) return "too large";
        const end = HEAD_BYTES + length;
        const part = rest.subarray(0, end - have);
        rest = rest.subarray(part.length);
        if (have + part.length < end) {
          keep(part);
          return undefined;
        }
        if (kept === undefined) onMessage(part.subarray(HEAD_BYTES));
        else {
          onMessage(keep(part).subarray(HEAD_BYTES, end));
          release();
        }
      }
      return undefined;
    },
  };
}

/** What goes before a message of so many bytes, the first of which may be given with it. */
export function frameHead(length: number, first: Uint8Array): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES + first.length);
  head[0] = 0;
  head.writeUInt32BE(length, 1);
  head.set(first, HEAD_BYTES);
  return head;
}
