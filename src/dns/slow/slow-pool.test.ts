/** Signing threads behind a server on real sockets, over both ways to answer UDP. */
import type { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import { askTcp, askUdp, openUdp } from "../../../test/support/dns-client.ts";
import { dnsWorld } from "../../../test/support/dns-world.ts";
import { transportsHere } from "../../../test/support/fast-here.ts";
import { realPorts } from "../../../test/support/real-ports.ts";
import { signedWorld } from "../../../test/support/signed-world.ts";
import { readQueries, Transport } from "../counters.ts";
import { createDnsServer, type DnsServer } from "../dns-server.ts";
import { newSource, setSource } from "../source.ts";
import { Rcode, Type } from "../wire/codes.ts";
import { type DecodedMessage, decodeMessage } from "../wire/decode-message.ts";
import { encodeQuery } from "../wire/encode-query.ts";
import { concat } from "../wire/rdata.ts";
import { LANE_KNOWN, LANE_RANDOM } from "./lane.ts";
import { MAX_QUEUED } from "./rings.ts";
import { SeatState } from "./slow-link.ts";
import { createSlowPool, type SlowPool, startWorker } from "./slow-pool.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const TRANSPORTS = transportsHere();

const now = (): number => Math.floor(Date.now() / 1000);
const query = (id: number, name: string, type: number = Type.A): Uint8Array => encodeQuery({ id, name, type, edns: { dnssecOk: true } });
const types = (message: Uint8Array | DecodedMessage): readonly number[] => {
  const { answers, authorities } = message instanceof Uint8Array ? decodeMessage(message)! : message;
  return [...answers, ...authorities].map(({ type }) => type);
};
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
};
/** A query that waits for a second, because the machine is busy, is thrown away; clients ask again. */
const again = async <T>(ask: () => Promise<T>): Promise<T> => {
  for (let tries = 1; tries < 5; tries++) {
    try {
      return await ask();
    } catch {
      // not in time
    }
  }
  return ask();
};
const DENIAL = [Type.SOA, Type.RRSIG, Type.NSEC, Type.RRSIG];

describe.each(TRANSPORTS)("behind %s", (transport) => {
  async function start(pinned?: number): Promise<{ readonly server: DnsServer; readonly at: { address: string; port: number }[] }> {
    const listen = ["127.0.0.1", "::1"].map((address) => ({ address, port: 0 }));
    const server = createDnsServer({ listen, ports: realPorts, transport, workers: 2 });
    cleanups.push(() => server.stop());
    const at = await server.start();
    const { tables, secrets } = signedWorld(now(), pinned);
    server.swap(tables, secrets);
    await until(() => server.isCurrent());
    return { server, at: [...at] };
  }

  test("names that nobody has asked for before are answered, over UDP and TCP, IPv4 and IPv6", async () => {
    const { server, at } = await start();
    for (const [i, address] of at.entries()) {
      for (const ask of [askUdp, askTcp]) {
        const reply = await again(() => ask(address, query(i, `${ask.name}.${i}.example.org`)));
        expect(decodeMessage(reply)).toMatchObject({ id: i, rcode: Rcode.NOERROR });
        expect(types(reply)).toEqual(DENIAL);
      }
    }
    expect(server.slow()).toMatchObject({ lanes: [{ queued: 0 }, { dropped: 0, waiting: 0 }], signed: 4 });
    // each is counted once, by whom it was answered
    expect(readQueries(server.counters()).map(({ transport: by, count }) => [by, count])).toEqual([
      ["udp", 2],
      ["tcp", 2],
    ]);
  });

  test("what was signed for one client is there for the next, on every thread", async () => {
    const { server, at } = await start(0);
    const clients = await Promise.all(Array.from({ length: 8 }, () => openUdp(at[0]!)));
    for (const client of clients) {
      expect(types(await again(() => client.ask(query(1, "shop.example.org"))))).toEqual([Type.A, Type.RRSIG]);
      client.close();
    }
    expect(server.slow()).toMatchObject({ lanes: [{}, { queued: 0 }], signed: 1 });
  });

  test("an unknown transaction signature is answered as RFC 8945 §5.2 says, even where no key is", async () => {
    const server = createDnsServer({ listen: [{ address: "127.0.0.1", port: 0 }], ports: realPorts, transport });
    cleanups.push(() => server.stop());
    const [at] = await server.start();
    server.swap(dnsWorld());
    await until(() => server.isCurrent());
    const plain = encodeQuery({ id: 9, name: "example.org", type: Type.SOA });
    plain[11] = 1; // ARCOUNT
    const mac = new Uint8Array(32);
    const time = Math.floor(Date.now() / 1000);
    const rdata = concat([
      Uint8Array.of(11, ...new TextEncoder().encode("hmac-sha256"), 0, 0, 0, time >>> 24, time >>> 16, time >>> 8, time, 1, 44, 0, 32),
      mac,
      Uint8Array.of(0, 9, 0, 0, 0, 0),
    ]);
    const head = Uint8Array.of(3, ...new TextEncoder().encode("who"), 0, 0, 250, 0, 255, 0, 0, 0, 0, rdata.length >>> 8, rdata.length);
    const reply = await again(() => askUdp(at!, concat([plain, head, rdata])));
    expect([reply[3]! & 15, reply[11]]).toEqual([9, 1]); // NOTAUTH, and a TSIG that says BADKEY
    expect([...reply.subarray(-4)]).toEqual([0, 17, 0, 0]);
  });

  test("stopping does not wait for queries that wait", async () => {
    const { server, at } = await start();
    const client = await openUdp(at[0]!);
    for (let i = 0; i < 500; i++) client.send(query(i, `n${i}.example.org`));
    const began = performance.now();
    await server.stop();
    expect(performance.now() - began).toBeLessThan(5000);
    client.close();
  });
});

