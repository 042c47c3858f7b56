/**
 * The second attempt of a request whose first one is slow: begun when its time has come and still nothing has been heard. Until either has a
 * response, nothing of it is the client's business.
 */
import type { Milliseconds } from "../../../model/units.ts";
import type { Framing } from "../http1/framing.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import type { Attempts } from "./attempts.ts";
import { judgeAttempt, resultOf, resultOfLoss } from "./judge-attempt.ts";
import type { ProxyContext } from "./proxy-context.ts";
import type { ResponseSink, UpstreamConnection, UpstreamLoss } from "./upstream-connection.ts";

/** The request that is hedged. It has no body. */
export interface HedgedRequest {
  /** For the endpoint, Latin-1. */
  readonly head: string;
  readonly isToHead: boolean;
  /** It was sent, and nothing has come back. */
  readonly isSilent: boolean;
  /** The hedge has a final response, and its attempt is taken over. @returns false when the response is of no use */
  onHedgeHead(head: ResponseHead, framing: Framing, bytes: Buffer): boolean;
}

export class Hedge implements ResponseSink {
  readonly #request: HedgedRequest;
  readonly #context: ProxyContext;
  readonly #attempts: Attempts;
  readonly #cancelTimer: () => void;
  #upstream: UpstreamConnection | undefined;
  #isSent = false;

  constructor(request: HedgedRequest, context: ProxyContext, attempts: Attempts, after: Milliseconds) {
    this.#request = request;
    this.#context = context;
    this.#attempts = attempts;
    this.#cancelTimer = context.ports.setTimer(after, () => this.#begin());
  }

  /** A second endpoint is being asked. */
  get isRunning(): boolean {
    return this.#upstream !== undefined;
  }

  get isRequestSent(): boolean {
    return this.#isSent;
  }

  /** Its attempt is the only one from now on. @returns undefined when it is not running */
  handTo(sink: ResponseSink): UpstreamConnection | undefined {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    upstream?.handTo(sink);
    return upstream;
  }

  cancel(): void {
    this.#cancelTimer();
    const upstream = this.#upstream;
    this.#upstream = undefined;
    upstream?.abandon();
  }

  onConnected(now: Milliseconds): void {
    const upstream = this.#upstream!;
    this.#isSent = true;
    this.#attempts.noteSent(upstream.endpoint, now);
    upstream.out.addText(this.#request.head);
    upstream.out.flush();
  }

  onHead(head: ResponseHead, framing: Framing, bytes: Buffer): void {
    const { status } = head;
    if (status < 200 && status !== 101) return; // interim responses come from whoever was asked first
    const upstream = this.#upstream!;
    if (status !== 101 && this.#request.onHedgeHead(head, framing, bytes)) return;
    judgeAttempt(this.#context, upstream, status === 101 ? "reset" : resultOf(status), status, this.#context.ports.now());
    this.cancel();
  }

  onLoss(loss: UpstreamLoss): void {
    judgeAttempt(this.#context, this.#upstream!, resultOfLoss(loss, 0), 0, this.#context.ports.now());
    this.#upstream = undefined;
  }

  onLate(): undefined {}
  onBody(): void {}
  onRead(): void {}
  onEnd(): void {}
  onUpgrade(): void {}
  onUpstreamDrain(): void {}

  #begin(): void {
    if (!this.#request.isSilent || !this.#attempts.hasNext("well") || !this.#attempts.takeRetry()) return;
    const now = this.#context.ports.now();
    this.#upstream = this.#attempts.take(now);
    if (this.#upstream === undefined) return;
    this.#context.counters.hedges++;
    this.#upstream.begin(this, this.#request.isToHead, now);
  }
}
