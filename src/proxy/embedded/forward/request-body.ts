/** A request's body on its way to an endpoint: read as it arrives, kept for as long as it may have to be sent again. */
import { type BodyReader, restartBody, stepBody } from "../http1/body.ts";
import { chunkStart, LAST_CHUNK } from "../http1/chunked.ts";
import type { Fault } from "../http1/faults.ts";
import type { Framing } from "../http1/framing.ts";
import type { GatheringWriter } from "./gathering-writer.ts";

const NOTHING = Buffer.alloc(0);

export class RequestBody {
  /** All of it has been read from the client. */
  isWhole = false;
  /** Bytes of data so far. */
  size = 0;
  /** What was read since the beginning is still here, so that it can be sent from the beginning. */
  isKept = true;
  readonly #reader: BodyReader;
  readonly #isChunked: boolean;
  /** Copied together: a view for each of very many small pieces would take much more than the pieces do. */
  #kept: Buffer = NOTHING;

  /** @param reader the connection's: one request at a time needs it */
  constructor(framing: Framing, reader: BodyReader) {
    this.#isChunked = framing.body === "chunked";
    this.#reader = reader;
    restartBody(reader, framing);
  }

  /**
   * Reads what has arrived.
   *
   * @param start of what has not been read yet
   * @param out where to pass it on to; undefined while there is no connection
   * @returns what is behind the body, or undefined when there is nothing; or why the body cannot be read
   */
  read(bytes: Buffer, start: number, out: GatheringWriter | undefined): Buffer | Fault | undefined {
    const reader = this.#reader;
    reader.at = start;
    for (;;) {
      const step = stepBody(reader, bytes, bytes.length);
      if (step === "data") {
        const { dataStart, dataEnd } = reader;
        if (this.isKept) this.#keep(bytes, dataStart, dataEnd);
        this.size += dataEnd - dataStart;
        if (out !== undefined) this.#write(out, bytes, dataStart, dataEnd);
      } else if (step === "done") {
        this.isWhole = true;
        if (out !== undefined && this.#isChunked) out.addText(LAST_CHUNK);
        return reader.at < bytes.length ? bytes.subarray(reader.at) : undefined;
      } else {
        return step === "more" ? undefined : step;
      }
    }
  }

  /** Sends everything again that has been read so far. Only while {@link isKept}. */
  sendKept(out: GatheringWriter): void {
    if (this.size > 0) this.#write(out, this.#kept, 0, this.size);
    if (this.isWhole && this.#isChunked) out.addText(LAST_CHUNK);
  }

  /** It will not be sent again. */
  forget(): void {
    this.isKept = false;
    this.#kept = NOTHING;
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    const size = this.size + end - start;
    if (size > this.#kept.length) {
      const larger = Buffer.allocUnsafe(Math.max(size, 2 * this.#kept.length));
      this.#kept.copy(larger, 0, 0, this.size);
      this.#kept = larger;
    }
    bytes.copy(this.#kept, this.size, start, end);
  }

  #write(out: GatheringWriter, bytes: Buffer, start: number, end: number): void {
    if (this.#isChunked) out.addText(chunkStart(end - start));
    out.addBytes(bytes, start, end);
    if (this.#isChunked) out.addText("\r\n");
  }
}
