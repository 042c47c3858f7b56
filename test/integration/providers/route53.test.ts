/** The provider suite against the emulator of Route 53, and what only it can show. */
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  CreateHealthCheckCommand,
  DeleteHealthCheckCommand,
  ListCidrCollectionsCommand,
  type Route53Client,
} from "@aws-sdk/client-route-53";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { DesiredSet } from "../../../dns-providers/change.ts";
import type { RecordSet } from "../../../dns-providers/record-set.ts";
import type { Route53Options } from "../../../dns-providers/route53/route53-provider.ts";
import { createZoneSync } from "../../../dns-providers/zone-sync.ts";
import { desired, type ProviderUnderTest, providerSuite } from "../../support/providers/provider-suite.ts";
import { type Route53Emulator, startRoute53Emulator } from "../../support/providers/route53/server.ts";
import { FREE_LANE, putStored, route53Client, route53ProviderOf, storedSet } from "../../support/providers/route53-zone.ts";

const FOREIGN: RecordSet = { name: "www.example.org", type: "A", ttl: 300, values: ["192.0.2.99"] };
const NEVER = new AbortController().signal;

providerSuite("Route 53 (emulator)", async (): Promise<ProviderUnderTest> => {
  const emulator = await startRoute53Emulator();
  const zone = emulator.addZone("example.org.");
  putStored(emulator, zone, FOREIGN);
  const client = route53Client(emulator.url);
  return {
    provider: route53ProviderOf(client, zone),
    lookUp: async (name, type) => storedSet(emulator, zone, name, type),
    interfere: async (set) => putStored(emulator, zone, set),
    async stop() {
      client.destroy();
      await emulator.close();
    },
  };
});

let emulator: Route53Emulator;
let client: Route53Client;
beforeAll(async () => {
  emulator = await startRoute53Emulator({ quotas: { hostedZones: 100_000 } });
  client = route53Client(emulator.url);
});
afterAll(async () => {
  client?.destroy();
  await emulator?.close();
});
beforeEach(() => {
  emulator.clearFaults();
  emulator.forget();
});

const syncOf = (zone: string | undefined, more: Partial<Route53Options> = {}) =>
  createZoneSync({
    ...{ provider: route53ProviderOf(client, zone, { lane: FREE_LANE, ...more }), domain: more.domain ?? "example.org", owner: "prod-eu" },
    ...{ policy: "Sync", now: () => 0, relistAfter: 0 },
  });
/** A leaf and the host that aliases it. */
const HELPER = "backend-0-0123456789.prod-eu._routes._globalroute.example.org";
const checked = (address: string, more: Partial<DesiredSet> = {}): DesiredSet => ({
  ...desired(HELPER, [address]),
  routing: { id: address, by: { kind: "MultiValue" } },
  healthCheck: { type: "HTTPS", address, port: 443, host: "shop.example.org", path: "/healthz", interval: 10, threshold: 3 },
  ...more,
});
const alias: DesiredSet = { ...desired("shop.example.org", [], "A", 0), alias: { target: HELPER, followsHealth: false } };

