/** Limits and timeouts of the embedded proxy. */
import { type Milliseconds, ms } from "../../../model/units.ts";
import { HEAD_LIMITS, type HeadLimits } from "../http1/fields.ts";
import type { ForwardedSettings } from "../http1/forwarded.ts";

export interface ProxySettings {
  readonly head: HeadLimits;
  readonly forwarded: ForwardedSettings;
  /** Connections of clients; beyond it new ones are closed. */
  readonly clients: number;
  /** Bytes of a request's body; beyond it 413. */
  readonly maxBody: number;
  readonly timeouts: ProxyTimeouts;
  readonly pool: PoolSettings;
  /** PEM: who may have signed endpoints' certificates; absent = the authorities that Node knows. */
  readonly upstreamCa?: string;
  /** How many endpoints one request may be tried at, whether it could be sent there or not. */
  readonly endpoints: number;
  readonly ejection: EjectionSettings;
  /** A body up to so many bytes is kept until an endpoint answers, so that it can be sent to another. */
  readonly replay: number;
}

/** Looked at four times a second, so each may take a quarter of a second longer. */
export interface ProxyTimeouts {
  /** From a request's first byte to the end of its head. */
  readonly head: Milliseconds;
  /** Between requests of one connection. */
  readonly keepAlive: Milliseconds;
  /** A client that neither sends the rest of a body nor reads its response; and a tunnel whose one side has said its last. */
  readonly client: Milliseconds;
  readonly connect: Milliseconds;
  /** From the end of a request that cannot go elsewhere to the head of its response; and an endpoint that reads no more of a request. */
  readonly response: Milliseconds;
  /** For a request to be repeated, when too many are already. */
  readonly retry: Milliseconds;
  /** Between two pieces of a response's body. */
  readonly responseBody: Milliseconds;
  /** A tunnel without a byte in either direction. */
  readonly tunnel: Milliseconds;
  /** How long what a client still sends is read and dropped, so that it can read why it was refused. */
  readonly linger: Milliseconds;
  /** How long an answer is kept back from a client whose requests are refused again and again. */
  readonly tarpit: Milliseconds;
}

export interface PoolSettings {
  /** Connections to one endpoint; beyond it the next endpoint is asked. */
  readonly connections: number;
  /** Of them, without a request. */
  readonly idle: number;
  /** Shorter than what servers usually wait (Node 5 s), so that we seldom send into a connection that is being closed. */
  readonly idleTime: Milliseconds;
  /** A request that must not be sent twice gets a connection that was in use so short a time ago, or a new one. */
  readonly freshTime: Milliseconds;
  /** How long an endpoint that refused a connection is asked last. */
  readonly shun: Milliseconds;
}

export interface EjectionSettings {
  /** In a row. */
  readonly failures: number;
  /** For how long at first; twice as long the second time, and so on. */
  readonly time: Milliseconds;
  readonly longest: Milliseconds;
  /** Between two requests that find out whether it is well again. */
  readonly trial: Milliseconds;
}

export const PROXY_SETTINGS: ProxySettings = {
  head: HEAD_LIMITS,
  forwarded: { trustedHops: 0, scheme: "http", rfc7239: false },
  clients: 10_000,
  maxBody: Number.MAX_SAFE_INTEGER,
  timeouts: {
    head: ms(10_000),
    keepAlive: ms(60_000),
    client: ms(30_000),
    connect: ms(2000),
    response: ms(60_000),
    retry: ms(3000),
    responseBody: ms(60_000),
    tunnel: ms(3_600_000),
    linger: ms(2000),
    tarpit: ms(2000),
  },
  pool: { connections: 1024, idle: 256, idleTime: ms(4000), freshTime: ms(1000), shun: ms(1000) },
  endpoints: 8,
  ejection: { failures: 5, time: ms(10_000), longest: ms(300_000), trial: ms(1000) },
  replay: 64 << 10,
};
