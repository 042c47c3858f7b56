/** An HTTP(S) server on a loopback port whose answers a test writes. */
import { createServer as createHttp, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createHttps, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";

export interface StubRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly raw: IncomingMessage;
}

export interface StubServer {
  readonly url: string;
  readonly port: number;
  readonly requests: StubRequest[];
  /** TCP connections that were ever made. */
  connections(): number;
  /** Resolves when so many requests have come in all. */
  received(count: number): Promise<void>;
  close(): Promise<void>;
}

export async function startStub(
  answer: (request: StubRequest, response: ServerResponse) => void,
  tls?: ServerOptions,
): Promise<StubServer> {
  const requests: StubRequest[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  let connections = 0;
  const listener: RequestListener = (raw, response) => {
    let body = "";
    raw.setEncoding("utf8");
    raw.on("data", (chunk: string) => {
      body += chunk;
    });
    raw.on("end", () => {
      const url = new URL(raw.url ?? "/", "http://stub");
      const request: StubRequest = {
        method: raw.method ?? "",
        path: url.pathname,
        query: url.searchParams,
        headers: raw.headers,
        body,
        raw,
      };
      requests.push(request);
      for (const one of waiting) if (requests.length >= one.count) one.resolve();
      answer(request, response);
    });
  };
  const server: Server = tls === undefined ? createHttp(listener) : createHttps(tls, listener);
  server.on(tls === undefined ? "connection" : "secureConnection", () => connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    port,
    requests,
    connections: () => connections,
    received: (count) => new Promise((resolve) => (requests.length >= count ? resolve() : void waiting.push({ count, resolve }))),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers JSON. */
export function json(response: ServerResponse, body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/** A `Status` of a failure. */
export const statusBody = (code: number, reason: string, message: string) => ({
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  code,
  reason,
  message,
});
