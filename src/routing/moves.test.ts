import { describe, expect, test } from "vitest";
import { testBackend, testInventory, testRoute } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable, everythingUsable } from "../../test/support/world/compile-test-world.ts";
import { clearestMove, commonestMove, crowdOf, peopleOf, type Serving, sampleServing } from "./moves.ts";
import { type RoutingTable, Standing } from "./table.ts";

const NAMES = ["frankfurt", "dublin", "virginia", "tokyo"];
const backends = NAMES.map((name, i) => testBackend(name, i + 1));

function world(more: Parameters<typeof testRoute>[1] = {}): RoutingTable {
  const { table } = compileTestTable(testInventory([testRoute(backends, more)]), [COUNTRY_FILE]);
  everythingUsable(table);
  return table;
}
const stand = (table: RoutingTable, standing: Standing, ...names: readonly string[]) => {
  for (const name of names) for (const family of [0, 1]) table.state.standing[2 * NAMES.indexOf(name) + family] = standing;
};

const POPULATION = new Map([
  ["DE", 80],
  ["IE", 5],
  ["US", 330],
  ["JP", 120],
  ["BR", 210],
]);
const crowd = (table: RoutingTable, population: ReadonlyMap<string, number> = POPULATION, most = 100) =>
  crowdOf(table, table.hot.policyPartition[table.hot.routePolicy[0]!]!, peopleOf(table.geo, population), most);
const sample = (table: RoutingTable, population?: ReadonlyMap<string, number>): Serving =>
  sampleServing(table, 0, crowd(table, population));

function moved(table: RoutingTable, act: () => void, cluster: string, population?: ReadonlyMap<string, number>): string | undefined {
  const before = sample(table, population);
  act();
  const move = commonestMove(before, sample(table, population), NAMES.indexOf(cluster));
  return move && `${NAMES[move.from]} → ${NAMES[move.to]}`;
}

describe("who moved", () => {
  test("an outage: to where most of its people go", () => {
    const both = () => {
      const table = world();
      return { table, act: () => stand(table, Standing.Unhealthy, "virginia", "frankfurt") };
    };
    // Virginia's people are Americans, who go to Dublin, and Brazilians, who do so too; Frankfurt's are Germans.
    const one = both();
    expect(moved(one.table, one.act, "virginia")).toBe("virginia → dublin");
    const other = both();
    expect(moved(other.table, other.act, "dublin", new Map([["DE", 1000]]))).toBe("frankfurt → dublin");
    const third = both();
    expect(moved(third.table, third.act, "dublin", new Map([["US", 1000]]))).toBe("virginia → dublin");
  });
  test("there and back", () => {
    const table = world();
    expect(moved(table, () => stand(table, Standing.Unhealthy, "frankfurt"), "frankfurt")).toBe("frankfurt → dublin");
    expect(moved(table, () => stand(table, Standing.Usable, "frankfurt"), "frankfurt")).toBe("dublin → frankfurt");
  });
  test("sticky routes move too", () => {
    const table = world({ order: "Weighted", sticky: "ClientSubnet" });
    expect(moved(table, () => stand(table, Standing.Unhealthy, "tokyo"), "tokyo")).toMatch(/^tokyo → /);
  });
  test("nobody, when the cluster served nobody", () => {
    const table = world({ order: "Priority" });
    expect(moved(table, () => stand(table, Standing.Unhealthy, "tokyo"), "tokyo")).toBeUndefined();
  });
  test("what another cluster's clients do is another question", () => {
    const table = world();
    expect(moved(table, () => stand(table, Standing.Unhealthy, "tokyo"), "dublin")).toBeUndefined();
  });
});

test("desperate are the samples answered by fail-open or a hold, not those that wait for a failback", () => {
  const table = world();
  expect(sample(table).desperate).toBe(0);
  stand(table, Standing.Pending, ...NAMES);
  expect(sample(table).desperate).toBe(0);
  stand(table, Standing.Unhealthy, ...NAMES);
  const all = sample(table);
  expect(all.desperate).toBe(all.clusters.length);
  stand(table, Standing.Excluded, ...NAMES);
  expect(sample(table)).toMatchObject({ desperate: 0 });
  expect(new Set(sample(table).clusters)).toEqual(new Set([-1]));
});

describe("the crowd", () => {
  test("classes by people, most first, each with at least one", () => {
    const table = world();
    const { classes, people } = crowd(table);
    expect(classes).toHaveLength(table.partitions[0]!.classes);
    expect([...people]).toEqual([...people].toSorted((a, b) => b - a));
    expect(people[0]).toBe(541); // Americans and Brazilians have one plan
    expect(people.at(-1)).toBe(1); // nobody is known to live nowhere
  });
  test("no more of them than asked for", () => expect(crowd(world(), POPULATION, 2).people).toHaveLength(2));
});

test("a family that is not offered is not sampled", () => {
  const { table } = compileTestTable(
    testInventory([testRoute(backends.map((backend) => ({ ...backend, addresses: [backend.addresses[0]!] })))]),
    [COUNTRY_FILE],
  );
  const { clusters, desperate } = sample(table);
  expect(desperate).toBe(clusters.length / 2); // all unknown yet, IPv4 alone
});

describe("the clients that can show a move", () => {
  const crowd = { classes: Uint32Array.of(3, 5), people: Float64Array.of(10, 20) };
  /** Clusters by slot: IPv4 of both classes, then IPv6. */
  const serving = (...rows: readonly (readonly number[])[]) => ({ crowd, desperate: 0, clusters: Int32Array.from(rows.flat()) });
  const [ALL_0, ALL_1, NONE] = [
    [0, 0, 0, 0],
    [1, 1, 1, 1],
    [-1, -1, -1, -1],
  ];

  test.each([
    ["the larger class of those that left", serving(ALL_0, ALL_0, NONE, NONE), serving(ALL_1, ALL_1, NONE, NONE), { class: 5, family: 0 }],
    ["not one of which some stay", serving(ALL_0, ALL_0, NONE, NONE), serving(ALL_1, [1, 1, 1, 0], NONE, NONE), { class: 3, family: 0 }],
    [
      "nobody, while some of every class stay",
      serving(ALL_0, ALL_0, NONE, NONE),
      serving([0, 1, 1, 1], [1, 1, 1, 0], NONE, NONE),
      undefined,
    ],
    [
      "by the other family where that one left",
      serving(ALL_0, ALL_0, ALL_0, ALL_0),
      serving(ALL_0, ALL_0, ALL_0, ALL_1),
      { class: 5, family: 1 },
    ],
    [
      "not one that is answered with nothing now",
      serving(ALL_0, ALL_0, NONE, NONE),
      serving(ALL_1, NONE, NONE, NONE),
      { class: 3, family: 0 },
    ],
    ["not one that was elsewhere already", serving(ALL_0, ALL_1, NONE, NONE), serving(ALL_1, ALL_1, NONE, NONE), { class: 3, family: 0 }],
  ] as const)("%s", (_name, before, after, expected) => {
    const found = clearestMove(before, after, 0);
    expect(found === undefined ? undefined : { class: found.class, family: found.family }).toEqual(expected);
  });
});
