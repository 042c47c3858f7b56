import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { fenceName, formatFence } from "../../dns-providers/fence.ts";
import { ProviderError, type ProviderNews } from "../../dns-providers/provider.ts";
import { recordSetKey } from "../../dns-providers/record-set.ts";
import { dnsWorld, route, zone } from "../../test/support/dns-world.ts";
import { type MemoryZone, memoryZone } from "../../test/support/providers/memory-zone.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import type { FailoverNotice } from "../engine/failover-notice.ts";
import { newLatencyMap } from "../geo/latency-model.ts";
import type { Backend, Inventory, Route, Zone, ZoneProvider } from "../model/inventory.ts";
import { ms, seconds } from "../model/units.ts";
import { createMetrics } from "../observe/metrics.ts";
import { Standing } from "../routing/table.ts";
import { createProviderPublisher } from "./provider-publisher.ts";

const PROVIDER: ZoneProvider = {
  type: "RFC2136",
  server: { host: "192.0.2.53", port: 53 },
  key: { name: "writer", algorithm: "hmac-sha256", path: "/keys/writer" },
  adoptFrom: [],
  policy: "Sync",
};
const backend = (cluster: string, address: string): Backend => ({
  ...{ name: cluster, cluster, addresses: [address], weight: 100, priority: 0, bias: 0 },
});
const EAST = backend("east", "192.0.2.1");
const WEST = backend("west", "203.0.113.1");
const ELSEWHERE = zone("elsewhere", "example.org", [], { nameservers: [], provider: PROVIDER });
const shop = (name: string, more: Partial<Route> = {}): Route =>
  route(name, [`${name}.example.org`], [EAST, WEST], { rules: [], order: "Priority", ...more });

function start(remote: MemoryZone = memoryZone()) {
  const clock = createSimulatedClock();
  const lines: string[] = [];
  /** Name servers that do not answer. */
  const silent = new Set<string>();
  const opened: Zone[] = [];
  const tell: ((news: ProviderNews) => void)[] = [];
  const log = (level: string) => (_: unknown, message?: string) => void lines.push(`${level} ${message ?? ""}`);
  const state = { opens: true, health: "Healthy", closes: 0 };
  const metrics = createMetrics();
  const published: { readonly domain: string; readonly events: readonly number[]; readonly at: number }[] = [];
  const publisher = createProviderPublisher({
    open(one, onNews) {
      opened.push(one);
      tell.push(onNews);
      if (!state.opens) throw new ProviderError("unauthorized", "rfc2136 192.0.2.53:53 example.org", "/keys/writer is missing", "Add it.");
      return { ...remote, close: () => void state.closes++ };
    },
    digest: (text) => createHash("sha256").update(text).digest("hex"),
    now: clock.now,
    deadline: () => new AbortController().signal,
    setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
    delegations: {
      look: async (_, servers) =>
        servers.map(({ name }) => (silent.has(name) ? { name, trouble: `${name} did not answer within 2 s` } : { name })),
      ...{ resolve: async () => [], wallClock: () => 0 },
    },
    metrics,
    onPublished: ({ domain }, failovers) => published.push({ domain, events: failovers.map(({ event }) => event), at: clock.now() }),
    log: { info: log("info"), warn: log("warn"), error: log("error") } as never,
  });
  let listener = (): void => {};
  publisher.follow({
    route: () => ({ backends: [{ health: state.health }] }) as never,
    watch(called) {
      listener = () => called("all");
      return () => {};
    },
  });
  function publish(routes: readonly Route[], zones: readonly Zone[] = [ELSEWHERE]) {
    const { routing } = dnsWorld([zone("here", "example.net")], routes);
    const inventory: Inventory = { routes, clusters: [], zones, overrides: [] };
    publisher.publish(routing, inventory, newLatencyMap());
    return routing;
  }
  const told = (): readonly string[] =>
    remote.sets.filter(({ type }) => type === "A").map(({ name, values }) => `${name} ${values.join()}`);
  return { published, clock, lines, silent, opened, tell, state, metrics, publisher, publish, changed: () => listener(), told, remote };
}

