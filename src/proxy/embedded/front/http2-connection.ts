/**
 * One connection of HTTP/2 (RFC 9113): its streams become requests, and what would only keep us busy ends it.
 *
 * Framing, header compression and flow control are Node's (nghttp2), which bounds continuation frames, frames without data, the memory of a
 * connection and what is waiting to be sent. What it leaves open is bounded here: streams that are taken back as soon as they are opened,
 * pings and settings without end.
 */
import { type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { type Milliseconds, ms } from "../../../model/units.ts";
import type { HeadLimits } from "../http1/fields.ts";
import { newAllowance, takeOne } from "./allowance.ts";
import { CUT_FAULTS, type OnFault } from "./client-conduct.ts";
import type { Place } from "./client-places.ts";
import { countRefusal, type FrontCounters, type FrontRefusal } from "./front-counters.ts";
import { formatHttp2Request } from "./http2-request.ts";
import type { Http2Settings } from "./http2-settings.ts";
import { Http2Error, StreamSocket } from "./http2-stream.ts";

export interface Http2Context {
  readonly settings: Http2Settings;
  readonly head: HeadLimits;
  readonly counters: FrontCounters;
  readonly onFault: OnFault;
  readonly now: () => Milliseconds;
  /** Takes a request that came by a stream. */
  readonly accept: (socket: Duplex) => void;
  readonly setTimer: (delay: Milliseconds, callback: () => void) => () => void;
}

/** How long a client that is cut has to take the reason: Node drops what is being written when it closes a connection. */
const LAST_WORDS = ms(100);

export class Http2Connection {
  readonly #session: ServerHttp2Session;
  readonly #socket: Duplex;
  readonly #context: Http2Context;
  readonly #place: Place;
  readonly #resets;
  #streams = 0;
  #isDraining = false;
  #isCut = false;
  /** When it is ended, if there is no stream then. */
  #deadline: number;

  /** @param place of the connection; the caller gives it back when the socket has closed */
  constructor(socket: Duplex, place: Place, context: Http2Context, onClose: () => void) {
    const { settings, counters, now } = context;
    this.#context = context;
    this.#place = place;
    this.#deadline = now() + settings.first;
    this.#resets = newAllowance(settings.resets, now());
    counters.http2Connections++;
    const session = performServerHandshake(socket, {
      settings: {
        maxConcurrentStreams: settings.streams,
        maxHeaderListSize: settings.headerList,
        initialWindowSize: settings.window,
        enableConnectProtocol: false,
        enablePush: false,
      },
      maxSessionInvalidFrames: settings.emptyFrames,
      // endpoints do send two Content-Types: they pass as they came, and do not throw into whoever hands their response on
      strictSingleValueFields: false,
    });
    this.#session = session;
    this.#socket = socket;
    const pings = newAllowance(settings.pings, now());
    const changes = newAllowance(settings.settings, now());
    session.on("stream", (stream, headers, flags, fields) => this.#onStream(stream, headers, flags, fields));
    session.on("ping", () => takeOne(pings, now()) || this.#cut("http2-pings"));
    session.on("remoteSettings", () => takeOne(changes, now()) || this.#cut("http2-settings"));
    session.on("error", (error: NodeJS.ErrnoException) => {
      if (!this.#isCut && isOfFrames(error)) this.#count("http2-frames");
    });
    session.on("close", onClose);
  }

  /** Tells the client to send no more requests, and ends with the last that it has sent (RFC 9113 §6.8). */
  drain(): void {
    this.#isDraining = true;
    if (!this.#session.closed) this.#session.close();
  }

  /** Gives up what has had no stream for too long. */
  sweep(now: Milliseconds): void {
    if (this.#streams === 0 && now >= this.#deadline && !this.#session.destroyed) this.#session.destroy();
  }

  destroy(): void {
    this.#session.destroy();
    this.#socket.destroy();
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, fields: readonly string[]): void {
    const { counters, head, accept, settings, now } = this.#context;
    if (this.#isCut) return void stream.on("error", () => {});
    counters.http2Streams++;
    this.#place.speak();
    this.#streams++;
    const hasPlace = this.#place.addStream();
    stream.on("error", () => {}); // "close" tells
    stream.on("close", () => {
      this.#streams--;
      this.#deadline = now() + settings.idle;
      if (hasPlace) this.#place.endStream();
      this.#onStreamClose(stream);
    });
    if (stream.destroyed || stream.aborted || stream.closed) return; // taken back already
    if (this.#isDraining) return void stream.close(Http2Error.RefusedStream);
    if (!hasPlace) {
      countRefusal(counters, "too-many-of-one-client");
      stream.close(Http2Error.RefusedStream);
      if (!takeOne(this.#resets, now())) this.#cut("http2-resets");
      return;
    }
    const request = formatHttp2Request(fields, (flags & END_STREAM) !== 0);
    if (request.kind === "request") return void accept(new StreamSocket(stream, request, head));
    countRefusal(counters, "http2-request");
    this.#context.onFault();
    if (!takeOne(this.#resets, now())) return void this.#cut("http2-resets");
    this.#refuse(stream, request.status, headers[":method"] === "HEAD" ? undefined : `${request.text}\n`);
  }

  /** Answers and ends. A client that never opens its window takes no answer: it is not waited for without limit. */
  #refuse(stream: ServerHttp2Stream, status: number, text: string | undefined): void {
    const { settings, setTimer } = this.#context;
    const end = (): void => stream.close(Http2Error.None); // also when the request has not ended
    stream.once(
      "close",
      setTimer(settings.refusal, () => stream.close(Http2Error.EnhanceYourCalm)),
    );
    stream.respond({ ":status": status, "content-type": "text/plain" }, { endStream: text === undefined });
    if (text === undefined) end();
    else stream.end(text, end);
  }

  /** A stream that ended with an error that was not ours has cost us work for nothing. */
  #onStreamClose({ rstCode }: ServerHttp2Stream): void {
    const isClients = rstCode !== Http2Error.None && rstCode !== Http2Error.Internal && rstCode !== Http2Error.RefusedStream;
    if (isClients && !takeOne(this.#resets, this.#context.now())) this.#cut("http2-resets");
  }

  #count(reason: FrontRefusal): void {
    countRefusal(this.#context.counters, reason);
    this.#context.onFault(CUT_FAULTS);
  }

  #cut(reason: FrontRefusal): void {
    if (this.#isCut || this.#session.destroyed) return;
    this.#isCut = true;
    this.#count(reason);
    this.#session.goaway(Http2Error.EnhanceYourCalm); // from here on nghttp2 passes over new streams
    const cancel = this.#context.setTimer(LAST_WORDS, () => {
      this.#session.destroy(new Error(reason), Http2Error.EnhanceYourCalm);
      this.#socket.destroy();
    });
    this.#socket.once("close", cancel);
  }
}

/** Of HEADERS (RFC 9113 §6.2). */
const END_STREAM = 0x1;

/** Did nghttp2 find what the client sent to be wrong? Networks break, and clients take their leave with whatever code they like: that is no flood. */
const isOfFrames = ({ code = "" }: NodeJS.ErrnoException): boolean => code.startsWith("ERR_HTTP2_") && code !== "ERR_HTTP2_SESSION_ERROR";
