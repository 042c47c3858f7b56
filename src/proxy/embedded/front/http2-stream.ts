/**
 * One stream of HTTP/2, as a connection of HTTP/1.1 with one request: so it goes the way of all requests, with its limits, timeouts, retries.
 *
 *     HEADERS, DATA ──► head, chunks ──► ClientConnection ──► endpoint
 *     HEADERS, DATA ◄── head, chunks ◄── ClientConnection ◄── endpoint
 *
 * A connection that is broken becomes a stream that is reset, and the other way round. Both directions wait for whoever does not read.
 */
import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { Duplex } from "node:stream";
import { newBodyReader, restartBody, stepBody } from "../http1/body.ts";
import { chunkStart, LAST_CHUNK } from "../http1/chunked.ts";
import { FieldKind } from "../http1/field-kind.ts";
import { type Fields, type HeadLimits, nameEndOf, nameStartOf, valueEndOf, valueStartOf } from "../http1/fields.ts";
import { frameResponse, newFraming } from "../http1/framing.ts";
import { newResponseHead, parseResponseHead, restartResponseHead } from "../http1/response-head.ts";
import type { Http2Body } from "./http2-request.ts";

/** Error codes of RFC 9113 §7. */
export const Http2Error = { None: 0, Protocol: 1, Internal: 2, RefusedStream: 7, EnhanceYourCalm: 11 } as const;

export interface Http2StreamRequest {
  /** Of HTTP/1.1, Latin-1. */
  readonly head: string;
  readonly isHead: boolean;
  readonly body: Http2Body;
}

/** Fields of the response that HTTP/2 says otherwise. */
const LEFT_OUT: ReadonlySet<number> = new Set([FieldKind.TransferEncoding, FieldKind.Connection, FieldKind.Upgrade, FieldKind.HopByHop]);

export class StreamSocket extends Duplex {
  readonly #stream: ServerHttp2Stream;
  readonly #isHead: boolean;
  /** Somebody has begun to read the request. Until then it may be sent elsewhere, whatever it is (RFC 9113 §8.7). */
  #wasRead = false;
  /** Bytes of the body that may still come; Infinity when nobody has said how many. */
  #left: number;
  readonly #isChunked: boolean;
  /** The request has come to its end. */
  #isWhole = false;
  readonly #head;
  readonly #framing = newFraming();
  readonly #body = newBodyReader();
  #state: "head" | "body" | "done" = "head";
  #pending: Buffer | undefined;
  /** Goes on with the response once the client has read. */
  #resume: (() => void) | undefined;

