/** The sockets of {@link createNotifier}: node:dgram, bound to an address of ours and any port. */
import { createSocket } from "node:dgram";
import type { NotifierOptions } from "./notify.ts";

/** @returns opens sockets whose errors go to `onError`; notifications are repeated anyway */
export function notifySockets(onError: (error: Error) => void): NotifierOptions["openSocket"] {
  return (local, family, onMessage) => {
    const socket = createSocket({ type: family === 6 ? "udp6" : "udp4", ipv6Only: family === 6 });
    let isClosed = false;
    socket.on("error", onError);
    socket.on("message", (message, { address, port }) => onMessage(message, { address, port }));
    socket.bind({ port: 0, ...(local === undefined ? {} : { address: local }) });
    return {
      send(message, to) {
        if (isClosed) return;
        socket.send(message, to.port, to.address, (error) => {
          if (error !== null) onError(error);
        });
      },
      close() {
        isClosed = true;
        socket.close();
      },
    };
  };
}
