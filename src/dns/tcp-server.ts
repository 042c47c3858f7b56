/**
 * DNS over TCP (RFC 7766, RFC 9210): two-byte framing, pipelining, bounded in connections, in time and in memory. Answers go out in order, but
 * for those that somebody else makes (slow answers), which follow when they are there. A zone transfer is sent as fast as its client reads.
 */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { parseIpv6 } from "../model/ip.ts";
import type { ListenAddress } from "../model/listen-address.ts";
import { type Milliseconds, ms } from "../model/units.ts";
import { answer } from "./answer.ts";
import type { AnswerContext } from "./answer-context.ts";
import { Transport } from "./counters.ts";
import type { SlowSubmit } from "./slow/slow-pool.ts";
import { newSource, type Source, setSource } from "./source.ts";
import { answerSigned } from "./transfer/signed-answer.ts";
import type { Transfer, TransferService } from "./transfer/transfer-service.ts";
import type { TransportHooks } from "./udp-transport.ts";
import { Rcode, Type } from "./wire/codes.ts";
import { decodeQuery, newQuery } from "./wire/query.ts";

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
/** The same, of a zone transfer: it is made only as it is read. */
const MAX_TRANSFER_WAITING = 64 << 10;
/** Slow answers that one connection may wait for; it is read no further until some are there. */
const MAX_DEFERRED = 32;
const SWEEP = ms(1000);

/** Who answers what the context of this thread cannot. */
export interface TcpHelpers {
  /** Gives copies of zones; without it transfers are refused. */
  readonly transfers?: TransferService;
  /** Answers what needs a signature made now; without it such queries get no answer. */
  readonly slow?: SlowSubmit;
}

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
  /** What is being sent, message by message. The queries behind it wait. */
  transfer: Transfer | undefined;
  /** Slow answers that are not there yet. */
  deferred: number;
}

export interface TcpPorts extends Pick<TransportHooks, "now" | "onError"> {
  readonly setTimer: (delay: Milliseconds, callback: () => void) => () => void;
}

/** Listens and answers from `context` until closed. Rejects with the system's error when the address cannot be bound. */
export async function openTcpServer(
  listen: ListenAddress,
  context: AnswerContext,
  ports: TcpPorts,
  limits: TcpLimits,
  { transfers, slow }: TcpHelpers = {},
): Promise<TcpServer> {
  const decoded = newQuery();
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
    admit({ socket, source, group, pending: new Uint8Array(0), active: ports.now(), ended: false, transfer: undefined, deferred: 0 });
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
      connection.transfer?.close();
      if (!connections.delete(connection)) return;
      const left = perGroup.get(group)! - 1;
      if (left === 0) perGroup.delete(group);
      else perGroup.set(group, left);
    });
  }

  /** Answers every whole query that has arrived, unless the client does not read its answers: then it stops reading the client. */
  function serve(connection: Connection): void {
    const { socket, pending } = connection;
    if (socket.destroyed) return;
    let at = 0;
    let waits = false;
    socket.cork();
    for (;;) {
      waits = !sendTransfer(connection) || socket.writableLength > MAX_WAITING || connection.deferred >= MAX_DEFERRED;
      if (waits || pending.length - at < 2) break;
      const size = (pending[at]! << 8) | pending[at + 1]!;
      if (size < SHORTEST_QUERY || size > MAX_QUERY) return void socket.destroy();
      if (pending.length - at - 2 < size) break;
      // whoever sends responses to a server is no client
      if (!answerOne(connection, pending.subarray(at + 2, at + 2 + size))) return void socket.destroy();
      at += 2 + size;
      connection.active = ports.now();
    }
    socket.uncork();
    connection.pending = at === 0 ? pending : Buffer.copyBytesFrom(pending, at); // a copy, so that the rest of the chunk can go
    if (waits) socket.pause();
    else if (connection.ended && connection.deferred === 0) socket.end();
    else if (socket.isPaused()) socket.resume();
  }

  /** @returns false when the message deserves no answer at all */
  function answerOne(connection: Connection, query: Uint8Array): boolean {
    const { source } = connection;
    const fault = decodeQuery(query, query.length, decoded);
    if (fault === Rcode.NOERROR && transfers !== undefined && (decoded.type === Type.AXFR || decoded.type === Type.IXFR)) {
      connection.transfer = transfers.open(query, query.length, source);
      return true;
    }
    context.reply.keepalive = Math.ceil(limits.idle / 100);
    const isSigned = decoded.hasTsig && fault === Rcode.NOERROR;
    const length = isSigned
      ? answerSigned(query, query.length, source, out, transfers?.keys() ?? [], context.now(), (bare, size, from, room) =>
          answer(bare, size, from, room, context),
        )
      : answer(query, query.length, source, out, context);
    context.reply.keepalive = -1; // UDP may use this context too, and must not tell (RFC 7828 §3.2.2)
    if (length > 0) write(connection, out, length);
    else if (length < 0) defer(connection, query);
    return length !== 0;
  }

  function write({ socket }: Connection, message: Uint8Array, length: number): void {
    const frame = Buffer.allocUnsafe(2 + length);
    frame.writeUInt16BE(length);
    frame.set(message.subarray(0, length), 2);
    socket.write(frame);
  }

  function defer(connection: Connection, query: Uint8Array): void {
    const isTaken = slow?.submit(query, query.length, context.lane, connection.source, (bytes) => {
      connection.deferred--;
      if (connection.socket.destroyed) return;
      if (bytes.length > 0) write(connection, bytes, bytes.length);
      serve(connection);
    });
    if (isTaken === true) connection.deferred++;
  }

  /** Sends as much of the transfer as the client reads. @returns false while there is more */
  function sendTransfer(connection: Connection): boolean {
    const { transfer, socket } = connection;
    if (transfer === undefined) return true;
    while (socket.writableLength <= MAX_TRANSFER_WAITING) {
      const length = transfer.next(out);
      connection.active = ports.now();
      if (length === 0) {
        connection.transfer = undefined;
        return true;
      }
      write(connection, out, length);
    }
    return false;
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
