import { describe, expect, test } from "vitest";
import { desired } from "../test/support/providers/provider-suite.ts";
import { applyChanges, type Change, type DesiredSet } from "./change.ts";
import { formatOwnership, registryName } from "./ownership.ts";
import { type PlanInput, planChanges } from "./planner.ts";
import type { RecordSet } from "./record-set.ts";

const SHOP = desired("shop.example.org", ["192.0.2.1"]);
const plain = ({ resource: _, ...set }: DesiredSet): RecordSet => set;
const set = (name: string, type: string, ...values: readonly string[]): RecordSet => ({ name, type, ttl: 30, values });
const ownedBy = (owner: string, name: string, ...types: readonly string[]): RecordSet =>
  formatOwnership(name, { owner, resource: `GlobalRoute/web/${name.split(".")[0]}`, types });

const plan = (more: Partial<PlanInput>) =>
  planChanges({ domain: "example.org", owner: "us", desired: [], actual: [], policy: "Sync", ...more });
const told = ({ action, ...change }: Change): string => {
  const { name, type } = "after" in change ? change.after : (change as { readonly before: RecordSet }).before;
  return `${action} ${name} ${type}`;
};
const changes = (more: Partial<PlanInput>): readonly string[] => plan(more).groups.flatMap((group) => group.changes.map(told));

describe("order", () => {
  test("what clients get otherwise goes first, then by name, parents before children", () => {
    const actual = [set("z.example.org", "A", "192.0.2.1"), ownedBy("us", "z.example.org", "A")];
    const wanted = ["b.a.example.org", "z.example.org", "a.example.org"].map((name) => desired(name, ["192.0.2.9"]));
    expect(plan({ desired: wanted, actual }).groups.map(({ name, isUrgent }) => `${name} ${isUrgent}`)).toEqual([
      "z.example.org true",
      "a.example.org false",
      "b.a.example.org false",
    ]);
  });

  test("an owner is told before there is anything to own, and until nothing is left", () => {
    expect(changes({ desired: [SHOP] })).toEqual(["Create _globalroute.shop.example.org TXT", "Create shop.example.org A"]);
    expect(changes({ actual: [plain(SHOP), ownedBy("us", SHOP.name, "A")] })).toEqual([
      "Delete shop.example.org A",
      "Delete _globalroute.shop.example.org TXT",
    ]);
  });

  test("a CNAME makes way before addresses come, and comes when they have gone", () => {
    const alias = desired(SHOP.name, ["x.example.net."], "CNAME");
    expect(changes({ desired: [SHOP], actual: [plain(alias), ownedBy("us", SHOP.name, "CNAME")] })).toEqual([
      "Replace _globalroute.shop.example.org TXT",
      "Delete shop.example.org CNAME",
      "Create shop.example.org A",
    ]);
    expect(changes({ desired: [alias], actual: [plain(SHOP), ownedBy("us", SHOP.name, "A")] })).toEqual([
      "Replace _globalroute.shop.example.org TXT",
      "Delete shop.example.org A",
      "Create shop.example.org CNAME",
    ]);
  });
});

describe("scripts that answer for addresses", () => {
  const script = desired(SHOP.name, ['A "return {}"'], "LUA");
  test("make way for addresses, and the other way round, also where nothing else is removed", () => {
    const actual = [plain(SHOP), ownedBy("us", SHOP.name, "A")];
    for (const policy of ["Sync", "UpsertOnly"] as const)
      expect(changes({ desired: [script], actual, policy })).toEqual([
        "Replace _globalroute.shop.example.org TXT",
        "Delete shop.example.org A",
        "Create shop.example.org LUA",
      ]);
    expect(changes({ desired: [SHOP], actual: [plain(script), ownedBy("us", SHOP.name, "LUA")] })).toEqual([
      "Replace _globalroute.shop.example.org TXT",
      "Delete shop.example.org LUA",
      "Create shop.example.org A",
    ]);
  });
  test("of ours do not come beside addresses of others, and ours not beside theirs", () => {
    expect(plan({ desired: [script], actual: [plain(SHOP)] }).conflicts).toMatchObject([{ type: "LUA", reason: "Foreign" }]);
    expect(plan({ desired: [SHOP], actual: [plain(script)] }).conflicts).toMatchObject([{ type: "A", reason: "Foreign" }]);
    expect(plan({ desired: [script], actual: [set(SHOP.name, "MX", "10 mail.example.org.")] }).conflicts).toEqual([]);
  });
});

