/** One client's connection: its requests one after another, however they arrive (RFC 9112 §9.3.2), until one of the two has enough. */
import type { Duplex } from "node:stream";
import type { Milliseconds } from "../../../model/units.ts";
import { newBodyReader } from "../http1/body.ts";
import { FAULT_ANSWERS } from "../http1/faults.ts";
import { formatRequestHead } from "../http1/format-head.ts";
import { HEAD } from "../http1/method.ts";
import { newRequestFacts, readRequest } from "../http1/request.ts";
import { newRequestHead, parseRequestHead, type RequestHead, restartRequestHead } from "../http1/request-head.ts";
import { type RequestOrigin, requestOrigin } from "../http1/request-origin.ts";
import { cutConnection } from "./cut-connection.ts";
import { Exchange } from "./exchange.ts";
import type { ExchangeClient } from "./exchange-client.ts";
import { GatheringWriter } from "./gathering-writer.ts";
import { BODY_TOO_LARGE, formatOwnAnswer, isClientsFault, MISDIRECTED, NO_ROUTE, type OwnAnswer, SLOW_CLIENT } from "./own-answer.ts";
import type { ProxyContext } from "./proxy-context.ts";
import { RequestBody } from "./request-body.ts";
import { openTunnel, type Tunnel } from "./tunnel.ts";

/** Bytes of later requests that are taken while one is being answered. */
const MOST_AHEAD = 64 << 10;
/** Bytes that are read and dropped behind a refused request; a client that reads its answer only after more does without it. */
const MOST_DROPPED = 256 << 10;
/** Bytes that cost as much as a request does: who is refused for them only after so many of them has done so much more. */
const FAULT_BYTES = 64 << 10;

/** What is known of a connection before its first request. */
export interface AcceptFacts {
  /** Does the connection's certificate speak for this host? Absent without TLS. @param host lower case, without port */
  readonly covers?: (host: string) => boolean;
  /** The head of its first request has come. */
  readonly onFirstHead?: () => void;
  /** A request is refused for what it is, and counts as `count`. @returns true when the client's are too often, and the answer is to wait */
  readonly onFault?: (count: number) => boolean;
}

export class ClientConnection implements ExchangeClient {
  readonly socket: Duplex;
  readonly out: GatheringWriter;
  deadline: number;
  readonly #context: ProxyContext;
  /** The address that the connection comes from. */
  readonly #peer: string;
  readonly #accepted: AcceptFacts;
  readonly #head: RequestHead;
  readonly #facts = newRequestFacts();
  readonly #bodyReader = newBodyReader();
  /** Of the request that came last. */
  #origin: RequestOrigin | undefined;
  /** Received and not understood yet. */
  #pending: Buffer | undefined;
  #exchange: Exchange | undefined;
  #tunnel: Tunnel | undefined;
  /** The request that is being answered, or was last: what an answer of our own must know. */
  #minor: 0 | 1 = 1;
  #toHead = false;
  /** The client will send no more. */
  #hasEnded = false;
  /** Nothing more is answered; what still comes is dropped. */
  #isClosing = false;
  /** Bytes since the last answer. */
  #received = 0;
  #dropped = 0;
  /** An answer that waits, since its client asks for what is refused again and again. */
  #late: OwnAnswer | undefined;
  #isServing = false;
  /** A request has begun to arrive, and its time to run. */
  #isInHead = false;

