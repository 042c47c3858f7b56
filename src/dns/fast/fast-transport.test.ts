/** What worker threads add to answering over UDP: they die and are replaced, they are told of new tables, they end when asked. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import { askUdp, openUdp, type UdpClient } from "../../../test/support/dns-client.ts";
import { dnsWorld } from "../../../test/support/dns-world.ts";
import { fastIsHere } from "../../../test/support/fast-here.ts";
import { realPorts } from "../../../test/support/real-ports.ts";
import { Standing } from "../../routing/table.ts";
import { garbageCollector } from "../collect-garbage.ts";
import { readQueries } from "../counters.ts";
import type { UdpTransport } from "../udp-transport.ts";
import { Rcode, Type } from "../wire/codes.ts";
import { decodeMessage } from "../wire/decode-message.ts";
import { encodeQuery } from "../wire/encode-query.ts";
import { createFastTransport, type FastPorts, startWorker } from "./fast-transport.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const shop = (id = 1) => encodeQuery({ id, name: "shop.example.org", type: Type.A });
const addresses = (answer: Uint8Array) => decodeMessage(answer)?.answers.map(({ data }) => data);
const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
};

interface Running {
  readonly transport: UdpTransport;
  readonly port: number;
  /** In the order of their starts. */
  readonly workers: readonly Worker[];
  readonly errors: readonly Error[];
  readonly tables: ReturnType<typeof dnsWorld>;
}

async function run(count: number, more: Partial<FastPorts> = {}): Promise<Running> {
  const workers: Worker[] = [];
  const errors: Error[] = [];
  const ports = { ...realPorts, onDuration: () => undefined, onError: (error: Error) => void errors.push(error), ...more };
  const transport = createFastTransport(count, ports, undefined, undefined, (data, index) => {
    const worker = startWorker(data, index);
    workers.push(worker);
    return worker;
  });
  cleanups.push(() => transport.stop());
  const { port } = await transport.bind({ address: "127.0.0.1", port: 0 });
  await transport.start();
  const tables = dnsWorld();
  transport.swap(tables);
  await until(() => transport.isCurrent());
  return { transport, port, workers, errors, tables };
}

const openMany = (port: number, count: number): Promise<UdpClient[]> =>
  Promise.all(Array.from({ length: count }, () => openUdp({ address: "127.0.0.1", port })));

