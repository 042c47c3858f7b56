/** One connection to an endpoint: a request at a time, and what comes back of it. */
import type { Duplex } from "node:stream";
import type { Milliseconds } from "../../../model/units.ts";
import { type BodyReader, newBodyReader, restartBody, stepBody } from "../http1/body.ts";
import type { HeadLimits } from "../http1/fields.ts";
import { type Framing, frameResponse, newFraming } from "../http1/framing.ts";
import { newResponseHead, parseResponseHead, type ResponseHead, restartResponseHead } from "../http1/response-head.ts";
import type { ProxyEndpoint } from "./endpoints.ts";
import { GatheringWriter } from "./gathering-writer.ts";

/**
 * How an attempt fails. "unreachable": no connection came about, so nothing was sent. "lost": it broke, or its end came before that of the response.
 * "bad-response": what came is no HTTP, or could be read in two ways. "head-too-large": it answered with more than we take.
 */
export type UpstreamLoss = "unreachable" | "lost" | "timeout" | "bad-response" | "head-too-large";

/** Whose request it is. Calls come in this order; after onEnd, onUpgrade or onLoss there are none. */
export interface ResponseSink {
  /** The request can be sent. */
  onConnected(now: Milliseconds): void;
  /** An interim (1xx) or the final head. Offsets into `bytes`. */
  onHead(head: ResponseHead, framing: Framing, bytes: Buffer): void;
  onBody(bytes: Buffer, start: number, end: number): void;
  /** All that has arrived was handed on. */
  onRead(): void;
  onEnd(now: Milliseconds): void;
  /** After a head with status 101: `rest` is the new protocol's. */
  onUpgrade(rest: Buffer): void;
  /** The endpoint reads again. */
  onUpstreamDrain(): void;
  /**
   * The response has not begun in time. Until onLoss, which follows unless it is waited for.
   *
   * @returns until when it is waited for; undefined: no longer
   */
  onLate(now: Milliseconds): number | undefined;
  /** @param hasAnswered at least a byte of a response had come */
  onLoss(loss: UpstreamLoss, hasAnswered: boolean): void;
  /** The request has been written to its end. */
  readonly isRequestSent: boolean;
}

/** What the connection's owner learns. */
export interface UpstreamOwner {
  /** Monotonic. */
  readonly now: () => Milliseconds;
  onConnected(connection: UpstreamConnection): void;
  /** It can take another request. */
  onFree(connection: UpstreamConnection, now: Milliseconds): void;
  /** It is no more. @param isUnreachable the endpoint could not be connected to */
  onGone(connection: UpstreamConnection, isUnreachable: boolean): void;
}

export class UpstreamConnection {
  readonly endpoint: ProxyEndpoint;
  readonly socket: Duplex;
  readonly out: GatheringWriter;
  /** When it is given up; Infinity: somebody else is waited for. */
  deadline = Infinity;
  /** Requests before this one. */
  served = 0;
  /** Since when it has no request. */
  idleSince = 0;
  /** Since when it has the request it has. */
  attemptSince = 0;
  /** What became of that request is known. */
  isJudged = false;
  readonly #owner: UpstreamOwner;
  readonly #head: ResponseHead;
  readonly #framing: Framing = newFraming();
  readonly #body: BodyReader = newBodyReader();
  #state: "connecting" | "idle" | "head" | "held" | "body" | "gone" = "connecting";
  #sink: ResponseSink | undefined;
  #toHead = false;
  #hasAnswered = false;
  /** Its end says nothing about the endpoint. */
  #isAbandoned = false;
  /** The beginning of a head; or all that has come of a response that is held. */
  #pending: Buffer | undefined;
  /** The endpoint said its last while its response was held. */
  #hasEnded = false;