describe("a zone that is kept elsewhere", () => {
  test("gets what is served as soon as this process is the writer, and follows health within moments", async () => {
    const { clock, publisher, publish, changed, told } = start();
    const table = publish([shop("shop")]);
    await clock.advance(1000);
    expect(told()).toEqual([]);
    publisher.term("Own");
    await clock.advance(100);
    expect(told()).toEqual(["shop.example.org 192.0.2.1"]);
    table.state.standing[0] = Standing.Unhealthy;
    changed();
    await clock.advance(50);
    expect(told()).toEqual(["shop.example.org 203.0.113.1"]);
  });

  test("has only hosts of its own domain, of routes that do not name other zones", async () => {
    const { clock, publisher, publish, told } = start();
    const inner = zone("inner", "inner.example.org");
    publish([shop("shop"), shop("a.inner"), shop("other", { zones: ["here"] })], [ELSEWHERE, inner]);
    publisher.term(1);
    await clock.advance(100);
    expect(told()).toEqual(["shop.example.org 192.0.2.1"]);
  });

  test("keeps what it has while nothing is known of health, for half a minute at most", async () => {
    const { clock, publisher, publish, told, changed, state } = start();
    publish([shop("shop")]);
    state.health = "Unknown";
    publisher.term(1);
    await clock.advance(29_000);
    expect(told()).toEqual([]);
    changed();
    await clock.advance(2000);
    expect(told()).toEqual(["shop.example.org 192.0.2.1"]);
  });

  test("keeps a host for which nothing may be answered any more", async () => {
    const { clock, publisher, publish, changed, told } = start();
    const table = publish([shop("shop", { families: "Each" })]);
    publisher.term(1);
    await clock.advance(100);
    table.state.standing.fill(Standing.Excluded);
    changed();
    await clock.advance(100);
    expect(told()).toEqual(["shop.example.org 192.0.2.1"]);
  });

  test("is opened anew when its settings change, and left alone when it is gone", async () => {
    const { clock, publisher, publish, opened, told } = start();
    publish([shop("shop")]);
    publisher.term(1);
    await clock.advance(100);
    publish([shop("shop")]);
    await clock.advance(100);
    expect(opened).toHaveLength(1);
    publish([shop("shop")], [{ ...ELSEWHERE, provider: { ...PROVIDER, policy: "DryRun" } }]);
    await clock.advance(100);
    expect(opened).toHaveLength(2);
    publish([], []);
    await clock.advance(1000);
    expect(told()).toEqual(["shop.example.org 192.0.2.1"]);
  });
});

