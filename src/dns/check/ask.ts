/** Asks servers questions within bounds: of time for each question and for all of them, and of how many are under way at once. */
import { type ListenAddress, systemCode } from "../../model/listen-address.ts";
import { Flag } from "../wire/codes.ts";
import { type DecodedMessage, decodeMessage } from "../wire/decode-message.ts";
import { encodeQuery, type QueryInput } from "../wire/encode-query.ts";
import type { Exchange } from "./exchange.ts";
import type { Failure, Reply } from "./observations.ts";
import { foldName } from "./read-reply.ts";

/** A question as `encodeQuery` takes it, but for what this file chooses. */
export type Question = Omit<QueryInput, "id" | "class">;

/** Over UDP a truncated answer is asked for again over TCP; `tcp` goes there at once. */
export type Ask = (server: ListenAddress, question: Question, transport?: "udp" | "tcp") => Promise<Reply>;

/** The world outside. */
export interface AskPorts {
  readonly exchange: { readonly udp: Exchange; readonly tcp: Exchange };
  /** 16 bits. */
  readonly randomId: () => number;
  /** @returns a signal that is aborted after so many milliseconds */
  readonly deadline: (milliseconds: number) => AbortSignal;
}

export interface AskLimits {
  /** Milliseconds for one try of one question. */
  readonly timeout: number;
  readonly tries: number;
  /** Questions under way at once. */
  readonly concurrency: number;
  /** Milliseconds for all questions together; those that are left then are not asked. */
  readonly total: number;
}

export function createAsk({ exchange, randomId, deadline }: AskPorts, { timeout, tries, concurrency, total }: AskLimits): Ask {
  const over = deadline(total);
  const inTurn = createQueue(concurrency);

  const attempt = async (server: ListenAddress, question: Question, transport: "udp" | "tcp"): Promise<Reply> => {
    const message = encodeQuery({ ...question, id: randomId() });
    try {
      const bytes = await exchange[transport](server, message, AbortSignal.any([over, deadline(timeout)]));
      const answer = decodeMessage(bytes);
      return answer !== undefined && isAbout(answer, question) ? { message: answer } : { failure: "malformed" };
    } catch (error) {
      return { failure: over.aborted ? "not-asked" : failureOf(error) };
    }
  };

  const ask: Ask = async (server, question, transport = "udp") => {
    let reply: Reply = { failure: "not-asked" };
    for (let tried = 0; tried < tries && !over.aborted; tried++) {
      reply = await attempt(server, question, transport);
      if ("message" in reply) {
        const isCut = transport === "udp" && (reply.message.flags & Flag.TC) !== 0;
        return isCut ? ask(server, question, "tcp") : reply;
      }
    }
    return reply;
  };
  return (server, question, transport) => inTurn(() => ask(server, question, transport));
}

/** An answer repeats its question (RFC 5452 §9.1); a refusal of the whole message may leave it out. */
function isAbout({ questions }: DecodedMessage, { name, type }: Question): boolean {
  const [question] = questions;
  return question === undefined || (foldName(question.name) === foldName(name) && question.type === type);
}

function failureOf(error: unknown): Failure {
  if (error instanceof Error && error.name === "TimeoutError") return "timeout";
  switch (systemCode(error)) {
    case "ECONNREFUSED":
      return "nothing-listens";
    case "ENETUNREACH":
    case "EHOSTUNREACH":
    case "EADDRNOTAVAIL":
    case "EAFNOSUPPORT":
    case "EINVAL":
      return "no-route";
    case "ETIMEDOUT":
      return "timeout";
    default:
      return "closed";
  }
}

/** @returns runs work at once while fewer than `most` are under way, else when it is its turn */
function createQueue(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift(); // takes over this one's place
      if (next === undefined) running--;
      else next();
    }
  };
}