describe("whose it is", () => {
  const cases: readonly { name: string; wanted?: DesiredSet; actual: readonly RecordSet[]; reason: string; owner?: string }[] = [
    { name: "a set that nobody claims", actual: [set(SHOP.name, "A", "192.0.2.9")], reason: "Foreign" },
    {
      name: "a type that our record does not list",
      actual: [set(SHOP.name, "A", "192.0.2.9"), ownedBy("us", SHOP.name, "AAAA")],
      reason: "Foreign",
    },
    { name: "another's name, even without a set", actual: [ownedBy("them", SHOP.name, "A")], reason: "OwnedByAnother", owner: "them" },
    {
      name: "something else in the registry's place",
      actual: [set(registryName(SHOP.name)!, "TXT", '"v=spf1 -all"')],
      reason: "OwnedByAnother",
    },
    { name: "an alias of others", actual: [set(SHOP.name, "CNAME", "x.example.net.")], reason: "CnameThere" },
    {
      name: "an alias beside what others have there",
      wanted: desired(SHOP.name, ["x.example.net."], "CNAME"),
      actual: [set(SHOP.name, "MX", "10 mail.example.org.")],
      reason: "NotAlone",
    },
    {
      name: "what is said of addresses that are somebody else's",
      wanted: desired(SHOP.name, ["1 . alpn=h2"], "HTTPS"),
      actual: [set(SHOP.name, "AAAA", "2001:db8::9")],
      reason: "Foreign",
    },
    { name: "the registry's own names", wanted: desired("x._globalroute.example.org", ["192.0.2.1"]), actual: [], reason: "Reserved" },
    {
      name: "a name without room for the registry's",
      wanted: desired(`${"a.".repeat(121)}org`, ["192.0.2.1"]),
      actual: [],
      reason: "Reserved",
    },
  ];
  test.each(cases)("$name is a conflict and stays", ({ wanted = SHOP, actual, reason, owner }) => {
    const { groups, conflicts } = plan({ desired: [wanted], actual });
    expect(groups.flatMap((group) => group.changes.map(told)).filter((change) => !change.includes("_globalroute."))).toEqual([]);
    expect(conflicts).toEqual([{ name: wanted.name, type: wanted.type, reason, ...(owner === undefined ? {} : { owner }) }]);
  });

  test("what is ours and has become a conflict stays ours", () => {
    const actual = [plain(SHOP), set(SHOP.name, "AAAA", "2001:db8::9"), ownedBy("us", SHOP.name, "A")];
    const { groups, conflicts } = plan({ desired: [SHOP, desired(SHOP.name, ["2001:db8::1"], "AAAA")], actual });
    expect([groups, conflicts]).toEqual([[], [{ name: SHOP.name, type: "AAAA", reason: "Foreign" }]]);
  });

  test("what somebody deleted of ours comes back", () => {
    expect(changes({ desired: [SHOP], actual: [ownedBy("us", SHOP.name, "A")] })).toEqual(["Create shop.example.org A"]);
  });
});

describe("taking over from ExternalDNS", () => {
  const theirs = (name: string, owner = "default"): RecordSet =>
    set(name, "TXT", `"heritage=external-dns,external-dns/owner=${owner},external-dns/resource=ingress/web/shop"`);
  const actual = [set(SHOP.name, "A", "192.0.2.9"), theirs("a-shop.example.org"), theirs("shop.example.org")];

  test("its records become ours in one step, and its registry goes", () => {
    expect(changes({ desired: [SHOP], actual, adoptFrom: ["default"] })).toEqual([
      "Create _globalroute.shop.example.org TXT",
      "Replace shop.example.org A",
      "Delete a-shop.example.org TXT",
    ]);
  });
  test("but only of the owners that are named, and only when asked", () => {
    for (const adoptFrom of [[], ["other"]])
      expect(plan({ desired: [SHOP], actual, adoptFrom }).conflicts).toMatchObject([{ reason: "Foreign" }]);
  });
});

describe("removals", () => {
  const names = Array.from({ length: 10 }, (_, i) => `n${i}.example.org`);
  const actual = names.flatMap((name) => [set(name, "A", "192.0.2.1"), ownedBy("us", name, "A")]);
  const without = (count: number): readonly DesiredSet[] => names.slice(count).map((name) => desired(name, ["192.0.2.1"]));

  test("of a bounded share pass", () => {
    expect(plan({ desired: without(3), actual })).toMatchObject({ held: [], groups: { length: 3 } });
  });
  test("of more are held, and everything else is done", () => {
    const { held, groups } = plan({ desired: [...without(4), SHOP], actual });
    expect([held.length, groups.map(({ name }) => name)]).toEqual([4, [SHOP.name]]);
  });
  test("pass when they are confirmed", () => {
    expect(plan({ desired: [], actual, isRemovalConfirmed: true })).toMatchObject({ held: [], groups: { length: 10 } });
  });
  test("are none by the policy UpsertOnly", () => {
    expect(plan({ desired: without(1), actual, policy: "UpsertOnly" })).toMatchObject({ kept: [{ name: names[0] }], groups: [] });
  });
});

