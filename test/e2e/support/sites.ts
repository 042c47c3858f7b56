/** What a load balancer of a cluster leads to: a small HTTP server on an address of the test's namespace, which can be killed. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";

export interface Site {
  readonly address: string;
  /** Requests so far. */
  readonly requests: () => number;
  /** From now on connections are refused. */
  readonly kill: () => Promise<void>;
  /** Answers again. */
  readonly revive: () => Promise<void>;
  /** HTTP status of answers from now on. */
  readonly answer: (status: number) => void;
  /** Milliseconds that each answer takes from now on. */
  readonly answerAfter: (delay: () => number) => void;
}

/** @returns a site that answers 200 on port 80, or the one given */
export async function startSite(address: string, port = 80): Promise<Site> {
  let requests = 0;
  let status = 200;
  let delay: (() => number) | undefined;
  let server: Server | undefined;
  const revive = async (): Promise<void> => {
    server = createServer((_request, response) => {
      requests++;
      const answer = (): void => void response.writeHead(status).end();
      if (delay === undefined) answer();
      else setTimeout(answer, delay());
    });
    const listening = once(server, "listening"); // rejects on "error"
    server.listen(port, address);
    await listening;
  };
  await revive();
  return {
    address,
    requests: () => requests,
    async kill() {
      if (server?.listening !== true) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
    revive,
    answer: (next) => {
      status = next;
    },
    answerAfter(next) {
      delay = next;
    },
  };
}
