import { afterAll, beforeAll, expect, test } from "vitest";
import { dnsWorld } from "../../test/support/dns-world.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { createDnsServer, type DnsServer } from "./dns-server.ts";
import type { HostResolver } from "./flatten.ts";
import { createHostResolver } from "./resolver.ts";

let server: DnsServer;
let resolver: HostResolver;

beforeAll(async () => {
  const clock = createSimulatedClock();
  const ports = { wallClock: clock.wallClock, now: clock.now, random: () => 0.5, setTimer: clock.setTimer };
  server = createDnsServer({ listen: [{ address: "127.0.0.1", port: 0 }], ports });
  const [at] = await server.start();
  server.swap(dnsWorld());
  resolver = createHostResolver([`127.0.0.1:${at!.port}`]);
});
afterAll(async () => {
  resolver.close();
  await server.stop();
});

test("addresses with their TTLs, and the target of an alias", async () => {
  expect(await resolver.resolve4("ns1.example.org")).toEqual([{ address: "192.0.2.53", ttl: 300 }]);
  expect(await resolver.resolve6("ns1.example.org")).toEqual([{ address: "2001:db8::53", ttl: 300 }]);
  expect(await resolver.resolveCname("www.example.org")).toEqual(["shop.example.org"]);
});

test("what is not there, told apart as the flattener needs it", async () => {
  await expect(resolver.resolve4("no.example.org")).rejects.toMatchObject({ code: "ENOTFOUND" });
  await expect(resolver.resolve6("v4only.example.org")).rejects.toMatchObject({ code: "ENODATA" });
  await expect(resolver.resolveCname("shop.example.org")).rejects.toMatchObject({ code: "ENODATA" });
  await expect(resolver.resolve4("nothing.example.org")).rejects.toMatchObject({ code: "ESERVFAIL" });
});