describe("health checks", () => {
  test("are made once for an endpoint, named, kept while a set needs them, and removed a while after", async () => {
    const zone = emulator.addZone("example.org.");
    let time = 0;
    const sync = syncOf(zone, { now: () => time });
    const run = (sets: readonly DesiredSet[]) => sync.sync({ desired: sets, epoch: 1, signal: NEVER, isRemovalConfirmed: true });
    await run([checked("20.0.0.1"), checked("20.0.0.2"), alias]);
    const made = emulator.healthChecks();
    expect(made.map(({ config }) => config.ipAddress).sort()).toEqual(["20.0.0.1", "20.0.0.2"]);
    expect(emulator.requests("ChangeTagsForResource")).toBe(2);
    const more = { ...checked("20.0.0.1"), name: HELPER.replace("backend-0", "backend-1") };
    await run([checked("20.0.0.1"), checked("20.0.0.2"), more, alias]);
    expect(emulator.healthChecks()).toHaveLength(2);

    await run([checked("20.0.0.1"), alias]);
    await run([checked("20.0.0.1"), alias]); // the zone shows that nothing refers to it
    expect(emulator.healthChecks()).toHaveLength(2); // somebody may want it again
    time += 11 * 60_000;
    await run([checked("20.0.0.1"), alias]);
    expect(emulator.healthChecks().map(({ config }) => config.ipAddress)).toEqual(["20.0.0.1"]);
  });

  test("and CIDR collections go at once with all of ours, found by a process that made none of them", async () => {
    const zone = emulator.addZone("example.org.");
    const subnets = {
      ...desired("net.example.org", ["20.0.5.9"]),
      routing: { id: "net", by: { kind: "Subnets", subnets: ["198.51.100.0/24"] } },
    } as const;
    const all = { ...desired("net.example.org", ["20.0.5.8"]), routing: { id: "all", by: { kind: "Subnets", subnets: [] } } } as const;
    const wanted = [checked("20.0.5.1"), alias, subnets, all] as const satisfies readonly DesiredSet[];
    await syncOf(zone).sync({ desired: wanted, epoch: 1, signal: NEVER });
    const mine = () => emulator.healthChecks().filter(({ config }) => config.ipAddress === "20.0.5.1");
    const collections = async () => (await client.send(new ListCidrCollectionsCommand({}))).CidrCollections?.length;
    expect([mine().length, await collections()]).toEqual([1, 1]);
    // One that broke off when the records were gone.
    const signal = AbortSignal.abort();
    const provider = route53ProviderOf(client, zone, { lane: FREE_LANE });
    const halfway = createZoneSync({
      ...{ provider: { ...provider, tidy: async () => signal.throwIfAborted() }, domain: "example.org", owner: "prod-eu" },
      ...{ policy: "Sync", now: () => 0 },
    });
    await expect(halfway.remove({ epoch: 2, signal: NEVER })).rejects.toThrow("aborted");
    expect(mine()).toHaveLength(1);
    expect(await syncOf(zone).remove({ epoch: 3, signal: NEVER })).toMatchObject({ kind: "Removed" });
    expect([mine().length, await collections()]).toEqual([0, 0]);
    expect(
      emulator
        .zone(zone)
        ?.sets.map(({ type }) => type)
        .sort(),
    ).toEqual(["NS", "SOA"]);
  });

  test("one that somebody deleted is made again, and its set refers to it", async () => {
    const zone = emulator.addZone("example.org.");
    await syncOf(zone).sync({ desired: [checked("20.0.1.1"), alias], epoch: 1, signal: NEVER });
    const [before] = emulator.healthChecks().filter(({ config }) => config.ipAddress === "20.0.1.1");
    await client.send(new DeleteHealthCheckCommand({ HealthCheckId: before!.id }));
    expect(await syncOf(zone).sync({ desired: [checked("20.0.1.1"), alias], epoch: 1, signal: NEVER })).toMatchObject({ batches: 1 });
    const [after] = emulator.healthChecks().filter(({ config }) => config.ipAddress === "20.0.1.1");
    expect(after?.id).not.toBe(before?.id);
    expect(emulator.zone(zone)?.sets.find((set) => set.healthCheckId !== undefined)?.healthCheckId).toBe(after?.id);
  });

  test("of others are neither made anew nor removed, whatever their sets", async () => {
    const zone = emulator.addZone("example.org.");
    const config = { IPAddress: "20.0.3.1", Port: 443, Type: "TCP", RequestInterval: 30, FailureThreshold: 3 } as const;
    const { HealthCheck: theirs } = await client.send(
      new CreateHealthCheckCommand({ CallerReference: "theirs", HealthCheckConfig: config }),
    );
    const policy = { SetIdentifier: "theirs", MultiValueAnswer: true, HealthCheckId: theirs?.Id };
    const set = { Name: "www.example.org.", Type: "A", TTL: 60, ResourceRecords: [{ Value: "20.0.3.1" }], ...policy } as const;
    const Changes: Change[] = [{ Action: "CREATE", ResourceRecordSet: { ...set, ResourceRecords: [...set.ResourceRecords] } }];
    await client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: zone, ChangeBatch: { Changes } }));
    let time = 0;
    const sync = syncOf(zone, { now: () => time });
    for (const address of ["20.0.0.1", "20.0.0.2"]) {
      await sync.sync({ desired: [desired("shop.example.org", [address])], epoch: 1, signal: NEVER });
      time += 11 * 60_000;
    }
    expect(emulator.healthChecks().filter(({ config: { ipAddress } }) => ipAddress === "20.0.3.1")).toHaveLength(1);
  });

  test("of which two writers have made one each: the one that a set refers to stays", async () => {
    const zone = emulator.addZone("example.org.");
    let time = 0;
    const sync = syncOf(zone, { now: () => time });
    const sets = [checked("20.0.4.1"), alias];
    await sync.sync({ desired: sets, epoch: 1, signal: NEVER });
    const [first] = emulator.healthChecks().filter(({ config }) => config.ipAddress === "20.0.4.1");
    const twins = await Promise.all(
      ["aaaaaaaa", "bbbbbbbb", "cccccccc"].map((nonce) => {
        const CallerReference = `${first!.callerReference.slice(0, first!.callerReference.lastIndexOf(":"))}:${nonce}`;
        const HealthCheckConfig = {
          ...{
            IPAddress: "20.0.4.1",
            Port: 443,
            Type: "HTTPS" as const,
            RequestInterval: 10 as const,
            FailureThreshold: 3,
            EnableSNI: true,
          },
          ...{ FullyQualifiedDomainName: "shop.example.org", ResourcePath: "/healthz" },
        } as const;
        return client.send(new CreateHealthCheckCommand({ CallerReference, HealthCheckConfig }));
      }),
    );
    expect(twins).toHaveLength(3);
    for (let times = 0; times < 3; times++) {
      await sync.sync({ desired: sets, epoch: 1, signal: NEVER });
      time += 11 * 60_000;
    }
    const left = emulator.healthChecks().filter(({ config }) => config.ipAddress === "20.0.4.1");
    expect(left.map(({ id }) => id)).toContain(first!.id);
    expect(emulator.zone(zone)?.sets.find((set) => set.healthCheckId !== undefined)?.healthCheckId).toBe(first!.id);
  });

  test("a later term's are left alone by an earlier one", async () => {
    const zone = emulator.addZone("example.org.");
    await syncOf(zone).sync({ desired: [checked("20.0.2.1"), alias], epoch: 7, signal: NEVER });
    let time = 0;
    const earlier = syncOf(zone, { now: () => time });
    expect(await earlier.sync({ desired: [], epoch: 6, signal: NEVER })).toEqual({ kind: "LostFence", epoch: 7 });
    time += 60 * 60_000;
    await earlier.sync({ desired: [], epoch: 6, signal: NEVER });
    expect(emulator.healthChecks().filter(({ config }) => config.ipAddress === "20.0.2.1")).toHaveLength(1);
  });
});

