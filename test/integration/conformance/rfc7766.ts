/** RFC 7766, DNS over TCP; RFC 9210 says the same to operators. */
import { expect, test } from "vitest";
import { Rcode, Type } from "../../../src/dns/wire/codes.ts";
import { decodeMessage } from "../../../src/dns/wire/decode-message.ts";
import { type Conformance, encode } from "../../support/conformance/suite.ts";
import { EAST } from "../../support/conformance/world.ts";
import { frame, openTcp } from "../../support/dns-client.ts";

const shop = (id: number): Uint8Array => encode({ id, name: "shop.example.org", type: Type.A });

export function rfc7766({ at, send }: Conformance): void {
  test("§5 TCP is served on the port of UDP", async () => {
    expect((await send(shop(1), "tcp")).data).toEqual([EAST.v4]);
  });

  test("§6.2.1 several queries over one connection", async () => {
    const client = await openTcp(at());
    for (const id of [1, 2, 3]) {
      client.write(frame(shop(id)));
      expect(decodeMessage(await client.next())?.id).toBe(id);
    }
    client.socket.destroy();
  });

  test("§6.2.1.1 a hundred pipelined queries, all answered", async () => {
    const client = await openTcp(at());
    client.write(Buffer.concat(Array.from({ length: 100 }, (_, id) => frame(shop(id)))));
    const ids = new Set<number>();
    for (let i = 0; i < 100; i++) ids.add(decodeMessage(await client.next())!.id);
    expect(ids.size).toBe(100);
    client.socket.destroy();
  });

  test("§7 a bad query does not spoil the connection for the good ones around it", async () => {
    const client = await openTcp(at());
    const bad = shop(2);
    bad[12] = 0x80;
    client.write(Buffer.concat([frame(shop(1)), frame(bad), frame(shop(3))]));
    const rcodes = new Map<number, number>();
    for (let i = 0; i < 3; i++) {
      const reply = decodeMessage(await client.next())!;
      rcodes.set(reply.id, reply.rcode);
    }
    expect([...rcodes].toSorted()).toEqual([
      [1, Rcode.NOERROR],
      [2, Rcode.FORMERR],
      [3, Rcode.NOERROR],
    ]);
    client.socket.destroy();
  });

  test("§8 the length and the message may come in pieces", async () => {
    const client = await openTcp(at());
    for (const byte of frame(shop(7))) {
      client.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(decodeMessage(await client.next())?.id).toBe(7);
    client.socket.destroy();
  });

  test("§8 several messages may come in one segment with the start of another", async () => {
    const client = await openTcp(at());
    const last = frame(shop(3));
    client.write(Buffer.concat([frame(shop(1)), frame(shop(2)), last.subarray(0, 9)]));
    expect(decodeMessage(await client.next())?.id).toBe(1);
    expect(decodeMessage(await client.next())?.id).toBe(2);
    client.write(last.subarray(9));
    expect(decodeMessage(await client.next())?.id).toBe(3);
    client.socket.destroy();
  });

  test("§6.2.4 a client that has sent everything still gets its answers", async () => {
    const client = await openTcp(at());
    client.write(Buffer.concat([frame(shop(1)), frame(shop(2))]));
    client.end();
    expect([decodeMessage(await client.next())?.id, decodeMessage(await client.next())?.id]).toEqual([1, 2]);
    await client.closed;
  });

  test("§8 a length that can hold no header ends the connection", async () => {
    for (const length of [0, 11]) {
      const client = await openTcp(at());
      client.write(Uint8Array.from([0, length, ...new Uint8Array(length)]));
      await client.closed;
    }
  });

  test("§10 one client cannot take every connection", async () => {
    const clients = [];
    for (let i = 0; i < 80; i++) clients.push(await openTcp(at()));
    let closed = 0;
    for (const client of clients) void client.closed.then(() => closed++);
    const last = clients.at(-1)!;
    await last.closed;
    expect(closed).toBeGreaterThan(0);
    for (const client of clients) client.socket.destroy();
    await Promise.all(clients.map((client) => client.closed));
  });
}
