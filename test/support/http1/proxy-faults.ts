/** What tests of endpoints that fail have in common: what is said in a {@link ProxyWorld}, and what was said there as Node's own parser reads it. */
import { expect } from "vitest";
import { readWithNode } from "./node-reader.ts";
import type { ReadMessage } from "./our-reader.ts";
import { type Attempt, type ChooseTiers, EAST, FAR, type FarEnd, request, response, WEST } from "./proxy-world.ts";

export const THREE_TIERS: ChooseTiers = () => [[EAST], [WEST], [FAR]];
export const POST = request([], "POST / HTTP/1.1");
export const BUSY = response("busy", [], "503 Service Unavailable");

/** Requests that an endpoint got, whole ones and the beginning of one. */
export const requestsAt = (attempt: Attempt) => readWithNode("requests", Buffer.from(attempt.got(), "latin1"));

/** Responses that a client got to their end. */
export const answersTo = (client: FarEnd): readonly ReadMessage[] =>
  readWithNode("responses", Buffer.from(client.got(), "latin1")).messages.filter(({ isWhole }) => isWhole);

/** Each POST of the world asks for a path of its own. */
export function expectNoPostTwice(attempts: readonly Attempt[], where: string): void {
  const posted = attempts
    .flatMap((attempt) => requestsAt(attempt).messages.map(({ line }) => line))
    .filter((line) => line.startsWith("POST "));
  expect(new Set(posted).size, `${where}: ${posted}`).toBe(posted.length);
}
