import { describe, expect, test } from "vitest";
import { dnsWorld, route, zone } from "../../test/support/dns-world.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import type { Lookout, LookoutEnd } from "../dns/watch/answer-watch.ts";
import { Type } from "../dns/wire/codes.ts";
import type { FailoverNotice } from "../engine/failover-notice.ts";
import { newLatencyMap } from "../geo/latency-model.ts";
import type { Backend, Inventory, Override, Route, Zone, ZoneProvider } from "../model/inventory.ts";
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
  const open: { readonly lookout: Lookout; readonly end: (end: LookoutEnd) => void; readonly hear: () => void }[] = [];
  const follower = createFailoverFollower({
    ...{ metrics, timeline, now: clock.wallClock, population: new Map([["DE", 80]]) },
    log: { warn: (_: unknown, message?: string) => void warnings.push(message ?? "") },
    watch: {
      start(lookout, onEnd, onPresent = () => undefined) {
        const one = { lookout, end: onEnd, hear: onPresent };
        open.push(one);
        return () => open.splice(open.indexOf(one), 1);
      },
    },
    self: () => SELF,
    resolvers: [RESOLVER],
    setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
  });
  const { routing } = dnsWorld([HERE], routes);
  const inventory: Inventory = { routes, clusters: [], zones, overrides: [] };
  follower.publish(routing, inventory, newLatencyMap());
  const notice = (event: number, more: Partial<FailoverNotice> = {}, one = routes[0]!): FailoverNotice => ({
    ...{ event, route: one, from: "east", to: "west", cause: "probes", backend: "east", returned: [] },
    ...{ beganAt: clock.wallClock() - 1000, writtenAt: clock.wallClock() },
    sample: { table: routing, route: routes.indexOf(one), class: 0, family: 4, gone: ["192.0.2.1"], isForAll: true },
    ...more,
  });
  const back = (event: number, more: Partial<FailoverNotice> = {}, one = routes[0]!): FailoverNotice => {
    const { sample, ...out } = notice(event, {}, one);
    const moved = { ...sample!, gone: ["203.0.113.1"], isForAll: false };
    return { ...out, from: "west", to: "east", cause: "failback", returned: [4], sample: moved, ...more };
  };
  /** One withdrawal that the resolver was heard to answer with before. */
  const withdrawn = async (event: number): Promise<void> => {
    follower.began(notice(event));
    await clock.advance(1);
    open.find(({ lookout }) => lookout.server === RESOLVER)!.hear();
    for (const { end } of [...open]) end({ kind: "Seen" });
    open.length = 0;
  };
  const drill = (start: number, until: number, target: Override["target"] = { kind: "MemberCluster", name: "east" }): Override => ({
    ...{ namespace: "default", name: "drill", target, action: "Drill", reason: "monthly" },
    ...{ start: clock.wallClock() + start, until: clock.wallClock() + until },
  });
  const samples = async (): Promise<readonly string[]> =>
    (await metrics.expose()).split("\n").filter((line) => /^globalroute_failover_/.test(line));
  return { clock, follower, notice, back, withdrawn, drill, timeline, open, samples, warnings, inventory, routing };
}

