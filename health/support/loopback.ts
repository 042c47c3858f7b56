/** Servers on loopback ports for the tests of probes, all closed at the end of a test. */
import type { AddressInfo, Server, Socket } from "node:net";
import { parseNetwork } from "../../src/model/ip.ts";
import { ms } from "../../src/model/units.ts";
import { readCertificates } from "../../test/support/tls/certificates.ts";
import type { ProbeLimits } from "../ports.ts";
import { createProber, type Prober } from "../probes/prober.ts";

export interface Loopback {
  /** Listens on a free port of 127.0.0.1. */
  listen(server: Server): Promise<number>;
  /** Connections that any of the servers holds open. */
  open(): number;
  /** Resolves when no server holds a connection any more. */
  allClosed(): Promise<void>;
  /** A prober that may probe loopback and trusts the test CA. */
  readonly prober: Prober;
  readonly certificates: ReturnType<typeof readCertificates>;
  close(): Promise<void>;
}

export function createLoopback(): Loopback {
  const certificates = readCertificates();
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  let notify: (() => void) | undefined;
  const loopback = parseNetwork("127.0.0.0/8");
  const prober = createProber({ allow: loopback === undefined ? [] : [loopback], refuse: [], ca: certificates.ca });

  return {
    prober,
    certificates,
    listen: (server) =>
      new Promise((resolve, reject) => {
        servers.push(server);
        server.on("connection", (socket) => {
          sockets.add(socket);
          socket.on("error", () => socket.destroy());
          socket.once("close", () => {
            sockets.delete(socket);
            if (sockets.size === 0) notify?.();
          });
        });
        server.once("error", reject);
        server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
      }),
    open: () => sockets.size,
    allClosed: () =>
      new Promise((resolve) => {
        if (sockets.size === 0) resolve();
        else notify = resolve;
      }),
    close: async () => {
      await prober.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

/** Limits of one probe that nobody cancels. */
export const limits = (timeout = 2000, signal = new AbortController().signal): ProbeLimits => ({ timeout: ms(timeout), signal });
