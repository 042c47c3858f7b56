/**
 * Stands between a client and an API server, with a certificate of the server's own CA, and does to requests what networks and overloaded
 * servers do. Client certificates do not pass through it: its clients come with tokens.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer, request as requestTls } from "node:https";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { KubeCluster } from "./kube-cluster.ts";

export interface ProxiedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly userAgent: string;
}

/** Requests that wait in a queue. */
export interface KeptRequests {
  readonly requests: readonly ProxiedRequest[];
  /** Lets them go on, and keeps no more. */
  readonly release: () => void;
}

type Match = (request: ProxiedRequest) => boolean;

export interface ApiProxy {
  readonly url: string;
  /** Requests so far. */
  readonly requests: () => readonly ProxiedRequest[];
  /** Answers in the server's place. Retry-After is in seconds. @returns what ends it */
  readonly answer: (match: Match, status: number, retryAfter?: number) => () => void;
  /** Changes each line of the answers, which is one object or one event of a watch. @returns what ends it */
  readonly rewrite: (match: Match, change: (line: string) => string) => () => void;
  /** Lets requests wait, without any answer. @returns what lets them go on */
  readonly hold: (match: Match) => () => void;
  /** Takes requests whole and keeps them, as a queue in a network does: let go, they arrive although who sent them has given up. */
  readonly keep: (match: Match) => KeptRequests;
  /** Cuts all connections. */
  readonly cut: () => void;
  /** Cuts all connections again and again. @returns what ends it */
  readonly cutEvery: (milliseconds: number) => () => void;
  /** Refuses connections, as a machine without the server does. */
  readonly refuse: () => Promise<void>;
  readonly accept: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export const isWatch: Match = ({ path }) => path.includes("watch=true") || path.includes("watch=1");

/** @param at address, for which the cluster's certificate need not be: the proxy gets one of its own */
export async function startApiProxy(cluster: KubeCluster, at: string, port = 6443): Promise<ApiProxy> {
  const ca = readFileSync(cluster.pki.ca);
  const credential = cluster.pki.server(`proxy-${at}`, [at]);
  const upstream = new Agent({ keepAlive: true, ca });
  const sockets = new Set<Duplex>();
  const requests: ProxiedRequest[] = [];
  const answers = new Set<{ match: Match; status: number; retryAfter: number | undefined }>();
  const changes = new Set<{ match: Match; change: (line: string) => string }>();
  const holds = new Set<{ match: Match; released: Promise<void> }>();
  const keeps = new Set<{ match: Match; kept: ProxiedRequest[]; released: Promise<void> }>();

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked: ProxiedRequest = {
      method: incoming.method ?? "GET",
      path: incoming.url ?? "/",
      userAgent: incoming.headers["user-agent"] ?? "",
    };
    requests.push(asked);
    const queue = [...keeps].find(({ match }) => match(asked));
    if (queue !== undefined) {
      const body = await buffer(incoming).catch(() => undefined);
      if (body === undefined) return; // was never sent whole
      queue.kept.push(asked);
      await queue.released;
      forwardKept(incoming, body, response);
      return;
    }
    for (const hold of holds) if (hold.match(asked)) await hold.released;
    const instead = [...answers].find(({ match }) => match(asked));
    if (instead !== undefined) {
      incoming.resume();
      answerWith(response, instead.status, instead.retryAfter);
      return;
    }
    const lines = [...changes].filter(({ match }) => match(asked)).map(({ change }) => change);
    forward(incoming, response, lines);
  };
  const forward = (incoming: IncomingMessage, response: ServerResponse, lines: readonly ((line: string) => string)[]): void => {
    const { method, url: path, headers } = incoming;
    const outgoing = requestTls(new URL(path ?? "/", cluster.url), {
      agent: upstream,
      method,
      headers: { ...headers, "accept-encoding": "identity" },
    });
    outgoing.on("error", () => response.destroy());
    response.on("close", () => outgoing.destroy());
    outgoing.on("response", (answer) => {
      const { "content-length": _, ...rest } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, lines.length === 0 ? answer.headers : rest);
      response.flushHeaders(); // a watch begins with them, whenever its first event comes
      answer.on("error", () => response.destroy());
      if (lines.length === 0) answer.pipe(response);
      else rewriteLines(answer, response, lines);
    });
    incoming.pipe(outgoing);
  };
  const forwardKept = ({ method, url: path, headers }: IncomingMessage, body: Buffer, response: ServerResponse): void => {
    const { "transfer-encoding": _, ...rest } = headers;
    const outgoing = requestTls(new URL(path ?? "/", cluster.url), {
      agent: upstream,
      method,
      headers: { ...rest, "content-length": body.length },
    });
    outgoing.on("error", () => response.destroy());
    outgoing.on("response", (answer) => {
      if (response.destroyed) return void answer.resume(); // nobody waits for it any more
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.end(body);
  };

  const server = createServer({ key: readFileSync(credential.key), cert: readFileSync(credential.cert) }, (incoming, response) => {
    void handle(incoming, response);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("tlsClientError", () => {});
  server.keepAliveTimeout = 180_000; // as API servers do; five seconds by default
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const accept = async (): Promise<void> => {
    const listening = once(server, "listening"); // rejects on "error"
    server.listen(port, at);
    await listening;
  };
  const refuse = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    cut();
    await closed;
  };
  await accept();
  const add = <T>(to: Set<T>, entry: T): (() => void) => {
    to.add(entry);
    return () => void to.delete(entry);
  };
  return {
    url: `https://${at.includes(":") ? `[${at}]` : at}:${port}`,
    requests: () => requests,
    answer: (match, status, retryAfter) => add(answers, { match, status, retryAfter }),
    rewrite: (match, change) => add(changes, { match, change }),
    hold(match) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const remove = add(holds, { match, released: promise });
      return () => {
        remove();
        resolve();
      };
    },
    keep(match) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const kept: ProxiedRequest[] = [];
      const remove = add(keeps, { match, kept, released: promise });
      return {
        requests: kept,
        release() {
          remove();
          resolve();
        },
      };
    },
    cut,
    cutEvery(milliseconds) {
      const timer = setInterval(cut, milliseconds);
      return () => clearInterval(timer);
    },
    refuse,
    accept,
    async close() {
      await refuse();
      upstream.destroy();
    },
  };
}

/** The `Status` that an API server would send. */
function answerWith(response: ServerResponse, status: number, retryAfter: number | undefined): void {
  const reason = { 401: "Unauthorized", 403: "Forbidden", 410: "Expired", 429: "TooManyRequests" }[status] ?? "InternalError";
  const headers = { "content-type": "application/json", ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }) };
  const body = { apiVersion: "v1", kind: "Status", metadata: {}, status: "Failure", message: "by the test's proxy", reason, code: status };
  response.writeHead(status, headers).end(JSON.stringify(body));
}

function rewriteLines(answer: IncomingMessage, response: ServerResponse, lines: readonly ((line: string) => string)[]): void {
  let rest = "";
  const changed = (line: string): string => lines.reduce((text, change) => change(text), line);
  answer.setEncoding("utf8").on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) response.write(`${changed(line)}\n`);
  });
  answer.on("end", () => response.end(rest === "" ? "" : changed(rest)));
}
