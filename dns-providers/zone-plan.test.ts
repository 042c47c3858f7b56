import { describe, expect, test } from "vitest";
import { memoryZone } from "../test/support/providers/memory-zone.ts";
import { desired } from "../test/support/providers/provider-suite.ts";
import type { DesiredSet } from "./change.ts";
import { helperName } from "./helper-sets.ts";
import type { RecordSet } from "./record-set.ts";
import { firstDifference, isOwnRecord, setOf, toZonePlan, type ZonePlan } from "./zone-plan.ts";
import { createZoneSync } from "./zone-sync.ts";

const SCOPE = { domain: "example.org", owner: "prod-eu" };
const ABOUT = { zone: "example-org", ...SCOPE, provider: "RFC2136", policy: "Sync" } as const;
const NEVER = new AbortController().signal;
const SHOP = desired("shop.example.org", ["192.0.2.1"]);
const CART = desired("cart.example.org", ["192.0.2.2"]);
const FOREIGN: RecordSet = { name: "www.example.org", type: "A", ttl: 300, values: ["192.0.2.99"] };

/** Of a zone in which some sets are published already. */
async function planOf(
  there: readonly DesiredSet[],
  wanted: readonly DesiredSet[],
  change = (sets: readonly RecordSet[]) => sets,
): Promise<ZonePlan> {
  const provider = memoryZone([FOREIGN]);
  const sync = createZoneSync({ provider, ...SCOPE, policy: "Sync", now: () => 0 });
  if (there.length > 0) await sync.sync({ desired: there, epoch: 3, signal: NEVER });
  provider.sets = change(provider.sets);
  return toZonePlan(ABOUT, await sync.plan({ desired: wanted, signal: NEVER }));
}

describe("a plan", () => {
  test("has changes with what they find and leave, whose they are, and the fence as it was seen", async () => {
    const plan = await planOf([SHOP, CART], [desired("shop.example.org", ["192.0.2.7"], "A", 5)]);
    expect(plan).toMatchObject({ zone: "example-org", owner: "prod-eu", fence: { epoch: 3, write: 1 }, conflicts: [], kept: [] });
    expect(plan.changes.filter((change) => !isOwnRecord(change))).toEqual([
      {
        ...{ action: "Replace", name: "shop.example.org", type: "A", resource: "GlobalRoute/web/shop" },
        before: { ttl: 30, values: ["192.0.2.1"] },
        after: { ttl: 5, values: ["192.0.2.7"] },
      },
      {
        action: "Delete",
        name: "cart.example.org",
        type: "A",
        resource: "GlobalRoute/web/cart",
        before: { ttl: 30, values: ["192.0.2.2"] },
      },
    ]);
    expect(plan.changes.filter(isOwnRecord)).toMatchObject([
      { action: "Delete", name: "_globalroute.cart.example.org", type: "TXT", resource: "GlobalRoute/web/cart" },
    ]);
  });

  test("names conflicts with the object that wants the name", async () => {
    expect((await planOf([], [desired("www.example.org", ["192.0.2.1"])])).conflicts).toEqual([
      { name: "www.example.org", type: "A", reason: "Foreign", resource: "GlobalRoute/web/www" },
    ]);
  });

  test("has removals that are held among its changes, and names them", async () => {
    const many = ["a", "b", "c", "d"].map((name) => desired(`${name}.example.org`, ["192.0.2.1"]));
    const plan = await planOf(many, []);
    expect(plan.held.map(({ name }) => name)).toEqual(many.map(({ name }) => name));
    expect(plan.changes.filter(({ action, type }) => action === "Delete" && type === "A")).toHaveLength(4);
  });

  test("keeps policy, alias and health check of a set, so that it can be made of them again", async () => {
    const helper: DesiredSet = {
      ...{ name: helperName("near-0", SCOPE), type: "A", ttl: 60, values: ["192.0.2.1"], resource: "helpers" },
      routing: { id: "eu", by: { kind: "Weighted", weight: 10 } },
      healthCheck: { type: "TCP", address: "192.0.2.1", port: 443, interval: 10, threshold: 3 },
    };
    const host: DesiredSet = { ...SHOP, ttl: 0, values: [], alias: { target: helper.name, followsHealth: false } };
    const { changes } = await planOf([], [host, helper]);
    const sets = changes.filter(({ type }) => type === "A").map((change) => setOf(change, change.after!));
    expect(sets).toEqual([helper, host].map(({ resource: _, ...set }) => set));
    expect(changes[0]).toMatchObject({ setIdentifier: "eu" });
    expect(changes[0]).not.toHaveProperty("resource");
  });

  test("survives JSON", async () => {
    const plan = await planOf([SHOP], [CART]);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });
});

