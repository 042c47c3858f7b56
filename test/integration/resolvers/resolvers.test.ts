/** Resolvers as our users have them, in front of a real server: they never mix up regions, and follow a failover within the TTL. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireComponent } from "../../support/component.ts";
import { dig } from "../../support/dig.ts";
import { type LoopbackSites, openLoopbackSites } from "../../support/loopback-sites.ts";
import { RESOLVERS, type Resolver, type ResolverKind, startResolver } from "../../support/resolvers.ts";
import { type Server, startServer } from "../../support/serve.ts";

const EAST = "127.0.20.1";
const WEST = "127.0.20.2";
/** TTL of every answer, seconds. */
const TTL = 2;

const head = (kind: string, name: string): string =>
  `---\napiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;

const route = (name: string, port: number, policy: string): string => `${head("GlobalRoute", name)}spec:
  hosts: [${name}.example.org]
  ttl: {min: ${TTL}s, max: ${TTL}s}
  backends:
  - {name: east, cluster: east, addresses: [${EAST}]}
  - {name: west, cluster: west, addresses: [${WEST}]}
  health: {probe: {port: ${port}, host: probe.example.org}, interval: 200ms, timeout: 150ms, fall: 2, rise: 2}
  failover: {failback: {after: 1s}}
${policy}`;

const objects = (port: number): string => `${head("MemberCluster", "east")}spec: {location: {cloud: aws, region: us-east-1}}
${head("MemberCluster", "west")}spec: {location: {cloud: aws, region: us-west-2}}
${head("DNSZone", "example")}spec: {domain: example.org, provider: {type: Embedded, embedded: {nameservers: [ns1.example.org], records: [{name: ns1, type: A, values: [192.0.2.53]}]}}}
${route(
  "shop",
  port,
  `  routing:
    order: Weighted
    rules:
    - {name: west, mode: Prefer, clients: {subnets: [198.51.100.0/24, 203.0.113.0/26, "2001:db8:beef::/48"]}, to: {clusters: [west]}}
    - {name: east, mode: Prefer, clients: {subnets: ["0.0.0.0/0", "::/0"]}, to: {clusters: [east]}}
`,
)}${route("first", port, "  routing: {order: Priority}\n")}`;

/** Who asks, and where that client is to be sent. Some lie side by side, some are cut shorter by the resolver than they are. */
const CLIENTS: readonly (readonly [subnet: string, site: string])[] = [
  ["198.51.100.7/32", WEST],
  ["198.51.100.200/32", WEST],
  ["198.51.101.7/32", EAST],
  ["198.51.99.0/24", EAST],
  ["192.0.2.0/24", EAST],
  // their /24 is what the resolver tells: the rule's /26 is the lesser part of it
  ["203.0.113.5/32", EAST],
  ["203.0.113.200/32", EAST],
  ["10.1.2.3/32", EAST],
  ["2001:db8:beef:1::/56", WEST],
  ["2001:db8:bee0:1::/56", EAST],
  ["2001:db8:beef:ff00::/64", WEST],
];

const ask = async (port: number, name: string, subnet?: string): Promise<readonly string[]> =>
  (await dig(port, ...(subnet === undefined ? [] : [`+subnet=${subnet}`]), `${name}.example.org`, "A")).answers;

const kinds = RESOLVERS.filter(({ component, command }) => requireComponent(component, command));

describe("in front of one server", () => {
  let folder: string;
  let sites: LoopbackSites;
  let server: Server;
  const resolvers = new Map<ResolverKind, Resolver>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
    sites = await openLoopbackSites([EAST, WEST]);
    mkdirSync(join(folder, "config"));
    writeFileSync(join(folder, "config", "all.yaml"), objects(sites.port));
    server = await startServer("--config", join(folder, "config"), "--state", join(folder, "state"), "--probe-allow", "127.0.20.0/29");
    for (const kind of kinds) resolvers.set(kind, await startResolver(kind, "example.org", server.dnsPort, "ns1.example.org"));
    await until(async () => (await ask(server.dnsPort, "shop", "198.51.100.7/32"))[0] === WEST);
    await until(async () => (await ask(server.dnsPort, "first"))[0] === EAST);
  });
  afterAll(async () => {
    for (const resolver of resolvers.values()) await resolver.stop();
    await server?.stop();
    await sites?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  async function until(condition: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + 20_000;
    while (!(await condition())) {
      if (performance.now() > deadline) throw new Error("no such answer within 20 s");
      await setTimeout(50);
    }
  }

  /** Answers that our server has given, from its own metrics. */
  async function answered(): Promise<number> {
    const text = await (await fetch(`${server.admin}/metrics`)).text();
    return [...text.matchAll(/^globalroute_dns_queries_total\{[^}]*\} (\d+)/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  describe.each(kinds)("$name", (kind) => {
    const askIt = (name: string, subnet?: string): Promise<readonly string[]> => ask(resolvers.get(kind)!.port, name, subnet);

    if (kind.knowsSubnets) {
      test("each client gets its own region's answer, in whatever order they come, and most come from memory", async () => {
        const before = await answered();
        let asked = 0;
        for (let round = 0; round < 6; round++) {
          const order = round % 2 === 0 ? CLIENTS : CLIENTS.toReversed();
          for (const [subnet, site] of order) {
            asked++;
            expect(await askIt("shop", subnet), `${subnet}, round ${round}`).toEqual([site]);
          }
        }
        expect((await answered()) - before).toBeLessThan(asked); // or nothing was proven about its cache
      });
    }

    test("the TTL counts down and is never stretched", async () => {
      for (let i = 0; i < 10; i++) {
        const [ttl = Number.NaN] = (await dig(resolvers.get(kind)!.port, "first.example.org", "A")).ttls;
        expect(ttl).toBeGreaterThanOrEqual(0);
        expect(ttl).toBeLessThanOrEqual(TTL);
      }
    });

    test("a failover reaches its clients within the TTL, and so does the way back", async () => {
      const [name, subnet, from, to] = kind.knowsSubnets
        ? (["shop", "198.51.100.7/32", WEST, EAST] as const)
        : (["first", undefined, EAST, WEST] as const);
      for (const [isUp, expected] of [
        [false, to],
        [true, from],
      ] as const) {
        sites.set(from, isUp);
        await until(async () => (await ask(server.dnsPort, name, subnet))[0] === expected);
        const moved = performance.now();
        await until(async () => (await askIt(name, subnet))[0] === expected);
        const lag = (performance.now() - moved) / 1000;
        expect(lag, "seconds behind the server").toBeLessThan(TTL + 1); // whole seconds are counted, and two dig runs
        for (let i = 0; i < 10; i++) expect(await askIt(name, subnet)).toEqual([expected]);
      }
      if (kind.knowsSubnets) expect(await askIt("shop", "192.0.2.0/24")).toEqual([EAST]); // neighbours never noticed
    });
  });
});