describe("the pool", () => {
  const source = newSource(Transport.TCP);
  setSource(source, "192.0.2.1");
  const errors: string[] = [];
  const workers: Worker[] = [];

  function start(): { readonly pool: SlowPool; readonly ask: (name: string, lane?: 0 | 1) => Promise<Uint8Array> | undefined } {
    const pool = createSlowPool({ ...realPorts, producers: 1, onError: (error) => errors.push(error.message) }, (data, index) => {
      const worker = startWorker(data, index);
      workers.push(worker);
      return worker;
    });
    cleanups.push(() => pool.close());
    const ask = (name: string, lane: 0 | 1 = LANE_RANDOM): Promise<Uint8Array> | undefined => {
      let taken = false;
      const answer = new Promise<Uint8Array>((resolve) => {
        const message = query(1, name);
        taken = pool.submit(message, message.length, lane, source, resolve);
      });
      return taken ? answer : undefined;
    };
    return { pool, ask };
  }

  test("no thread is there before a key is, or a query waits; then what has waited is answered", async () => {
    const { pool, ask } = start();
    const { tables, secrets } = signedWorld(now());
    pool.swap(dnsWorld(), { zoneKeys: [], tsigKeys: [] });
    expect(pool.reading().lanes[1].waiting).toBe(0);
    const early = ask("early.example.org"); // by tables without a signed zone
    expect(types((await early)!)).toEqual([Type.SOA]);
    pool.swap(tables, secrets);
    expect(types((await ask("late.example.org"))!)).toEqual(DENIAL);
  });

  test("a thread that dies is replaced, and its successor has tables and keys, and what waited meanwhile", async () => {
    const { pool, ask } = start();
    const { tables, secrets } = signedWorld(now());
    pool.swap(tables, secrets);
    await ask("one.example.org");
    await workers.at(-1)!.terminate();
    expect(types((await ask("two.example.org"))!)).toEqual(DENIAL);
    expect(pool.reading().signed).toBe(2);
  });

  test("a thread without the key that it needs says so, sends nothing and lives on", async () => {
    const { pool, ask } = start();
    const { tables, secrets } = signedWorld(now());
    pool.swap(tables, { zoneKeys: [], tsigKeys: [] });
    expect(await ask("one.example.org")).toHaveLength(0);
    expect(errors).toEqual([expect.stringMatching(/zone 0 is signed, and its key is not here/)]);
    pool.swap(tables, secrets);
    expect(types((await ask("two.example.org"))!)).toEqual(DENIAL);
  });

  test("known names come first, and a network has its share of the queue", async () => {
    const { pool, ask } = start();
    const order: string[] = [];
    const waiting: (Promise<unknown> | undefined)[] = [];
    for (let i = 0; i < 40; i++) waiting.push(ask(`r${i}.example.org`, LANE_RANDOM)?.then(() => order.push("random")));
    waiting.push(ask("most.example.org", LANE_KNOWN)?.then(() => order.push("known")));
    expect(waiting.filter((one) => one === undefined)).toHaveLength(8); // 32 fit
    expect(pool.reading().lanes[1]).toMatchObject({ queued: 32, refused: 8 });
    const { tables, secrets } = signedWorld(now());
    pool.swap(tables, secrets);
    await Promise.all(waiting);
    expect(order).toEqual(["known", ...Array.from({ length: 32 }, () => "random")]);
  });

  test("a query that is too long is not taken", () => {
    const { pool } = start();
    expect(pool.submit(new Uint8Array(4096), MAX_QUEUED + 1, LANE_RANDOM, source, () => undefined)).toBe(false);
  });

  test("control words do not overlap", () => expect(new Set(Object.values(SeatState)).size).toBe(Object.values(SeatState).length));
});
