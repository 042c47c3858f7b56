/**
 * HTTP and HTTPS probes through undici. Plain HTTP connects anew each time: it is cheap, it measures a round trip, and it tests what a
 * new user does. HTTPS keeps the connection of each endpoint for minutes, because a handshake costs several times as much as
 * the whole probe (bench/probes.ts); after that it connects anew, so that an expired certificate is seen.
 */
import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import { Client, type Dispatcher } from "undici";
import type { Endpoint, EndpointKey, ProbeResult } from "../../src/model/health.ts";
import type { ProbeLimits } from "../ports.ts";
import { keyFraction } from "../scheduler.ts";
import { type Attempt, attempt } from "./attempt.ts";
import { dialTcp, dialTls } from "./dial.ts";
import { applicationUtilization, ORCA_HEADER } from "./orca.ts";
import { probeReason } from "./probe-reason.ts";

/** How much of a body is read in search of `expect.body`, or to be able to use the connection again. Bytes. */
const MAX_BODY = 65_536;
/** Longest response header accepted. Bytes. */
const MAX_HEADER = 16_384;
/** How long one HTTPS connection is used at most, ms. */
const MAX_AGE = 300_000;
/** What clients are ended with. Of its own undici makes an error each time, whose stack costs more than the rest of a plain probe. */
const OVER = new Error("the probe is over");

export interface HttpProber {
  probe(endpoint: Endpoint, limits: ProbeLimits): Promise<ProbeResult>;
  /** Closes every kept connection. */
  close(): Promise<void>;
}

/** A client of one endpoint: one connection at most. The dialler's callbacks belong to the attempt that uses it now. */
interface Line {
  readonly client: Client;
  /** Monotonic. */
  readonly expiresAt: number;
  attempt: Attempt;
  /** Whether the attempt has opened the connection; false = it found it open. */
  dialled: boolean;
  connected: boolean;
}

export function createHttpProber(context: SecureContext, maxAge = MAX_AGE): HttpProber {
  const kept = new Map<EndpointKey, Line>();
  let closed = false;

  /** Opens a line for one endpoint; nothing is sent before the first request. */
  function open(endpoint: Endpoint, run: Attempt): Line {
    const secure = endpoint.probe.scheme === "HTTPS";
    const host = endpoint.address.includes(":") ? `[${endpoint.address}]` : endpoint.address;
    const client = new Client(`${secure ? "https" : "http"}://${host}:${endpoint.probe.port}`, {
      allowH2: false,
      pipelining: 1,
      maxHeaderSize: MAX_HEADER,
      // the attempt has the only deadline
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: MAX_AGE,
      keepAliveMaxTimeout: MAX_AGE,
      connect: (_, callback) => {
        const current = line.attempt;
        line.dialled = true;
        const connected = (): void => {
          line.connected = true;
          callback(null, socket);
        };
        const socket: Socket = secure
          ? dialTls(endpoint, context, ["http/1.1"], current, connected)
          : dialTcp(endpoint, current, connected);
        // undici has no handle on a connection that is still opening; an open one is closed with its client
        current.release(() => {
          if (!line.connected) socket.destroy();
        });
      },
    });
    // half to all of the age, so that connections opened together at a start do not expire together
    const expiresAt = performance.now() + maxAge * (0.5 + keyFraction(endpoint.key) / 2);
    const line: Line = { client, expiresAt, attempt: run, dialled: false, connected: false };
    client.on("disconnect", () => {
      line.connected = false;
      if (kept.get(endpoint.key) === line) drop(endpoint.key, line);
    });
    return line;
  }

  function drop(key: EndpointKey, line: Line): void {
    if (kept.get(key) === line) kept.delete(key);
    if (!line.client.destroyed) void line.client.destroy(OVER);
  }

  /** Takes the endpoint's line out of the store (no other attempt can use it meanwhile) or opens one. */
  function take(endpoint: Endpoint, run: Attempt): Line {
    const line = kept.get(endpoint.key);
    kept.delete(endpoint.key);
    if (line === undefined || performance.now() >= line.expiresAt) {
      if (line !== undefined) drop(endpoint.key, line);
      return open(endpoint, run);
    }
    line.attempt = run;
    line.dialled = false;
    return line;
  }

  function request(endpoint: Endpoint, run: Attempt, line: Line): void {
    let reusable = false;
    run.release(() => {
      if (reusable && !closed && line.connected && !kept.has(endpoint.key)) kept.set(endpoint.key, line);
      else drop(endpoint.key, line);
    });
    const { probe } = endpoint;
    const keep = probe.scheme === "HTTPS";
    const options: Dispatcher.DispatchOptions = { method: "GET", path: probe.path, headers: requestHeaders(endpoint), reset: !keep };
    line.client.dispatch(
      options,
      responseHandler(probe, run, {
        onComplete: () => {
          reusable = keep;
        },
        onError: (error) => {
          // A kept connection that the server closed in the same moment says nothing: ask once more on a new one.
          if (!line.dialled && probeReason(error) === "reset") request(endpoint, run, open(endpoint, run));
          else run.fail(error);
        },
      }),
    );
  }

  return {
    probe: (endpoint, limits) => attempt(limits, (run) => request(endpoint, run, take(endpoint, run))),
    close: async () => {
      closed = true;
      const lines = [...kept.values()];
      kept.clear();
      await Promise.all(lines.map((line) => line.client.destroy()));
    },
  };
}

function requestHeaders({ address, probe }: Endpoint): Record<string, string> {
  const name = probe.host === "" ? address : probe.host;
  const literal = name.includes(":") ? `[${name}]` : name;
  const usual = probe.scheme === "HTTPS" ? 443 : 80;
  return { host: probe.port === usual ? literal : `${literal}:${probe.port}`, "user-agent": "globalroute-probe", accept: "*/*" };
}

/** Judges one response. Without `expect.body` the status alone decides, and the body is only read so that the connection can be kept. */
function responseHandler(
  { expect, scheme }: Endpoint["probe"],
  run: Attempt,
  on: { readonly onComplete: () => void; readonly onError: (error: Error) => void },
): Dispatcher.DispatchHandler {
  const wanted = expect.body === undefined ? undefined : Buffer.from(expect.body);
  let load: number | undefined;
  let size = 0;
  let statusOk = false;
  const chunks: Buffer[] = [];
  return {
    onRequestStart() {},
    onResponseStart(_, status, headers) {
      if (status < 200) return; // interim responses (RFC 9110 §15.2)
      statusOk = true;
      load = applicationUtilization(headers[ORCA_HEADER]);
      if (!expect.status.some((range) => status >= range.from && status <= range.to)) run.finish("status", load);
      else if (wanted === undefined && scheme === "HTTP") run.finish("ok", load);
      else if (wanted === undefined) run.settle("ok", load);
    },
    onResponseData(_, chunk) {
      size += chunk.length;
      if (wanted === undefined) {
        if (size > MAX_BODY) run.finish("ok", load);
        return;
      }
      chunks.push(chunk.subarray(0, Math.max(0, chunk.length - Math.max(0, size - MAX_BODY))));
      if (size >= MAX_BODY) run.finish(Buffer.concat(chunks).includes(wanted) ? "ok" : "body", load);
    },
    onResponseEnd() {
      on.onComplete();
      run.finish(wanted === undefined || Buffer.concat(chunks).includes(wanted) ? "ok" : "body", load);
    },
    onResponseError(_, error) {
      if (statusOk && wanted === undefined) run.finish("ok", load);
      else on.onError(error);
    },
  };
}