describe("quotas", () => {
  test("of record sets: what needs no room is written, and of all else the number to ask for is told", async () => {
    const small = await startRoute53Emulator({ quotas: { recordSetsPerZone: 50 } });
    const own = route53Client(small.url);
    const zone = small.addZone("example.org.");
    const sync = createZoneSync({
      ...{
        provider: route53ProviderOf(own, zone, { lane: FREE_LANE }),
        domain: "example.org",
        owner: "prod-eu",
        policy: "Sync",
        now: () => 0,
      },
      relistAfter: 0,
    });
    const many = Array.from({ length: 40 }, (_, i) => desired(`n${i}.example.org`, ["20.0.0.1"]));
    const outcome = await sync.sync({ desired: many, epoch: 1, signal: NEVER });
    const refusal = {
      code: "refused",
      message: expect.stringMatching(/would have 83 record sets .* its quota is 50\. Ask AWS for 83 or more/),
    };
    expect(outcome).toMatchObject({ refusal });
    expect(small.zone(zone)!.sets.filter(({ type }) => type === "A")).toEqual([]);
    const few = many.slice(0, 20);
    expect(await sync.sync({ desired: few, epoch: 1, signal: NEVER })).not.toHaveProperty("refusal");

    // One host leaves a dead cluster, one is gone, and there is no room for twenty others.
    const [moved, ...rest] = [{ ...few[0]!, values: ["20.0.0.2"] }, ...few.slice(2), ...many.slice(20)];
    small.forget();
    expect(await sync.sync({ desired: [moved!, ...rest], epoch: 1, signal: NEVER })).toMatchObject({
      refusal: { code: "refused" },
      batches: 1,
    });
    expect(storedSet(small, zone, moved!.name, "A")).toMatchObject({ values: ["20.0.0.2"] });
    expect(storedSet(small, zone, few[1]!.name, "A")).toBeUndefined();
    expect(small.zone(zone)!.sets.filter(({ type }) => type === "A")).toHaveLength(19);
    own.destroy();
    await small.close();
  });

  test("of health checks: none is made, what needs none is written, and the number to ask for is told", async () => {
    const small = await startRoute53Emulator({ quotas: { healthChecks: 3 } });
    const own = route53Client(small.url);
    const zone = small.addZone("example.org.");
    const sync = createZoneSync({
      ...{
        provider: route53ProviderOf(own, zone, { lane: FREE_LANE }),
        domain: "example.org",
        owner: "prod-eu",
        policy: "Sync",
        now: () => 0,
      },
      relistAfter: 0,
    });
    const sets = Array.from({ length: 5 }, (_, i) => checked(`20.0.0.${i + 1}`));
    const plain = desired("plain.example.org", ["20.0.0.1"]);
    await sync.sync({ desired: [plain], epoch: 1, signal: NEVER });
    const moved = { ...plain, values: ["20.0.0.2"] };
    const outcome = await sync.sync({ desired: [moved, ...sets, alias], epoch: 1, signal: NEVER });
    const message = expect.stringMatching(/5 more health checks are needed.*its quota is 3\. Ask AWS for 5 or more/);
    expect(outcome).toMatchObject({ refusal: { code: "refused", message }, batches: 1 });
    expect(storedSet(small, zone, plain.name, "A")).toMatchObject({ values: ["20.0.0.2"] });
    expect(small.healthChecks()).toEqual([]);
    expect(small.zone(zone)!.sets.filter(({ name }) => name.startsWith(alias.name) || name.includes("_routes."))).toEqual([]); // no alias to nothing
    own.destroy();
    await small.close();
  });
});

