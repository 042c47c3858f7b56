/** Accepts other instances. */
import type { Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { type ListenAddress, ListenError } from "../../src/model/listen-address.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import type { Hello } from "./peer-messages.ts";
import { createPeerStream, type EndReason, type PeerStream, type StreamHandlers } from "./peer-stream.ts";
import { bindingOf, HANDSHAKE_TIMEOUT, type Identity, PEER_TLS, parseIdentity } from "./peer-tls.ts";
import { tlsKey } from "./seal.ts";

/** Connections at one time, handshakes included. */
const MOST_CONNECTIONS = 512;
/** Connections from one address at one time. */
const MOST_OF_ONE_ADDRESS = 32;

export interface PeerServerOptions {
  readonly listen: ListenAddress;
  /** The option that moves it, for messages. */
  readonly flag: string;
  /** The secret that proves an identity; undefined when nobody has that identity (any more). */
  readonly secretOf: (identity: Identity) => string | undefined;
  readonly hello: Hello;
  readonly ports: KubePorts;
  readonly accept: (identity: Identity, hello: Hello, stream: PeerStream, remote: string) => StreamHandlers | EndReason;
  /** Somebody was turned away, or a stream ended otherwise than in order. @param who as far as it is known */
  readonly onTrouble: (who: string, why: string) => void;
}

export interface PeerServer {
  /** @throws ListenError */
  start(): Promise<ListenAddress>;
  /** Secrets have changed: ends the streams whose identity no longer has the secret that it came with. */
  recheck(): void;
  close(): Promise<void>;
}

export function createPeerServer(options: PeerServerOptions): PeerServer {
  const { listen, ports } = options;
  /** What a connection claims; its handshake only succeeds when it has the key. */
  const claims = new WeakMap<TLSSocket, { readonly identity: Identity; readonly secret: string }>();
  const streams = new Map<PeerStream, { readonly identity: Identity; readonly secret: string }>();
  const sockets = new Map<Socket, string>();

  const server = createServer({
    ...PEER_TLS,
    handshakeTimeout: HANDSHAKE_TIMEOUT,
    pskCallback(socket, text) {
      const identity = parseIdentity(text);
      const secret = identity === undefined ? undefined : options.secretOf(identity);
      if (identity === undefined || secret === undefined) return null;
      claims.set(socket, { identity, secret });
      return tlsKey(secret);
    },
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.on("connection", (socket) => {
    const address = socket.remoteAddress ?? "";
    const others = [...sockets.values()].filter((other) => other === address).length;
    if (others >= MOST_OF_ONE_ADDRESS) {
      socket.destroy();
      options.onTrouble(address, "too many connections");
      return;
    }
    sockets.set(socket, address);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy()); // a handshake that breaks off: told below
  });
  server.on("tlsClientError", (error, socket) => {
    options.onTrouble(socket.remoteAddress ?? "?", `handshake: ${"code" in error ? String(error.code) : error.message}`);
    socket.destroy();
  });
  server.on("secureConnection", (socket) => {
    const claim = claims.get(socket);
    if (claim === undefined) return void socket.destroy();
    const remote = socket.remoteAddress ?? "?"; // without the port, which is another each time: troubles are told once
    const stream = createPeerStream({
      socket,
      secret: claim.secret,
      binding: bindingOf(socket),
      side: "listener",
      hello: options.hello,
      ports,
      accept: (hello, opened) => options.accept(claim.identity, hello, opened, remote),
      onEnd(reason) {
        streams.delete(stream);
        if (!isInOrder(reason)) options.onTrouble(`${claim.identity.kind} ${claim.identity.name} (${remote})`, reason);
      },
    });
    streams.set(stream, claim);
  });

  return {
    start: () =>
      new Promise((resolve, reject) => {
        server.once("error", (error) => reject(new ListenError("peers", listen, options.flag, error)));
        server.listen(listen.port, listen.address, () => {
          const bound = server.address();
          resolve(bound === null || typeof bound === "string" ? listen : { address: bound.address, port: bound.port });
        });
      }),
    recheck() {
      for (const [stream, { identity, secret }] of [...streams]) if (options.secretOf(identity) !== secret) stream.end("revoked");
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const stream of [...streams.keys()]) stream.end("closed");
      const cancel = ports.setTimer(1000, () => {
        for (const socket of sockets.keys()) socket.destroy();
      });
      await closed;
      cancel();
    },
  };
}

const IN_ORDER: ReadonlySet<EndReason> = new Set(["bye", "closed", "replaced", "self"]);
const isInOrder = (reason: EndReason): boolean => IN_ORDER.has(reason);
