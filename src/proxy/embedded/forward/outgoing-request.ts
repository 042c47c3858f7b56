/** A request on its way to an endpoint: from its beginning over each connection that is tried, and then its body as it arrives. */
import type { Milliseconds } from "../../../model/units.ts";
import type { Fault } from "../http1/faults.ts";
import type { ExchangeClient, ExchangeRequest } from "./exchange-client.ts";
import type { GatheringWriter } from "./gathering-writer.ts";
import type { ProxyTimeouts } from "./settings.ts";
import type { UpstreamConnection } from "./upstream-connection.ts";

/**
 * Sends the head, and of the body what is here.
 *
 * @param replay a body up to so many bytes is kept for another endpoint
 * @returns false when the endpoint does not keep up
 */
export function sendRequest({ head, method, body }: ExchangeRequest, out: GatheringWriter, replay: number): boolean {
  out.addText(head);
  body.sendKept(out);
  // what must not be sent twice is not kept, so that it cannot be
  if (body.isKept && (!method.isIdempotent || body.size > replay)) body.forget();
  return out.flush();
}

/**
 * Reads what has arrived of a body that is not whole yet.
 *
 * @param out where it goes on to, without being flushed; undefined while there is no connection
 * @returns what is behind the body, or undefined when there is nothing; or why it cannot be read on
 */
export function passBody(
  { body, mostBody }: ExchangeRequest,
  bytes: Buffer,
  out: GatheringWriter | undefined,
  replay: number,
): Buffer | Fault | "body-too-large" | undefined {
  const rest = body.read(bytes, 0, out);
  if (typeof rest === "string") return rest;
  if (body.size > mostBody) return "body-too-large";
  if (out !== undefined && body.isKept && body.size > replay) body.forget();
  return rest;
}

/**
 * Who must act next while a body is not whole, and by when: the client with sending on, or the endpoint with reading.
 *
 * @param upstream   that the request is sent to; undefined while there is none
 * @param isTaken    what was read can be passed on, or kept
 * @param isAnswered the response has begun
 */
export function paceBody(
  client: ExchangeClient,
  upstream: UpstreamConnection | undefined,
  { isTaken, isAnswered }: { readonly isTaken: boolean; readonly isAnswered: boolean },
  timeouts: ProxyTimeouts,
  now: Milliseconds,
): void {
  const { socket } = client;
  if (isTaken) {
    if (socket.isPaused()) socket.resume();
    client.deadline = now + timeouts.client;
    if (upstream !== undefined && !isAnswered) upstream.deadline = Infinity;
  } else {
    socket.pause();
    // an endpoint whose response the client does not read may be unable to read on
    const isClientsTurn = isAnswered && upstream?.socket.isPaused() === true;
    client.deadline = isClientsTurn ? now + timeouts.client : Infinity;
    if (upstream !== undefined) upstream.deadline = isClientsTurn ? Infinity : now + timeouts.response;
  }
}
