import { expect, test } from "vitest";
import { dnsWorld, route, zone } from "../../test/support/dns-world.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import type { Lookout, LookoutEnd } from "../dns/watch/answer-watch.ts";
import { Type } from "../dns/wire/codes.ts";
import type { FailoverNotice } from "../engine/failover-notice.ts";
import type { Backend, Inventory, Route, Zone, ZoneProvider } from "../model/inventory.ts";
import { ms } from "../model/units.ts";
import { createMetrics } from "../observe/metrics.ts";
import { createTimeline } from "../observe/timeline.ts";
import { createFailoverFollower, MOST_WATCHED } from "./failover-follower.ts";

const backend = (cluster: string, address: string): Backend => ({
  ...{ name: cluster, cluster, addresses: [address], weight: 100, priority: 0, bias: 0 },
});
const shop = (name = "shop", domain = "example.org"): Route =>
  route(name, [`${name}.${domain}`], [backend("east", "192.0.2.1"), backend("west", "203.0.113.1")], { rules: [], order: "Priority" });
const PROVIDER: ZoneProvider = {
  type: "RFC2136",
  server: { host: "192.0.2.99", port: 5399 },
  key: { name: "writer", algorithm: "hmac-sha256", path: "/keys/writer" },
  adoptFrom: [],
  policy: "Sync",
};
const HERE = zone("here", "example.org");
const ELSEWHERE = zone("elsewhere", "example.net", [], { nameservers: [], provider: PROVIDER });
const SELF = { address: "127.0.0.1", port: 5300 };
const RESOLVER = { address: "192.0.2.200", port: 53 };

function start(routes: readonly Route[] = [shop()], zones: readonly Zone[] = [HERE, ELSEWHERE]) {
  const clock = createSimulatedClock();
  const metrics = createMetrics();
  const timeline = createTimeline(1000, clock.wallClock);
  const warnings: string[] = [];
  const open: { readonly lookout: Lookout; readonly end: (end: LookoutEnd) => void }[] = [];
  const follower = createFailoverFollower({
    ...{ metrics, timeline, now: clock.wallClock, population: new Map([["DE", 80]]) },
    log: { warn: (_: unknown, message?: string) => void warnings.push(message ?? "") },
    watch: {
      start(lookout, onEnd) {
        const one = { lookout, end: onEnd };
        open.push(one);
        return () => open.splice(open.indexOf(one), 1);
      },
    },
    self: () => SELF,
    resolvers: [RESOLVER],
    defer: (work) => void clock.setTimer(ms(0), work),
  });
  const { routing } = dnsWorld([HERE], routes);
  const inventory: Inventory = { routes, clusters: [], zones, overrides: [] };
  follower.publish(routing, inventory);
  const notice = (event: number, more: Partial<FailoverNotice> = {}, one = routes[0]!): FailoverNotice => ({
    ...{ event, route: one, from: "east", to: "west", cause: "probes" },
    ...{ beganAt: clock.wallClock() - 1000, writtenAt: clock.wallClock() },
    sample: { table: routing, route: routes.indexOf(one), class: 0, family: 4, gone: ["192.0.2.1"], isForAll: true },
    ...more,
  });
  const samples = async (): Promise<readonly string[]> =>
    (await metrics.expose()).split("\n").filter((line) => /^globalroute_failover_/.test(line));
  return { clock, follower, notice, timeline, open, samples, warnings };
}

test("our own server is asked as one of the clients who moved, resolvers as anybody, and what is seen is a leg and an event", async () => {
  const { clock, follower, notice, timeline, open, samples } = start();
  follower.began(notice(7));
  await clock.advance(1);
  expect(open.map(({ lookout }) => lookout)).toMatchObject([
    {
      server: SELF,
      gone: ["192.0.2.1"],
      question: { name: "shop.example.org", type: Type.A, recursionDesired: false, edns: { clientSubnet: { family: 4 } } },
    },
    { server: RESOLVER, question: { recursionDesired: true, edns: {} } },
  ]);
  await clock.advance(39);
  open[0]!.end({ kind: "Seen" });
  await clock.advance(4000);
  open[1]!.end({ kind: "Seen" });
  expect(timeline.list()).toMatchObject([
    {
      kind: "FailoverPropagated",
      object: "GlobalRoute default/shop",
      details: { failover: 7, via: "self", seconds: 0.04, totalSeconds: 1.04 },
    },
    { kind: "FailoverPropagated", details: { failover: 7, via: "resolver 192.0.2.200", seconds: 4.04, totalSeconds: 5.04 } },
  ]);
  expect(await samples()).toEqual(
    expect.arrayContaining([
      'globalroute_failover_leg_seconds_count{leg="publish",via="embedded"} 1',
      'globalroute_failover_leg_seconds_sum{leg="propagate",via="self"} 0.04',
      'globalroute_failover_leg_seconds_sum{leg="propagate",via="resolver 192.0.2.200"} 4.04',
      'globalroute_failover_watches_total{via="self",result="seen"} 1',
    ]),
  );
});

