/** What an exchange knows of its client and of what it asks for. */
import type { Duplex } from "node:stream";
import type { Method } from "../http1/method.ts";
import type { GatheringWriter } from "./gathering-writer.ts";
import type { OwnAnswer } from "./own-answer.ts";
import type { RequestBody } from "./request-body.ts";

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
  /** Lower case, without port. */
  readonly host: string;
  /** The client's address. */
  readonly from: string;
  readonly method: Method;
  /** For the endpoint, Latin-1. */
  readonly head: string;
  readonly body: RequestBody;
  /** Bytes of the body; beyond it 413. */
  readonly mostBody: number;
  readonly minor: 0 | 1;
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
  readonly upgrades: boolean;
}
