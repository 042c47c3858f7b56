import { expect, test } from "vitest";
import type { Change } from "../change.ts";
import { formatOwnership } from "../ownership.ts";
import type { RecordSet } from "../record-set.ts";
import { registryAfter, registryOf, wholeNames } from "./whole-names.ts";

const set = (name: string, value: string): RecordSet => ({ name, type: "A", ttl: 30, values: [value] });
const owner = (name: string, types: readonly string[] = ["A"]): RecordSet =>
  formatOwnership(name, { owner: "prod-eu", resource: "GlobalRoute/web/shop", types });
const SHOP = set("shop.example.org", "192.0.2.1");
const OTHER = set("*.wild.example.org", "192.0.2.1");
const REGISTRY = registryOf([SHOP, OTHER, owner(SHOP.name), owner(OTHER.name)]);
const replace = (before: RecordSet): Change => ({ action: "Replace", before, after: { ...before, ttl: 5 } });
const names = (changes: readonly Change[]): readonly string[] =>
  changes.map((change) => (change.action === "Delete" ? change.before.name : change.after.name));

test("a name that is replaced goes with its record, once", () => {
  const all = [replace(SHOP), replace({ ...SHOP, type: "AAAA" }), replace(OTHER)];
  expect(names(wholeNames(all, REGISTRY))).toEqual([
    ...["_globalroute.shop.example.org", "shop.example.org", "shop.example.org"],
    ...["_globalroute._wildcard.wild.example.org", "*.wild.example.org"],
  ]);
});

test("what comes or goes brings its own", () => {
  const changes: readonly Change[] = [
    { action: "Delete", before: SHOP },
    { action: "Delete", before: owner(SHOP.name) },
    { action: "Create", after: OTHER },
  ];
  expect(wholeNames(changes, REGISTRY)).toEqual(changes);
  const told: readonly Change[] = [{ action: "Replace", before: owner(SHOP.name), after: owner(SHOP.name, ["A", "AAAA"]) }, replace(SHOP)];
  expect(wholeNames(told, REGISTRY)).toEqual(told);
});

test("the registry follows what is written", () => {
  const after = registryAfter(REGISTRY, [
    { action: "Delete", before: owner(SHOP.name) },
    { action: "Replace", before: owner(OTHER.name), after: owner(OTHER.name, ["LUA"]) },
    { action: "Create", after: SHOP },
  ]);
  expect([...after]).toEqual([[OTHER.name, owner(OTHER.name, ["LUA"])]]);
});
