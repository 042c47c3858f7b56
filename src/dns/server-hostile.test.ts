/** 100,000 hostile packets through real sockets, half over each transport, while a good client on another socket loses nothing. */
import { expect, test } from "vitest";
import { frame, openTcp, openUdp, type ServerAddress, type UdpClient } from "../../test/support/dns-client.ts";
import { dnsWorld } from "../../test/support/dns-world.ts";
import { createHostilePackets } from "../../test/support/hostile-packets.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { type QueryCounters, readQueries } from "./counters.ts";
import { createDnsServer } from "./dns-server.ts";
import { Type } from "./wire/codes.ts";
import { decodeMessage } from "./wire/decode-message.ts";
import { encodeQuery } from "./wire/encode-query.ts";

const PER_TRANSPORT = 50_000;
/** Hostile packets between two good ones: the kernel's smallest receive buffer holds them. */
const BATCH = 100;

async function serve() {
  const clock = createSimulatedClock();
  const ports = { wallClock: clock.wallClock, now: clock.now, random: () => 0.5, setTimer: clock.setTimer };
  const server = createDnsServer({ listen: [{ address: "127.0.0.1", port: 0 }], ports });
  const [at] = await server.start();
  server.swap(dnsWorld());
  return { server, at: at! };
}

/** One good question; its answer must come, and be right. */
async function check(good: UdpClient, id: number): Promise<void> {
  const answer = decodeMessage(await good.ask(encodeQuery({ id: id & 0xffff, name: "shop.example.org", type: Type.A })));
  if (answer?.answers[0]?.data !== "192.0.2.1") throw new Error(`good query ${id}: wrong answer`);
}

const judged = (counters: readonly QueryCounters[], transport: string): number =>
  readQueries(counters)
    .filter((one) => one.transport === transport)
    .reduce((total, { count }) => total + count, 0);

test("over UDP", async () => {
  const { server, at } = await serve();
  const good = await openUdp(at);
  const bad = await openUdp(at);
  const hostile = createHostilePackets(1);
  let asked = 0;
  for (let sent = 0; sent < PER_TRANSPORT; sent++) {
    bad.send(hostile.buffer.slice(0, hostile.next()));
    if (sent % BATCH === BATCH - 1) await check(good, asked++);
  }
  while (judged(server.counters(), "udp") < PER_TRANSPORT + asked) await check(good, asked++);
  expect(judged(server.counters(), "udp")).toBe(PER_TRANSPORT + asked); // not one hostile packet was lost on the way either
  good.close();
  bad.close();
  await server.stop();
});

/** Sends a bundle over one connection, sometimes with lengths that lie; reads nothing in particular, leaves when it is cut off. */
async function attack(at: ServerAddress, hostile: ReturnType<typeof createHostilePackets>): Promise<void> {
  const client = await openTcp(at);
  const frames = Array.from({ length: 50 }, () => {
    const framed = frame(hostile.buffer.slice(0, hostile.next()));
    if (hostile.random() < 0.01) framed[Math.floor(hostile.random() * 2)] = Math.floor(hostile.random() * 256);
    return framed;
  });
  client.write(Buffer.concat(frames));
  client.end();
  await client.closed;
}

test("over TCP", async () => {
  const { server, at } = await serve();
  const good = await openUdp(at);
  const hostile = createHostilePackets(2);
  const steady = await openTcp(at); // a good client of the same transport
  let asked = 0;
  while (judged(server.counters(), "tcp") < PER_TRANSPORT + asked) {
    await Promise.all([...Array.from({ length: 10 }, () => attack(at, hostile)), check(good, asked)]);
    steady.write(frame(encodeQuery({ id: asked & 0xffff, name: "shop.example.org", type: Type.A })));
    expect(decodeMessage(await steady.next())?.id).toBe(asked & 0xffff);
    asked++;
  }
  steady.socket.destroy();
  good.close();
  await server.stop();
});
