import { describe, expect, test } from "vitest";
import { testBackend, testCluster, testInventory, testRoute } from "../../test/support/world/build-route.ts";
import type { Inventory } from "../model/inventory.ts";
import { type Collapse, collapseOf, formatCollapse, type InputNames, isSameInput, namesOf } from "./input-collapse.ts";

/** Routes of one backend each, all in one cluster unless told otherwise, every route with an address of its own. */
function inventory(routes: readonly number[], clusters = ["dublin"]): Inventory {
  const all = routes.map((number) =>
    testRoute([testBackend(clusters[0]!, number, { addresses: [`192.0.2.${number}`] })], { name: `route-${number}` }),
  );
  return testInventory(all, { clusters: clusters.map((name) => testCluster(name)) });
}
const collapse = (before: Inventory, next: Inventory): readonly Collapse[] => collapseOf(namesOf(before), namesOf(next));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

describe("routes and endpoints", () => {
  const cases: readonly { name: string; before: Inventory; next: Inventory; says: string }[] = [
    { name: "nothing vanished", before: inventory(upTo(10)), next: inventory(upTo(12)), says: "" },
    { name: "30 % is not more than 30 %", before: inventory(upTo(10)), next: inventory(upTo(7)), says: "" },
    { name: "more is", before: inventory(upTo(10)), next: inventory(upTo(6)), says: "4 of 10 routes vanished, 4 of 10 endpoints vanished" },
    { name: "two of two may go: fewer than three", before: inventory(upTo(2)), next: inventory([]), says: "" },
    {
      name: "three of three may not",
      before: inventory(upTo(3)),
      next: inventory([]),
      says: "3 of 3 routes vanished, 3 of 3 endpoints vanished",
    },
    {
      name: "renamed is vanished",
      before: inventory([1, 2, 3, 4]),
      next: inventory([5, 6, 7, 8]),
      says: "4 of 4 routes vanished, 4 of 4 endpoints vanished",
    },
    {
      name: "what is new does not make up for it",
      before: inventory(upTo(5)),
      next: inventory([1, 2, ...upTo(30).slice(10)]),
      says: "3 of 5 routes vanished, 3 of 5 endpoints vanished",
    },
  ];
  test.each(cases)("$name", ({ before, next, says }) => expect(formatCollapse(collapse(before, next))).toBe(says));
});

test("nothing at all is left: a collapse, however little there was", () => {
  const nothing = namesOf(inventory([], []));
  const zones = (many: number) =>
    namesOf({ routes: [], clusters: [], zones: upTo(many).map((number) => ({ domain: `zone-${number}.example.org` })) });
  const lost = (before: InputNames, next: InputNames): string => formatCollapse(collapseOf(before, next));
  const two = namesOf(inventory([1, 2]));
  expect(lost(two, nothing)).toBe("2 of 2 routes vanished, 1 of 1 cluster vanished, 2 of 2 endpoints vanished");
  expect(lost(zones(1), nothing)).toBe("1 of 1 zone vanished");
  expect(lost(nothing, nothing)).toBe("");
  expect(lost(two, zones(1))).toBe("");
  expect(lost(zones(4), zones(1))).toBe("3 of 4 zones vanished");
});

test("clusters alone", () => {
  const before = inventory([1], ["dublin", "berlin", "tokyo", "paulo"]);
  expect(collapse(before, inventory([1], ["dublin"]))).toEqual([{ kind: "clusters", before: 4, vanished: 3 }]);
});

test("endpoints alone: the routes stay, their addresses go", () => {
  const wide = testRoute([testBackend("dublin", 1, { addresses: upTo(10).map((number) => `192.0.2.${number}`) })]);
  const narrow = testRoute([testBackend("dublin", 1, { addresses: ["192.0.2.1"] })]);
  expect(formatCollapse(collapse(testInventory([wide]), testInventory([narrow])))).toBe("9 of 10 endpoints vanished");
});

test("a backend that moves to another cluster with its addresses is a vanished endpoint", () => {
  const of = (cluster: string) =>
    testInventory(
      [testRoute(upTo(4).map((number) => testBackend(cluster, number, { name: `b${number}`, addresses: [`192.0.2.${number}`] })))],
      { clusters: [] },
    );
  expect(collapse(of("dublin"), of("tokyo"))).toEqual([{ kind: "endpoints", before: 4, vanished: 4 }]);
});

test("the same input is the same names of every kind, whatever else differs", () => {
  const same = (a: Inventory, b: Inventory): boolean => isSameInput(namesOf(a), namesOf(b));
  const retimed = { ...inventory([1, 2]), routes: inventory([1, 2]).routes.map((route) => ({ ...route, answers: 7 })) };
  expect(same(inventory([1, 2]), retimed)).toBe(true);
  expect(same(inventory([1, 2]), inventory([1, 3]))).toBe(false);
  expect(same(inventory([1, 2]), inventory([1]))).toBe(false);
  expect(same(inventory([1]), inventory([1, 2]))).toBe(false);
  expect(same(inventory([1], ["dublin"]), inventory([1], ["dublin", "tokyo"]))).toBe(false);
});
