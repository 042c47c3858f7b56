/** A plain DNS client over real sockets, for tests: one query over UDP, or a TCP connection that counts frames. */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface ServerAddress {
  readonly address: string;
  readonly port: number;
}

export interface UdpClient {
  /** Sends a message as it is. */
  readonly send: (message: Uint8Array) => void;
  /** Sends a query and resolves with the answer of the same ID; rejects after `patience` ms. */
  readonly ask: (query: Uint8Array, patience?: number) => Promise<Uint8Array>;
  readonly close: () => void;
}

/** One socket; questions may overlap if their IDs differ. */
export async function openUdp(server: ServerAddress): Promise<UdpClient> {
  const socket: UdpSocket = createSocket(server.address.includes(":") ? "udp6" : "udp4");
  const waiting = new Map<number, (answer: Uint8Array) => void>();
  socket.on("message", (message) => {
    const id = message.length < 2 ? -1 : message.readUInt16BE();
    waiting.get(id)?.(message);
    waiting.delete(id);
  });
  socket.on("error", () => undefined); // a refused port shows as a question without an answer
  socket.connect(server.port, server.address);
  await once(socket, "connect");
  return {
    send: (message) => socket.send(message, () => undefined),
    ask: (query, patience = 2000) =>
      new Promise((resolve, reject) => {
        const id = (query[0]! << 8) | query[1]!;
        const timer = setTimeout(() => {
          waiting.delete(id);
          reject(new Error(`no answer to query ${id} from ${server.address}:${server.port} within ${patience} ms`));
        }, patience);
        waiting.set(id, (answer) => {
          clearTimeout(timer);
          resolve(answer);
        });
        socket.send(query, () => undefined);
      }),
    close: () => socket.close(),
  };
}

/** One question over UDP from a socket of its own. */
export async function askUdp(server: ServerAddress, query: Uint8Array, patience?: number): Promise<Uint8Array> {
  const client = await openUdp(server);
  try {
    return await client.ask(query, patience);
  } finally {
    client.close();
  }
}

export interface TcpClient {
  /** Bytes as they are, unframed. */
  readonly write: (bytes: Uint8Array) => void;
  /** The next whole message; rejects when the connection ends before. */
  readonly next: () => Promise<Uint8Array>;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  /** Sends no more, but goes on reading. */
  readonly end: () => void;
  readonly socket: Socket;
}

/** A message behind its length (RFC 1035 §4.2.2). */
export const frame = (message: Uint8Array): Buffer => Buffer.concat([Buffer.of(message.length >> 8, message.length & 0xff), message]);

export async function openTcp(server: ServerAddress): Promise<TcpClient> {
  const socket = connect({ host: server.address, port: server.port, noDelay: true, allowHalfOpen: true });
  await once(socket, "connect");
  const messages: Buffer[] = [];
  const readers: { resolve: (message: Uint8Array) => void; reject: (error: Error) => void }[] = [];
  let received: Buffer = Buffer.alloc(0);
  let over = false;

  const finish = (): void => {
    over = true;
    for (const { reject } of readers.splice(0)) reject(new Error("the server closed the connection"));
  };
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE()) {
      const end = 2 + received.readUInt16BE();
      messages.push(received.subarray(2, end));
      received = received.subarray(end);
    }
    while (messages.length > 0 && readers.length > 0) readers.shift()!.resolve(messages.shift()!);
  });
  socket.on("error", () => undefined);
  socket.on("end", () => {
    finish();
    socket.end();
  });
  const closed = new Promise<void>((resolve) => {
    socket.on("close", () => {
      finish();
      resolve();
    });
  });

  return {
    write: (bytes) => void socket.write(bytes),
    next: () =>
      new Promise((resolve, reject) => {
        const message = messages.shift();
        if (message !== undefined) resolve(message);
        else if (over) reject(new Error("the server closed the connection"));
        else readers.push({ resolve, reject });
      }),
    closed,
    end: () => void socket.end(),
    socket,
  };
}

/** One question over a TCP connection of its own. */
export async function askTcp(server: ServerAddress, query: Uint8Array): Promise<Uint8Array> {
  const client = await openTcp(server);
  try {
    client.write(frame(query));
    return await client.next();
  } finally {
    client.socket.destroy();
  }
}
