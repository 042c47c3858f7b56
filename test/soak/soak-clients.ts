/** The load of a soak: clients of every sort, over UDP and TCP, that remember when each question left and what came back when. */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { encodeQuery, type QueryInput } from "../../src/dns/wire/encode-query.ts";
import { parseIp } from "../../src/model/ip.ts";
import { frame } from "../support/dns-client.ts";
import { createHostilePackets } from "../support/hostile-packets.ts";
import { CLIENT_NETWORKS, HOSTS } from "./soak-world.ts";

/** A question about a route and its answer. */
export interface Exchange {
  /** Position in `HOSTS`. */
  readonly route: number;
  /** The client subnet's address; undefined = the question had none. */
  readonly client: string | undefined;
  readonly query: Uint8Array;
  readonly answer: Uint8Array;
  readonly isUdp: boolean;
  /** Milliseconds since the epoch. */
  readonly sent: number;
  readonly received: number;
}

export interface SoakClients {
  /** Sends the next questions, a mix of all sorts. */
  readonly send: (count: number) => void;
  readonly counts: SoakCounts;
  /** Ports of the UDP sockets. */
  readonly ports: readonly number[];
  readonly close: () => void;
}

export interface SoakCounts {
  udp: number;
  tcp: number;
  malformed: number;
  /** Questions over UDP that were not answered in time. */
  unanswered: number;
  /** TCP connections that the server ended. */
  tcpEnded: number;
}

export interface SoakClientOptions {
  readonly port: number;
  /** Answers to well-formed questions about routes. */
  readonly onExchange: (exchange: Exchange) => void;
  /** An answer to a malformed packet, whose own copy `query` is. */
  readonly onHostile: (query: Uint8Array, answer: Uint8Array) => void;
  /** [0, 1) */
  readonly random: () => number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface Asked {
  readonly route: number;
  readonly client: string | undefined;
  readonly query: Uint8Array;
  readonly sent: number;
}

/** When a question over UDP counts as lost. */
const PATIENCE_MS = 3000;
const UDP_SOCKETS = 4;
const CLIENT_COOKIE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const COOKIE = 10;

export async function openSoakClients({ port, onExchange, onHostile, random, now }: SoakClientOptions): Promise<SoakClients> {
  const counts: SoakCounts = { udp: 0, tcp: 0, malformed: 0, unanswered: 0, tcpEnded: 0 };
  const below = (limit: number): number => Math.floor(random() * limit);
  const hostile = createHostilePackets(1 + below(1 << 30), { forged: 0.75 });
  let cookie = CLIENT_COOKIE;
  let id = 0;

  const openSocket = async (): Promise<UdpSocket> => {
    const socket = createSocket({ type: "udp4", recvBufferSize: 4 << 20 });
    socket.on("error", () => undefined); // a refused port shows as an unanswered question
    socket.connect(port, "127.0.0.1");
    await once(socket, "connect");
    return socket;
  };

  function question(): Asked {
    id = (id + 1) & 0xffff;
    const route = below(HOSTS.length);
    const network = random() < 0.25 ? undefined : CLIENT_NETWORKS[below(CLIENT_NETWORKS.length)]!;
    const [address = "", length = ""] = network?.split("/") ?? [];
    const name = random() < 0.2 ? HOSTS[route]!.toUpperCase() : HOSTS[route]!;
    const ip = network === undefined ? undefined : parseIp(address);
    const options = random() < 0.3 ? [{ code: COOKIE, data: cookie }] : [];
    const clientSubnet = ip && { family: ip.family, address: ip.bytes, source: random() < 0.5 ? Number(length) : 8 * ip.bytes.length };
    const edns: QueryInput["edns"] = { options, ...(clientSubnet === undefined ? {} : { clientSubnet }) };
    const isPlain = ip === undefined && random() < 0.5;
    const query = encodeQuery({ id, name, type: 1, ...(isPlain ? {} : { edns }) });
    return { route, client: ip && address, query, sent: now() };
  }

  function finish(asked: Asked, answer: Uint8Array, isUdp: boolean): void {
    onExchange({ ...asked, answer, isUdp, received: now() });
  }

  /** Keeps the cookie that the server gives, as clients do (RFC 7873 §5.3). */
  function learn(answer: Uint8Array): void {
    const bytes = Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength);
    const at = bytes.indexOf(Buffer.of(0, COOKIE, 0, 24, ...CLIENT_COOKIE));
    if (at >= 0) cookie = Uint8Array.from(bytes.subarray(at + 4, at + 28));
  }

  const pending = Array.from({ length: UDP_SOCKETS }, () => new Map<number, Asked>());
  const sockets = await Promise.all(pending.map(openSocket));
  sockets.forEach((socket, i) => {
    socket.on("message", (answer) => {
      const key = answer.length < 2 ? -1 : answer.readUInt16BE();
      const asked = pending[i]!.get(key);
      if (asked === undefined) return;
      pending[i]!.delete(key);
      learn(answer);
      finish(asked, answer, true);
    });
  });

  const hostileSocket = await openSocket();
  const hostileSent = new Map<number, Uint8Array>();
  hostileSocket.on("message", (answer) => {
    const key = answer.length < 2 ? -1 : answer.readUInt16BE();
    const query = hostileSent.get(key);
    hostileSent.delete(key);
    if (query !== undefined) onHostile(query, answer);
  });

  function sendHostile(): void {
    const packet = hostile.buffer.slice(0, hostile.next());
    if (packet.length < 2) return;
    counts.malformed++;
    const key = (packet[0]! << 8) | packet[1]!;
    if (hostileSent.has(key)) return; // two under way could not be told apart
    hostileSent.set(key, packet);
    hostileSocket.send(packet);
  }

  let tcp: Socket | undefined;
  const overTcp = new Map<number, Asked>();

  function openTcp(): Socket {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    let received: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE()) {
        const end = 2 + received.readUInt16BE();
        const answer = received.subarray(2, end);
        received = received.subarray(end);
        const asked = overTcp.get(answer.readUInt16BE());
        overTcp.delete(answer.readUInt16BE());
        if (asked !== undefined) finish(asked, answer, false);
      }
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (socket === tcp) {
        counts.tcpEnded++;
        tcp = undefined;
        overTcp.clear();
      }
    });
    return socket;
  }

  function sweep(): void {
    const oldest = now() - PATIENCE_MS;
    for (const one of pending) {
      for (const [key, { sent }] of one) {
        if (sent > oldest) break; // in the order in which they were sent
        one.delete(key);
        counts.unanswered++;
      }
    }
    if (hostileSent.size > 20_000) hostileSent.clear();
  }

  return {
    counts,
    ports: [...sockets, hostileSocket].map((socket) => socket.address().port),
    send(count) {
      sweep();
      for (let i = 0; i < count; i++) {
        const kind = random();
        if (kind < 0.1) {
          sendHostile();
        } else if (kind < 0.15) {
          const asked = question();
          tcp ??= openTcp();
          overTcp.set(asked.query[0]! * 256 + asked.query[1]!, asked);
          tcp.write(frame(asked.query));
          counts.tcp++;
        } else {
          const asked = question();
          const at = below(UDP_SOCKETS);
          pending[at]!.set(asked.query[0]! * 256 + asked.query[1]!, asked);
          sockets[at]!.send(asked.query);
          counts.udp++;
        }
      }
    },
    close() {
      for (const socket of [...sockets, hostileSocket]) socket.close();
      const last = tcp;
      tcp = undefined;
      last?.destroy();
    },
  };
}
