import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { formatFence } from "../../dns-providers/fence.ts";
import { ProviderError } from "../../dns-providers/provider.ts";
import { isOwnRecord, type ZonePlan, type ZonePlans } from "../../dns-providers/zone-plan.ts";
import { dnsWorld, route, zone } from "../../test/support/dns-world.ts";
import { type MemoryZone, memoryZone } from "../../test/support/providers/memory-zone.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { newLatencyMap } from "../geo/latency-model.ts";
import type { Backend, Inventory, Route, Zone, ZoneProvider } from "../model/inventory.ts";
import { ms } from "../model/units.ts";
import { createMetrics } from "../observe/metrics.ts";
import { Standing } from "../routing/table.ts";
import { createPlanDesk } from "./plan-desk.ts";
import { createProviderPublisher } from "./provider-publisher.ts";

const PROVIDER: ZoneProvider = {
  ...{ type: "RFC2136", server: { host: "192.0.2.53", port: 53 }, adoptFrom: [], policy: "DryRun" },
  key: { name: "writer", algorithm: "hmac-sha256", path: "/keys/writer" },
};
const backend = (cluster: string, address: string): Backend => ({
  ...{ name: cluster, cluster, addresses: [address], weight: 100, priority: 0, bias: 0 },
});
const shop = (host: string): Route =>
  route(host.replaceAll(".", "-"), [host], [backend("east", "192.0.2.1"), backend("west", "203.0.113.1")], {
    rules: [],
    order: "Priority",
  });
const elsewhere = (name: string, domain: string, policy: ZoneProvider["policy"] = "DryRun"): Zone =>
  zone(name, domain, [], { nameservers: [], provider: { ...PROVIDER, policy } });
const ORG = elsewhere("org", "example.org");
const NET = elsewhere("net", "example.net");

interface Scene {
  readonly isWriter?: boolean;
  readonly zones?: readonly Zone[];
  readonly health?: string;
  readonly writer?: string;
}

function start({ isWriter = true, zones = [ORG], health = "Healthy", writer }: Scene = {}) {
  const clock = createSimulatedClock();
  const remotes = new Map(zones.map(({ domain }) => [domain, memoryZone()]));
  const remote = (domain = "example.org"): MemoryZone => remotes.get(domain)!;
  const lines: string[] = [];
  const log = { info: (_: unknown, message?: string) => void lines.push(message ?? ""), warn: () => {}, error: () => {} } as never;
  const deadlines: number[] = [];
  const metrics = createMetrics();
  const open = ({ domain }: Zone): MemoryZone => remote(domain);
  const publisher = createProviderPublisher({
    delegations: { look: async () => [], resolve: async () => [], wallClock: () => 0 },
    digest: (text) => createHash("sha256").update(text).digest("hex"),
    ...{ open, now: clock.now, metrics, log, deadline: () => new AbortController().signal },
    setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
  });
  publisher.follow({ route: () => ({ backends: [{ health }] }) as never, watch: () => () => {} });
  const desk = createPlanDesk({
    ...{ publisher, open, writer: () => writer, metrics, log },
    deadline(milliseconds) {
      deadlines.push(milliseconds);
      const controller = new AbortController();
      clock.setTimer(ms(milliseconds), () => controller.abort());
      return controller.signal;
    },
  });
  function publish(hosts: readonly string[]) {
    const routes = hosts.map(shop);
    const { routing } = dnsWorld([zone("here", "example.com")], routes);
    publisher.publish(
      routing,
      { routes, clusters: [], zones: [...zones, zone("here", "example.com")], overrides: [] } satisfies Inventory,
      newLatencyMap(),
    );
    return routing;
  }
  publisher.term(isWriter ? 3 : undefined);
  return { clock, remote, lines, deadlines, metrics, publisher, desk, publish };
}

const hostsOf = ({ changes }: ZonePlan): readonly string[] =>
  changes.filter((change) => !isOwnRecord(change)).map(({ action, name }) => `${action} ${name}`);
const only = ({ zones }: ZonePlans): ZonePlan => zones[0]!;
const addresses = ({ sets }: MemoryZone): readonly string[] =>
  sets.filter(({ type }) => type === "A").map(({ name, values }) => `${name} ${values.join()}`);

