import { describe, expect, test } from "vitest";
import { desired } from "../test/support/providers/provider-suite.ts";
import { applyChanges, type Change, type DesiredSet } from "./change.ts";
import { helperName, isHelper } from "./helper-sets.ts";
import { formatOwnership } from "./ownership.ts";
import { type PlanInput, planChanges } from "./planner.ts";
import type { RecordSet } from "./record-set.ts";

const SCOPE = { domain: "example.org", owner: "prod-eu" };
const helper = (label: string): string => helperName(label, SCOPE);
const leaf = (label: string, address: string): DesiredSet => ({ ...desired(helper(label), [address]), resource: "helpers" });
const aliasing = (name: string, target: string, more: Partial<DesiredSet> = {}): DesiredSet => ({
  ...desired(name, [], "A", 0),
  alias: { target, followsHealth: true },
  ...more,
});
const weighted = (label: string, target: string, weight: number): DesiredSet =>
  aliasing(helper(label), helper(target), { routing: { id: target, by: { kind: "Weighted", weight } }, resource: "helpers" });
const plain = ({ resource: _, ...set }: DesiredSet): RecordSet => set;
const SHOP = "shop.example.org";
const owned = formatOwnership(SHOP, { owner: "prod-eu", resource: "GlobalRoute/web/shop", types: ["A"] });

const plan = (more: Partial<PlanInput>) => planChanges({ ...SCOPE, desired: [], actual: [], policy: "Sync", ...more });
const told = (change: Change): string => {
  const set = change.action === "Delete" ? change.before : change.after;
  return [change.action, set.name.replace(`.${SCOPE.owner}._routes._globalroute.example.org`, ""), set.routing?.id]
    .filter(Boolean)
    .join(" ");
};
const changes = (more: Partial<PlanInput>): readonly string[] => plan(more).groups.flatMap((group) => group.changes.map(told));

const TREE = [
  aliasing(SHOP, helper("shares")),
  weighted("shares", "east", 1),
  weighted("shares", "west", 2),
  leaf("east", "20.0.0.1"),
  leaf("west", "20.0.0.2"),
];
const THERE = [...TREE.map(plain), owned];

test("a helper is known by its name, and only its owner's is ours", () => {
  expect(isHelper(helper("near-0-0123456789"), SCOPE)).toBe(true);
  for (const owner of ["prod-us", "eu", "x.prod-eu"]) expect(isHelper(helperName("near-0", { ...SCOPE, owner }), SCOPE)).toBe(false);
  expect(isHelper(`a.${helper("near-0")}`, SCOPE)).toBe(false);
});

describe("order", () => {
  test("what is aliased is there before what aliases it", () => {
    expect(changes({ desired: TREE })).toEqual([
      "Create east",
      "Create west",
      "Create shares east",
      "Create shares west",
      "Create _globalroute.shop.example.org",
      "Create shop.example.org",
    ]);
  });
  test("and leaves after it, without a registry record of its own", () => {
    expect(changes({ actual: THERE })).toEqual([
      "Delete shop.example.org",
      "Delete _globalroute.shop.example.org",
      "Delete shares east",
      "Delete shares west",
      "Delete west",
      "Delete east",
    ]);
  });
  test("another tree in the place of one: made, aliased, and only then is the old one removed", () => {
    const other = [aliasing(SHOP, helper("lone")), leaf("lone", "20.0.0.3")];
    expect(changes({ desired: other, actual: THERE })).toEqual([
      "Create lone",
      "Replace shop.example.org",
      "Delete shares east",
      "Delete shares west",
      "Delete west",
      "Delete east",
    ]);
  });
});

test("a helper stays while a host that is held back needs it", () => {
  const { groups, held } = plan({ actual: THERE, policy: "UpsertOnly" });
  expect([groups, held]).toEqual([[], []]);
  const hosts = ["a", "b", "c", "d"].map((name) => aliasing(`${name}.example.org`, helper("lone")));
  const owners = hosts.map(({ name }) => formatOwnership(name, { owner: "prod-eu", resource: "GlobalRoute/web/x", types: ["A"] }));
  const actual = [...hosts.map(plain), ...owners, plain(leaf("lone", "20.0.0.1"))];
  expect(plan({ actual })).toMatchObject({ held: { length: 4 }, groups: [] });
  expect(plan({ actual, isRemovalConfirmed: true })).toMatchObject({ held: [], groups: { length: 5 } });
});

test("what others alias of ours stays for them", () => {
  const theirs = plain(aliasing("theirs.example.org", helper("shares")));
  expect(changes({ actual: [...THERE, theirs] })).toEqual(["Delete shop.example.org", "Delete _globalroute.shop.example.org"]);
});

describe("several sets of one name and type", () => {
  const at = (id: string, weight: number, address: string): DesiredSet => ({
    ...desired(SHOP, [address]),
    routing: { id, by: { kind: "Weighted", weight } },
  });
  test("a member comes, changes, and goes without the guard of removals", () => {
    const actual = [at("east", 1, "20.0.0.1"), at("west", 1, "20.0.0.2")].map(plain);
    const wanted = [at("east", 2, "20.0.0.1"), at("north", 1, "20.0.0.3")];
    const { groups, held } = plan({ desired: wanted, actual: [...actual, owned] });
    expect(held).toEqual([]);
    expect(groups).toMatchObject([{ isUrgent: true }]);
    expect(groups[0]?.changes.map(told)).toEqual([`Replace ${SHOP} east`, `Create ${SHOP} north`, `Delete ${SHOP} west`]);
  });
  test("sets of another kind make way first, as a provider has one kind at a name and type", () => {
    const actual = [plain(desired(SHOP, ["20.0.0.1"])), owned];
    const wanted = [at("east", 1, "20.0.0.1"), at("west", 1, "20.0.0.2")];
    expect(changes({ desired: wanted, actual })).toEqual([`Delete ${SHOP}`, `Create ${SHOP} east`, `Create ${SHOP} west`]);
    const near = wanted.map((set) => ({
      ...set,
      routing: { id: set.routing!.id, by: { kind: "GeoProximity", latitude: 1, longitude: 2, bias: 0 } as const },
    }));
    expect(changes({ desired: near, actual: [...wanted.map(plain), owned] })).toEqual([
      `Delete ${SHOP} east`,
      `Delete ${SHOP} west`,
      `Create ${SHOP} east`,
      `Create ${SHOP} west`,
    ]);
  });
});

test("what a plan leads to needs nothing more, from any tree to any other", () => {
  const trees: readonly (readonly DesiredSet[])[] = [
    [],
    TREE,
    [aliasing(SHOP, helper("lone")), leaf("lone", "20.0.0.3")],
    [aliasing(SHOP, helper("shares")), weighted("shares", "east", 9), leaf("east", "20.0.0.9")],
    [desired(SHOP, ["20.0.0.4"])],
    [aliasing(SHOP, helper("chain")), aliasing(helper("chain"), helper("shares"), { resource: "helpers" }), ...TREE.slice(1)],
  ];
  for (const from of trees) {
    const first = applyChanges(
      [],
      plan({ desired: from }).groups.flatMap((group) => group.changes),
    );
    for (const to of trees) {
      const changed = applyChanges(
        first,
        plan({ desired: to, actual: first }).groups.flatMap((group) => group.changes),
      );
      expect(plan({ desired: to, actual: changed }).groups).toEqual([]);
      for (const { alias } of changed) if (alias !== undefined) expect(changed.map(({ name }) => name)).toContain(alias.target);
    }
  }
});
