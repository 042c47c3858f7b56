/** Ports for servers that tests start. */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/** Ports that systems hand out by themselves begin above it (Linux: 32768, RFC 6335: 49152). */
const LAST_FIXED_PORT = 32_767;
const FIRST_FREE_PORT = 10_000;

/**
 * A port of 127.0.0.1 that was free a moment ago, for UDP and TCP. None that a client may be given: `dig` shares ports (SO_REUSEPORT), and
 * one that gets the server's own port asks itself and prints its own query as the answer.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_FREE_PORT, LAST_FIXED_PORT + 1);
    const tcp = createServer();
    const udp = createSocket("udp4");
    const isFree = await Promise.all([
      new Promise<boolean>((resolve) => {
        tcp.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
      }),
      new Promise<boolean>((resolve) => {
        udp.once("error", () => resolve(false)).bind(port, "127.0.0.1", () => resolve(true));
      }),
    ]);
    if (isFree[1]) udp.close();
    if (isFree[0]) await new Promise((resolve) => tcp.close(resolve));
    if (isFree[0] && isFree[1]) return port;
  }
}