describe("what is told", () => {
  test("failures once, with degradation and a count, and that they are over", async () => {
    const { clock, publisher, publish, lines, state, metrics } = start();
    state.opens = false;
    publish([shop("shop")]);
    publisher.term(1);
    await clock.advance(130_000);
    expect(publisher.degraded?.()).toEqual(["provider-failing"]);
    expect(lines).toEqual(["error a zone could not be written"]);
    expect(await metrics.expose()).toContain('globalroute_provider_errors_total{zone="example.org",code="unauthorized"} 3');
    state.opens = true;
    await clock.advance(60_000);
    expect(publisher.degraded?.()).toEqual([]);
    expect(lines.slice(1)).toEqual(["info the zone can be written again", "info the zone was written"]);
    expect(await metrics.expose()).toContain('globalroute_provider_changes_total{zone="example.org",action="Create"} 2');
  });

  test("credentials that are refused are read again, and what had them is ended", async () => {
    const { clock, publisher, publish, opened, state, remote, told } = start();
    publish([shop("shop")]);
    remote.failNext = { error: new ProviderError("unauthorized", "memory example.org", "it does not accept our key", "Compare it.") };
    publisher.term(1);
    await clock.advance(61_000);
    expect(opened).toHaveLength(2);
    expect(state.closes).toBe(1);
    expect(told()).toHaveLength(1);
  });

  test("that nobody takes up what was written, until it is; also by a provider that is opened anew", async () => {
    const { clock, publisher, publish, lines, tell, remote } = start();
    publish([shop("shop")]);
    publisher.term(1);
    await clock.advance(100);
    lines.length = 0;
    tell[0]?.({ kind: "Published" });
    expect(lines).toEqual([]);
    const stuck: ProviderNews = { kind: "NotPublished", fact: "ExternalDNS has read nothing", remedy: "Start it." };
    tell[0]?.(stuck);
    expect(publisher.degraded?.()).toEqual(["provider-failing"]);
    tell[0]?.({ kind: "Published" });
    expect(publisher.degraded?.()).toEqual([]);
    expect(lines).toEqual(["error ExternalDNS has read nothing. Start it.", "info what was written is published again"]);
    tell[0]?.(stuck);
    remote.failNext = { error: new ProviderError("unauthorized", "memory example.org", "it does not accept our key", "Compare it.") };
    await clock.advance(600_000);
    expect(tell).toHaveLength(2);
    expect(publisher.degraded?.()).toEqual([]);
  });

  test("names that somebody else has too, until he has not", async () => {
    const { clock, publisher, publish, lines, tell } = start();
    publish([shop("shop")]);
    publisher.term(1);
    await clock.advance(100);
    lines.length = 0;
    const disputed = (...names: readonly string[]): void => tell[0]?.({ kind: "Disputed", names, remedy: "Take them out there." });
    disputed();
    disputed("a", "b", "c", "d");
    expect(publisher.degraded?.()).toEqual(["names-contested"]);
    disputed();
    expect(publisher.degraded?.()).toEqual([]);
    expect(lines).toEqual([
      "warn somebody else has a, b, c and 1 more too. Take them out there.",
      "info nobody else has names of ours any more",
    ]);
  });

  test("conflicts, each state of them once", async () => {
    const remote = memoryZone([{ name: "shop.example.org", type: "A", ttl: 5, values: ["192.0.2.9"] }]);
    const { clock, publisher, publish, lines } = start(remote);
    publish([shop("shop")]);
    publisher.term(1);
    await clock.advance(200_000);
    expect(lines).toEqual([
      "warn not ours and left alone: shop.example.org A (Foreign). Remove them there, or take the hosts out of the routes",
    ]);
  });

  test("that somebody else writes as the same owner: nothing more is written", async () => {
    const { clock, publisher, publish, lines, remote, told, changed } = start();
    const table = publish([shop("shop")]);
    publisher.term("Own");
    await clock.advance(100);
    const fence = formatFence("example.org", "test", { epoch: 9, write: 1 });
    remote.sets = remote.sets.map((set) =>
      recordSetKey(set) === recordSetKey({ name: fenceName("example.org", "test"), type: "TXT" }) ? fence : set,
    );
    table.state.standing[0] = Standing.Unhealthy;
    changed();
    await clock.advance(200_000);
    expect(told()).toEqual(["shop.example.org 192.0.2.1"]);
    expect(publisher.degraded?.()).toEqual(["provider-failing"]);
    expect(lines.at(-1)).toContain("somebody else writes as owner test");
  });
});

test("removals beyond measure are held until they are confirmed, and then pass for a minute only", async () => {
  const { clock, publisher, publish, told, lines } = start();
  const names = ["a", "b", "c", "d", "e"];
  publish(names.map((name) => shop(name)));
  publisher.term(1);
  await clock.advance(100);
  publish([shop("a")]);
  await clock.advance(100);
  expect(told()).toHaveLength(5);
  expect(publisher.degraded?.()).toEqual(["removals-held"]);
  expect(lines.at(-1)).toContain("4 record sets would go at once and are kept: run globalroute confirm");
  expect(publisher.confirm()).toEqual(["accepted: 4 record sets leave zones that are kept elsewhere"]);
  await clock.advance(100);
  expect(told()).toEqual(["a.example.org 192.0.2.1"]);
  expect(publisher.confirm()).toEqual([]);
});

test("close waits for what is under way, and nothing is written after it", async () => {
  const { clock, publisher, publish, told } = start();
  publish([shop("shop")]);
  publisher.term(1);
  await publisher.close();
  await clock.advance(200_000);
  expect(told()).toEqual([]);
});

