/** The servers behind the proxy. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { freeClusterPort } from "../demo.ts";

export interface Origin {
  readonly addresses: readonly string[];
  readonly port: number;
  /** Who answers requests from now on, but for /healthz. */
  readonly answerWith: (listener: RequestListener) => void;
  readonly onUpgrade: (listener: (request: IncomingMessage, socket: Duplex, head: Buffer) => void) => void;
  readonly close: () => void;
}

/** @param addresses of 127.0.0.0/8; one server for each, with one port and one mind */
export async function startOrigin(...addresses: readonly string[]): Promise<Origin> {
  const port = await freeClusterPort();
  let answer: RequestListener = (_, response) => void response.writeHead(404).end();
  const servers: Server[] = [];
  for (const address of addresses) {
    const server = createServer((request, response) => (request.url === "/healthz" ? void response.end() : answer(request, response)));
    servers.push(server.listen(port, address));
    await once(server, "listening");
  }
  return {
    ...{ addresses, port },
    answerWith: (listener) => {
      answer = listener;
    },
    onUpgrade: (listener) => {
      for (const server of servers) server.on("upgrade", listener);
    },
    close: () => {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}
