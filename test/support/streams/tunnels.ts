/** Very many WebSockets through the proxy, with a server that echoes. */
import { once } from "node:events";
import { WebSocket, WebSocketServer } from "ws";
import type { Origin } from "./origin.ts";
import { HOST } from "./proxy-process.ts";

/** From now on every WebSocket that comes to the origin gets back what it says. */
export function echo(origin: Origin): void {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  origin.onUpgrade((request, socket, head) => {
    server.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on("message", (message) => webSocket.send(message)).on("error", () => {}); // the client learns of it
    });
  });
}

/** Handshakes under way at once: no listener's backlog holds thousands. */
const AT_ONCE = 64;

/** @throws when a handshake fails */
export async function openTunnels(port: number, count: number): Promise<readonly WebSocket[]> {
  const open: WebSocket[] = [];
  const openOnes = async (): Promise<void> => {
    while (open.length < count) {
      const webSocket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: HOST }, perMessageDeflate: false });
      open.push(webSocket);
      await once(webSocket, "open");
      webSocket.on("error", () => {}); // "close" follows, which is looked at
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, openOnes));
  return open;
}

/** Each says something of its own. @returns how many got exactly that back */
export async function echoOnce(webSockets: readonly WebSocket[]): Promise<number> {
  const answers = webSockets.map(async (webSocket, i) => {
    const answer = once(webSocket, "message");
    webSocket.send(`tunnel ${i}`);
    const [message] = await answer;
    return String(message) === `tunnel ${i}`;
  });
  return (await Promise.all(answers)).filter(Boolean).length;
}