  constructor(socket: Duplex, peer: string, facts: AcceptFacts, context: ProxyContext, onClose: (connection: ClientConnection) => void) {
    this.socket = socket;
    this.out = new GatheringWriter(socket);
    this.#peer = peer;
    this.#accepted = facts;
    this.#context = context;
    this.#head = newRequestHead(context.settings.head);
    this.deadline = this.#in(context.settings.timeouts.head); // whoever connects has something to say
    socket.on("data", (piece: Buffer) => this.#onData(piece));
    socket.on("drain", () => this.#onDrain());
    socket.on("end", () => this.#onEnd());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#isClosing = true;
      this.#exchange?.abandon();
      this.#exchange = undefined;
      this.#tunnel?.close();
      onClose(this);
    });
  }

  /** Time has passed. @param hasNews who may be asked has changed @returns false when that could not be heeded yet */
  sweep(now: Milliseconds, hasNews: boolean): boolean {
    if (this.deadline <= now) this.expire();
    return this.#exchange?.sweep(now, hasNews) ?? true;
  }

  /** Time is up: for a request to arrive, for a body to go on, for a response to be read, for a tunnel. */
  expire(): void {
    const isWaiting = this.#exchange !== undefined || this.#pending !== undefined;
    if (this.#late !== undefined) return void this.#say(this.#late, false);
    if (this.#isClosing || this.#tunnel !== undefined || !isWaiting || this.socket.writableNeedDrain) return void this.socket.destroy();
    const exchange = this.#exchange;
    if (exchange?.hasResponse === true) return void this.abort();
    exchange?.abandon();
    this.answer(SLOW_CLIENT, false);
  }

  /** Ends when nothing is being answered: at once, or after this response. */
  drain(): void {
    if (this.#late !== undefined) this.expire();
    else if (this.#exchange === undefined && this.#tunnel === undefined && this.#pending === undefined) this.#close();
  }

  #onData(piece: Buffer): void {
    if (this.#isClosing) return void this.#drop(piece);
    this.#received += piece.length;
    let bytes: Buffer | undefined = this.#pending === undefined ? piece : Buffer.concat([this.#pending, piece]);
    this.#pending = undefined;
    if (this.#exchange !== undefined) bytes = this.#exchange.takeBytes(bytes);
    if (bytes === undefined || this.#isClosing) return;
    this.#pending = bytes;
    if (this.#exchange === undefined) this.#serve();
    else if (bytes.length > MOST_AHEAD) this.socket.pause();
  }

  /** Takes requests until one has to wait for its endpoint. A loop, because those that we answer ourselves end at once. */
  #serve(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    while (this.#exchange === undefined && !this.#isClosing && !this.socket.writableNeedDrain && this.#takeRequest());
    this.#isServing = false;
  }

  /** @returns false when there is no whole head */
  #takeRequest(): boolean {
    const { timeouts } = this.#context.settings;
    const bytes = this.#pending;
    if (bytes === undefined) {
      if (this.#hasEnded || this.#context.isDraining) this.#close();
      else this.deadline = this.#in(timeouts.keepAlive);
      return false;
    }
    const now = this.#context.ports.now();
    if (!this.#isInHead) this.deadline = now + timeouts.head;
    this.#isInHead = true;
    let fault = parseRequestHead(this.#head, bytes, bytes.length);
    if (fault === "more") {
      if (this.#hasEnded) this.#close(); // the response before may not be out yet
      return false;
    }
    if (fault === "done") fault = readRequest(this.#facts, this.#head, bytes) ?? "done";
    this.#isInHead = false;
    this.#accepted.onFirstHead?.();
    this.#context.counters.requests++;
    if (fault !== "done") {
      this.#toHead = false;
      this.answer(FAULT_ANSWERS[fault], false);
    } else {
      this.#exchangeFor(bytes, now);
    }
    restartRequestHead(this.#head);
    return true;
  }

  /** Passes on the request whose head these bytes begin with. */
  #exchangeFor(bytes: Buffer, now: Milliseconds): void {
    const { settings, choose } = this.#context;
    const { method, minor, fields } = this.#head;
    const { framing, keepAlive, expectsContinue, upgrades } = this.#facts;
    this.#minor = minor;
    this.#toHead = method === HEAD;
    const origin = requestOrigin(bytes, this.#head, this.#facts, this.#peer, settings.forwarded, this.#origin);
    this.#origin = origin;
    const { host, client: from } = origin;
    const head = formatRequestHead(bytes, this.#head, this.#facts, origin);
    const destination = choose(host, from);
    const mostBody = Math.min(settings.maxBody, destination?.route.policy.limits.bodyBytes ?? Infinity);
    if (framing.body === "length" && framing.length > mostBody) return void this.answer(BODY_TOO_LARGE, false);

    const body = new RequestBody(framing, this.#bodyReader);
    const rest = body.read(bytes, fields.at, undefined);
    this.#pending = typeof rest === "string" ? undefined : rest;
    if (typeof rest === "string") return void this.answer(FAULT_ANSWERS[rest], false);
    if (body.size > mostBody) return void this.answer(BODY_TOO_LARGE, false);
    if (this.#accepted.covers?.(host) === false) return void this.answer(MISDIRECTED, keepAlive && body.isWhole);
    if (destination === undefined) return void this.answer(NO_ROUTE, keepAlive && body.isWhole);
    this.deadline = body.isWhole ? Infinity : now + settings.timeouts.client;
    const request = { host, from, method, head, body, mostBody, minor, keepAlive, expectsContinue, upgrades };
    this.#exchange = new Exchange(this, this.#context, request, destination, now);
    this.#exchange.begin(now);
  }

  finish(keepAlive: boolean): void {
    this.#exchange = undefined;
    this.#received = 0;
    if (!keepAlive) return void this.#close();
    if (this.socket.writableNeedDrain) {
      this.deadline = this.#in(this.#context.settings.timeouts.client);
      return;
    }
    if (this.socket.isPaused()) this.socket.resume();
    this.#serve();
  }

  answer(answer: OwnAnswer, keepAlive: boolean): void {
    // bytes that came before their sender fell silent were wanted
    const costly = answer === SLOW_CLIENT ? 0 : Math.floor(this.#received / FAULT_BYTES);
    const isToWait = isClientsFault(answer) && this.#accepted.onFault?.(1 + costly) === true;
    if (!isToWait) return void this.#say(answer, keepAlive);
    this.#late = answer;
    this.#exchange = undefined;
    this.#isClosing = true;
    this.#pending = undefined;
    this.deadline = this.#in(this.#context.settings.timeouts.tarpit);
    this.socket.pause();
  }

  #say(answer: OwnAnswer, keepAlive: boolean): void {
    if (this.#late !== undefined) this.#isClosing = false;
    this.#late = undefined;
    const { ownAnswers } = this.#context.counters;
    ownAnswers.set(answer.status, (ownAnswers.get(answer.status) ?? 0) + 1);
    this.out.addText(formatOwnAnswer(answer, this.#toHead, keepAlive, this.#minor));
    this.out.flush();
    this.finish(keepAlive);
  }

  abort(): void {
    this.#isClosing = true;
    this.#exchange?.abandon();
    this.#exchange = undefined;
    cutConnection(this.socket);
  }

  upgrade(upstream: Duplex, rest: Buffer): void {
    const { ports, settings, counters } = this.#context;
    this.#exchange = undefined;
    counters.upgrades++;
    for (const event of ["data", "drain", "end"]) this.socket.removeAllListeners(event);
    const touch = (isHalfClosed: boolean): void => {
      this.deadline = ports.now() + (isHalfClosed ? settings.timeouts.client : settings.timeouts.tunnel);
    };
    touch(false);
    const ahead = this.#pending;
    this.#pending = undefined;
    this.#tunnel = openTunnel(
      { socket: this.socket, ahead, hasEnded: this.#hasEnded },
      { socket: upstream, ahead: rest, hasEnded: false },
      touch,
    );
  }

  #onDrain(): void {
    if (this.#exchange !== undefined) this.#exchange.onClientDrain();
    else if (!this.#isClosing) this.finish(true);
  }

  #onEnd(): void {
    this.#hasEnded = true;
    if (this.#isClosing) return; // it closes by itself, once what we said has been read
    if (this.#exchange === undefined) this.#serve();
    // half of a body is no request; a whole request is answered though its sender says no more, and what has begun is ended
    else if (!this.#exchange.isRequestWhole && !this.#exchange.hasResponse) this.socket.destroy();
  }

  /** Says that we are done and reads on for a while: with bytes unread, closing would take the last answer away from the client (RFC 9112 §9.6). */
  #close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#pending = undefined;
    const { client, linger } = this.#context.settings.timeouts;
    this.deadline = this.#in(client);
    this.socket.end(() => {
      this.deadline = this.#in(linger); // from when the last byte is out: a slow reader is no reason to cut it off
    });
    this.socket.resume();
  }

  /** Not without end: who is refused may not keep us reading. */
  #drop({ length }: Buffer): void {
    this.#dropped += length;
    if (this.#dropped > MOST_DROPPED) this.socket.pause();
  }

  #in(delay: number): number {
    return this.#context.ports.now() + delay;
  }
}
