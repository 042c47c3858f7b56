/** A connection to an endpoint whose bytes come without what Node's streams do for each piece. */
import { connect, type Socket } from "node:net";
import type { ProxyEndpoint } from "./endpoints.ts";

/** Shared by all: what is read is copied out before anybody else reads. */
const READ = Buffer.allocUnsafeSlow(64 << 10);

/**
 * Begins to connect. Half-closed ends are kept.
 *
 * Node would make 64 KiB of memory for each read, give back what is not used of it, and take the piece through a queue. Here each piece is
 * copied once, and "data" is emitted as it would be; pausing and the end are the socket's own. A piece is the listener's to keep.
 */
export function openUpstream({ address, port }: ProxyEndpoint): Socket {
  const take = (size: number, bytes: Uint8Array): boolean => {
    socket.emit("data", Buffer.from(bytes.subarray(0, size)));
    return true; // whoever wants no more has paused the socket
  };
  const socket = connect({ host: address, port, noDelay: true, allowHalfOpen: true, onread: { buffer: READ, callback: take } });
  return socket;
}