describe("a zone whose DNSZone is being deleted", () => {
  const LEAVING: Zone = { ...ELSEWHERE, isLeaving: true };

  test("is written no more, and emptied when it is asked for, by the writer alone", async () => {
    const { clock, publisher, publish, remote, told, changed, lines } = start();
    publish([shop("shop"), shop("cart")]);
    publisher.term(3);
    await clock.advance(100);
    expect(await publisher.removeRecords("elsewhere")).toEqual({ kind: "NotYet" }); // what is served does not say so
    publish([shop("shop"), shop("cart"), shop("new")], [LEAVING]);
    changed();
    await clock.advance(200_000);
    expect(told()).toEqual(["cart.example.org 192.0.2.1", "shop.example.org 192.0.2.1"]);
    publisher.term(undefined);
    expect(await publisher.removeRecords("elsewhere")).toEqual({ kind: "NotYet" });
    publisher.term(4);
    expect(await publisher.removeRecords("elsewhere")).toEqual({ kind: "Removed" });
    expect(remote.sets).toEqual([]);
    changed();
    await clock.advance(200_000);
    expect(remote.sets).toEqual([]);
    expect(lines.at(-1)).toBe("info our records in the zone are gone, as its DNSZone was deleted");
    expect(await publisher.removeRecords("nowhere")).toEqual({ kind: "NotYet" });
  });

  test("waits for what was begun before: nothing is made again after it", async () => {
    const { clock, publisher, publish, remote } = start();
    publish([shop("shop")]);
    let arrive = (): void => {};
    const { apply } = remote;
    remote.apply = async (batch, signal) => {
      await new Promise<void>((resolve) => {
        arrive = resolve;
      });
      await apply(batch, signal);
    };
    publisher.term(3);
    await clock.advance(100);
    publish([shop("shop")], [LEAVING]);
    remote.apply = apply;
    const removal = publisher.removeRecords("elsewhere");
    await clock.advance(1000);
    expect(remote.sets).toEqual([]); // still under way
    arrive();
    expect(await removal).toEqual({ kind: "Removed" });
    await clock.advance(10_000);
    expect(remote.sets).toEqual([]);
    expect(remote.batches).toHaveLength(3);
  });

  test("tells what fails, and what somebody else has", async () => {
    const { clock, publisher, publish, remote, lines, metrics } = start();
    publish([shop("shop")]);
    publisher.term(3);
    await clock.advance(100);
    publish([shop("shop")], [LEAVING]);
    remote.failNext = { error: new ProviderError("unreachable", "memory example.org", "no answer in time", "Look whether it runs.") };
    const message = "memory example.org: no answer in time. Look whether it runs.";
    expect(await publisher.removeRecords("elsewhere")).toEqual({ kind: "Failed", message });
    expect(publisher.degraded?.()).toEqual(["provider-failing"]);
    expect(lines.at(-1)).toBe("error our records in a zone could not be removed");
    expect(await metrics.expose()).toContain('globalroute_provider_errors_total{zone="example.org",code="unreachable"} 1');
    remote.sets = remote.sets.map((set) =>
      set.name.includes("_fence") ? formatFence("example.org", "test", { epoch: 9, write: 1 }) : set,
    );
    expect(await publisher.removeRecords("elsewhere")).toMatchObject({ kind: "Failed", message: expect.stringContaining("owner test") });
    publisher.term(9);
    expect(await publisher.removeRecords("elsewhere")).toEqual({ kind: "Removed" });
    expect(publisher.degraded?.()).toEqual([]);
  });
});

describe("a zone below it, whose delegation is kept", () => {
  const NS = { name: "ns1.apps.example.org", type: "A", ttl: seconds(300), values: ["192.0.2.53"] } as const;
  const apps = (more: Partial<Zone> = {}): Zone =>
    zone("apps", "apps.example.org", [NS], { nameservers: [NS.name], delegation: { parent: "elsewhere", adopt: false }, ...more });
  const delegation = ({ sets }: MemoryZone): readonly string[] | undefined =>
    sets.find(({ name, type }) => name === "apps.example.org" && type === "NS")?.values;

  test("is delegated once its server answers, which is told until then", async () => {
    const { clock, publisher, publish, remote, silent, lines } = start();
    silent.add(NS.name);
    publish([], [ELSEWHERE, apps()]);
    publisher.term(1);
    await clock.advance(100);
    expect(delegation(remote)).toBeUndefined();
    expect(publisher.degraded?.()).toEqual(["delegation-waiting"]);
    expect(lines.at(-1)).toContain(
      "the delegation of apps.example.org is not as it is wanted: ns1.apps.example.org did not answer within 2 s",
    );
    silent.clear();
    await clock.advance(3000);
    expect(delegation(remote)).toEqual(["ns1.apps.example.org."]);
    expect(publisher.degraded?.()).toEqual([]);
  });

  test("stays delegated when its server falls silent, and when its object is gone", async () => {
    const { clock, publisher, publish, remote, silent } = start();
    publish([], [ELSEWHERE, apps()]);
    publisher.term(1);
    await clock.advance(100);
    silent.add(NS.name);
    await clock.advance(200_000);
    expect(delegation(remote)).toEqual(["ns1.apps.example.org."]);
    publish([], [ELSEWHERE]);
    await clock.advance(200_000);
    expect(delegation(remote)).toEqual(["ns1.apps.example.org."]);
    expect(publisher.degraded?.()).toEqual(["removals-held"]);
    publisher.confirm();
    await clock.advance(100);
    expect(delegation(remote)).toBeUndefined();
  });

  test("that is kept elsewhere, too, is asked who answers for it, or refused where nobody can tell", async () => {
    const { clock, publisher, publish, remote, lines } = start();
    const far = apps({ nameservers: [], records: [], provider: PROVIDER });
    publish([], [ELSEWHERE, far]);
    publisher.term(1);
    await clock.advance(100);
    expect(lines.join()).toContain("RFC2136, which keeps the zone, does not tell its name servers. Remove delegation from DNSZone apps");
    expect(delegation(remote)).toBeUndefined();
  });
});

