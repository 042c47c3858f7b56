/**
 * One request and its response: finds an endpoint, sends, tries another one where that can do no harm, and passes back what comes.
 *
 *     begin ─► connecting ─► sent ─► responding ─► finish
 *                 │  ▲         │
 *                 └──┴─────────┘ another endpoint: whenever nothing was sent; else only if the request may be sent twice, it is still here,
 *                                nothing has come back, and the retry budget allows it
 */
import type { Duplex } from "node:stream";
import { chunkStart, LAST_CHUNK } from "../http1/chunked.ts";
import { FAULT_ANSWERS, type Fault } from "../http1/faults.ts";
import { formatResponseHead, responseBody } from "../http1/format-head.ts";
import type { BodyKind, Framing } from "../http1/framing.ts";
import { HEAD, type Method } from "../http1/method.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import { nextEndpoint, type ProxyEndpoint, type Tiers } from "./endpoints.ts";
import type { GatheringWriter } from "./gathering-writer.ts";
import { BAD_RESPONSE, BODY_TOO_LARGE, LOST, NO_ENDPOINT, type OwnAnswer, SLOW_ENDPOINT } from "./own-answer.ts";
import type { ProxyContext } from "./proxy-context.ts";
import type { RequestBody } from "./request-body.ts";
import { addRequest, takeRetry } from "./retry-budget.ts";
import type { ResponseSink, UpstreamConnection, UpstreamLoss } from "./upstream-connection.ts";

/** Who sent the request. */
export interface ExchangeClient {
  readonly socket: Duplex;
  readonly out: GatheringWriter;
  /** When the client is given up; Infinity: somebody else is waited for. */
  deadline: number;
  /** The response is through, or an answer of our own. */
  finish(keepAlive: boolean): void;
  /** The response cannot be ended as it was begun. */
  abort(): void;
  answer(answer: OwnAnswer, keepAlive: boolean): void;
  /** Both speak another protocol from here on. */
  upgrade(upstream: Duplex, rest: Buffer): void;
}

/** What is sent, and what the client may get. */
export interface ExchangeRequest {
  readonly method: Method;
  /** For the endpoint, Latin-1. */
  readonly head: string;
  readonly body: RequestBody;
  readonly minor: 0 | 1;
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
  readonly upgrades: boolean;
}

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
const NOBODY: readonly ProxyEndpoint[] = [];

export class Exchange implements ResponseSink {
  readonly #client: ExchangeClient;
  readonly #context: ProxyContext;
  readonly #request: ExchangeRequest;
  readonly #tiers: Tiers;
  #tried: readonly ProxyEndpoint[] = NOBODY;
  #attempts = 0;
  #upstream: UpstreamConnection | undefined;
  /** The request's head has been written to the endpoint. */
  #isSent = false;
  /** The connection had served others: its end may have nothing to do with this request. */
  #wasReused = false;
  #wasLost = false;
  #hasResponse = false;
  #keepAlive: boolean;
  #bodyKind: BodyKind = "none";

  constructor(client: ExchangeClient, context: ProxyContext, request: ExchangeRequest, tiers: Tiers) {
    this.#client = client;
    this.#context = context;
    this.#request = request;
    this.#tiers = tiers;
    this.#keepAlive = request.keepAlive;
  }

  get isRequestSent(): boolean {
    return this.#request.body.isWhole && this.#isSent;
  }

  get isRequestWhole(): boolean {
    return this.#request.body.isWhole;
  }

  /** Something of the response has been passed to the client. */
  get hasResponse(): boolean {
    return this.#hasResponse;
  }