describe.skipIf(!fastIsHere())("worker threads", () => {
  test("share one port: every one of them answers some of the clients", async () => {
    const { port, transport } = await run(2);
    const clients = await openMany(port, 32);
    for (const client of clients) expect(addresses(await client.ask(shop()))).toEqual(["192.0.2.1"]);
    for (const client of clients) client.close();
    const answered = transport.counters.map((counters) => readQueries(counters).reduce((total, { count }) => total + count, 0));
    expect(Math.min(...answered)).toBeGreaterThan(0);
    expect(answered.reduce((a, b) => a + b)).toBe(32);
  });

  test.each([1, 2])("of %i, one that is terminated under load is replaced: its clients lose one batch at most", async (count) => {
    const { port, workers, transport } = await run(count);
    const clients = await openMany(port, 40);
    let asked = 0;
    let lost = 0;
    let stop = false;
    const answeredAfter = new Set<number>();
    let replaced = false;
    const loads = clients.map(async (client, index) => {
      for (let id = 0; !stop; id = (id + 1) & 0xffff) {
        asked++;
        const after = replaced;
        const answer = await client.ask(shop(id), 4000).catch(() => undefined);
        if (answer === undefined) lost++;
        else if (after) answeredAfter.add(index);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    });
    await until(() => asked > 400);
    await workers[0]!.terminate();
    await until(() => workers.length > count && transport.isCurrent());
    replaced = true;
    await until(() => answeredAfter.size === clients.length);
    stop = true;
    await Promise.all(loads);
    for (const client of clients) client.close();
    expect(lost).toBeLessThanOrEqual(64); // what it held in its hands
  });

  test("a flip of health needs no message: the next answer already follows it", async () => {
    const { port, tables } = await run(2);
    const { standing } = tables.routing.state;
    const route = tables.routing.names.routes.findIndex(({ name }) => name === "shop");
    const east = 2 * tables.routing.hot.routeBackends[route]!;
    const clients = await openMany(port, 16);
    for (let flip = 0; flip < 20; flip++) {
      standing[east] = flip % 2 === 0 ? Standing.Unhealthy : Standing.Usable;
      for (const answer of await Promise.all(clients.map((client) => client.ask(shop(flip))))) {
        expect(addresses(answer)).toEqual([flip % 2 === 0 ? "203.0.113.1" : "192.0.2.1"]);
      }
    }
    for (const client of clients) client.close();
  });

  test("an idle worker takes new tables at once, and then reads none before them", async () => {
    const { transport } = await run(2);
    for (let swap = 0; swap < 20; swap++) {
      transport.swap(dnsWorld());
      await until(() => transport.isCurrent());
    }
  });

  test("tables that were replaced do not stay in memory", async () => {
    const { transport, tables } = await run(2);
    const collectGarbage = garbageCollector(); // this thread's own share
    const before = process.memoryUsage.rss();
    for (let swap = 0; swap < 40; swap++) {
      const large = new Float64Array(new SharedArrayBuffer(32 << 20)).fill(1);
      const state = { ...tables.routing.state, lastUsable: large };
      transport.swap({ routing: { ...tables.routing, state }, zones: tables.zones });
      await until(() => transport.isCurrent());
      collectGarbage();
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(20 * (32 << 20));
  });

  test("answers more queries than one batch holds", async () => {
    const { port, transport } = await run(1);
    const client = await openUdp({ address: "127.0.0.1", port });
    const answers = await Promise.all(Array.from({ length: 200 }, (_, id) => client.ask(shop(id))));
    expect(new Set(answers.map((answer) => decodeMessage(answer)!.id)).size).toBe(200);
    client.close();
    expect(readQueries(transport.counters[0]!)).toEqual([{ transport: "udp", rcode: "NOERROR", type: "A", count: 200 }]);
  });

  test("keeps silent about what deserves no answer, in the middle of a batch too", async () => {
    const { port } = await run(1);
    const client = await openUdp({ address: "127.0.0.1", port });
    const response = Uint8Array.from(shop(9999), (byte, i) => (i === 2 ? byte | 0x80 : byte));
    const asked: Promise<Uint8Array>[] = [];
    for (let id = 1; id < 150; id++) {
      if (id % 3 === 0) client.send(response);
      if (id % 7 === 0) client.send(new Uint8Array(3));
      if (id % 11 === 0) client.send(new Uint8Array(9000)); // cut at the slot's end: FORMERR to ID 0
      asked.push(client.ask(shop(id)));
    }
    for (const answer of await Promise.all(asked)) expect(decodeMessage(answer)?.rcode).toBe(Rcode.NOERROR);
    client.close();
  });

  test("times a sample of its batches", async () => {
    const durations: number[] = [];
    const { port } = await run(1, { onDuration: (seconds) => void durations.push(seconds) });
    for (let id = 0; id < 20; id++) await askUdp({ address: "127.0.0.1", port }, shop(id));
    await until(() => durations.length >= 2);
    expect(Math.max(...durations)).toBeLessThan(1);
    expect(Math.min(...durations)).toBeGreaterThan(0);
  });

  test("a second server does not come to share the port unnoticed, and stopping frees it", async () => {
    const { port, transport } = await run(2);
    const second = createFastTransport(1, { ...realPorts, onDuration: () => undefined, onError: () => undefined });
    await expect(second.bind({ address: "127.0.0.1", port })).rejects.toMatchObject({ code: "EADDRINUSE" });
    await second.stop();
    await transport.stop();
    cleanups.length = 0;
    const socket = createSocket("udp4").bind(port, "127.0.0.1");
    await once(socket, "listening");
    socket.close();
  });
});
