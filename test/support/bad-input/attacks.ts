/** What clients send that mean no good, each as a loop that goes on until it is told to stop. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { SHOP } from "../http1/front-world.ts";
import { REQUEST_CASES } from "../http1/request-cases.ts";
import { Flag, FrameType, frame, get, PREFACE, resetStream, settings } from "../http2/frames.ts";

export interface Target {
  readonly plain: number;
  readonly tls: number;
}

/** What became of it. */
export interface Tally {
  /** Connections. */
  opened: number;
  /** Of them, those that were closed without an answer or with one of 400 or more. */
  refused: number;
  /** Those whose every request was taken. */
  taken: number;
}

export type Attack = (target: Target, tally: Tally, isOver: () => boolean) => Promise<void>;

/** Not the well-behaved client's, which is 127.0.0.1: whoever attacks from there attacks itself. */
const ATTACKERS = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"];
const head = (fields: string, method = "GET"): string => `${method} / HTTP/1.1\r\nHost: ${SHOP}\r\n${fields}`;

function open(port: number, from: string, tally: Tally): Socket {
  const socket = connect({ port, host: "127.0.0.1", localAddress: from });
  tally.opened++;
  socket.on("error", () => {});
  return socket;
}

/** Sends, and counts what comes back until the connection is closed. */
async function say(port: number, bytes: Buffer | string, tally: Tally, from = ATTACKERS[0]!): Promise<void> {
  const socket = open(port, from, tally);
  let got = "";
  socket.on("data", (piece: Buffer) => (got += piece.toString("latin1")));
  const closed = new Promise((resolve) => socket.on("close", resolve));
  if (typeof bytes === "string") socket.write(bytes, "latin1");
  else socket.write(bytes);
  await closed;
  const statuses = [...got.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));
  if (statuses.length === 0 || statuses.some((status) => status >= 400)) tally.refused++;
  else tally.taken++;
}

const REFUSED = REQUEST_CASES.filter(({ ours }) => typeof ours === "string" && ours !== "more").map(({ bytes }) => bytes);

/** So many loops at a time, one request after another. */
async function hammer(loops: number, isOver: () => boolean, once: (loop: number) => Promise<void>): Promise<void> {
  await Promise.all(
    Array.from({ length: loops }, async (_, loop) => {
      while (!isOver()) await once(loop);
    }),
  );
}

const smuggling: Attack = ({ plain }, tally, isOver) => {
  let next = 0;
  return hammer(4, isOver, () => say(plain, REFUSED[next++ % REFUSED.length]!, tally));
};

const heads: Attack = ({ plain }, tally, isOver) => {
  const bombs = [head(`A: ${"a".repeat(1 << 20)}`), head("A: b\r\n".repeat(100_000)), `GET /${"a".repeat(1 << 20)}`];
  return hammer(4, isOver, (loop) => say(plain, bombs[loop % bombs.length]!, tally));
};

const bodies: Attack = ({ plain }, tally, isOver) => {
  const large = [
    head("Content-Length: 999999999999\r\n\r\n", "POST").concat("x".repeat(1 << 16)),
    head("Transfer-Encoding: chunked\r\n\r\n", "POST").concat(`10000\r\n${"x".repeat(1 << 16)}\r\n`.repeat(32)),
  ];
  return hammer(4, isOver, (loop) => say(plain, large[loop % large.length]!, tally));
};

/** As smuggling, by those who neither wait for an answer nor read it, from several addresses. */
const storm: Attack = ({ plain }, tally, isOver) =>
  hammer(8, isOver, async (loop) => {
    const socket = open(plain, ATTACKERS[loop % ATTACKERS.length]!, tally);
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.end(REFUSED[tally.opened % REFUSED.length]!);
    socket.on("connect", () => setImmediate(() => socket.resetAndDestroy()));
    await closed;
    tally.refused++;
  });

/** Thousands of connections, each of which says another byte every second. */
const slowHeads: Attack = async ({ plain }, tally, isOver) => {
  const sockets = new Set<Socket>();
  const keep = (from: string): void => {
    const socket = open(plain, from, tally);
    sockets.add(socket);
    socket.write(head("A: "));
    socket.on("data", () => {});
    socket.on("close", () => {
      sockets.delete(socket);
      tally.refused++;
    });
  };
  for (let i = 0; i < 600; i++) {
    for (const from of ATTACKERS) keep(from);
    if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  while (!isOver()) {
    for (const socket of sockets) socket.write("a");
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  for (const socket of sockets) socket.destroy();
};

/** Streams that are taken back as soon as they are opened (CVE-2023-44487). */
const resets: Attack = ({ tls }, tally, isOver) => {
  const flood = (first: number): Buffer =>
    Buffer.concat(
      Array.from({ length: 100 }, (_, i) => first + 2 * i).flatMap((id) => [
        frame(FrameType.Headers, Flag.EndHeaders | Flag.EndStream, id, get(SHOP)),
        resetStream(id, 8),
      ]),
    );
  const floods = Array.from({ length: 50 }, (_, i) => flood(200 * i + 1));
  return hammer(2, isOver, async () => {
    const raw = open(tls, ATTACKERS[0]!, tally);
    const socket = connectTls({ socket: raw, servername: SHOP, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
    socket.on("error", () => {});
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.resume();
    await Promise.race([once(socket, "secureConnect").catch(() => {}), closed]);
    socket.write(Buffer.concat([PREFACE, settings()]));
    for (const piece of floods) {
      if (socket.destroyed) break;
      if (!socket.write(piece)) await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), closed]);
    }
    await closed;
    tally.refused++;
  });
};

/** Handshakes that are begun and left. */
const handshakes: Attack = ({ tls }, tally, isOver) =>
  hammer(4, isOver, async () => {
    const raw = open(tls, ATTACKERS[0]!, tally);
    const socket = connectTls({ socket: raw, servername: "stranger.example.org" });
    socket.on("error", () => {});
    await new Promise((resolve) => raw.on("close", resolve));
    tally.refused++;
  });

export const ATTACKS: Readonly<Record<string, Attack>> = { smuggling, storm, heads, bodies, slowHeads, resets, handshakes };