  constructor(endpoint: ProxyEndpoint, socket: Duplex, limits: HeadLimits, owner: UpstreamOwner) {
    this.endpoint = endpoint;
    this.socket = socket;
    this.out = new GatheringWriter(socket);
    this.#owner = owner;
    this.#head = newResponseHead(limits);
    socket.on(endpoint.tls === undefined ? "connect" : "secureConnect", () => this.#onConnect());
    socket.on("data", (bytes: Buffer) => this.#onData(bytes));
    socket.on("drain", () => this.#sink?.onUpstreamDrain());
    socket.on("end", () => this.#onEnd());
    socket.on("error", () => this.#lose("lost"));
    socket.on("close", () => this.#lose("lost"));
  }

  /** Takes a request; onConnected follows at once if there is a connection already. */
  begin(sink: ResponseSink, toHead: boolean, now: Milliseconds): void {
    this.attemptSince = now;
    this.isJudged = false;
    this.#sink = sink;
    this.#toHead = toHead;
    this.#hasAnswered = false;
    restartResponseHead(this.#head);
    if (this.#state === "idle") {
      this.#state = "head";
      sink.onConnected(now);
    }
  }

  /** At least a byte of the response has come. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** The response is somebody else's from now on. */
  handTo(sink: ResponseSink): void {
    this.#sink = sink;
  }

  /** In onHead: this response may not be wanted. It is not read on until {@link release}. */
  hold(): void {
    this.#state = "held";
    this.#sink = undefined;
    this.deadline = Infinity;
    this.socket.pause();
  }

  /** Reads the held response from its head on. @returns false when the connection has broken meanwhile: nothing comes */
  release(sink: ResponseSink): boolean {
    if (this.#state !== "held") return false;
    const bytes = this.#pending;
    this.#pending = undefined;
    this.#state = "head";
    this.#sink = sink;
    restartResponseHead(this.#head);
    this.socket.resume();
    if (bytes === undefined) return true; // still in the onHead that held it: whoever called that reads the head again
    this.#onData(bytes);
    if (this.#hasEnded && this.#sink === sink) this.#onEnd();
    return true;
  }

  /** Time is up. */
  expire(now: Milliseconds): void {
    const until = this.#state === "head" ? this.#sink?.onLate(now) : undefined;
    if (until === undefined) this.#lose("timeout");
    else this.deadline = until;
  }

  /** Nobody wants what may still come. */
  abandon(): void {
    this.#sink = undefined;
    this.#isAbandoned = true;
    this.#lose("lost");
  }

  #onConnect(): void {
    if (this.#state !== "connecting") return;
    this.deadline = Infinity;
    this.#owner.onConnected(this);
    if (this.#sink === undefined) return void this.abandon();
    this.#state = "head";
    this.#sink.onConnected(this.#owner.now());
  }

  #onData(piece: Buffer): void {
    if (this.#state === "gone") return;
    const bytes = this.#pending === undefined ? piece : Buffer.concat([this.#pending, piece]);
    this.#pending = undefined;
    if (this.#state === "held") {
      this.#pending = bytes; // read before it was paused
      return;
    }
    const sink = this.#sink;
    if (sink === undefined || this.#state === "connecting") return void this.#lose("bad-response"); // nobody asked
    this.#hasAnswered = true;
    this.#read(sink, bytes)?.onRead();
  }

  /** @returns whose response it is, unless it has come to its end or is not wanted */
  #read(asked: ResponseSink, all: Buffer): ResponseSink | undefined {
    let sink = asked;
    let bytes = all;
    this.#body.at = 0;
    while (this.#state === "head") {
      const progress = parseResponseHead(this.#head, bytes, bytes.length);
      if (progress === "more") {
        this.#pending = bytes.length > 0 ? bytes : undefined;
        return sink;
      }
      if (progress !== "done" || this.#frame(bytes) !== undefined) {
        this.#lose(progress === "head-too-large" || progress === "too-many-fields" ? "head-too-large" : "bad-response");
        return undefined;
      }
      const { status, fields } = this.#head;
      sink.onHead(this.#head, this.#framing, bytes);
      if (this.#isHeld()) this.#pending = bytes;
      if (this.#sink === undefined) return undefined; // it was not to its liking
      sink = this.#sink; // it may have been handed on
      if (!this.#head.inFields) continue; // held, and let go at once
      if (status === 101) {
        this.#leave(sink, bytes.subarray(fields.at));
        return undefined;
      }
      if (status < 200) {
        bytes = bytes.subarray(fields.at);
        restartResponseHead(this.#head);
        continue;
      }
      this.#state = "body";
      this.#body.at = fields.at;
      restartBody(this.#body, this.#framing);
    }
    for (;;) {
      const step = stepBody(this.#body, bytes, bytes.length);
      if (step === "data") {
        sink.onBody(bytes, this.#body.dataStart, this.#body.dataEnd);
        if (this.#sink !== sink) return undefined;
      } else if (step === "more") {
        return sink;
      } else {
        if (step === "done") this.#finish(sink, this.#body.at === bytes.length && this.#isKept());
        else this.#lose("bad-response");
        return undefined;
      }
    }
  }

  /** A function, because a call before has changed what the compiler believes to know. */
  #isHeld(): boolean {
    return this.#state === "held";
  }

  #frame(bytes: Buffer): string | undefined {
    const { fields, minor, status } = this.#head;
    return frameResponse(this.#framing, fields, bytes, { minor, status, toHead: this.#toHead });
  }

  /** Would the endpoint take another request (RFC 9112 §9.3)? */
  #isKept(): boolean {
    const { bindsConnection, connection } = this.#framing;
    const { close, keepAlive } = connection;
    return !this.#hasEnded && !close && !bindsConnection && (this.#head.minor === 1 || keepAlive) && this.#sink?.isRequestSent === true;
  }

  /** The connection is free before the sink learns of the end, so that the client's next request can have it. */
  #finish(sink: ResponseSink, isKept: boolean): void {
    const now = this.#owner.now();
    this.#sink = undefined;
    if (isKept) {
      this.#state = "idle";
      this.served++;
      if (this.socket.isPaused()) this.socket.resume();
      this.#owner.onFree(this, now);
    } else {
      this.#lose("lost");
    }
    sink.onEnd(now);
  }

  /** The new protocol's from here on; it stays among the endpoint's connections until it closes. */
  #leave(sink: ResponseSink, rest: Buffer): void {
    this.#sink = undefined;
    this.deadline = Infinity;
    for (const event of ["data", "drain", "end"]) this.socket.removeAllListeners(event);
    sink.onUpgrade(rest);
  }

  #onEnd(): void {
    const sink = this.#sink;
    if (this.#state === "held") {
      this.#hasEnded = true;
      return;
    }
    if (this.#state === "body" && this.#body.kind === "until-close" && sink !== undefined) this.#finish(sink, false);
    else this.#lose("lost");
  }

  #lose(loss: UpstreamLoss): void {
    if (this.#state === "gone") return;
    const wasConnected = this.#state !== "connecting";
    this.#state = "gone";
    const sink = this.#sink;
    this.#sink = undefined;
    this.socket.destroy();
    this.#owner.onGone(this, !wasConnected && !this.#isAbandoned);
    sink?.onLoss(wasConnected ? loss : "unreachable", this.#hasAnswered);
  }
}
