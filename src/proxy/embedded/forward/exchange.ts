/**
 * One request and its response: finds an endpoint, sends, asks another one where that can do no harm, and passes back what comes.
 *
 *     begin ─► connecting ─► sent ─► responding ─► finish
 *                 │  ▲         │
 *                 └──┴─────────┘ another endpoint: whenever nothing was sent; else only if the request may be sent twice, it is still here,
 *                                nothing of a response was passed on, and the retry budget allows it
 *
 * It goes to another one when its connection breaks, when it is not answered in time, when the answer is a status that the route names, and when
 * its endpoint is no longer to be asked, by a new table or because requests keep failing there. As long as it can wait, it leaves for somebody
 * who is well only.
 */
import type { Milliseconds } from "../../../model/units.ts";
import { FAULT_ANSWERS, type Fault } from "../http1/faults.ts";
import type { Framing } from "../http1/framing.ts";
import { HEAD } from "../http1/method.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import { Attempts } from "./attempts.ts";
import { Discard } from "./discard.ts";
import type { Destination, ProxyRoute } from "./endpoints.ts";
import type { ExchangeClient, ExchangeRequest } from "./exchange-client.ts";
import { Hedge, type HedgedRequest } from "./hedge.ts";
import { judgeAttempt, noteLoad, resultOf, resultOfLoss } from "./judge-attempt.ts";
import { paceBody, passBody, sendRequest } from "./outgoing-request.ts";
import { BAD_RESPONSE, BODY_TOO_LARGE, BUSY, LOSS_ANSWERS, LOST, NO_ENDPOINT, type OwnAnswer, SLOW_REQUEST } from "./own-answer.ts";
import type { ProxyContext } from "./proxy-context.ts";
import { ResponseRelay } from "./response-relay.ts";
import { UnderWay } from "./under-way.ts";
import type { ResponseSink, UpstreamConnection, UpstreamLoss } from "./upstream-connection.ts";

/** How soon a request that must wait looks again whether it may leave. */
const LOOK_AGAIN = 250;

export class Exchange implements ResponseSink, HedgedRequest {
  readonly #client: ExchangeClient;
  readonly #context: ProxyContext;
  readonly #request: ExchangeRequest;
  readonly #route: ProxyRoute;
  readonly #attempts: Attempts;
  readonly #response: ResponseRelay;
  readonly #underWay: UnderWay;
  #upstream: UpstreamConnection | undefined;
  /** The request's head has been written to the endpoint. */
  #isSent = false;
  /** The connection had served others: its end may have nothing to do with this request. */
  #wasReused = false;
  /** Until when this endpoint is waited for if there is nobody else. */
  #patience = Infinity;
  /** The endpoint is being left for another one. */
  #isLeaving = false;
  /** Since when the retry budget is waited for. */
  #parkedSince: number | undefined;
  /** Its response is passed on if nobody has a better one. */
  #held: UpstreamConnection | undefined;
  #isLastResort = false;
  #hedge: Hedge | undefined;
  /** What the client is told when nobody is left. */
  #failure = NO_ENDPOINT;

  /** @param now the request's head has come */
  constructor(client: ExchangeClient, context: ProxyContext, request: ExchangeRequest, destination: Destination, now: Milliseconds) {
    this.#client = client;
    this.#context = context;
    this.#request = request;
    this.#route = destination.route;
    this.#attempts = new Attempts(context, request, destination);
    this.#response = new ResponseRelay(client.out, request.minor, request.keepAlive);
    this.#underWay = new UnderWay(context, destination.route, now);
  }

  get isRequestSent(): boolean {
    return this.#request.body.isWhole && this.#isSent;
  }

  get isRequestWhole(): boolean {
    return this.#request.body.isWhole;
  }

  /** Something of the response has been passed to the client. */
  get hasResponse(): boolean {
    return this.#response.status > 0;
  }

