/** A response on its way back to the client: what goes on of its head, and its body framed anew. */
import { chunkStart, LAST_CHUNK } from "../http1/chunked.ts";
import { formatResponseHead, responseBody } from "../http1/format-head.ts";
import type { BodyKind, Framing } from "../http1/framing.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import type { GatheringWriter } from "./gathering-writer.ts";

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

export class ResponseRelay {
  /** Of the response that is passed on; 0 before. */
  status = 0;
  /** The client's connection goes on afterwards. */
  keepAlive: boolean;
  readonly #out: GatheringWriter;
  /** The client speaks HTTP/1.1 or HTTP/1.0. */
  readonly #minor: 0 | 1;
  #bodyKind: BodyKind = "none";

  /** @param keepAlive the client would go on */
  constructor(out: GatheringWriter, minor: 0 | 1, keepAlive: boolean) {
    this.#out = out;
    this.#minor = minor;
    this.keepAlive = keepAlive;
  }

  /** The client waits for this before it sends a body. */
  sayContinue(): void {
    this.#out.addText(CONTINUE);
    this.#out.flush();
  }

  /** An interim response (1xx). */
  passInterim(head: ResponseHead, framing: Framing, bytes: Buffer): void {
    // 100 was said by us already, if the client waited for it; HTTP/1.0 knows no interim responses
    if (head.status === 100 || this.#minor === 0) return;
    this.#out.addText(formatResponseHead(bytes, head, framing, { minor: this.#minor, keepAlive: true }));
  }

  /** @param mayKeepAlive whatever the response says */
  begin(head: ResponseHead, framing: Framing, bytes: Buffer, mayKeepAlive: boolean): void {
    this.status = head.status;
    this.#bodyKind = responseBody(framing, this.#minor);
    this.keepAlive &&= mayKeepAlive && this.#bodyKind !== "until-close";
    this.#out.addText(formatResponseHead(bytes, head, framing, { minor: this.#minor, keepAlive: this.keepAlive }));
  }

  addBody(bytes: Buffer, start: number, end: number): void {
    if (this.#bodyKind === "chunked") this.#out.addText(chunkStart(end - start));
    this.#out.addBytes(bytes, start, end);
    if (this.#bodyKind === "chunked") this.#out.addText("\r\n");
  }

  end(): void {
    if (this.#bodyKind === "chunked") this.#out.addText(LAST_CHUNK);
    this.#out.flush();
  }
}
