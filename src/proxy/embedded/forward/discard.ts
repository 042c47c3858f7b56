/** Reads a response that nobody wants to its end, so that its connection can be used again; gives up when it is long. */
import type { ResponseSink, UpstreamConnection } from "./upstream-connection.ts";

/** Bytes; a new connection costs less than reading more. */
const MOST = 64 << 10;

export class Discard implements ResponseSink {
  /** Only such responses are held and let go. */
  readonly isRequestSent = true;
  readonly #upstream: UpstreamConnection;
  #left = MOST;

  private constructor(upstream: UpstreamConnection) {
    this.#upstream = upstream;
  }

  /** @param upstream with a response that is held @param deadline when it is given up */
  static begin(upstream: UpstreamConnection, deadline: number): void {
    upstream.deadline = deadline;
    upstream.release(new Discard(upstream));
  }

  onBody(_bytes: Buffer, start: number, end: number): void {
    this.#left -= end - start;
    if (this.#left < 0) this.#upstream.abandon();
  }

  onLate(): undefined {}
  onConnected(): void {}
  onHead(): void {}
  onRead(): void {}
  onEnd(): void {}
  onUpgrade(): void {}
  onUpstreamDrain(): void {}
  onLoss(): void {}
}
