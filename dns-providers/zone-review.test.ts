/** Plans that are made beside a sync, and carried out by it. */
import { describe, expect, test } from "vitest";
import { ms } from "../src/model/units.ts";
import { memoryZone } from "../test/support/providers/memory-zone.ts";
import { desired } from "../test/support/providers/provider-suite.ts";
import { createSimulatedClock } from "../test/support/simulated-clock.ts";
import { setAt } from "./change.ts";
import { fenceName, formatFence } from "./fence.ts";
import { ProviderError } from "./provider.ts";
import { createZoneKeeper, type Term } from "./zone-keeper.ts";
import { createZoneSync } from "./zone-sync.ts";

const NEVER = new AbortController().signal;
const SHOP = desired("shop.example.org", ["192.0.2.1"]);
const asReviewed = (): undefined => undefined;

const syncOf = (provider: ReturnType<typeof memoryZone>, policy: "Sync" | "UpsertOnly" | "DryRun" = "DryRun") =>
  createZoneSync({ provider, domain: "example.org", owner: "prod-eu", policy, relistAfter: 60_000, now: () => 0 });
const written = ({ sets }: ReturnType<typeof memoryZone>): readonly string[] =>
  sets.filter(({ type }) => type === "A").map(({ name }) => name);

describe("planning", () => {
  test("lists for itself, writes nothing, and leaves a sync what it knows", async () => {
    const zone = memoryZone();
    const sync = syncOf(zone, "Sync");
    await sync.sync({ desired: [SHOP], epoch: 1, signal: NEVER });
    const behind = zone.sets;
    zone.sets = []; // behind its back
    expect(await sync.plan({ desired: [SHOP], signal: NEVER })).toMatchObject({
      plan: { groups: [{ name: SHOP.name }] },
      fence: undefined,
    });
    expect([zone.lists, zone.batches.length]).toEqual([2, 1]);
    zone.sets = behind;
    expect(await sync.sync({ desired: [SHOP], epoch: 1, signal: NEVER })).toMatchObject({ batches: 0 });
    expect(zone.lists).toBe(2);
  });

  test("ends with its signal", async () => {
    await expect(syncOf(memoryZone()).plan({ desired: [SHOP], signal: AbortSignal.abort() })).rejects.toThrow();
  });
});

describe("carrying out what was reviewed", () => {
  test("writes under the fence whatever the policy, and a sync then knows it", async () => {
    const zone = memoryZone();
    const sync = syncOf(zone);
    expect(await sync.apply({ desired: [SHOP], epoch: 4, signal: NEVER, review: asReviewed })).toMatchObject({
      kind: "Synced",
      batches: 1,
    });
    expect(setAt(zone.batches[0]!.fence)).toEqual(formatFence("example.org", "prod-eu", { epoch: 4, write: 1 }));
    expect(await sync.sync({ desired: [SHOP], epoch: 4, signal: NEVER })).toMatchObject({ kind: "Planned", batches: 0 });
    expect(zone.lists).toBe(1);
  });

  test("makes removals that a sync would hold back", async () => {
    const zone = memoryZone();
    const sync = syncOf(zone, "Sync");
    const many = ["a", "b", "c", "d"].map((name) => desired(`${name}.example.org`, ["192.0.2.1"]));
    await sync.sync({ desired: many, epoch: 1, signal: NEVER });
    expect(await sync.sync({ desired: [], epoch: 1, signal: NEVER })).toMatchObject({ plan: { held: { length: 4 } } });
    await sync.apply({ desired: [], epoch: 1, signal: NEVER, review: asReviewed });
    expect(written(zone)).toEqual([]);
  });

  test.each([
    { name: "what is not as it was reviewed", review: () => "it differs", epoch: 9, is: { kind: "Stale", difference: "it differs" } },
    { name: "a zone of a newer writer", review: asReviewed, epoch: 7, is: { kind: "LostFence", epoch: 8 } },
  ])("leaves $name alone", async ({ review, epoch, is }) => {
    const zone = memoryZone([formatFence("example.org", "prod-eu", { epoch: 8, write: 1 })]);
    expect(await syncOf(zone).apply({ desired: [SHOP], epoch, signal: NEVER, review })).toEqual(is);
    expect(zone.batches).toEqual([]);
  });

  test("somebody who writes at that moment makes it stale; once a part is made that is an error", async () => {
    const conflict = new ProviderError("conflict", "memory example.org", "the fence is another", "It is read again.");
    const many = ["a", "b", "c"].map((name) => desired(`${name}.example.org`, ["192.0.2.1"]));
    const zone = memoryZone([], { maxBatchCost: 3 });
    const { apply } = zone;
    let before = 0;
    zone.apply = async (batch, signal) => {
      if (before-- === 0) throw conflict;
      return apply(batch, signal);
    };
    const request = { desired: many, epoch: 1, signal: NEVER, review: asReviewed };
    expect(await syncOf(zone).apply(request)).toMatchObject({ kind: "Stale", difference: expect.stringContaining("at this very moment") });
    expect(written(zone)).toEqual([]);
    before = 1;
    await expect(syncOf(zone).apply(request)).rejects.toBe(conflict);
    expect(written(zone)).toHaveLength(1);
  });
});