  /** @param limits of the request's head; ours for the response are a little wider, because we add to what endpoints send */
  constructor(stream: ServerHttp2Stream, request: Http2StreamRequest, limits: HeadLimits) {
    super();
    this.#stream = stream;
    this.#isHead = request.isHead;
    this.#isChunked = request.body.kind === "chunked";
    this.#left = request.body.kind === "length" ? request.body.length : this.#isChunked ? Infinity : 0;
    this.#head = newResponseHead({ ...limits, bytes: limits.bytes + 1024, fields: limits.fields + 4 });
    stream.on("error", () => this.destroy());
    stream.on("aborted", () => this.destroy());
    stream.on("close", () => this.destroy());
    stream.on("drain", () => this.#goOn());
    this.push(Buffer.from(request.head, "latin1"));
    stream.on("data", (piece: Buffer) => this.#onData(piece));
    stream.on("end", () => this.#onEnd());
  }

  override _read(): void {
    this.#wasRead = true;
    if (this.#stream.isPaused()) this.#stream.resume();
  }

  #onData(piece: Buffer): void {
    this.#left -= piece.length;
    if (this.#left < 0) return void this.#break(Http2Error.Protocol);
    if (piece.length === 0) return; // a chunk of no bytes would be the last
    const bytes = this.#isChunked ? Buffer.concat([Buffer.from(chunkStart(piece.length)), piece, CRLF]) : piece;
    if (!this.push(bytes)) this.#stream.pause();
  }

  /** Trailers, if there were any, are left out, as those of HTTP/1.1 are. */
  #onEnd(): void {
    if (this.destroyed || this.#stream.aborted) return;
    if (!this.#isChunked && this.#left > 0) return void this.#break(Http2Error.Protocol);
    this.#isWhole = true;
    if (this.#isChunked) this.push(LAST_CHUNK, "latin1");
    this.push(null);
  }

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    const isTaken = this.#take(this.#pending === undefined ? bytes : Buffer.concat([this.#pending, bytes]));
    if (isTaken || this.#stream.destroyed) done();
    else this.#resume = done;
  }

  /** All has been said once the client has taken it: whoever never opens its window is given up like one that does not read. */
  override _final(done: () => void): void {
    if (this.#state !== "done") this.#break(Http2Error.Internal);
    if (this.#stream.writableFinished || this.#stream.destroyed) done();
    else this.#stream.once("finish", done);
  }

  override _destroy(_error: Error | null, done: () => void): void {
    const stream = this.#stream;
    const isThrough = this.#state === "done" && stream.writableFinished;
    // a whole response to half a request is no error (RFC 9113 §8.1)
    if (isThrough && !this.#isWhole && !stream.destroyed) stream.close(Http2Error.None);
    if (!isThrough) this.#reset(this.#wasRead ? Http2Error.Internal : Http2Error.RefusedStream);
    this.#goOn();
    done();
  }

  /** Passes on what is understood. @returns false when the client does not keep up */
  #take(all: Buffer): boolean {
    let bytes = all;
    let isTaken = true;
    this.#pending = undefined;
    while (this.#state === "head") {
      const progress = parseResponseHead(this.#head, bytes, bytes.length);
      if (progress === "more") {
        this.#pending = bytes;
        return true;
      }
      const { minor, status, fields } = this.#head;
      const fault = progress === "done" ? frameResponse(this.#framing, fields, bytes, { minor, status, toHead: this.#isHead }) : progress;
      if (fault !== undefined || this.#stream.destroyed || this.#stream.closed) {
        this.#break(Http2Error.Internal);
        return true;
      }
      if (status < 200) {
        this.#stream.additionalHeaders(this.#interim(bytes));
        bytes = bytes.subarray(fields.at);
        restartResponseHead(this.#head);
        if (bytes.length === 0) return true;
        continue;
      }
      if (status === RESET_CONTENT && this.#framing.body !== "none") return this.#respondWithout(bytes);
      const endsHere = this.#framing.body === "none";
      this.#stream.respond(responseFields(status, fields, bytes), { endStream: endsHere });
      this.#state = endsHere ? "done" : "body";
      this.#body.at = 0;
      bytes = bytes.subarray(fields.at);
      restartBody(this.#body, this.#framing);
    }
    if (this.#state === "body") isTaken = this.#takeBody(bytes);
    return isTaken;
  }

  /** Node ends 205 at its head, as RFC 9110 §15.3.6 has it: what an endpoint sends behind it is passed over. */
  #respondWithout(bytes: Buffer): boolean {
    const { status, fields } = this.#head;
    this.#stream.respond(responseFields(status, fields, bytes, FieldKind.ContentLength), { endStream: true });
    this.#state = "done";
    return true;
  }

  #takeBody(bytes: Buffer): boolean {
    const stream = this.#stream;
    const reader = this.#body;
    let isTaken = true;
    reader.at = 0;
    for (;;) {
      const step = stepBody(reader, bytes, bytes.length);
      if (stream.destroyed || stream.closed) return true;
      if (step === "data") {
        isTaken = stream.write(bytes.subarray(reader.dataStart, reader.dataEnd));
      } else if (step === "more") {
        return isTaken;
      } else if (step === "done") {
        this.#state = "done";
        stream.end();
        return true; // whoever wrote it waits for nothing more
      } else {
        this.#break(Http2Error.Internal);
        return true;
      }
    }
  }

  #interim(bytes: Buffer): OutgoingHttpHeaders {
    const { status, fields } = this.#head;
    const headers: Record<string, number | string | string[]> = Object.assign(Object.create(null), { ":status": status });
    const list = responseFields(status, fields, bytes);
    for (let i = 2; i < list.length; i += 2) {
      const before = headers[list[i]!];
      headers[list[i]!] = Array.isArray(before)
        ? [...before, list[i + 1]!]
        : before === undefined
          ? list[i + 1]!
          : [String(before), list[i + 1]!];
    }
    return headers;
  }

  #goOn(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  #break(code: number): void {
    this.#reset(code);
    this.destroy();
  }

  #reset(code: number): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    // Node's close() ends what it has nothing to send of, so that half a response would look whole
    if (stream.headersSent) stream.destroy(new Error("the response has been cut"));
    else stream.close(code);
  }
}

const CRLF = Buffer.from("\r\n");
const RESET_CONTENT = 205;

/** Names and values by turns, the status first. @param without a kind of field that is left out, too */
function responseFields(status: number, fields: Fields, bytes: Buffer, without?: FieldKind): string[] {
  const list = [":status", String(status)];
  for (let field = 0; field < fields.count; field++) {
    if (LEFT_OUT.has(fields.kinds[field]!) || fields.kinds[field] === without) continue;
    list.push(bytes.toString("latin1", nameStartOf(fields, field), nameEndOf(fields, field)).toLowerCase());
    list.push(bytes.toString("latin1", valueStartOf(fields, field), valueEndOf(fields, field)));
  }
  return list;
}
