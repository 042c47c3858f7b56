import type { Duplex } from "node:stream";

/**
 * Breaks a connection so that the client can tell that its response is not whole: to HTTP/1.0 the mere end is the end of the body, so it is a
 * reset. Of TLS the end without its closing alert says the same (RFC 8446 §6.1), and Node does not reset such sockets.
 */
export function cutConnection(socket: Duplex): void {
  const isTls = "encrypted" in socket;
  if (!isTls && "resetAndDestroy" in socket && typeof socket.resetAndDestroy === "function") socket.resetAndDestroy();
  else socket.destroy();
}