describe("a plan", () => {
  test("is what would change, by who is no writer, too; nothing is written", async () => {
    const { desk, publish, remote, deadlines } = start({ isWriter: false, zones: [elsewhere("org", "example.org", "Sync")] });
    publish(["shop.example.org"]);
    const { zones, failures, notes } = await desk.plan([]);
    expect([zones.map(hostsOf), failures, notes]).toEqual([[["Create shop.example.org"]], [], []]);
    expect(remote().sets).toEqual([]);
    expect(deadlines).toEqual([10_000]); // as long as one of the provider's syncs
  });

  test("is of the zones that are named, by name or domain, and of no other", async () => {
    const { desk, publish } = start({ zones: [ORG, NET] });
    publish(["shop.example.org", "shop.example.net"]);
    const named = async (...names: readonly string[]): Promise<readonly string[]> => (await desk.plan(names)).zones.map((one) => one.zone);
    expect([await named(), await named("net"), await named("Example.org.")]).toEqual([["org", "net"], ["net"], ["org"]]);
    await expect(desk.plan(["here"])).rejects.toMatchObject({ code: "no-zone", message: expect.stringContaining("org, net") });
  });

  test("of a provider that fails is told with its remedy, and the others are planned", async () => {
    const { desk, publish, remote } = start({ zones: [ORG, NET] });
    publish(["shop.example.org", "shop.example.net"]);
    remote("example.net").list = () =>
      Promise.reject(new ProviderError("unreachable", "memory example.net", "no answer", "Look whether it runs."));
    expect(await desk.plan([])).toMatchObject({
      zones: [{ zone: "org" }],
      failures: [
        { zone: "net", provider: "RFC2136", code: "unreachable", message: "memory example.net: no answer. Look whether it runs." },
      ],
    });
  });

  test("ends although a provider never answers, and another is refused meanwhile", async () => {
    const { desk, publish, remote, clock } = start();
    publish(["shop.example.org"]);
    remote().list = (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const first = desk.plan([]);
    await expect(desk.plan([])).rejects.toMatchObject({ code: "plan-running" });
    await expect(desk.apply([])).rejects.toMatchObject({ code: "plan-running" });
    await clock.advance(10_000);
    expect((await first).failures).toMatchObject([{ code: "unreachable", message: expect.stringContaining("did not answer in time") }]);
    expect(await desk.apply([])).toEqual({ zones: [] });
  });

  test("waits for a first table, and says when a backend has not been probed yet", async () => {
    const { desk, publish } = start({ health: "Unknown" });
    await expect(desk.plan([])).rejects.toMatchObject({ code: "not-ready" });
    publish(["shop.example.org"]);
    expect(await desk.plan([])).toMatchObject({
      zones: [],
      failures: [{ code: "not-ready", message: expect.stringContaining("half a minute") }],
    });
  });
});

describe("applying a plan", () => {
  test("makes exactly it, though the policy is DryRun, and counts and tells it", async () => {
    const { desk, publish, remote, lines, metrics } = start();
    publish(["shop.example.org"]);
    expect(await desk.apply((await desk.plan([])).zones)).toEqual({
      zones: [{ zone: "org", outcome: "Applied", changes: 2, message: "" }],
    });
    expect(addresses(remote())).toEqual(["shop.example.org 192.0.2.1"]);
    expect(only(await desk.plan([])).changes).toEqual([]);
    expect(lines).toContain("a plan that somebody reviewed was carried out");
    expect(await metrics.expose()).toContain('globalroute_provider_changes_total{zone="example.org",action="Create"} 2');
  });

  test("of a world that is another by now changes nothing", async () => {
    const { desk, publish, remote } = start();
    const table = publish(["shop.example.org"]);
    const { zones } = await desk.plan([]);
    table.state.standing[0] = Standing.Unhealthy;
    expect(await desk.apply(zones)).toMatchObject({
      zones: [{ outcome: "Stale", changes: 0, message: expect.stringMatching(/and is now to become 203\.0\.113\.1.*plan` again/) }],
    });
    expect(remote().batches).toEqual([]);
  });

  test("is refused where another replica writes, which is named", async () => {
    const { desk, publish, remote } = start({ isWriter: false, writer: "globalroute-1" });
    publish(["shop.example.org"]);
    const { zones } = await desk.plan([]);
    await expect(desk.apply(zones)).rejects.toMatchObject({
      code: "not-writer",
      message: "This replica is not the writer: globalroute-1 is.",
    });
    expect(remote().batches).toEqual([]);
  });

  test("is refused where a newer writer has the zone", async () => {
    const { desk, publish, remote } = start();
    publish(["shop.example.org"]);
    const { zones } = await desk.plan([]);
    remote().sets = [formatFence("example.org", "test", { epoch: 4, write: 1 })];
    expect(await desk.apply(zones)).toMatchObject({
      zones: [{ outcome: "Refused", message: expect.stringContaining("owner test, in term 4") }],
    });
  });

  test("of several zones changes none unless all are as they were", async () => {
    const { desk, publish, remote } = start({ zones: [ORG, NET] });
    publish(["shop.example.org", "shop.example.net"]);
    const { zones } = await desk.plan([]);
    const before = remote("example.net").sets;
    remote("example.net").sets = [{ name: "shop.example.net", type: "A", ttl: 5, values: ["192.0.2.66"] }];
    expect(await desk.apply(zones)).toMatchObject({
      zones: [
        { zone: "org", outcome: "Refused" },
        { zone: "net", outcome: "Stale" },
      ],
    });
    expect(addresses(remote())).toEqual([]);
    remote("example.net").sets = before;
    expect((await desk.apply(zones)).zones.map(({ outcome }) => outcome)).toEqual(["Applied", "Applied"]);
  });

  test("of a zone that is gone, or a provider that fails, says so", async () => {
    const { desk, publish, remote } = start();
    publish(["shop.example.org"]);
    const { zones } = await desk.plan([]);
    expect(await desk.apply([{ ...zones[0]!, destroy: true }])).toMatchObject({
      zones: [{ outcome: "Stale", changes: 0, message: expect.stringContaining("it removes everything of ours") }],
    });
    expect(await desk.apply([{ ...zones[0]!, zone: "gone" }])).toMatchObject({ zones: [{ zone: "gone", outcome: "Stale" }] });
    remote().failNext = { error: new ProviderError("unauthorized", "memory example.org", "it refuses", "Allow it.") };
    expect(await desk.apply(zones)).toEqual({
      zones: [{ zone: "org", outcome: "Failed", changes: 0, message: "memory example.org: it refuses. Allow it." }],
    });
    remote().failNext = { error: new ProviderError("unreachable", "memory example.org", "no answer", "Wait."), after: true };
    expect((await desk.apply(zones)).zones[0]!.message).toContain("A part of the plan may have been carried out.");
  });
});
