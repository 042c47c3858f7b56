/** DNS over TCP (RFC 7766): two-byte framing, pipelining with answers in order, bounded in connections, in time and in memory. */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { parseIpv6 } from "../model/ip.ts";
import type { ListenAddress } from "../model/listen-address.ts";
import { type Milliseconds, ms } from "../model/units.ts";
import { type AnswerContext, answer } from "./answer.ts";
import { Transport } from "./counters.ts";
import { newSource, type Source, setSource } from "./source.ts";
import type { TransportHooks } from "./udp-transport.ts";

export interface TcpLimits {
  /** Beyond it the connection that has been idle longest makes room. */
  readonly connections: number;
  /** Connections of one IPv4 address or IPv6 /64; beyond it new ones are closed. */
  readonly perSource: number;
  /** A connection must complete a query (and read its answers) this often. Single bytes do not count. */
  readonly idle: Milliseconds;
}

export const TCP_LIMITS: TcpLimits = { connections: 1000, perSource: 64, idle: ms(10_000) };

/** Larger than any query with cookie, client subnet, padding and signature; more is not buffered for anybody. */
const MAX_QUERY = 4096;
const SHORTEST_QUERY = 12;
/** Bytes of answers that wait for one client to read them. */
const MAX_WAITING = 256 << 10;
const SWEEP = ms(1000);

export interface TcpServer {
  readonly port: number;
  readonly connections: () => number;
  /** Sends what is answered already, then closes every connection. */
  readonly close: () => Promise<void>;
}

interface Connection {
  readonly socket: Socket;
  readonly source: Source;
  /** What {@link TcpLimits.perSource} counts. */
  readonly group: string;
  /** Received and not answered yet. */
  pending: Uint8Array;
  /** When it last completed a query, or was opened. */
  active: number;
  /** The client will send no more. */
  ended: boolean;
}

export interface TcpPorts extends Pick<TransportHooks, "now" | "onError"> {
  readonly setTimer: (delay: Milliseconds, callback: () => void) => () => void;
}

/** Listens and answers from `context` until closed. Rejects with the system's error when the address cannot be bound. */
export async function openTcpServer(listen: ListenAddress, context: AnswerContext, ports: TcpPorts, limits: TcpLimits): Promise<TcpServer> {
  const connections = new Set<Connection>();
  const perGroup = new Map<string, number>();
  const out = new Uint8Array(0xffff);
  let cancelSweep: (() => void) | undefined;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy()); // resets are the client's business
    const source = newSource(Transport.TCP);
    if (!setSource(source, socket.remoteAddress ?? "")) return void socket.destroy(); // gone already
    const group = groupOf(socket.remoteAddress ?? "");
    if ((perGroup.get(group) ?? 0) >= limits.perSource) return void socket.destroy();
    if (connections.size >= limits.connections) idlest(connections)?.socket.destroy();
    admit({ socket, source, group, pending: new Uint8Array(0), active: ports.now(), ended: false });
  });

  function admit(connection: Connection): void {
    const { socket, group } = connection;
    connections.add(connection);
    perGroup.set(group, (perGroup.get(group) ?? 0) + 1);
    cancelSweep ??= ports.setTimer(SWEEP, sweep);
    socket.on("data", (chunk: Uint8Array) => {
      connection.pending = connection.pending.length === 0 ? chunk : Buffer.concat([connection.pending, chunk]);
      serve(connection);
    });
    socket.on("drain", () => serve(connection));
    socket.on("end", () => {
      connection.ended = true;
      serve(connection);
    });
    socket.on("close", () => {
      if (!connections.delete(connection)) return;
      const left = perGroup.get(group)! - 1;
      if (left === 0) perGroup.delete(group);
      else perGroup.set(group, left);
    });
  }

  /** Answers every whole query that has arrived, unless the client does not read its answers: then it stops reading the client. */
  function serve(connection: Connection): void {
    const { socket, pending, source } = connection;
    let at = 0;
    let waits = false;
    socket.cork();
    while (pending.length - at >= 2) {
      const size = (pending[at]! << 8) | pending[at + 1]!;
      if (size < SHORTEST_QUERY || size > MAX_QUERY) return void socket.destroy();
      if (pending.length - at - 2 < size) break;
      waits = socket.writableLength > MAX_WAITING;
      if (waits) break;
      const length = answer(pending.subarray(at + 2, at + 2 + size), size, source, out, context);
      if (length === 0) return void socket.destroy(); // whoever sends responses to a server is no client
      const frame = Buffer.allocUnsafe(2 + length);
      frame.writeUInt16BE(length);
      frame.set(out.subarray(0, length), 2);
      socket.write(frame);
      at += 2 + size;
      connection.active = ports.now();
    }
    socket.uncork();
    connection.pending = at === 0 ? pending : Buffer.copyBytesFrom(pending, at); // a copy, so that the rest of the chunk can go
    if (waits) socket.pause();
    else if (connection.ended) socket.end();
    else if (socket.isPaused()) socket.resume();
  }

  function sweep(): void {
    const oldest = ports.now() - limits.idle;
    for (const connection of connections) if (connection.active <= oldest) connection.socket.destroy();
    cancelSweep = connections.size > 0 ? ports.setTimer(SWEEP, sweep) : undefined;
  }

  server.listen({ host: listen.address, port: listen.port, ipv6Only: true });
  await once(server, "listening"); // rejects on "error"
  server.on("error", ports.onError);
  const bound = server.address();
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : listen.port,
    connections: () => connections.size,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      cancelSweep?.();
      for (const { socket } of connections) socket.destroySoon(); // after what is written has been sent
      const cancel = ports.setTimer(SWEEP, () => {
        for (const { socket } of connections) socket.destroy();
      });
      await closed;
      cancel();
    },
  };
}

const idlest = (connections: Iterable<Connection>): Connection | undefined => {
  let found: Connection | undefined;
  for (const connection of connections) if (found === undefined || connection.active < found.active) found = connection;
  return found;
};

/** One IPv4 address, or the /64 that one IPv6 client usually has to itself. */
function groupOf(address: string): string {
  const bytes = parseIpv6(address.replace(/%.*$/, ""));
  return bytes === undefined ? address : bytes.subarray(0, 8).join();
}
