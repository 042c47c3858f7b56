/**
 * Bytes of which every place is known, so that those that arrive can be compared with those that should have: a checksum says that something is
 * wrong, this says where. They repeat after a prime number of bytes, so that no buffer that is lost, doubled or moved goes unnoticed.
 */
import { Readable } from "node:stream";
import { seededRandom } from "../random.ts";

const PERIOD = 1_048_573;
const PIECE = 64 << 10;

const random = seededRandom(20_260);
const PATTERN = Buffer.from(Uint8Array.from({ length: PERIOD }, () => Math.floor(256 * random())));

/** The bytes from this place on: at most 64 KiB, and no more than `most`. Never written to. */
function patternAt(place: number, most: number): Buffer {
  const start = place % PERIOD;
  return PATTERN.subarray(start, Math.min(start + most, start + PIECE, PERIOD));
}

export interface PatternSource {
  readonly stream: Readable;
  /** Bytes that were taken from it so far. */
  readonly given: () => number;
}

/** The first `size` bytes. */
export function patternSource(size: number): PatternSource {
  let given = 0;
  const stream = new Readable({
    read() {
      const piece = given < size ? patternAt(given, size - given) : null;
      given += piece?.length ?? 0;
      this.push(piece);
    },
  });
  return { stream, given: () => given };
}

export interface PatternCheck {
  /** The next bytes that have arrived. */
  readonly take: (bytes: Buffer) => void;
  readonly taken: () => number;
  /** Place of the first piece that is not as it should be; undefined when all are. */
  readonly wrongAt: () => number | undefined;
}

export function patternCheck(): PatternCheck {
  let taken = 0;
  let wrongAt: number | undefined;
  return {
    take(bytes) {
      for (let at = 0; at < bytes.length; ) {
        const expected = patternAt(taken, bytes.length - at);
        if (expected.compare(bytes, at, at + expected.length) !== 0) wrongAt ??= taken;
        at += expected.length;
        taken += expected.length;
      }
    },
    taken: () => taken,
    wrongAt: () => wrongAt,
  };
}
