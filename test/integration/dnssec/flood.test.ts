/** Random names with DO, ten times as fast as they can be signed: everybody else goes on getting answers. */
import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Type } from "../../../src/dns/wire/codes.ts";
import { encodeQuery } from "../../../src/dns/wire/encode-query.ts";
import { fastIsHere } from "../../support/fast-here.ts";
import { type SignedServer, startSignedServer } from "../../support/signed-server.ts";

const run = promisify(execFile);
const FLOOD_SECONDS = 6;
const WATCHED_SECONDS = 4;
/** Queries a second of each kind of client. */
const RATE = 100;
const PATIENCE = 1000;

interface Client {
  /** @returns share of the queries that got an answer within a second */
  readonly ask: (name: (i: number) => string, dnssecOk: boolean, perSecond: number, seconds: number) => Promise<number>;
  readonly close: () => void;
}

/** Asks at a steady rate, once for each name. */
async function openClient(address: string, port: number): Promise<Client> {
  const socket = createSocket("udp4");
  socket.bind(0, address);
  await once(socket, "listening");
  const waiting = new Set<number>();
  let answered = 0;
  socket.on("message", (message) => {
    if (waiting.delete(message.readUInt16BE())) answered++;
  });
  return {
    async ask(name, dnssecOk, perSecond, seconds) {
      const count = perSecond * seconds;
      const start = performance.now();
      const before = answered;
      for (let i = 0; i < count; i++) {
        const wait = start + (i * 1000) / perSecond - performance.now();
        if (wait > 1) await setTimeout(wait);
        waiting.add(i & 0xffff);
        const edns = dnssecOk ? { edns: { dnssecOk } } : {};
        socket.send(encodeQuery({ id: i & 0xffff, name: name(i), type: Type.A, ...edns }), port, "127.0.0.1");
      }
      await setTimeout(PATIENCE);
      waiting.clear();
      return (answered - before) / count;
    },
    close: () => socket.close(),
  };
}

describe.skipIf(!fastIsHere()).each(["fast", "dgram"])("over %s", (transport) => {
  let signed: SignedServer;
  const clients: Client[] = [];
  beforeAll(async () => {
    signed = await startSignedServer("--dns-transport", transport);
    for (const network of [200, 201, 202]) clients.push(await openClient(`127.0.${network}.1`, signed.server.dnsPort));
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await signed?.stop();
  });

  const flood = async (perSecond: number, seconds: number, networks: number): Promise<number> => {
    const program = join(import.meta.dirname, "../../support/query-flood.ts");
    const { stdout } = await run(process.execPath, [program, ...[signed.server.dnsPort, perSecond, seconds, networks].map(String)]);
    return Number(stdout) / seconds;
  };

  async function signatures(): Promise<number> {
    const text = await (await fetch(`${signed.server.admin}/metrics`)).text();
    return Number(/^globalroute_dns_signatures_total (\d+)/m.exec(text)?.[1] ?? 0);
  }

  test("clients that ask for what there is, and for what there is not, keep nine tenths of their answers", async () => {
    const before = await signatures();
    await flood(20_000, 2, 8);
    const capacity = ((await signatures()) - before) / 2;
    expect(capacity).toBeGreaterThan(100);

    for (const networks of [1, 64]) {
      const flooding = flood(10 * capacity, FLOOD_SECONDS, networks);
      await setTimeout(500);
      const [plain, secure, random] = await Promise.all([
        clients[0]!.ask(() => "shop.example.org", false, RATE, WATCHED_SECONDS),
        clients[1]!.ask(() => "shop.example.org", true, RATE, WATCHED_SECONDS),
        clients[2]!.ask((i) => `n${networks}-${i}.example.org`, true, RATE, WATCHED_SECONDS),
      ]);
      const rate = await flooding;
      const seen = JSON.stringify({ networks, capacity, rate, plain, secure, random });
      expect(rate, seen).toBeGreaterThan(5 * capacity); // or the flood was none
      expect(plain, seen).toBeGreaterThanOrEqual(0.9);
      expect(secure, seen).toBeGreaterThanOrEqual(0.9);
      // A flood from everywhere cannot be told from clients that ask for names that are not there; one from a single network can.
      if (networks === 1) expect(random, seen).toBeGreaterThanOrEqual(0.9);
    }
  });
});
