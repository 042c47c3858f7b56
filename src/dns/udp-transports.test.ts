/** What holds for a DNS server whichever way it answers UDP, and what holds for its worker threads alone. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { askTcp, askUdp, frame, openTcp, openUdp, type ServerAddress } from "../../test/support/dns-client.ts";
import { dnsWorld, record, zone } from "../../test/support/dns-world.ts";
import { transportsHere } from "../../test/support/fast-here.ts";
import { realPorts as ports } from "../../test/support/real-ports.ts";
import { ListenError } from "../model/listen-address.ts";
import { readQueries } from "./counters.ts";
import { createDnsServer, type DnsServer, type DnsServerOptions } from "./dns-server.ts";
import { Flag, Rcode, Type } from "./wire/codes.ts";
import { decodeMessage } from "./wire/decode-message.ts";
import { encodeQuery } from "./wire/encode-query.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const TRANSPORTS = transportsHere();

interface Running {
  readonly server: DnsServer;
  /** The first address. */
  readonly at: ServerAddress;
  readonly bound: readonly ServerAddress[];
}

async function start(options: Partial<DnsServerOptions>): Promise<Running> {
  const server = createDnsServer({ listen: [{ address: "127.0.0.1", port: 0 }], ports, workers: 2, ...options });
  const bound = await server.start();
  cleanups.push(() => server.stop());
  return { server, bound, at: bound[0]! };
}

const shop = (id = 1) => encodeQuery({ id, name: "shop.example.org", type: Type.A });
const large = (id = 1) => encodeQuery({ id, name: "large.example.org", type: Type.TXT });
const addresses = (answer: Uint8Array) => decodeMessage(answer)?.answers.map(({ data }) => data);
const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
};

describe.each(TRANSPORTS)("%s", (transport) => {
  const run = async (options: Partial<DnsServerOptions> = {}): Promise<Running> => {
    const running = await start({ transport, ...options });
    running.server.swap(dnsWorld());
    await until(() => running.server.isCurrent());
    return running;
  };

  test("answers over UDP and TCP, IPv4 and IPv6, each pair on one port", async () => {
    const { bound } = await run({
      listen: [
        { address: "127.0.0.1", port: 0 },
        { address: "::1", port: 0 },
      ],
    });
    expect(bound.map(({ address }) => address)).toEqual(["127.0.0.1", "::1"]);
    for (const at of bound) {
      expect(at.port).toBeGreaterThan(0);
      expect(addresses(await askUdp(at, shop()))).toEqual(["192.0.2.1"]);
      expect(addresses(await askTcp(at, shop()))).toEqual(["192.0.2.1"]);
    }
  });

  test("swapping tables loses no query, and each answer is of one table", async () => {
    const { at, server } = await run();
    const worlds = ["192.0.2.10", "192.0.2.20"].map((address) => dnsWorld([zone("z", "z.org", [record("a.z.org", "A", address)])], []));
    server.swap(worlds[0]!);
    await until(() => server.isCurrent());
    const client = await openUdp(at);
    const seen = new Set<string | undefined>();
    for (let round = 0; round < 50; round++) {
      const batch = Array.from({ length: 20 }, (_, i) => client.ask(encodeQuery({ id: round * 20 + i, name: "a.z.org", type: Type.A })));
      server.swap(worlds[round % 2]!);
      for (const answer of await Promise.all(batch)) seen.add(addresses(answer)?.join());
    }
    client.close();
    expect([...seen].sort()).toEqual(["192.0.2.10", "192.0.2.20"]);
  });

  test("before the first table every answer is SERVFAIL, not silence", async () => {
    const { at } = await start({ transport });
    expect(decodeMessage(await askUdp(at, shop()))?.rcode).toBe(Rcode.SERVFAIL);
  });

  test("a taken UDP port: who, what, and the flag to use; nothing stays open", async () => {
    const taken = createSocket("udp4").bind(0, "127.0.0.1");
    await once(taken, "listening");
    cleanups.push(() => taken.close());
    const { port } = taken.address();
    const server = createDnsServer({
      listen: [
        { address: "127.0.0.1", port: 0 },
        { address: "127.0.0.1", port },
      ],
      ports,
      transport,
      flag: "--dns-listen",
    });
    const error = await server.start().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ListenError);
    expect(error).toMatchObject({
      code: "address-in-use",
      message: `DNS over UDP: 127.0.0.1:${port} is in use. Stop the program that holds it (ss -lunpt shows it), or choose another with --dns-listen.`,
    });
  });

  test("a taken TCP port is told too, and the UDP port is given back", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    cleanups.push(() => taken.close());
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await expect(run({ listen: [{ address: "127.0.0.1", port }] })).rejects.toMatchObject({
      code: "address-in-use",
      message: expect.stringContaining("DNS over TCP"),
    });
    const again = createSocket("udp4").bind(port, "127.0.0.1");
    await once(again, "listening");
    again.close();
  });

  test("an address of another machine", async () => {
    await expect(run({ listen: [{ address: "192.0.2.1", port: 0 }] })).rejects.toMatchObject({ code: "address-unavailable" });
  });

  test("stopping sends what was answered, closes connections, and frees the port", async () => {
    const { at, server } = await run();
    const client = await openTcp(at);
    client.write(frame(shop(5)));
    await until(() => readQueries(server.counters()).length === 1);
    await Promise.all([server.stop(), client.closed]);
    expect(decodeMessage(await client.next())?.id).toBe(5);
    const next = await run({ listen: [at] });
    expect(addresses(await askUdp(next.at, shop()))).toEqual(["192.0.2.1"]);
  });

  test("a truncated answer is whole over TCP", async () => {
    const { at, server } = await run();
    expect(decodeMessage(await askUdp(at, large()))!.flags & Flag.TC).toBe(Flag.TC);
    expect(addresses(await askTcp(at, large()))).toHaveLength(40);
    expect(readQueries(server.counters()).map(({ transport, type, count }) => `${transport} ${type} ${count}`)).toEqual([
      "udp TXT 1",
      "tcp TXT 1",
    ]);
  });
});
