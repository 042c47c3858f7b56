/** Connections of clients that are not listened to: neither read nor closed for a while, since whoever waits does not come again at once. */
import type { Socket } from "node:net";
import { type Milliseconds, ms } from "../../../model/units.ts";

const PATIENCE = ms(2000);

export interface Tarpit {
  /** Closes the connection in a while; at once when the client has as many waiting as it may. */
  readonly take: (socket: Socket, client: string) => void;
}

/** @param most waiting connections of one client */
export function createTarpit(most: number, setTimer: (delay: Milliseconds, callback: () => void) => () => void): Tarpit {
  /** Client → how many; those without one are absent. */
  const waiting = new Map<string, number>();
  return {
    take(socket, client) {
      const before = waiting.get(client) ?? 0;
      if (before >= most) return void socket.destroy();
      waiting.set(client, before + 1);
      const cancel = setTimer(PATIENCE, () => socket.destroy());
      socket.once("close", () => {
        cancel();
        const left = waiting.get(client)! - 1;
        if (left === 0) waiting.delete(client);
        else waiting.set(client, left);
      });
    },
  };
}
