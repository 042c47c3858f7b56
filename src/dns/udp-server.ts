/** DNS over UDP by node:dgram: one socket for one local address. */
import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import type { ListenAddress } from "../model/listen-address.ts";
import { answer, useTables } from "./answer.ts";
import { type AnswerContext, DEFER } from "./answer-context.ts";
import { Transport } from "./counters.ts";
import { MAX_UDP } from "./reply.ts";
import type { SlowSubmit } from "./slow/slow-pool.ts";
import { newSource, setSource } from "./source.ts";
import type { TransportHooks, UdpTransport } from "./udp-transport.ts";

/** Queries that the kernel keeps while this thread is busy elsewhere: 4 MiB hold about 5,000. The kernel may grant less. */
const RECEIVE_BUFFER = 4 << 20;
/** One query of so many is timed. A power of two. */
const SAMPLE = 64;

export interface UdpServer {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/**
 * Opens the socket and answers from `context` until closed.
 *
 * What the context cannot answer goes to `slow`; without it, it gets no answer.
 *
 * Rejects with the system's error when the address cannot be bound. Fragmentation is avoided by size ({@link MAX_UDP}); Node offers no
 * way to switch path-MTU discovery off.
 */
export async function openUdpServer(
  listen: ListenAddress,
  context: AnswerContext,
  hooks: TransportHooks,
  slow?: SlowSubmit,
): Promise<UdpServer> {
  const family = listen.address.includes(":") ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? "udp6" : "udp4",
    ipv6Only: family === 6,
    // every destination is an address already: without this, each answer would wait for a tick of the resolver
    lookup: (address, _options, callback) => callback(null, address, family),
  });
  const source = newSource(Transport.UDP);
  const out = new Uint8Array(MAX_UDP);
  let queries = 0;
  let isOpen = true;

  const afterSend = (error: Error | null): void => {
    if (error !== null) hooks.onError(error);
  };
  const onMessage = (message: Uint8Array, sender: RemoteInfo): void => {
    const started = (queries++ & (SAMPLE - 1)) === 0 ? hooks.now() : -1;
    if (sender.port === 0 || !setSource(source, sender.address)) return; // port 0 cannot be answered
    const length = answer(message, message.length, source, out, context);
    if (length === DEFER) {
      slow?.submit(message, message.length, context.lane, source, (bytes) => {
        if (isOpen && bytes.length > 0) socket.send(bytes, sender.port, sender.address, afterSend);
      });
    }
    if (length <= 0) return;
    // a copy, because libuv keeps what it could not send at once
    socket.send(Buffer.copyBytesFrom(out, 0, length), sender.port, sender.address, afterSend);
    if (started >= 0) hooks.onDuration((hooks.now() - started) / 1000);
  };

  const listening = once(socket, "listening"); // rejects on "error"; asked for first, because binding may succeed at once
  socket.bind({ address: listen.address, port: listen.port });
  try {
    await listening;
  } catch (error) {
    socket.close();
    throw error;
  }
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER);
  } catch (error) {
    hooks.onError(new Error("the UDP receive buffer keeps its default size", { cause: error }));
  }
  socket.on("message", onMessage);
  socket.on("error", hooks.onError);
  return {
    port: socket.address().port,
    close: async () => {
      isOpen = false;
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
}

/** Answers on the calling thread: slower than worker threads with batched system calls, and there wherever Node is. */
export function createDgramTransport(context: AnswerContext, hooks: TransportHooks, slow?: SlowSubmit): UdpTransport {
  const servers = new Set<UdpServer>();
  return {
    kind: "dgram",
    counters: [], // the context is the caller's
    bind: async (listen) => {
      const server = await openUdpServer(listen, context, hooks, slow);
      servers.add(server);
      return {
        port: server.port,
        close: async () => {
          servers.delete(server);
          await server.close();
        },
      };
    },
    start: async () => undefined,
    swap: (tables) => useTables(context, tables),
    isCurrent: () => true,
    stop: async () => {
      const closing = [...servers];
      servers.clear();
      await Promise.all(closing.map((server) => server.close()));
    },
  };
}
