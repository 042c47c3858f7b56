/** Sites that a server can probe and a test can break: one small HTTP server on each loopback address, all on one port. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";

export interface LoopbackSites {
  readonly port: number;
  /** From now on the site answers 200, or 503, which is proof of failure. */
  readonly set: (address: string, isUp: boolean) => void;
  readonly isUp: (address: string) => boolean;
  readonly close: () => Promise<void>;
}

/** Free ports of one address may be taken on another. */
const TRIES = 20;

/** @param addresses such as 127.0.20.1; Linux answers on all of 127.0.0.0/8 */
export async function openLoopbackSites(addresses: readonly string[]): Promise<LoopbackSites> {
  const down = new Set<string>();
  const serve = (address: string): Server =>
    createServer((_request, response) => {
      response.statusCode = down.has(address) ? 503 : 200;
      response.end();
    });
  for (let attempt = 1; ; attempt++) {
    const servers: Server[] = [];
    let port = 0;
    try {
      for (const address of addresses) {
        const server = serve(address);
        servers.push(server);
        const listening = once(server, "listening"); // rejects on "error"
        server.listen(port, address);
        await listening;
        const bound = server.address();
        if (bound !== null && typeof bound === "object") port = bound.port;
      }
      return {
        port,
        set: (address, isUp) => void (isUp ? down.delete(address) : down.add(address)),
        isUp: (address) => !down.has(address),
        close: () => closeAll(servers),
      };
    } catch (error) {
      await closeAll(servers.filter((server) => server.listening));
      if (attempt === TRIES) throw error;
    }
  }
}

async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(
    servers.map(async (server) => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    }),
  );
}
