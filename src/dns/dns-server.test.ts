import { afterEach, expect, test } from "vitest";
import { frame, openTcp, openUdp, type ServerAddress } from "../../test/support/dns-client.ts";
import { dnsWorld } from "../../test/support/dns-world.ts";
import { createSimulatedClock, type SimulatedClock } from "../../test/support/simulated-clock.ts";
import { readQueries } from "./counters.ts";
import { atMostEvery, createDnsServer, type DnsServer, type DnsServerOptions } from "./dns-server.ts";
import { Type } from "./wire/codes.ts";
import { decodeMessage } from "./wire/decode-message.ts";
import { encodeQuery } from "./wire/encode-query.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Running {
  readonly server: DnsServer;
  readonly clock: SimulatedClock;
  /** The first address. */
  readonly at: ServerAddress;
  readonly bound: readonly ServerAddress[];
}

/** A server on the simulated clock; sockets and bytes are real. */
async function run(options: Partial<DnsServerOptions> = {}): Promise<Running> {
  const clock = createSimulatedClock();
  const ports = { wallClock: clock.wallClock, now: clock.now, random: () => 0.5, setTimer: clock.setTimer };
  const server = createDnsServer({ listen: [{ address: "127.0.0.1", port: 0 }], ports, ...options });
  const bound = await server.start();
  cleanups.push(() => server.stop());
  server.swap(dnsWorld());
  return { server, clock, bound, at: bound[0]! };
}

const shop = (id = 1) => encodeQuery({ id, name: "shop.example.org", type: Type.A });
const large = (id = 1) => encodeQuery({ id, name: "large.example.org", type: Type.TXT });
/** Lets what is on its way through the kernel arrive. */
const turns = async (count = 20) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};
const until = async (condition: () => boolean) => {
  while (!condition()) await turns(1);
};

test("RFC 7766 §6.2.1.1: pipelined queries, in one segment or byte by byte, are answered in order", async () => {
  const { at } = await run();
  const client = await openTcp(at);
  const ids = Array.from({ length: 300 }, (_, i) => i);
  client.write(Buffer.concat(ids.map((id) => frame(id % 50 === 0 ? large(id) : shop(id)))));
  for (const id of ids) expect(decodeMessage(await client.next())?.id).toBe(id);
  for (const byte of frame(shop(777))) {
    client.write(Buffer.of(byte));
    await turns(1);
  }
  expect(decodeMessage(await client.next())?.id).toBe(777);
  client.socket.destroy();
});

test("RFC 7766 §6.2.3: a client that only asks and then shuts its side gets its answers", async () => {
  const { at } = await run();
  const client = await openTcp(at);
  client.write(Buffer.concat([frame(shop(1)), frame(shop(2)), Buffer.of(0, 50, 1)])); // and half a query that never ends
  client.end();
  expect(decodeMessage(await client.next())?.id).toBe(1);
  expect(decodeMessage(await client.next())?.id).toBe(2);
  await client.closed;
});

test("an idle connection is closed, also one that dribbles bytes; a busy one stays", async () => {
  const { at, clock, server } = await run();
  const idle = await openTcp(at);
  const slow = await openTcp(at);
  const busy = await openTcp(at);
  await until(() => server.connections() === 3);
  for (let second = 0; second < 12; second++) {
    slow.write(frame(shop()).subarray(second, second + 1));
    busy.write(frame(shop(second)));
    await busy.next();
    await clock.advance(1000);
  }
  await Promise.all([idle.closed, slow.closed]);
  await until(() => server.connections() === 1);
  busy.write(frame(shop(99)));
  expect(decodeMessage(await busy.next())?.id).toBe(99);
  busy.socket.destroy();
  await until(() => server.connections() === 0);
  await clock.advance(2000);
  expect(clock.pending()).toBe(0); // nothing ticks when nobody is connected
});

test("a client that does not read its answers stops being read, costs bounded memory, and is closed in the end", async () => {
  const { at, clock, server } = await run();
  const client = await openTcp(at);
  client.socket.pause();
  const burst = Buffer.concat(Array.from({ length: 3000 }, (_, id) => frame(large(id)))); // 26 MB of answers
  client.write(burst);
  await turns(200);
  const answered = readQueries(server.counters()).reduce((total, { count }) => total + count, 0);
  expect(answered).toBeLessThan(2500);
  await clock.advance(11_000);
  await until(() => server.connections() === 0);
  client.socket.destroy();
});

test("a client that reads late gets everything, in order", async () => {
  const { at } = await run();
  const client = await openTcp(at);
  client.socket.pause();
  const count = 4000; // 35 MB of answers, more than the sockets hold; 140 kB of queries, more than one read takes
  client.write(Buffer.concat(Array.from({ length: count }, (_, id) => frame(large(id)))));
  await turns(50);
  client.socket.resume();
  for (let id = 0; id < count; id++) expect((await client.next()).subarray(0, 2)).toEqual(Buffer.of(id >> 8, id & 0xff));
  client.socket.destroy();
});

test("one source has its limit; at the limit of all, the idlest makes room", async () => {
  const { at, clock, server } = await run({ listen: [{ address: "127.0.0.1", port: 0 }], tcp: { perSource: 2, connections: 2 } });
  const first = await openTcp(at);
  await until(() => server.connections() === 1);
  await clock.advance(10);
  const second = await openTcp(at);
  await until(() => server.connections() === 2);
  const third = await openTcp(at);
  await third.closed; // one source may not push out others, not even itself
  expect(server.connections()).toBe(2);
  first.socket.destroy();
  second.socket.destroy();

  const few = await run({ tcp: { perSource: 10, connections: 2 } });
  const old = await openTcp(few.at);
  await until(() => few.server.connections() === 1);
  await few.clock.advance(10);
  const fresh = await openTcp(few.at);
  await until(() => few.server.connections() === 2);
  const newest = await openTcp(few.at);
  await old.closed;
  newest.write(frame(shop()));
  await newest.next();
  fresh.write(frame(shop()));
  await fresh.next();
  newest.socket.destroy();
  fresh.socket.destroy();
});

const garbage: readonly { name: string; bytes: Uint8Array }[] = [
  { name: "a length too short for a header", bytes: Buffer.of(0, 11, ...new Array<number>(11).fill(0)) },
  { name: "length 0", bytes: Buffer.of(0, 0) },
  { name: "a length beyond any query", bytes: Buffer.of(0xff, 0xff, 0) },
  { name: "a response", bytes: frame(Buffer.from("00018400000100000000000000", "hex")) },
  { name: "HTTP", bytes: Buffer.from("GET / HTTP/1.1\r\n\r\n") },
];
test.each(garbage)("a peer that sends $name is cut off", async ({ bytes }) => {
  const { at } = await run();
  const client = await openTcp(at);
  client.write(bytes);
  await client.closed;
});

test("a sample of queries is timed", async () => {
  const durations: number[] = [];
  const { at } = await run({ onDuration: (seconds) => void durations.push(seconds) });
  const client = await openUdp(at);
  for (let id = 0; id < 130; id++) await client.ask(shop(id));
  client.close();
  expect(durations).toEqual([0, 0, 0]); // the clock stands still
});

test("errors that come in a flood are told once in ten seconds", async () => {
  const clock = createSimulatedClock();
  const told: number[] = [];
  const tell = atMostEvery(10_000, clock.now, (value: number) => void told.push(value));
  for (let second = 0; second < 25; second++) {
    tell(second);
    tell(second);
    await clock.advance(1000);
  }
  expect(told).toEqual([0, 10, 20]);
});
