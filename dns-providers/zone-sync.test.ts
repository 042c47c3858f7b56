import { describe, expect, test } from "vitest";
import { memoryZone } from "../test/support/providers/memory-zone.ts";
import { desired, providerSuite } from "../test/support/providers/provider-suite.ts";
import { applyChanges, putSet, setAt } from "./change.ts";
import { fenceName, formatFence } from "./fence.ts";
import { type ChangeBatch, type Provider, ProviderError } from "./provider.ts";
import { type RecordSet, recordSetKey } from "./record-set.ts";
import { createZoneSync } from "./zone-sync.ts";

const FOREIGN: RecordSet = { name: "www.example.org", type: "A", ttl: 300, values: ["192.0.2.99"] };
const SHOP = desired("shop.example.org", ["192.0.2.1"]);
const NEVER = new AbortController().signal;

providerSuite("a zone in memory", async () => {
  const provider = memoryZone([FOREIGN]);
  return {
    provider,
    lookUp: async (name, type) => provider.sets.find((set) => recordSetKey(set) === recordSetKey({ name, type })),
    interfere: async (set) => {
      provider.sets = applyChanges(provider.sets, [putSet(undefined, { ...set })]);
    },
    stop: async () => {},
  };
});

const syncOf = (provider: Provider, more: { policy?: "Sync" | "UpsertOnly" | "DryRun"; now?: () => number } = {}) =>
  createZoneSync({
    ...{ provider, domain: "example.org", owner: "prod-eu", relistAfter: 60_000 },
    policy: more.policy ?? "Sync",
    now: more.now ?? (() => 0),
  });

describe("listing", () => {
  test("is done once, and again only when what is known is old, or in doubt", async () => {
    const zone = memoryZone();
    let now = 0;
    const sync = syncOf(zone, { now: () => now });
    for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.3"])
      await sync.sync({ desired: [desired(SHOP.name, [address])], epoch: 1, signal: NEVER });
    expect([zone.lists, zone.batches.length]).toEqual([1, 3]);
    now = 60_000;
    await sync.sync({ desired: [SHOP], epoch: 1, signal: NEVER });
    expect(zone.lists).toBe(2);
    zone.failNext = { error: new ProviderError("unreachable", "memory example.org", "no answer in time", "Wait."), after: true };
    await expect(sync.sync({ desired: [desired(SHOP.name, ["192.0.2.9"])], epoch: 1, signal: NEVER })).rejects.toThrow("no answer");
    expect(await sync.sync({ desired: [desired(SHOP.name, ["192.0.2.9"])], epoch: 1, signal: NEVER })).toMatchObject({ batches: 0 });
    expect(zone.lists).toBe(3);
  });

  test("is done again when the zone is not as it was, and gives up when it never is", async () => {
    const zone = memoryZone();
    const sync = syncOf(zone);
    await sync.sync({ desired: [SHOP], epoch: 1, signal: NEVER });
    zone.sets = zone.sets.filter(({ name }) => name !== fenceName("example.org", "prod-eu"));
    expect(await sync.sync({ desired: [desired(SHOP.name, ["192.0.2.2"])], epoch: 1, signal: NEVER })).toMatchObject({ batches: 1 });
    expect(zone.lists).toBe(2);
    zone.apply = async () => {
      throw new ProviderError("conflict", "memory example.org", "always", "Wait.");
    };
    await expect(sync.sync({ desired: [SHOP], epoch: 1, signal: NEVER })).rejects.toMatchObject({ code: "conflict" });
    expect(zone.lists).toBe(5); // what was known, then three times anew
  });
});

describe("policies", () => {
  test("DryRun plans and writes nothing, not even a fence", async () => {
    const zone = memoryZone([FOREIGN]);
    const outcome = await syncOf(zone, { policy: "DryRun" }).sync({ desired: [SHOP], epoch: 1, signal: NEVER });
    expect(outcome).toMatchObject({ kind: "Planned", batches: 1, plan: { groups: [{ name: SHOP.name }] } });
    expect(zone.sets).toEqual([FOREIGN]);
  });

  test("UpsertOnly removes nothing, and goes on owning it", async () => {
    const zone = memoryZone();
    await syncOf(zone).sync({ desired: [SHOP], epoch: 1, signal: NEVER });
    const outcome = await syncOf(zone, { policy: "UpsertOnly" }).sync({ desired: [], epoch: 1, signal: NEVER });
    expect(outcome).toMatchObject({ batches: 0, plan: { kept: [{ name: SHOP.name, type: "A" }] } });
    expect(await syncOf(zone).sync({ desired: [], epoch: 1, signal: NEVER })).toMatchObject({ batches: 1 });
    expect(zone.sets.map(({ name }) => name)).toEqual([fenceName("example.org", "prod-eu")]);
  });
});

describe("the fence", () => {
  test("changes with every write, and begins anew with a term", async () => {
    const zone = memoryZone([], { maxBatchCost: 3 });
    await syncOf(zone).sync({ desired: [SHOP, desired("cart.example.org", ["192.0.2.1"])], epoch: 7, signal: NEVER });
    await syncOf(zone).sync({ desired: [SHOP], epoch: 8, signal: NEVER });
    expect(zone.batches.map(({ fence }) => setAt(fence))).toEqual([
      formatFence("example.org", "prod-eu", { epoch: 7, write: 1 }),
      formatFence("example.org", "prod-eu", { epoch: 7, write: 2 }),
      formatFence("example.org", "prod-eu", { epoch: 8, write: 1 }),
    ]);
  });

  test("is raised when a batch was given up on, although nothing is to be changed: what still travels then comes too late", async () => {
    const zone = memoryZone();
    const sync = syncOf({
      ...zone,
      async apply(batch, signal) {
        const [change] = batch.changes;
        if (change?.action === "Replace" && change.after.values.includes("192.0.2.66")) {
          travelling.push(batch);
          throw new ProviderError("unreachable", "memory example.org", "no answer in time", "Wait.");
        }
        await zone.apply(batch, signal);
      },
    });
    const travelling: ChangeBatch[] = [];
    await sync.sync({ desired: [SHOP], epoch: 1, signal: NEVER });
    await expect(sync.sync({ desired: [desired(SHOP.name, ["192.0.2.66"])], epoch: 1, signal: NEVER })).rejects.toThrow("no answer");
    expect(await sync.sync({ desired: [SHOP], epoch: 1, signal: NEVER })).toMatchObject({ plan: { groups: [] }, batches: 1 });
    await expect(zone.apply(travelling[0]!, NEVER)).rejects.toMatchObject({ code: "conflict" });
    expect(zone.sets.find(({ name, type }) => name === SHOP.name && type === "A")?.values).toEqual(SHOP.values);
    expect(await sync.sync({ desired: [SHOP], epoch: 1, signal: NEVER })).toMatchObject({ batches: 0 });
  });

  test("a record of others in its place is refused with what to do", async () => {
    const zone = memoryZone([{ name: fenceName("example.org", "prod-eu"), type: "TXT", ttl: 5, values: ['"hello"'] }]);
    await expect(syncOf(zone).sync({ desired: [SHOP], epoch: 1, signal: NEVER })).rejects.toThrow(
      "memory example.org: prod-eu._fence._globalroute.example.org TXT is no fence of ours. Delete that record: the next sync makes it anew.",
    );
  });
});