describe("what goes wrong", () => {
  const SHOP = desired("shop.example.org", ["20.0.0.1"]);
  const cases = [
    { name: "credentials that have ended", status: 403, code: "ExpiredToken", told: "unauthorized", remedy: "Renew the credentials" },
    {
      name: "credentials that nobody knows",
      status: 403,
      code: "InvalidClientTokenId",
      told: "unauthorized",
      remedy: "the access key is not known",
    },
    { name: "no permission", status: 403, code: "AccessDenied", told: "unauthorized", remedy: "Allow the actions" },
    { name: "a zone that is gone", status: 404, code: "NoSuchHostedZone", told: "zone-missing", remedy: "Make the hosted zone" },
    { name: "a failure of theirs", status: 503, code: "ServiceUnavailable", told: "unavailable", remedy: "tried again" },
    { name: "another failure of theirs", status: 500, code: "InternalFailure", told: "unavailable", remedy: "tried again" },
  ] as const;
  test.each(cases)("$name is told with its remedy, and the next sync does what is left", async ({ status, code, told, remedy }) => {
    const zone = emulator.addZone("example.org.");
    for (const action of ["ListResourceRecordSets", "ChangeResourceRecordSets"]) {
      const sync = syncOf(zone);
      emulator.inject({ kind: "Error", action, status, code });
      await expect(sync.sync({ desired: [SHOP], epoch: 1, signal: NEVER })).rejects.toMatchObject({
        name: "ProviderError",
        code: told,
        message: expect.stringContaining(remedy),
      });
      await sync.sync({ desired: [SHOP], epoch: 1, signal: NEVER });
      expect(storedSet(emulator, zone, SHOP.name, "A")).toMatchObject({ values: ["20.0.0.1"] });
      await sync.sync({ desired: [], epoch: 1, signal: NEVER });
    }
  });

  test("throttling, and changes before that are still being made: it waits and tries again", async () => {
    const zone = emulator.addZone("example.org.");
    emulator.inject({ kind: "Error", action: "ChangeResourceRecordSets", status: 400, code: "Throttling", message: "Rate exceeded" });
    emulator.inject({ kind: "Error", action: "ChangeResourceRecordSets", status: 400, code: "PriorRequestNotComplete" });
    expect(await syncOf(zone).sync({ desired: [SHOP], epoch: 1, signal: NEVER })).toMatchObject({ kind: "Synced", batches: 1 });
    expect(emulator.requests("ChangeResourceRecordSets")).toBe(3);
  });

  test.each(["DropBefore", "DropAfter"] as const)(
    "a connection that breaks (%s): what was made is found, and not made twice",
    async (kind) => {
      const zone = emulator.addZone("example.org.");
      const sync = syncOf(zone);
      emulator.inject({ kind, action: "ChangeResourceRecordSets" });
      await expect(sync.sync({ desired: [SHOP], epoch: 1, signal: NEVER })).rejects.toMatchObject({ code: "unreachable" });
      const outcome = await sync.sync({ desired: [SHOP], epoch: 1, signal: NEVER });
      expect(outcome).toMatchObject({ kind: "Synced", batches: kind === "DropAfter" ? 0 : 1 });
      expect(storedSet(emulator, zone, SHOP.name, "A")).toMatchObject({ values: ["20.0.0.1"] });
    },
  );

  test("no answer in time", async () => {
    const zone = emulator.addZone("example.org.");
    emulator.inject({ kind: "Delay", action: "ListResourceRecordSets", milliseconds: 2000 });
    const outcome = syncOf(zone).sync({ desired: [SHOP], epoch: 1, signal: AbortSignal.timeout(200) });
    await expect(outcome).rejects.toMatchObject({ code: "unreachable", message: expect.stringContaining("no answer in time") });
  });

  test("several batches of which the second fails: what is published stays whole, and the rest follows", async () => {
    const zone = emulator.addZone("example.org.");
    const sync = syncOf(zone);
    const many = (last: number): readonly DesiredSet[] =>
      Array.from({ length: 1500 }, (_, i) => desired(`n${i}.example.org`, [`20.0.0.${last}`]));
    await sync.sync({ desired: many(1), epoch: 1, signal: NEVER });
    let isFirst = true;
    const broken: Pick<Route53Client, "send"> = {
      send: ((command: unknown, options: never) => {
        if (command instanceof ChangeResourceRecordSetsCommand && !isFirst)
          throw Object.assign(new Error("broke off"), { name: "TimeoutError" });
        if (command instanceof ChangeResourceRecordSetsCommand) isFirst = false;
        return client.send(command as never, options);
      }) as Route53Client["send"],
    };
    const half = createZoneSync({
      ...{
        provider: route53ProviderOf(broken, zone, { lane: FREE_LANE }),
        domain: "example.org",
        owner: "prod-eu",
        policy: "Sync",
        now: () => 0,
      },
      relistAfter: 0,
    });
    await expect(half.sync({ desired: many(2), epoch: 1, signal: NEVER })).rejects.toMatchObject({ code: "unreachable" });
    const sets = emulator.zone(zone)!.sets.filter(({ type }) => type === "A");
    const values = sets.map(({ content }) => (content.kind === "Values" ? content.values.join() : ""));
    expect([...new Set(values)].sort()).toEqual(["20.0.0.1", "20.0.0.2"]);
    expect(values).toHaveLength(1500);
    await sync.sync({ desired: many(2), epoch: 1, signal: NEVER });
    expect(storedSet(emulator, zone, "n1499.example.org", "A")).toMatchObject({ values: ["20.0.0.2"] });
  });
});

