/** Where the fast transport cannot be had. */
import { afterEach, expect, test, vi } from "vitest";
import { askUdp } from "../../test/support/dns-client.ts";
import { dnsWorld } from "../../test/support/dns-world.ts";
import { realPorts as ports } from "../../test/support/real-ports.ts";
import { createDnsServer, type DnsServerOptions } from "./dns-server.ts";
import type { TransportChoice } from "./udp-transport.ts";
import { Type } from "./wire/codes.ts";
import { decodeMessage } from "./wire/decode-message.ts";
import { encodeQuery } from "./wire/encode-query.ts";

vi.mock("./fast/libc.ts", async (original) => {
  const real = await original<typeof import("./fast/libc.ts")>();
  return {
    ...real,
    loadLibc: () => {
      throw new real.FastTransportUnavailable("koffi or glibc cannot be loaded: it is not there");
    },
  };
});

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function serverWith(transport: TransportChoice, more: Partial<DnsServerOptions> = {}) {
  const server = createDnsServer({ listen: [{ address: "127.0.0.1", port: 0 }], ports, transport, ...more });
  cleanups.push(() => server.stop());
  return server;
}

test("`auto` answers by node:dgram, and says once why", async () => {
  const told: string[] = [];
  const server = serverWith("auto", { onFallback: (reason) => void told.push(reason) });
  const [at] = await server.start();
  server.swap(dnsWorld());
  const answer = decodeMessage(await askUdp(at!, encodeQuery({ id: 1, name: "shop.example.org", type: Type.A })));
  expect(answer?.answers.map(({ data }) => data)).toEqual(["192.0.2.1"]);
  expect(server.transport()).toBe("dgram");
  expect(told).toEqual(["koffi or glibc cannot be loaded: it is not there"]);
});

test("`fast` does not start without it", async () => {
  await expect(serverWith("fast").start()).rejects.toThrow("koffi or glibc cannot be loaded");
});
