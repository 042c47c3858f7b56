/** Two connections that speak with each other, in whatever protocol: what comes in on one side goes out on the other, no faster than it is read. */
import type { Duplex } from "node:stream";

export interface TunnelSide {
  readonly socket: Duplex;
  /** Received already, for the other side. */
  readonly ahead: Buffer | undefined;
  /** It will send no more. */
  readonly hasEnded: boolean;
}

export interface Tunnel {
  readonly close: () => void;
}

/** @param touch called whenever a byte moves, and when a side has said its last: the other one does not have long then */
export function openTunnel(client: TunnelSide, upstream: TunnelSide, touch: (isHalfClosed: boolean) => void): Tunnel {
  const close = (): void => {
    client.socket.destroy();
    upstream.socket.destroy();
  };
  upstream.socket.on("close", () => {
    if (!client.socket.writableEnded) client.socket.destroy(); // else it closes once it has read the rest
  });
  pass(client, upstream.socket, touch);
  pass(upstream, client.socket, touch);
  return { close };
}

function pass({ socket: from, ahead, hasEnded }: TunnelSide, to: Duplex, touch: (isHalfClosed: boolean) => void): void {
  if (ahead !== undefined && ahead.length > 0) to.write(ahead);
  const end = (): void => {
    touch(true);
    to.end();
  };
  if (hasEnded) return void end();
  from.on("data", (bytes: Buffer) => {
    touch(from.writableEnded);
    if (!to.write(bytes)) from.pause();
  });
  to.on("drain", () => from.resume());
  from.on("end", end);
  if (from.isPaused()) from.resume();
}