describe("which zone", () => {
  test("is found by its domain, the public or the private one", async () => {
    const publicZone = emulator.addZone("found.example.");
    const privateZone = emulator.addZone("found.example.", { region: "eu-west-1", id: "vpc-0123456789abcdef0" });
    const shop = desired("shop.found.example", ["20.0.0.1"]);
    for (const [isPrivate, id] of [
      [false, publicZone],
      [true, privateZone],
    ] as const) {
      await syncOf(undefined, { domain: "found.example", isPrivate }).sync({ desired: [shop], epoch: 1, signal: NEVER });
      expect(storedSet(emulator, id, shop.name, "A")).toBeDefined();
    }
  });
  test("of several, or none, is asked for", async () => {
    emulator.addZone("twice.example.");
    emulator.addZone("twice.example.");
    const sync = (domain: string) => syncOf(undefined, { domain }).sync({ desired: [], epoch: 1, signal: NEVER });
    await expect(sync("twice.example")).rejects.toMatchObject({ code: "refused", message: expect.stringContaining("hostedZoneId") });
    await expect(sync("never.example")).rejects.toMatchObject({ code: "zone-missing" });
  });
});

test("changes are followed until all servers have them", async () => {
  const zone = emulator.addZone("example.org.");
  const took = new Promise<number>((resolve) => {
    const sync = syncOf(zone, { onPropagated: resolve, sleep: async (_, signal) => signal.throwIfAborted() });
    sync.sync({ desired: [desired("shop.example.org", ["20.0.0.1"])], epoch: 1, signal: NEVER }).catch(() => {});
  });
  expect(await took).toBeGreaterThanOrEqual(0);
  expect(emulator.requests("GetChange")).toBeGreaterThan(0);
});
