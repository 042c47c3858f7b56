/**
 * A process for a network namespace of its own, in which queries on `lo` are taken by AF_XDP: asks our server, breaks it, and prints what it
 * saw as one line of JSON ({@link XdpScene}). IPv4 frames that do not come from the kernel's own stack are accepted on `lo` only when
 * `net.ipv4.conf.lo.{route_localnet,accept_local}` say so; other interfaces need neither.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { createDnsServer } from "../../src/dns/dns-server.ts";
import { createFastTransport, startWorker } from "../../src/dns/fast/fast-transport.ts";
import { Type } from "../../src/dns/wire/codes.ts";
import { decodeMessage } from "../../src/dns/wire/decode-message.ts";
import { encodeQuery } from "../../src/dns/wire/encode-query.ts";
import { openUdp, type UdpClient } from "./dns-client.ts";
import { startDns } from "./dns-process.ts";
import { dnsWorld } from "./dns-world.ts";
import { realPorts } from "./real-ports.ts";
import { signedWorld } from "./signed-world.ts";

export interface XdpScene {
  /** Answers that differ from those of the server over node:dgram, of so many. */
  readonly different: readonly string[];
  readonly compared: number;
  /** Datagrams that the kernel's UDP sockets received for each query: 2 by sockets, 1 (the answer's) by AF_XDP. */
  readonly perQuery: Readonly<Record<"v4" | "v6", number>>;
  /** A missing name of a signed zone: the answer's RCODE and the types of its authority section. */
  readonly denial: { readonly rcode: number; readonly types: readonly number[] };
  /** A worker that is terminated while many clients ask, each once at a time. */
  readonly killed: { readonly asked: number; readonly lost: number; readonly perQueryAfterwards: number };
  /** What the server said of it. */
  readonly told: readonly string[];
  /** Of an interface that is not there. */
  readonly fallback: { readonly error: string; readonly answered: boolean };
  /** Whether a program is left at the interface when the server has stopped. */
  readonly isClean: boolean;
}

const QUESTIONS = [
  { name: "shop.example.org", type: Type.A },
  { name: "shop.example.org", type: Type.AAAA },
  { name: "SHOP.example.ORG", type: Type.A },
  { name: "web.example.org", type: Type.HTTPS },
  { name: "missing.example.org", type: Type.A },
  { name: "large.example.org", type: Type.TXT },
  { name: "elsewhere.example.net", type: Type.A },
  { name: "example.org", type: Type.SOA },
] as const;
const EDNS = [
  undefined,
  {},
  { clientSubnet: { family: 4, address: Uint8Array.of(198, 51, 100, 0), source: 24 } },
  { clientSubnet: { family: 6, address: Uint8Array.of(0x20, 1, 0xd, 0xb8, 0xbe, 0xef, 0), source: 56 } },
] as const;

const CLIENTS = 40;

const received = (isV6: boolean): number => {
  if (isV6) return Number(/^Udp6InDatagrams\s+(\d+)/m.exec(readFileSync("/proc/self/net/snmp6", "utf8"))?.[1]);
  const [names = [], values = []] = readFileSync("/proc/self/net/snmp", "utf8")
    .split("\n")
    .filter((line) => line.startsWith("Udp:"))
    .map((line) => line.split(" "));
  return Number(values[names.indexOf("InDatagrams")]);
};

async function perQuery(client: UdpClient, isV6: boolean): Promise<number> {
  const count = 300;
  const before = received(isV6);
  for (let id = 0; id < count; id++) await client.ask(encodeQuery({ id, name: "shop.example.org", type: Type.A }));
  return (received(isV6) - before) / count;
}

const errors: string[] = [];
const hooks = {
  now: () => performance.now(),
  setTimer: realPorts.setTimer,
  onDuration: () => undefined,
  onError: (error: Error) => void errors.push(error.message),
};

/** For a moment at a time, and not for ever: what then fails says why. */
async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition() && tries < 500; tries++) await setTimeout(10);
}

