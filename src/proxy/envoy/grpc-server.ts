/**
 * A server of gRPC methods that stream both ways, on node:http2 (PROTOCOL-HTTP2.md). Of our own, because messages are sent here without a copy for each
 * stream: megabytes that thousands of streams are told alike are one buffer.
 */
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ListenAddress } from "../../model/listen-address.ts";
import { type FleetTls, tlsOptions } from "./fleet-tls.ts";
import { createFrameReader, frameHead, type Spares } from "./grpc-frames.ts";

/** Codes of gRPC, as far as they are told here. */
export const GrpcStatus = {
  OK: 0,
  INVALID_ARGUMENT: 3,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
} as const;
export type GrpcStatus = (typeof GrpcStatus)[keyof typeof GrpcStatus];

export interface GrpcStream {
  /** Sends one message. @param parts one after the other; kept until they are sent, and not changed until then. The first should be the smallest */
  send(first: Uint8Array, ...parts: readonly Uint8Array[]): void;
  /** Nothing is heard from it afterwards. @param details for people, ASCII */
  end(status: GrpcStatus, details?: string): void;
}

/** What a method does with a stream. */
export interface GrpcHandler {
  /** @param message borrowed */
  readonly onMessage: (message: Buffer) => void;
  /** The stream ends, whoever wanted it; may be called twice. */
  readonly onEnd: () => void;
}

export interface GrpcServer {
  /** @returns with the port that was bound. Rejects with the system's error */
  start(listen: ListenAddress): Promise<ListenAddress>;
  /** Other certificates for handshakes from now on. @throws when they cannot be used: the old ones stay */
  renew(tls: FleetTls): void;
  /** Ends every stream and connection. */
  close(): Promise<void>;
}

/** How it is found out that the other end of a connection is gone. A stream that has nothing to tell sends nothing else. */
export interface Keepalive {
  /** After which a connection is asked whether it is still there, ms. */
  readonly silence: number;
  /** Until it must have answered, ms. */
  readonly patience: number;
}
const KEEPALIVE: Keepalive = { silence: 30_000, patience: 10_000 };
/** Streams of one connection. An Envoy has one. */
const MOST_STREAMS = 8;

/**
 * @param tls     undefined = in the clear, for whoever reaches it
 * @param methods by their paths
 * @param onTurnedAway of whom nothing is heard, because TLS ended first: why, in words that go on a sentence about them
 * @throws as {@link tlsOptions} does
 */
export function createGrpcServer(
  tls: FleetTls | undefined,
  methods: ReadonlyMap<string | undefined, (stream: GrpcStream) => GrpcHandler>,
  keepalive = KEEPALIVE,
  onTurnedAway: (why: string) => void = () => {},
): GrpcServer {
  const settings = { maxConcurrentStreams: MOST_STREAMS };
  const secure: Http2SecureServer | undefined =
    tls === undefined
      ? undefined
      : createSecureServer({ ...tlsOptions(tls), settings, requestCert: true, rejectUnauthorized: true, ALPNProtocols: ["h2"] });
  const server: Http2Server | Http2SecureServer = secure ?? createServer({ settings });
  const sockets = new Set<Socket>();
  const spares: Spares = [];

  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("session", (session) => {
    session.on("error", () => session.destroy()); // its streams end, and that is told
    watch(session, keepalive);
  });
  server.on("sessionError", () => {});
  secure?.on("tlsClientError", (error: NodeJS.ErrnoException, { authorizationError }: TLSSocket) => {
    const why = turnedAway(error, authorizationError);
    if (why !== undefined) onTurnedAway(why);
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {}); // "close" follows
    serve(stream, headers, methods.get(headers[":path"]), spares);
  });

  return {
    start: (listen) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(listen.port, listen.address, () => {
          server.off("error", reject);
          server.on("error", () => {}); // of one connection that could not be accepted
          resolve({ ...listen, port: (server.address() as AddressInfo).port });
        });
      }),
    renew: (next) => secure?.setSecureContext(tlsOptions(next)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy(); // those in the midst of a handshake, too
      }),
  };
}

/** @returns undefined for one that hung up by itself, as balancers do that only look whether somebody listens */
function turnedAway({ code = "" }: NodeJS.ErrnoException, unauthorized: unknown): string | undefined {
  // Node says "reset by the peer" of those whom it has refused itself.
  if (unauthorized) return `its certificate is not one that --xds-client-ca stands for (${unauthorized})`;
  if (code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") return "it shows no certificate";
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_HTTP_REQUEST") return "it does not speak TLS";
  return code === "ECONNRESET" ? undefined : `the handshake failed (${code})`;
}

function watch(session: ServerHttp2Session, { silence, patience }: Keepalive): void {
  let isAsked = false;
  session.setTimeout(silence);
  session.on("timeout", () => {
    if (isAsked) return session.destroy();
    isAsked = true;
    session.setTimeout(patience);
    session.ping(() => {
      isAsked = false;
      session.setTimeout(silence);
    });
  });
}

function serve(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  method: ((stream: GrpcStream) => GrpcHandler) | undefined,
  spares: Spares,
): void {
  if (headers[":method"] !== "POST" || headers["content-type"]?.startsWith("application/grpc") !== true) {
    stream.respond({ ":status": 415 }, { endStream: true });
    stream.close();
    return;
  }
  let status: GrpcStatus = GrpcStatus.OK;
  let details = "";
  const end: GrpcStream["end"] = (code, text = "") => {
    if (!stream.writable) return;
    status = code;
    details = text;
    stream.end();
  };
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () =>
    stream.sendTrailers({ "grpc-status": status, ...(details === "" ? {} : { "grpc-message": encodeURI(details) }) }),
  );
  if (method === undefined) {
    end(GrpcStatus.UNIMPLEMENTED, "there is no such method");
    return;
  }
  const handler = method({
    send(first, ...parts) {
      if (!stream.writable) return;
      const length = parts.reduce((sum, part) => sum + part.length, first.length);
      stream.cork();
      stream.write(frameHead(length, first));
      for (const part of parts) stream.write(part);
      stream.uncork();
    },
    end,
  });
  const reader = createFrameReader(spares);
  stream.on("data", (chunk: Buffer) => {
    if (!stream.writable) return; // ended from here
    const problem = reader.read(chunk, (message) => stream.writable && handler.onMessage(message));
    if (problem === "compressed") end(GrpcStatus.UNIMPLEMENTED, "compressed messages are not understood");
    if (problem === "too large") end(GrpcStatus.RESOURCE_EXHAUSTED, "the message is too large");
  });
  stream.on("end", () => end(GrpcStatus.OK));
  for (const event of ["finish", "close"]) stream.on(event, handler.onEnd); // a client that was told of its end may leave its half open
}
