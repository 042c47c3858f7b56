/** What the front of the proxy turns away before it is a request, by reason. */

/** Why a connection, or a stream of HTTP/2, was closed by us. */
export type FrontRefusal =
  /** There are as many connections, or connections and streams, as there may be. */
  | "full"
  /** One address has as many connections and streams as it may have. */
  | "too-many-of-one-client"
  /** One address has as many connections that have not asked for anything yet as it may have. */
  | "too-many-silent-of-one-client"
  /** One address has been refused so often that it is not listened to for a while. */
  | "refused-too-often"
  | "too-many-handshakes"
  | "handshake-timeout"
  /** The client named a host that no certificate is for, or none at all. */
  | "no-certificate"
  /** The client's TLS is not ours: version, cipher, or no TLS at all. */
  | "handshake-failed"
  /** The PROXY protocol is expected, from others. */
  | "proxy-header-from-stranger"
  | "bad-proxy-header"
  | "proxy-header-timeout"
  /** Streams that are opened and taken back, or broken, again and again (CVE-2023-44487). */
  | "http2-resets"
  | "http2-pings"
  | "http2-settings"
  /** Frames that are not allowed, or mean nothing and never end. */
  | "http2-frames"
  /** A request that HTTP/2 lets pass and HTTP/1.1 would read otherwise. */
  | "http2-request";

/** Whole numbers that only grow, since the start. */
export interface FrontCounters {
  /** Reason → how many; reasons that did not occur are absent. */
  readonly refused: Map<FrontRefusal, number>;
  handshakes: number;
  http2Connections: number;
  http2Streams: number;
}

export const newFrontCounters = (): FrontCounters => ({ refused: new Map(), handshakes: 0, http2Connections: 0, http2Streams: 0 });

export function countRefusal({ refused }: FrontCounters, reason: FrontRefusal): void {
  refused.set(reason, (refused.get(reason) ?? 0) + 1);
}