async function compare() {
  const plain = await startDns();
  const told: string[] = [];
  const onTaken = (interfaces: readonly string[]): void => void told.push(interfaces.join());
  const fast = await startDns({ transport: "fast", interfaces: ["lo"], onError: hooks.onError, onTaken });
  await until(() => told.length > 0);
  const different: string[] = [];
  let compared = 0;
  for (const address of ["127.0.0.1", "::1"]) {
    const [ours, theirs] = await Promise.all([fast, plain].map(({ v4, v6 }) => openUdp({ address, port: address === "::1" ? v6 : v4 })));
    for (const question of QUESTIONS) {
      for (const edns of EDNS) {
        const query = encodeQuery({ id: ++compared, ...question, ...(edns === undefined ? {} : { edns }) });
        const [one, other] = await Promise.all([ours?.ask(query), theirs?.ask(query)]);
        if (Buffer.compare(one!, other!) !== 0) different.push(`${address} ${JSON.stringify({ question, edns })}`);
      }
    }
    ours?.close();
    theirs?.close();
  }
  const clients = { v4: await openUdp({ address: "127.0.0.1", port: fast.v4 }), v6: await openUdp({ address: "::1", port: fast.v6 }) };
  const counts = { v4: await perQuery(clients.v4, false), v6: await perQuery(clients.v6, true) };
  clients.v4.close();
  clients.v6.close();
  await Promise.all([plain.server.stop(), fast.server.stop()]);
  return { different, compared, perQuery: counts, told };
}

async function denial(): Promise<XdpScene["denial"]> {
  let isTaken = false;
  const { tables, secrets } = signedWorld(Math.floor(Date.now() / 1000));
  const server = createDnsServer({
    listen: [{ address: "127.0.0.1", port: 0 }],
    ports: realPorts,
    transport: "fast",
    interfaces: ["lo"],
    onError: hooks.onError,
    onTaken: () => {
      isTaken = true;
    },
  });
  const [bound] = await server.start();
  server.swap(tables, secrets);
  await until(() => isTaken && server.isCurrent());
  const client = await openUdp(bound!);
  const answer = decodeMessage(
    await client.ask(encodeQuery({ id: 7, name: "missing.example.org", type: Type.A, edns: { dnssecOk: true } }), 5000),
  );
  client.close();
  await server.stop();
  return { rcode: answer?.rcode ?? -1, types: [...new Set(answer?.authorities.map(({ type }) => type))].sort((a, b) => a - b) };
}

async function killed(): Promise<XdpScene["killed"]> {
  const workers: Worker[] = [];
  let isTaken = false;
  const onTaken = (): void => {
    isTaken = true;
  };
  const transport = createFastTransport(
    1,
    { ...hooks, onTaken },
    undefined,
    undefined,
    (data, index) => {
      const worker = startWorker(data, index);
      workers.push(worker);
      return worker;
    },
    ["lo"],
  );
  const { port } = await transport.bind({ address: "127.0.0.1", port: 0 });
  transport.swap(dnsWorld());
  await transport.start();
  await until(() => isTaken);
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => openUdp({ address: "127.0.0.1", port })));
  let [asked, lost] = [0, 0];
  const end = performance.now() + 2000;
  const loads = clients.map(async (client) => {
    for (let id = 0; performance.now() < end; id = (id + 1) & 0xffff) {
      asked++;
      const answer = client.ask(encodeQuery({ id, name: "shop.example.org", type: Type.A }), 4000);
      await answer.catch(() => lost++);
      await setTimeout(1);
    }
  });
  await setTimeout(300); // under load
  void workers[0]!.terminate();
  await Promise.all(loads);
  let perQueryAfterwards = 2;
  for (let tries = 0; perQueryAfterwards > 1.1 && tries < 20; tries++) perQueryAfterwards = await perQuery(clients[0]!, false);
  for (const client of clients) client.close();
  await transport.stop();
  return { asked, lost, perQueryAfterwards };
}

async function fallback(): Promise<XdpScene["fallback"]> {
  errors.length = 0;
  const transport = createFastTransport(1, hooks, undefined, undefined, undefined, ["nosuch0"]);
  const { port } = await transport.bind({ address: "127.0.0.1", port: 0 });
  transport.swap(dnsWorld());
  await transport.start();
  const client = await openUdp({ address: "127.0.0.1", port });
  const answer = await client.ask(encodeQuery({ id: 1, name: "shop.example.org", type: Type.A })).catch(() => undefined);
  client.close();
  await transport.stop();
  return { error: errors.join("; "), answered: answer !== undefined };
}

const scene: XdpScene = {
  ...(await compare()),
  denial: await denial(),
  killed: await killed(),
  fallback: await fallback(),
  isClean: !execFileSync("ip", ["link", "show", "lo"], { encoding: "utf8" }).includes("xdp"),
};
process.stdout.write(`${JSON.stringify(scene)}\n`);