describe("the first difference", () => {
  const swap = (sets: readonly RecordSet[], after: RecordSet): readonly RecordSet[] =>
    sets.map((set) => (set.name === after.name && set.type === after.type ? after : set));

  test("is none between plans of a zone that is as it was, whatever the order of values", async () => {
    const two = desired("shop.example.org", ["192.0.2.8", "192.0.2.9"]);
    const turned = { ...two, values: [...two.values].reverse() };
    expect(firstDifference(await planOf([SHOP], [two, CART]), await planOf([SHOP], [CART, turned]))).toBeUndefined();
  });

  const MOVED = desired("shop.example.org", ["192.0.2.7"]);
  const cases: readonly { readonly name: string; readonly now: () => Promise<ZonePlan>; readonly says: string }[] = [
    {
      name: "a record that somebody changed",
      now: () => planOf([SHOP], [MOVED, CART], (sets) => swap(sets, { name: SHOP.name, type: "A", ttl: 30, values: ["192.0.2.66"] })),
      says: "shop.example.org A was 192.0.2.1, TTL 30 s, and is 192.0.2.66, TTL 30 s",
    },
    {
      name: "a record that somebody removed",
      now: () => planOf([SHOP], [MOVED, CART], (sets) => sets.filter(({ name }) => name !== SHOP.name)),
      says: "shop.example.org A was 192.0.2.1, TTL 30 s, and is not there",
    },
    {
      name: "a record that somebody made",
      now: () => planOf([SHOP], [MOVED, CART], (sets) => [...sets, { name: CART.name, type: "A", ttl: 5, values: ["192.0.2.66"] }]),
      says: "cart.example.org A was to be created, and what is there now is not ours (Foreign)",
    },
    {
      name: "something else that is wanted",
      now: () => planOf([SHOP], [desired("shop.example.org", ["192.0.2.8"]), CART]),
      says: "shop.example.org A was to become 192.0.2.7, TTL 30 s, and is now to become 192.0.2.8, TTL 30 s",
    },
    {
      name: "something more that is wanted",
      now: () => planOf([SHOP], [MOVED, CART, desired("new.example.org", ["192.0.2.8"])]),
      says: "new.example.org A is now to be created, which the plan does not have",
    },
    {
      name: "what has been done meanwhile",
      now: () => planOf([SHOP, CART], [MOVED, CART]),
      says: "cart.example.org A was to be created, and nothing is to be done there any more",
    },
    {
      name: "a registry record that somebody took, after all that is hosts'",
      now: () =>
        planOf([SHOP], [MOVED, CART], (sets) =>
          swap(sets, {
            ...{ name: "_globalroute.shop.example.org", type: "TXT", ttl: 9 },
            values: ['"heritage=globalroute,globalroute/owner=prod-eu,globalroute/types=A,globalroute/resource=GlobalRoute/web/shop"'],
          }),
        ),
      says: "_globalroute.shop.example.org TXT is now to be replaced, which the plan does not have",
    },
    {
      name: "another owner",
      now: async () => ({ ...(await planOf([SHOP], [MOVED, CART])), owner: "prod-us" }),
      says: "the owner of the DNSZone was prod-eu, and is prod-us",
    },
  ];
  test.each(cases)("$name", async ({ now, says }) => {
    expect(firstDifference(await planOf([SHOP], [MOVED, CART]), await now())).toBe(says);
  });
});
