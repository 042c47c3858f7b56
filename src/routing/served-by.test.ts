import { expect, test } from "vitest";
import { testBackend, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable, everythingUsable } from "../../test/support/world/compile-test-world.ts";
import { servedBy } from "./served-by.ts";
import { Standing } from "./table.ts";

const population = new Map([
  ["DE", 80],
  ["IE", 5],
  ["US", 330],
  ["JP", 120],
  ["BR", 210],
  ["FR", 1000], // in no file
]);
const backends = ["dublin", "frankfurt", "virginia", "tokyo"].map((name, i) => testBackend(name, i + 1));
const world = (more: Parameters<typeof testRoute>[1] = {}) => {
  const { table } = compileTestTable(testInventory([testRoute(backends, more)]), [COUNTRY_FILE]);
  everythingUsable(table);
  return table;
};
const rounded = (table: ReturnType<typeof world>) =>
  servedBy(table, 0, 0, population).map(({ cluster, population: share, countries }) => ({
    cluster,
    people: Math.round(share * 745),
    countries: countries.join(" "),
  }));

test("people by nearest cluster, most first, with their countries", () => {
  expect(rounded(world())).toEqual([
    { cluster: "virginia", people: 540, countries: "US BR" },
    { cluster: "tokyo", people: 120, countries: "JP" },
    { cluster: "frankfurt", people: 80, countries: "DE" },
    { cluster: "dublin", people: 5, countries: "IE" },
  ]);
});

test("an outage shows, and a Require rule does not leak", () => {
  const table = world({ rules: [testRule("r", "Require", { countries: ["JP"] }, ["dublin"])] });
  table.state.standing.fill(Standing.Unhealthy, 2 * 2, 2 * 2 + 2);
  expect(rounded(table)).toEqual([
    { cluster: "dublin", people: 665, countries: "US BR JP IE" },
    { cluster: "frankfurt", people: 80, countries: "DE" },
  ]);
});

test("shares of a tier are seen, whether the route is sticky or not", () => {
  for (const sticky of ["None", "ClientSubnet"] as const) {
    const shares = servedBy(world({ order: "Weighted", sticky }), 0, 0, population);
    expect(shares).toHaveLength(4);
    for (const { population: share } of shares) expect(share).toBeCloseTo(0.25, 0.5);
  }
});

test("nothing at all when nobody may be answered", () => {
  const table = world();
  table.state.standing.fill(Standing.Excluded);
  expect(servedBy(table, 0, 0, population)).toEqual([]);
});