test("an empty set is a fault of whoever desires it", () => {
  expect(() => plan({ desired: [{ ...SHOP, values: [] }] })).toThrow("shop.example.org A would be empty");
});

describe("any zone and any wish", () => {
  /** A generator of numbers below a bound, the same for a seed. */
  function dice(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
  }
  const NAMES = ["example.org", "a.example.org", "*.a.example.org", "b.a.example.org", "c.example.org"];
  const TYPES = ["A", "AAAA", "CNAME", "MX"];

  function story(seed: number): PlanInput {
    const roll = dice(seed);
    const values = (): readonly string[] => Array.from({ length: 1 + roll(2) }, (_, i) => `v${roll(3)}${i}`);
    const actual = NAMES.flatMap((name) => {
      const types = roll(5) === 0 ? ["CNAME"] : TYPES.filter((type) => type !== "CNAME" && roll(3) === 0);
      const sets = types.map((type) => ({ name, type, ttl: 5 + roll(2), values: values() }));
      const owner = ["us", "them", undefined][roll(3)];
      const claimed = TYPES.filter((type) => (types.includes(type) ? roll(3) > 0 : roll(6) === 0));
      return owner === undefined ? sets : [...sets, ownedBy(owner, name, ...claimed)];
    });
    const wished = NAMES.flatMap((name) => {
      const types = roll(4) === 0 ? ["CNAME"] : ["A", "AAAA"].filter(() => roll(2) === 0);
      return types.map((type) => desired(name, values(), type, 5 + roll(2)));
    });
    const policy = roll(4) === 0 ? "UpsertOnly" : "Sync";
    return { domain: "example.org", owner: "us", desired: wished, actual, policy, isRemovalConfirmed: roll(2) === 0 };
  }

  const key = ({ name, type }: RecordSet): string => `${name} ${type}`;
  const isRegistry = ({ name }: RecordSet): boolean => name.startsWith("_globalroute.");
  const isClaimed = (actual: readonly RecordSet[], { name, type }: RecordSet, owner: string): boolean =>
    actual.some((one) => one.name === registryName(name) && one.values[0]!.includes(`owner=${owner},`) && typesOf(one).includes(type));
  const typesOf = (one: RecordSet): readonly string[] => /types=([^,]*),/.exec(one.values[0]!)?.[1]?.split("+") ?? [];

  test.each(Array.from({ length: 8 }, (_, i) => i))("stories of thousand %i", (thousand) => {
    for (let seed = 1000 * thousand; seed < 1000 * (thousand + 1); seed++) {
      const input = story(seed);
      const first = planChanges(input);
      const all = first.groups.flatMap((group) => group.changes);
      const after = applyChanges(input.actual, all);
      const at = `seed ${seed}`;

      // Deterministic, whatever the order of what goes in; and what it leads to needs nothing more.
      expect(planChanges({ ...input, actual: input.actual.toReversed(), desired: input.desired.toReversed() }).groups, at).toEqual(
        first.groups,
      );
      const second = planChanges({ ...input, actual: after });
      expect(second.groups, at).toEqual([]);
      expect(second.conflicts, at).toEqual(first.conflicts);

      // Nothing of others is touched, and nothing is created where something is.
      for (const change of all) {
        const before = "before" in change ? change.before : undefined;
        if (before !== undefined && !isRegistry(before)) expect(isClaimed(input.actual, before, "us"), `${at} ${key(before)}`).toBe(true);
        if (before !== undefined && isRegistry(before)) expect(before.values[0], at).toContain("owner=us,");
        if (change.action === "Create") expect(input.actual.map(key), at).not.toContain(key(change.after));
      }
      // Every wish is fulfilled or told as a conflict; every fulfilled one is owned.
      for (const wish of input.desired) {
        const isRefused = first.conflicts.some((conflict) => key({ ...wish, ...conflict }) === key(wish));
        const there = after.find((one) => key(one) === key(wish));
        if (!isRefused) expect(there, `${at} ${key(wish)}`).toEqual(plain(wish));
        if (!isRefused) expect(isClaimed(after, wish, "us"), at).toBe(true);
      }
      // What is left of ours without a wish was held or kept; a CNAME never gets company that it did not have.
      for (const one of after) {
        if (isRegistry(one) || !isClaimed(input.actual, one, "us") || !isClaimed(after, one, "us")) continue;
        if (input.desired.some((wish) => key(wish) === key(one))) continue;
        expect([...first.held, ...first.kept].map(key), `${at} ${key(one)}`).toContain(key(one));
      }
    }
  });
});
