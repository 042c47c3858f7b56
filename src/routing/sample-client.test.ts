import { expect, test } from "vitest";
import { testBackend, testInventory, testRoute } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable } from "../../test/support/world/compile-test-world.ts";
import { leafOfV4, leafOfV6 } from "../geo/lookup.ts";
import { peopleOf } from "./moves.ts";
import { sampleClient } from "./sample-client.ts";

const inventory = testInventory([testRoute([testBackend("frankfurt", 1), testBackend("virginia", 2), testBackend("tokyo", 3)])]);
const { table } = compileTestTable(inventory, [COUNTRY_FILE]);

test("the network of each class lies in the class, where most of its people live", () => {
  const people = peopleOf(table.geo, new Map(["DE", "FR", "US", "JP", "IE"].map((country, i) => [country, 10 * (i + 1)])));
  const partition = table.partitions[0]!;
  let found = 0;
  for (let cls = 0; cls < partition.classes; cls++) {
    const network = sampleClient(table, 0, cls, people);
    if (network === undefined) continue;
    found++;
    const [a = 0, b = 0, c = 0, d = 0] = network.address;
    const leaf = network.family === 4 ? leafOfV4(table.geo, (a << 24) | (b << 16) | (c << 8) | d) : leafOfV6(table.geo, network.address, 0);
    const place = table.geo.leafPlace[leaf]!;
    expect(partition.classOfPlace[place]).toBe(cls);
    const places = new Set(table.geo.leafPlace);
    const most = Math.max(...[...places].filter((one) => partition.classOfPlace[one] === cls).map((one) => people[one]!));
    expect(people[place]).toBe(most);
    expect(network.length).toBeGreaterThanOrEqual(network.family === 4 ? 24 : 48);
  }
  expect(found).toBeGreaterThan(1);
});

test("a class without a network has no sample", () => {
  expect(sampleClient(table, 0, 1_000_000, new Float64Array(table.geo.places.length))).toBeUndefined();
});