const UNREACHABLE = new ProviderError("unreachable", "rfc2136 192.0.2.53:53", "no answer", "Look at it.");

describe("failovers", () => {
  const failover = (event: number, one: Route) =>
    ({
      ...{ event, route: one, from: "east", to: "west", cause: "probes", backend: "east", returned: [] },
      ...{ beganAt: 0, writtenAt: 0 },
    }) satisfies FailoverNotice;

  test("are published once a sync that began after them has succeeded, in the zones that have their hosts", async () => {
    const { clock, publisher, publish, changed, published, remote } = start();
    const routes = [shop("shop"), shop("other", { hosts: ["other.example.net"] })];
    const table = publish(routes);
    publisher.began(failover(1, routes[0]!)); // another process writes
    publisher.term(1);
    await clock.advance(1000);
    expect(published).toEqual([]);
    remote.failNext = { error: UNREACHABLE };
    table.state.standing[0] = Standing.Unhealthy;
    publisher.began(failover(2, routes[0]!));
    publisher.began(failover(3, routes[1]!));
    changed();
    await clock.advance(500);
    expect(published).toEqual([]);
    publisher.began(failover(4, routes[0]!));
    await clock.advance(5000);
    expect(published).toEqual([{ domain: "example.org", events: [2, 4], at: expect.any(Number) }]);
  });

  test("that another process is to write are forgotten, and a dry run writes none", async () => {
    const { clock, publisher, publish, published, state } = start();
    state.opens = false;
    publish([shop("shop")]);
    publisher.term(1);
    publisher.began(failover(2, shop("shop")));
    await clock.advance(1000);
    publisher.term(undefined);
    state.opens = true;
    publisher.term(3);
    await clock.advance(5000);
    expect(published).toEqual([]);
    publish([shop("shop")], [{ ...ELSEWHERE, provider: { ...PROVIDER, policy: "DryRun" } }]);
    publisher.began(failover(5, shop("shop")));
    await clock.advance(5000);
    expect(published).toEqual([]);
  });
});

test("how far a zone is: the age of its last good sync, and what waits to be written", async () => {
  const { clock, publisher, publish, changed, remote } = start();
  const table = publish([shop("shop"), shop("blog")]);
  expect(publisher.readings()).toEqual([]); // not the writer
  publisher.term(1);
  expect(publisher.readings()).toEqual([{ zone: "example.org" }]);
  await clock.advance(1000);
  expect(publisher.readings()).toEqual([{ zone: "example.org", syncAgeSeconds: expect.any(Number), pendingChanges: 0 }]);
  await clock.advance(10_000);
  remote.failNext = { error: UNREACHABLE };
  table.state.standing[0] = Standing.Unhealthy;
  changed();
  await clock.advance(500);
  const [reading] = publisher.readings();
  expect(reading?.pendingChanges).toBe(1); // the addresses of one of the two hosts
  expect(reading?.syncAgeSeconds).toBeGreaterThan(10);
  publish([shop("shop"), shop("blog")], [{ ...ELSEWHERE, provider: { ...PROVIDER, policy: "DryRun" } }]);
  await clock.advance(1000);
  expect(publisher.readings()).toEqual([{ zone: "example.org", pendingChanges: 0 }]);
});
