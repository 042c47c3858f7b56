/** Reads a connection's bytes with our codec as a proxy would, message by message, and notes what it understood. */
import { newBodyReader, restartBody, stepBody } from "../../../src/proxy/embedded/http1/body.ts";
import type { Fault } from "../../../src/proxy/embedded/http1/faults.ts";
import { type Fields, HEAD_LIMITS, nameEndOf, nameStartOf, valueEndOf, valueStartOf } from "../../../src/proxy/embedded/http1/fields.ts";
import { formatRequestHead } from "../../../src/proxy/embedded/http1/format-head.ts";
import type { ForwardedSettings } from "../../../src/proxy/embedded/http1/forwarded.ts";
import { frameResponse, newFraming } from "../../../src/proxy/embedded/http1/framing.ts";
import { newRequestFacts, readRequest } from "../../../src/proxy/embedded/http1/request.ts";
import { newRequestHead, parseRequestHead, restartRequestHead } from "../../../src/proxy/embedded/http1/request-head.ts";
import { requestOrigin } from "../../../src/proxy/embedded/http1/request-origin.ts";
import { newResponseHead, parseResponseHead, restartResponseHead } from "../../../src/proxy/embedded/http1/response-head.ts";

export interface ReadMessage {
  /** `GET /path` or `200`. */
  readonly line: string;
  /** Name, value, name, value. */
  readonly fields: readonly string[];
  body: string;
  /** Its last byte is there. */
  isWhole: boolean;
  /** What follows belongs to another protocol. */
  readonly upgrades: boolean;
  /** The head of a request as it is sent on. */
  readonly onward?: string;
}

export interface Reading {
  readonly messages: readonly ReadMessage[];
  /** "more": the bytes end within a message, or between two. "closed": the last message was to be the last, what follows is not looked at. */
  readonly end: "more" | "closed" | Fault;
}

/** Believes what it can, so that as much as possible of what came is sent on. */
const BELIEVING: ForwardedSettings = { trustedHops: 3, scheme: "http", rfc7239: true };

/** Reads requests that arrive in these pieces. */
export function readRequests(pieces: readonly Buffer[]): Reading {
  const head = newRequestHead(HEAD_LIMITS);
  const facts = newRequestFacts();
  return readAll(pieces, {
    restart: () => restartRequestHead(head),
    parse: (bytes) => {
      const progress = parseRequestHead(head, bytes, bytes.length);
      return progress === "done" ? (readRequest(facts, head, bytes) ?? "done") : progress;
    },
    fields: head.fields,
    framing: facts.framing,
    describe: (bytes) => ({
      line: `${head.method.name} ${bytes.toString("latin1", head.targetStart, head.targetEnd)}`,
      fields: fieldsOf(head.fields, bytes),
      body: "",
      isWhole: false,
      upgrades: facts.upgrades,
      onward: formatRequestHead(bytes, head, facts, requestOrigin(bytes, head, facts, "192.0.2.7", BELIEVING)),
    }),
    isLast: () => !facts.keepAlive || facts.upgrades,
  });
}

/** Reads responses, none of them to HEAD, that arrive in these pieces. */
export function readResponses(pieces: readonly Buffer[]): Reading {
  const head = newResponseHead(HEAD_LIMITS);
  const framing = newFraming();
  return readAll(pieces, {
    restart: () => restartResponseHead(head),
    parse: (bytes) => {
      const progress = parseResponseHead(head, bytes, bytes.length);
      if (progress !== "done") return progress;
      return frameResponse(framing, head.fields, bytes, { minor: head.minor, status: head.status, toHead: false }) ?? "done";
    },
    fields: head.fields,
    framing,
    describe: (bytes) => ({
      line: String(head.status),
      fields: fieldsOf(head.fields, bytes),
      body: "",
      isWhole: false,
      upgrades: head.status === 101,
    }),
    isLast: () =>
      framing.body === "until-close" ||
      framing.connection.close ||
      head.status === 101 ||
      (head.minor === 0 && !framing.connection.keepAlive),
  });
}

interface Subject {
  readonly restart: () => void;
  readonly parse: (bytes: Buffer) => "more" | "done" | Fault;
  readonly fields: Fields;
  readonly framing: ReturnType<typeof newFraming>;
  readonly describe: (bytes: Buffer) => ReadMessage;
  readonly isLast: () => boolean;
}

function readAll(pieces: readonly Buffer[], subject: Subject): Reading {
  const messages: ReadMessage[] = [];
  const body = newBodyReader();
  let pending: Buffer = Buffer.alloc(0);
  let current: ReadMessage | undefined;
  for (const piece of pieces) {
    pending = pending.length === 0 ? piece : Buffer.concat([pending, piece]);
    for (;;) {
      if (current === undefined) {
        if (pending.length === 0) break;
        const progress = subject.parse(pending);
        if (progress === "more") break;
        if (progress !== "done") return { messages, end: progress };
        current = subject.describe(pending);
        messages.push(current);
        restartBody(body, subject.framing);
        pending = pending.subarray(subject.fields.at);
      }
      body.at = 0;
      let step = stepBody(body, pending, pending.length);
      for (; step === "data"; step = stepBody(body, pending, pending.length)) {
        current.body += pending.toString("latin1", body.dataStart, body.dataEnd);
      }
      pending = pending.subarray(body.at);
      if (step === "more") break;
      if (step !== "done") return { messages, end: step };
      current.isWhole = true;
      current = undefined;
      if (subject.isLast()) return { messages, end: "closed" };
      subject.restart();
    }
  }
  return { messages, end: "more" };
}

function fieldsOf(fields: Fields, bytes: Buffer): readonly string[] {
  const found: string[] = [];
  for (let field = 0; field < fields.count; field++) {
    found.push(bytes.toString("latin1", nameStartOf(fields, field), nameEndOf(fields, field)));
    found.push(bytes.toString("latin1", valueStartOf(fields, field), valueEndOf(fields, field)));
  }
  return found;
}