  begin(now: Milliseconds): void {
    if (this.#underWay.isOneTooMany) this.#fail(BUSY);
    else this.#connect(now);
  }

  /**
   * Time has passed.
   *
   * @param hasNews who may be asked has changed
   * @returns false when it is to leave its endpoint and the retry budget does not allow it yet
   */
  sweep(now: Milliseconds, hasNews: boolean): boolean {
    if (this.#underWay.isLate(now)) this.#expire();
    else if (this.#parkedSince !== undefined) this.#leavePark(now, this.#parkedSince);
    else if (hasNews) return this.#reconsider(now);
    return true;
  }

  /** Bytes of the body have arrived, or of what is behind it, which is returned. */
  takeBytes(bytes: Buffer): Buffer | undefined {
    const { body } = this.#request;
    if (body.isWhole) return bytes;
    const { replay } = this.#context.settings;
    const out = this.#isSent ? this.#upstream?.out : undefined;
    const rest = passBody(this.#request, bytes, out, replay);
    if (typeof rest === "string") {
      this.#refuse(rest);
      return undefined;
    }
    this.#waitForWhoeverIsNext(out === undefined ? body.size <= replay : out.flush(), this.#context.ports.now());
    return rest;
  }

  /** The client is gone. */
  abandon(): void {
    this.#drop();
    this.#end(this.#response.status, this.#context.ports.now());
  }

  /** The client reads again. */
  onClientDrain(): void {
    const { timeouts } = this.#context.settings;
    if (this.#upstream === undefined) return;
    if (!this.hasResponse && !this.#upstream.socket.isPaused()) return; // what it reads at last is the response before
    this.#upstream.socket.resume();
    if (!this.hasResponse) return void this.#waitForWhoeverIsNext(!this.#upstream.socket.writableNeedDrain, this.#context.ports.now());
    this.#upstream.deadline = this.#in(timeouts.responseBody);
    this.#client.deadline = this.#request.body.isWhole ? Infinity : this.#in(timeouts.client);
  }

  // What the endpoint's connection tells.

  onConnected(now: Milliseconds): void {
    const { body, expectsContinue } = this.#request;
    const { out, endpoint } = this.#upstream!;
    const { hedge } = this.#route.policy;
    this.#isSent = true;
    this.#attempts.noteSent(endpoint, now);
    const isTaken = sendRequest(this.#request, out, this.#context.settings.replay);
    if (expectsContinue && !body.isWhole && body.size === 0) this.#response.sayContinue();
    this.#waitForWhoeverIsNext(isTaken, now);
    if (hedge !== undefined) this.#setHedge(hedge.after);
  }

  onHead(head: ResponseHead, framing: Framing, bytes: Buffer): void {
    const { upgrades, body } = this.#request;
    const { status } = head;
    if (status < 200) {
      if (status === 101 && !upgrades) this.#fail(BAD_RESPONSE);
      else this.#response.passInterim(head, framing, bytes);
      return;
    }
    noteLoad(this.#context, this.#upstream!.endpoint, head, bytes);
    const isLast = status < 400 || this.#isLastResort;
    if (!isLast && this.#attempts.isUnwanted(status, this.#hedge?.isRunning === true)) return void this.#setAside(status);
    this.#discardHeld();
    this.#hedge?.cancel();
    this.#attempts.releaseRetry();
    body.forget();
    // a body that is not through yet may never be: what follows it could not be told from its rest
    this.#response.begin(head, framing, bytes, body.isWhole && !this.#context.isDraining);
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.#response.addBody(bytes, start, end);
  }

  onRead(): void {
    const { timeouts } = this.#context.settings;
    if (this.#client.out.flush()) {
      if (this.#response.status > 0) this.#upstream!.deadline = this.#in(timeouts.responseBody);
    } else {
      this.#upstream!.socket.pause();
      this.#upstream!.deadline = Infinity;
      this.#client.deadline = this.#in(timeouts.client);
    }
  }

  onEnd(now: Milliseconds): void {
    const { status, keepAlive } = this.#response;
    judgeAttempt(this.#context, this.#upstream!, resultOf(status), status, now);
    this.#upstream = undefined;
    this.#response.end();
    this.#end(status, now);
    this.#client.finish(keepAlive);
  }

  onUpgrade(rest: Buffer): void {
    const upstream = this.#upstream!;
    const now = this.#context.ports.now();
    judgeAttempt(this.#context, upstream, "ok", 101, now);
    this.#upstream = undefined;
    this.#client.out.flush();
    this.#drop();
    this.#end(101, now);
    this.#client.upgrade(upstream.socket, rest);
  }

  onUpstreamDrain(): void {
    this.#waitForWhoeverIsNext(true, this.#context.ports.now());
  }

  onLate(now: Milliseconds): number | undefined {
    const upstream = this.#upstream!;
    judgeAttempt(this.#context, upstream, "timeout", 0, now);
    if (!this.#request.body.isWhole || now >= this.#patience || this.#hedge?.isRunning === true) return undefined;
    this.#isLeaving = this.#attempts.mayRepeat("well") && !upstream.hasAnswered && this.#attempts.takeRetry();
    return this.#isLeaving ? undefined : Math.min(this.#patience, now + LOOK_AGAIN);
  }

  onLoss(loss: UpstreamLoss, hasAnswered: boolean): void {
    const upstream = this.#upstream!;
    const wasSent = this.#isSent;
    const now = this.#context.ports.now();
    const { status } = this.#response;
    this.#upstream = undefined;
    this.#isSent = false;
    const isStale = wasSent && loss === "lost" && this.#wasReused && !hasAnswered;
    if (!isStale) judgeAttempt(this.#context, upstream, resultOfLoss(loss, status), status, now);
    if (status > 0) {
      this.#context.counters.cutResponses++;
      this.#end(status, now);
      return void this.#client.abort();
    }
    if (!wasSent || this.#isLeaving) return void this.#goOn();
    this.#failure = LOSS_ANSWERS[loss];
    const isFinal = loss === "timeout" || loss === "head-too-large"; // it was waited for; it did answer
    if (isStale && this.#attempts.isRepeatable) this.#attempts.noteStale(upstream.endpoint);
    if (this.#hedge?.isRunning === true) this.#goOn();
    else if (isFinal || !this.#attempts.mayRepeat("any")) this.#giveUp();
    else if (this.#attempts.takeRetry()) this.#goOn();
    else this.#park(now);
  }

  // What the hedge asks and tells.

  get head(): string {
    return this.#request.head;
  }

  get isToHead(): boolean {
    return this.#request.method === HEAD;
  }

  get isSilent(): boolean {
    return this.#isSent && this.#upstream?.hasAnswered === false;
  }

  onHedgeHead(head: ResponseHead, framing: Framing, bytes: Buffer): boolean {
    if (this.#route.policy.retry.codes.includes(head.status)) return false;
    const slow = this.#upstream;
    this.#goOn();
    slow?.abandon();
    this.onHead(head, framing, bytes);
    return true;
  }

  #setHedge(after: Milliseconds): void {
    const { body, upgrades } = this.#request;
    if (this.#hedge !== undefined || upgrades || !body.isWhole || body.size > 0 || !this.#attempts.isRepeatable) return;
    this.#hedge = new Hedge(this, this.#context, this.#attempts, after);
  }

  /** To the next endpoint, or to one that has been asked already; with none left the client gets what there is. */
  #goOn(): void {
    this.#isLeaving = false;
    const isSent = this.#hedge?.isRequestSent === true;
    const hedged = this.#hedge?.handTo(this);
    const now = this.#context.ports.now();
    if (hedged === undefined) return void this.#connect(now);
    this.#upstream = hedged;
    this.#isSent = isSent;
    this.#wasReused = false;
    if (isSent) this.#waitForWhoeverIsNext(true, now);
  }

  #connect(now: Milliseconds): void {
    const upstream = this.#attempts.take(now);
    if (upstream === undefined) return void this.#giveUp();
    if (this.#attempts.count > 1) this.#context.counters.retries++;
    this.#upstream = upstream;
    this.#wasReused = upstream.served > 0;
    upstream.begin(this, this.isToHead, now);
  }

  /** Waits until fewer requests are being repeated. */
  #park(now: Milliseconds): void {
    this.#context.counters.retriesDenied++;
    this.#parkedSince = now;
  }

  #leavePark(now: Milliseconds, since: number): void {
    if (this.#attempts.takeRetry()) {
      this.#parkedSince = undefined;
      this.#connect(now);
    } else if (now - since >= this.#context.settings.timeouts.retry) {
      this.#giveUp();
    }
  }

  /** Leaves an endpoint that is not to be asked any more, unless something has come back already. @returns false when the budget does not allow it yet */
  #reconsider(now: Milliseconds): boolean {
    const upstream = this.#upstream;
    if (upstream === undefined || this.hasResponse || upstream.hasAnswered || this.#hedge?.isRunning === true) return true;
    if (this.#isSent && !this.#attempts.isRepeatable) return true;
    if (!this.#attempts.isToLeave(upstream.endpoint, now)) return true;
    if (this.#isSent && !this.#attempts.takeRetry()) return false;
    this.#leave();
    this.#connect(now);
    return true;
  }

  #setAside(status: number): void {
    const upstream = this.#upstream!;
    judgeAttempt(this.#context, upstream, resultOf(status), status, this.#context.ports.now());
    this.#discardHeld();
    this.#held = upstream;
    this.#upstream = undefined;
    this.#isSent = false;
    upstream.hold();
    this.#goOn();
  }

  /** Nobody is left to be asked: the client gets the response that was set aside, or learns what went wrong. */
  #giveUp(): void {
    this.#parkedSince = undefined;
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return void this.#fail(this.#failure);
    this.#isLastResort = true;
    this.#upstream = held;
    this.#isSent = true;
    if (!held.release(this)) this.#fail(LOST);
  }

  #discardHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) Discard.begin(held, this.#in(this.#context.settings.timeouts.linger));
  }

  /** The request as a whole has taken too long. */
  #expire(): void {
    if (this.hasResponse) return void this.#client.abort();
    this.#failure = SLOW_REQUEST;
    this.#leave();
    this.#giveUp();
  }

  /** Who must act next, and by when: the client with its body, or the endpoint with reading it or with answering. */
  #waitForWhoeverIsNext(isTaken: boolean, now: Milliseconds): void {
    const { timeouts } = this.#context.settings;
    const upstream = this.#isSent ? this.#upstream : undefined;
    const isAnswered = this.hasResponse;
    if (!this.#request.body.isWhole) return void paceBody(this.#client, upstream, { isTaken, isAnswered }, timeouts, now);
    this.#client.deadline = Infinity;
    if (upstream === undefined || isAnswered) return;
    const { backendRequest } = this.#route.policy.timeouts;
    this.#patience = now + Math.max(timeouts.response, backendRequest);
    upstream.deadline = this.#attempts.isRepeatable ? now + backendRequest : this.#patience;
  }

  /** The body cannot be read on; what the endpoint has got of it is no request. */
  #refuse(fault: Fault | "body-too-large"): void {
    if (this.hasResponse) return void this.#client.abort();
    this.#response.keepAlive = false;
    this.#fail(fault === "body-too-large" ? BODY_TOO_LARGE : FAULT_ANSWERS[fault]);
  }

  #fail(answer: OwnAnswer): void {
    this.#drop();
    this.#end(answer.status, this.#context.ports.now());
    this.#client.answer(answer, this.#response.keepAlive && this.#request.body.isWhole && !this.#context.isDraining);
  }

  /** Nobody is to answer any more. */
  #drop(): void {
    this.#leave();
    this.#held?.abandon();
    this.#held = undefined;
    this.#hedge?.cancel();
  }

  /** The endpoint that is waited for is not any more. */
  #leave(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    this.#isSent = false;
    upstream?.abandon();
  }

  /** @param status that the client got; 0: it went away before */
  #end(status: number, now: Milliseconds): void {
    this.#attempts.releaseRetry();
    this.#underWay.end(this.#request.host, status, now);
  }

  #in(delay: number): number {
    return this.#context.ports.now() + delay;
  }
}