describe("an operator's work between syncs", () => {
  function start(term: Term, zone = memoryZone()) {
    const clock = createSimulatedClock();
    const events: string[] = [];
    const keeper = createZoneKeeper({
      sync: {
        async sync({ epoch }) {
          events.push(`sync ${epoch} begins`);
          await new Promise<void>((resolve) => void clock.setTimer(ms(500), resolve));
          events.push("sync ends");
          return { kind: "LostFence", epoch };
        },
        lastEpoch: syncOf(zone).lastEpoch,
      },
      capabilities: () => zone.capabilities,
      desired: () => [],
      isRemovalConfirmed: () => false,
      now: clock.now,
      deadline: () => NEVER,
      setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
      onOutcome: () => {},
      onFailure: () => {},
    });
    keeper.term(term);
    const work = async (epoch: number): Promise<string> => {
      events.push(`work ${epoch} begins`);
      await new Promise<void>((resolve) => void clock.setTimer(ms(300), resolve));
      events.push("work ends");
      return "done";
    };
    return { clock, keeper, events, work };
  }

  test("waits for the sync that runs, has its term, and is followed by another", async () => {
    const { clock, keeper, events, work } = start(5);
    await clock.advance(100);
    const done = keeper.act(work);
    keeper.request();
    await clock.advance(2000);
    expect(await done).toBe("done");
    expect(events.slice(0, 5)).toEqual(["sync 5 begins", "sync ends", "work 5 begins", "work ends", "sync 5 begins"]);
  });

  test("of a term of one's own follows the zone's last", async () => {
    const { clock, keeper, events, work } = start("Own", memoryZone([formatFence("example.org", "prod-eu", { epoch: 8, write: 2 })]));
    const done = keeper.act(work);
    await clock.advance(400);
    expect([await done, events[0]]).toEqual(["done", "work 9 begins"]);
  });

  test("is not done where somebody else writes, nor after the end", async () => {
    const { keeper, work } = start(undefined);
    expect(await keeper.act(work)).toBeUndefined();
    const other = start(1);
    await other.keeper.close();
    expect(await other.keeper.act(other.work)).toBeUndefined();
  });

  test("its failure is told to who asked, and syncs go on", async () => {
    const { clock, keeper, events } = start(1);
    await expect(keeper.act(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await clock.advance(100);
    expect(events).toEqual(["sync 1 begins"]);
  });
});

test("the fence of another owner is nothing to a plan", async () => {
  const zone = memoryZone([formatFence("example.org", "prod-us", { epoch: 8, write: 1 })]);
  expect(await syncOf(zone).plan({ desired: [], signal: NEVER })).toMatchObject({ fence: undefined, plan: { groups: [] } });
  expect(zone.sets.map(({ name }) => name)).toEqual([fenceName("example.org", "prod-us")]);
});