test("our own server is asked as one of the clients who moved, resolvers as anybody, and what is seen is a leg and an event", async () => {
  const { clock, follower, notice, timeline, open, samples } = start();
  follower.began(notice(7));
  await clock.advance(1);
  expect(open.map(({ lookout }) => lookout)).toMatchObject([
    {
      server: SELF,
      ...{ addresses: ["192.0.2.1"], until: "Absent" },
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

test("a return is looked for at our own server, and not where nobody knows whose answers are given", async () => {
  const { clock, follower, notice, back, open } = start();
  follower.began(notice(7));
  await clock.advance(1);
  for (const { end } of [...open]) end({ kind: "Seen" }); // the resolver had nothing of it in its cache
  open.length = 0;
  follower.began(back(9));
  await clock.advance(1);
  expect(open.map(({ lookout }) => lookout)).toMatchObject([{ server: SELF, addresses: ["203.0.113.1"], until: "Absent" }]);
});

test("a return is looked for at a resolver that was heard to answer with the backend", async () => {
  const { clock, follower, back, withdrawn, timeline, open, samples } = start();
  await withdrawn(7);
  follower.began(back(9));
  await clock.advance(1);
  expect(open.map(({ lookout }) => lookout)).toMatchObject([
    { server: SELF },
    { server: RESOLVER, addresses: ["192.0.2.1"], until: "Present", question: { type: Type.A, recursionDesired: true, edns: {} } },
  ]);
  await clock.advance(2999);
  open[1]!.end({ kind: "Seen" });
  expect(timeline.list().at(-1)).toMatchObject({
    kind: "FailoverPropagated",
    message: "resolver 192.0.2.200 was seen to answer with east 3.0 s after it was published",
    details: { failover: 9, via: "resolver 192.0.2.200", seconds: 3, totalSeconds: 4 },
  });
  expect(await samples()).toContain('globalroute_failover_watches_total{via="resolver 192.0.2.200",result="seen"} 2');
});

test.each<{ name: string; more: Partial<FailoverNotice>; vias: number }>([
  { name: "of another backend", more: { backend: "west" }, vias: 0 },
  { name: "of another family", more: { returned: [6] }, vias: 0 },
  { name: "of both families", more: { returned: [4, 6] }, vias: 1 },
])("a return $name", async ({ more, vias }) => {
  const { clock, follower, back, withdrawn, open } = start();
  await withdrawn(7);
  follower.began(back(9, more));
  await clock.advance(1);
  expect(open.filter(({ lookout }) => lookout.server === RESOLVER)).toHaveLength(vias);
});

test("a withdrawal that is over before a cache has noticed is enough to know whose answers it has", async () => {
  const { clock, follower, notice, back, open } = start();
  follower.began(notice(7));
  await clock.advance(1);
  open[1]!.hear();
  follower.began(back(9));
  await clock.advance(1);
  expect(open.map(({ lookout }) => lookout.until)).toEqual(["Absent", "Present"]);
});

test("a return that is not seen is told as such, and is not looked for there again until the backend is heard again", async () => {
  const { clock, follower, back, withdrawn, timeline, open, warnings, samples } = start();
  await withdrawn(7);
  follower.began(back(9));
  await clock.advance(190_000);
  open[1]!.end({ kind: "Timeout", heard: true });
  expect(timeline.list().at(-1)).toMatchObject({
    kind: "FailoverUnseen",
    message: "resolver 192.0.2.200 did not answer with east again after 190 s",
  });
  expect(warnings).toEqual([expect.stringContaining("answering without what serves again")]);
  expect(await samples()).toContain('globalroute_failover_watches_total{via="resolver 192.0.2.200",result="timeout"} 1');
  open.length = 0;
  follower.began(back(11));
  await clock.advance(1);
  expect(open.map(({ lookout }) => lookout.server)).toEqual([SELF]);
});

test("a return that brings only some clients is no fault when it is not seen", async () => {
  const { clock, follower, back, withdrawn, timeline, open, warnings, samples } = start();
  await withdrawn(7);
  const { sample: _, ...some } = back(9);
  follower.began(some);
  await clock.advance(1);
  open[0]!.end({ kind: "Timeout", heard: true });
  expect(timeline.list().at(-1)).toMatchObject({ kind: "FailoverUnseen", details: { failover: 9 } });
  expect(warnings).toEqual([]);
  const lines = await samples();
  expect(lines).toContain('globalroute_failover_watches_total{via="",result="unwatched"} 1');
  expect(lines.some((line) => line.includes("timeout"))).toBe(false);
});

test("what was heard of a route is forgotten with it", async () => {
  const { clock, follower, back, withdrawn, open, inventory, routing } = start();
  await withdrawn(7);
  follower.publish(routing, { ...inventory, routes: [] }, newLatencyMap());
  follower.publish(routing, inventory, newLatencyMap());
  follower.began(back(9));
  await clock.advance(1);
  expect(open.map(({ lookout }) => lookout.server)).toEqual([SELF]);
});

describe("before a drill", () => {
  test("begins and ends, everybody is asked once, as a user asks", async () => {
    const { clock, follower, drill, open } = start([shop(), shop("pay", "example.net"), shop("shop", "example.com")]);
    const overrides = [drill(60_000, 360_000)];
    follower.overrides(overrides);
    await clock.advance(57_999);
    expect(open).toEqual([]);
    await clock.advance(1);
    expect(open.map(({ lookout }) => lookout)).toMatchObject([
      { server: RESOLVER, question: { name: "shop.example.org", recursionDesired: true }, addresses: ["192.0.2.1"], patience: 0 },
      { server: { address: "192.0.2.99", port: 5399 }, question: { name: "pay.example.net", recursionDesired: false } },
      { server: RESOLVER, question: { name: "pay.example.net", recursionDesired: true } },
    ]);
    open.length = 0;
    follower.overrides([...overrides]); // told again
    await clock.advance(299_999);
    expect(open).toEqual([]);
    await clock.advance(1);
    expect(open).toHaveLength(3);
    await clock.advance(60_000);
    expect(open).toHaveLength(3);
  });

  test("what is heard shows whose return is looked for", async () => {
    const { clock, follower, drill, back, open, timeline } = start();
    follower.overrides([drill(1000, 9000)]);
    await clock.advance(0); // less than two seconds are left
    open[0]!.hear();
    open[0]!.end({ kind: "Seen" });
    open.length = 0;
    follower.began(back(9));
    await clock.advance(1);
    expect(open.map(({ lookout }) => lookout.until)).toEqual(["Absent", "Present"]);
    expect(timeline.list()).toEqual([]);
  });

  test.each<[string, Partial<Override>]>([
    ["another act", { action: "Drain" }],
    ["a backend that is in no route", { target: { kind: "MemberCluster", name: "north" } }],
    ["another route", { target: { kind: "GlobalRoute", namespace: "default", name: "pay" } }],
  ])("%s asks nobody", async (_, more) => {
    const { clock, follower, drill, open } = start();
    follower.overrides([{ ...drill(3000, 9000), ...more }]);
    await clock.advance(10_000);
    expect(open).toEqual([]);
  });

  test("of many routes some stand for all", async () => {
    const { clock, follower, drill, open } = start(Array.from({ length: 50 }, (_, i) => shop(`shop-${i}`)));
    follower.overrides([drill(3000, 9000)]);
    await clock.advance(1000);
    expect(open).toHaveLength(MOST_WATCHED);
  });

  test("nobody is asked when it was taken back or all ends", async () => {
    const { clock, follower, drill, open } = start();
    follower.overrides([drill(3000, 9000)]);
    follower.overrides([]);
    await clock.advance(1000);
    expect(open).toEqual([]);
    follower.overrides([drill(3000, 9000)]);
    await clock.advance(1000);
    expect(open).toHaveLength(1);
    follower.close();
    expect(open).toEqual([]); // even what is asked already
    await clock.advance(10_000);
    expect(open).toEqual([]);
  });
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