test("a return is looked for at our own server alone: elsewhere nobody can tell whose answer it is", async () => {
  const { clock, follower, notice, open } = start();
  const { sample, ...rest } = notice(7);
  follower.began({ ...rest, cause: "failback", sample: { ...sample!, isForAll: false } });
  await clock.advance(1);
  expect(open.map(({ lookout }) => lookout.server)).toEqual([SELF]);
});

test("what is not seen in time is an event, a count and one warning", async () => {
  const { clock, follower, notice, timeline, open, samples, warnings } = start();
  for (const event of [7, 9]) {
    follower.began(notice(event));
    await clock.advance(1);
    expect(open[0]!.lookout.patience).toBe(60_000 + 2000 * shop().ttl.max);
    for (const { end } of [...open]) end({ kind: "Timeout", heard: false });
    open.length = 0;
  }
  expect(timeline.list().map(({ kind }) => kind)).toEqual(new Array(4).fill("FailoverUnseen"));
  expect(await samples()).toContain('globalroute_failover_watches_total{via="resolver 192.0.2.200",result="timeout"} 2');
  expect(warnings.filter((warning) => warning.includes("192.0.2.200"))).toHaveLength(1);
});

test("the next failover of a route takes the place of the one before", async () => {
  const { clock, follower, notice, open, samples } = start();
  follower.began(notice(7));
  await clock.advance(1);
  follower.began(notice(9));
  await clock.advance(1);
  expect(open).toHaveLength(2);
  expect(await samples()).toContain('globalroute_failover_watches_total{via="self",result="superseded"} 1');
});

test("of many routes that fail over together some stand for all, and the rest are counted", async () => {
  const routes = Array.from({ length: 50 }, (_, i) => shop(`shop-${i}`));
  const { clock, follower, notice, open, samples } = start(routes);
  for (const [i, one] of routes.entries()) follower.began(notice(i + 1, {}, one));
  await clock.advance(1);
  expect(open).toHaveLength(2 * MOST_WATCHED);
  const lines = await samples();
  expect(lines).toContain('globalroute_failover_watches_total{via="",result="unwatched"} 30');
  expect(lines).toContain('globalroute_failover_leg_seconds_count{leg="publish",via="embedded"} 50');
  for (const { end } of [...open]) end({ kind: "Seen" });
  follower.began(notice(99));
  await clock.advance(1);
  expect(open.length).toBe(2 * MOST_WATCHED + 2); // there is room again
});

test("a zone elsewhere is published when it is written, and then its server and resolvers are asked", async () => {
  const routes = [shop("shop", "example.net")];
  const { clock, follower, notice, timeline, open, samples } = start(routes);
  const one = notice(7);
  follower.began(one);
  await clock.advance(2000);
  expect(open).toEqual([]); // it is not answered here
  follower.published(ELSEWHERE, [one]);
  expect(open.map(({ lookout }) => lookout.server)).toEqual([{ address: "192.0.2.99", port: 5399 }, RESOLVER]);
  await clock.advance(500);
  open[0]!.end({ kind: "Seen" });
  expect(timeline.list()).toMatchObject([
    { kind: "FailoverPublished", details: { failover: 7, via: "example.net", seconds: 2, totalSeconds: 3 } },
    { kind: "FailoverPropagated", details: { failover: 7, via: "zone example.net", seconds: 0.5, totalSeconds: 3.5 } },
  ]);
  expect(await samples()).toContain('globalroute_failover_leg_seconds_sum{leg="publish",via="example.net"} 2');
});

test("a zone that was written late does not end what is looked out for since", async () => {
  const { clock, follower, notice, open } = start([{ ...shop(), hosts: ["shop.example.org", "shop.example.net"] }]);
  const old = notice(7);
  follower.began(notice(9));
  await clock.advance(1);
  follower.published(ELSEWHERE, [old]);
  expect(open).toHaveLength(2);
});

test("after the end nothing is looked out for", async () => {
  const { clock, follower, notice, open } = start();
  follower.began(notice(7));
  follower.close();
  await clock.advance(1);
  expect(open).toEqual([]);
});