  begin(): void {
    addRequest(this.#context.budget);
    this.#connect();
  }

  /** Bytes of the body have arrived, or of what is behind it, which is returned. */
  takeBytes(bytes: Buffer): Buffer | undefined {
    const { body } = this.#request;
    if (body.isWhole) return bytes;
    const out = this.#isSent ? this.#upstream?.out : undefined;
    const rest = body.read(bytes, out);
    if (typeof rest === "string") {
      this.#refuse(rest);
      return undefined;
    }
    if (body.size > this.#context.settings.maxBody) {
      this.#refuse("body-too-large");
      return undefined;
    }
    if (this.#isSent && body.isKept && body.size > this.#context.settings.replay) body.forget();
    this.#waitForWhoeverIsNext(out === undefined ? body.size <= this.#context.settings.replay : out.flush());
    return rest;
  }

  /** The client is gone. */
  abandon(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    upstream?.abandon();
  }

  /** The client reads again. */
  onClientDrain(): void {
    const { timeouts } = this.#context.settings;
    if (this.#upstream === undefined || !this.#hasResponse) return; // what it reads at last is the response before
    this.#upstream.socket.resume();
    this.#upstream.deadline = this.#in(timeouts.responseBody);
    this.#client.deadline = this.#request.body.isWhole ? Infinity : this.#in(timeouts.client);
  }

  // What the endpoint's connection tells.

  onConnected(): void {
    const { body, head, expectsContinue } = this.#request;
    const upstream = this.#upstream!;
    this.#isSent = true;
    upstream.out.addText(head);
    body.sendKept(upstream.out);
    // what must not be sent twice is not kept, so that it cannot be
    if (body.isKept && (!this.#request.method.isIdempotent || body.size > this.#context.settings.replay)) body.forget();
    const isTaken = upstream.out.flush();
    if (expectsContinue && !body.isWhole && body.size === 0) {
      this.#client.out.addText(CONTINUE);
      this.#client.out.flush();
    }
    this.#waitForWhoeverIsNext(isTaken);
  }

  onHead(head: ResponseHead, framing: Framing, bytes: Buffer): void {
    const { minor, upgrades } = this.#request;
    const { status } = head;
    if (status < 200) {
      if (status === 101 && !upgrades) {
        this.abandon();
        return void this.#fail(BAD_RESPONSE);
      }
      // 100 was said by us already, if the client waited for it; HTTP/1.0 knows no interim responses
      if (status !== 100 && minor === 1) this.#client.out.addText(formatResponseHead(bytes, head, framing, { minor, keepAlive: true }));
      return;
    }
    this.#hasResponse = true;
    this.#request.body.forget();
    this.#bodyKind = responseBody(framing, minor);
    // a body that is not through yet may never be: what follows it could not be told from its rest
    this.#keepAlive &&= this.#request.body.isWhole && this.#bodyKind !== "until-close" && !this.#context.isDraining;
    this.#client.out.addText(formatResponseHead(bytes, head, framing, { minor, keepAlive: this.#keepAlive }));
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    const { out } = this.#client;
    if (this.#bodyKind === "chunked") out.addText(chunkStart(end - start));
    out.addBytes(bytes, start, end);
    if (this.#bodyKind === "chunked") out.addText("\r\n");
  }

  onRead(): void {
    const { timeouts } = this.#context.settings;
    if (this.#client.out.flush()) {
      if (this.#hasResponse) this.#upstream!.deadline = this.#in(timeouts.responseBody);
    } else {
      this.#upstream!.socket.pause();
      this.#upstream!.deadline = Infinity;
      this.#client.deadline = this.#in(timeouts.client);
    }
  }

  onEnd(): void {
    this.#upstream = undefined;
    if (this.#bodyKind === "chunked") this.#client.out.addText(LAST_CHUNK);
    this.#client.out.flush();
    this.#client.finish(this.#keepAlive);
  }

  onUpgrade(rest: Buffer): void {
    const { socket } = this.#upstream!;
    this.#upstream = undefined;
    this.#client.out.flush();
    this.#client.upgrade(socket, rest);
  }

  onUpstreamDrain(): void {
    this.#waitForWhoeverIsNext(true);
  }

  onLoss(loss: UpstreamLoss, hasAnswered: boolean): void {
    const endpoint = this.#upstream!.endpoint;
    this.#upstream = undefined;
    if (this.#hasResponse) {
      this.#context.counters.cutResponses++;
      return void this.#client.abort();
    }
    const wasSent = this.#isSent;
    this.#isSent = false;
    if (!wasSent) return void this.#connect();
    if (loss === "timeout") return void this.#fail(SLOW_ENDPOINT);
    if (loss === "bad-response") return void this.#fail(BAD_RESPONSE);
    if (hasAnswered || !this.#request.body.isKept) return void this.#fail(LOST);
    if (!takeRetry(this.#context.budget, this.#context.ports.now())) {
      this.#context.counters.retriesDenied++;
      return void this.#fail(LOST);
    }
    this.#wasLost = true;
    const again =
      this.#wasReused && this.#attempts < this.#context.settings.attempts ? this.#context.pool.take(endpoint, "new") : undefined;
    if (again === undefined) this.#connect();
    else this.#send(again);
  }

  /** To the next endpoint; with none left the client is told. */
  #connect(): void {
    const { pool, settings } = this.#context;
    while (this.#attempts < settings.attempts) {
      const endpoint = nextEndpoint(this.#tiers, this.#tried, (one) => pool.isShunned(one));
      if (endpoint === undefined) break;
      this.#tried = this.#tried.length === 0 ? [endpoint] : [...this.#tried, endpoint];
      const upstream = pool.take(endpoint, this.#request.method.isIdempotent ? "any" : "fresh");
      if (upstream === undefined) continue; // it has enough to do
      return void this.#send(upstream);
    }
    this.#fail(this.#wasLost ? LOST : NO_ENDPOINT);
  }

  #send(upstream: UpstreamConnection): void {
    if (this.#attempts++ > 0) this.#context.counters.retries++;
    this.#upstream = upstream;
    this.#wasReused = upstream.served > 0;
    upstream.begin(this, this.#request.method === HEAD);
  }

  /** Who must act next, and by when: the client with its body, or the endpoint with reading it or with answering. */
  #waitForWhoeverIsNext(isTaken: boolean): void {
    const { timeouts } = this.#context.settings;
    const { body } = this.#request;
    const { socket } = this.#client;
    if (body.isWhole) {
      this.#client.deadline = Infinity;
      if (this.#isSent && !this.#hasResponse) this.#upstream!.deadline = this.#in(timeouts.response);
    } else if (isTaken) {
      if (socket.isPaused()) socket.resume();
      this.#client.deadline = this.#in(timeouts.client);
      if (this.#isSent && !this.#hasResponse) this.#upstream!.deadline = Infinity;
    } else {
      socket.pause();
      this.#client.deadline = Infinity;
      if (this.#isSent) this.#upstream!.deadline = this.#in(timeouts.response);
    }
  }

  /** The body cannot be read on; what the endpoint has got of it is no request. */
  #refuse(fault: Fault | "body-too-large"): void {
    this.abandon();
    if (this.#hasResponse) this.#client.abort();
    else this.#client.answer(fault === "body-too-large" ? BODY_TOO_LARGE : FAULT_ANSWERS[fault], false);
  }

  #fail(answer: OwnAnswer): void {
    this.#client.answer(answer, this.#keepAlive && this.#request.body.isWhole && !this.#context.isDraining);
  }

  #in(delay: number): number {
    return this.#context.ports.now() + delay;
  }
}
