/** The HTTP side of a vantage: whether it lives, and its metrics. Nothing that it answers is a secret, and nothing can be changed. */
import { createServer } from "node:http";
import { type ListenAddress, ListenError } from "../model/listen-address.ts";
import { CONTENT_TYPES, negotiateFormat } from "../observe/exposition.ts";
import type { Metrics } from "../observe/metrics.ts";

export interface VantageHttp {
  readonly address: ListenAddress;
  readonly close: () => Promise<void>;
}

/**
 * `/healthz` is 200 while the process works, `/readyz` once it was told what to probe, and from then on, whether its hub is there or not.
 *
 * @throws ListenError
 */
export async function serveVantageHttp(
  listen: ListenAddress,
  metrics: Pick<Metrics, "expose">,
  isReady: () => boolean,
): Promise<VantageHttp> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://vantage.invalid").pathname;
    const format = negotiateFormat(request.headers.accept);
    const answer = (status: number, text: string, type = "text/plain; charset=utf-8"): void => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(text);
    };
    if (request.method !== "GET" && request.method !== "HEAD") answer(405, "GET only\n");
    else if (path === "/healthz") answer(200, "ok\n");
    else if (path === "/readyz") answer(isReady() ? 200 : 503, isReady() ? "ok\n" : "no hub has told yet what to probe\n");
    else if (path !== "/metrics") answer(404, "There are: /healthz, /readyz, /metrics.\n");
    else
      void metrics.expose(format).then(
        (text) => answer(200, text, CONTENT_TYPES[format]),
        () => answer(500, "the metrics could not be read\n"),
      );
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(new ListenError("metrics", listen, "--metrics", error)));
    server.listen(listen.port, listen.address, resolve);
  });
  const bound = server.address();
  return {
    address: bound === null || typeof bound === "string" ? listen : { address: bound.address, port: bound.port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
