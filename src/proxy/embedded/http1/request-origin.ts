/** Whom a request is for and whom it is from: the same for nearly all requests of a connection, and worked out once for as long as it is. */
import { type Forwarded, type ForwardedSettings, forwarded } from "./forwarded.ts";
import { hostName } from "./host.ts";
import type { RequestFacts } from "./request.ts";
import type { RequestHead } from "./request-head.ts";

export interface RequestOrigin extends Forwarded {
  /** The host as it was written, perhaps with a port; "" when an HTTP/1.0 request names none. */
  readonly authority: string;
  /** The host to route by: lower case, without port and final dot. */
  readonly host: string;
}

/**
 * @param peer   the address that the connection comes from
 * @param before what this returned for the connection's request before
 */
export function requestOrigin(
  bytes: Buffer,
  head: RequestHead,
  facts: RequestFacts,
  peer: string,
  settings: ForwardedSettings,
  before?: RequestOrigin,
): RequestOrigin {
  const { hostStart, hostEnd } = facts;
  const authority = bytes.toString("latin1", hostStart, hostEnd);
  // what proxies in front of us say is another client's with each request
  if (before?.authority === authority && settings.trustedHops === 0) return before;
  const host = authority === "" ? "" : hostName(bytes, hostStart, hostEnd);
  return { authority, host, ...forwarded(bytes, head, facts, peer, settings) };
}
