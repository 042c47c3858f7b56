/** Hostile packets at a real server's sockets, over every transport, while a good client of the same port loses nothing. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Type } from "../../../src/dns/wire/codes.ts";
import { decodeMessage } from "../../../src/dns/wire/decode-message.ts";
import { encodeQuery } from "../../../src/dns/wire/encode-query.ts";
import { checkAnswer } from "../../fuzz/check-answer.ts";
import { type ConformanceServer, EAST, loopbacksHere, startConformanceServer, transportsHere } from "../../support/conformance/world.ts";
import { frame, openTcp, openUdp, type ServerAddress, type UdpClient } from "../../support/dns-client.ts";
import { createHostilePackets } from "../../support/hostile-packets.ts";

const OVER_UDP = 50_000;
const CONNECTIONS = 200;
const PER_CONNECTION = 50;
/** Hostile packets between two good ones: the kernel's smallest receive buffer holds them. */
const BATCH = 100;
/** One hostile packet of so many has its answer looked at. */
const CHECKED = 50;

describe.each(transportsHere())("--dns-transport %s", (transport) => {
  let running: ConformanceServer | undefined;
  beforeAll(async () => {
    running = await startConformanceServer(transport);
  });
  afterAll(() => running?.stop());

  /** One good question; its answer must come, and be right. */
  async function check(good: UdpClient, id: number): Promise<void> {
    const answer = decodeMessage(await good.ask(encodeQuery({ id: id & 0xffff, name: "shop.example.org", type: Type.A })));
    expect(answer?.answers.map(({ data }) => data)).toEqual([EAST.v4]);
  }

  test.each(loopbacksHere())("over UDP, %s", async (address) => {
    const at = running!.at(address);
    const good = await openUdp(at);
    const bad = await openUdp(at);
    const checked = await openUdp(at); // one packet at a time: whose IDs are alike cannot be told apart
    const hostile = createHostilePackets(address.length, { forged: 0.75 });
    for (let sent = 0; sent < OVER_UDP; sent++) {
      const packet = hostile.buffer.slice(0, hostile.next());
      if (sent % CHECKED === 0 && packet.length >= 12 && (packet[2]! & 0x80) === 0) {
        expect(checkAnswer(packet, packet.length, await checked.ask(packet, 5000), true)).toBeUndefined();
      } else {
        bad.send(packet);
      }
      if (sent % BATCH === BATCH - 1) await check(good, sent / BATCH);
    }
    await check(good, 0);
    for (const client of [good, bad, checked]) client.close();
  });

  test("over TCP, with lengths that lie and connections that are left", async () => {
    const at = running!.at("127.0.0.1");
    const good = await openUdp(at);
    const hostile = createHostilePackets(3, { forged: 0.75 });
    for (let round = 0; round < CONNECTIONS / 10; round++) {
      await Promise.all([...Array.from({ length: 10 }, () => attack(at, hostile)), check(good, round)]);
      const steady = await openTcp(at);
      steady.write(frame(encodeQuery({ id: round, name: "shop.example.org", type: Type.A })));
      expect(decodeMessage(await steady.next())?.id).toBe(round);
      steady.socket.destroy();
    }
    good.close();
  });
});

async function attack(at: ServerAddress, hostile: ReturnType<typeof createHostilePackets>): Promise<void> {
  const client = await openTcp(at);
  const frames = Array.from({ length: PER_CONNECTION }, () => {
    const framed = frame(hostile.buffer.slice(0, hostile.next()));
    if (hostile.random() < 0.01) framed[Math.floor(hostile.random() * 2)] = Math.floor(hostile.random() * 256);
    return framed;
  });
  client.write(Buffer.concat(frames));
  if (hostile.random() < 0.2) return void client.socket.destroy();
  client.end();
  await client.closed;
}
