import { describe, expect, test } from "vitest";
import { testBackend, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable, TEST_CENTROIDS } from "../../test/support/world/compile-test-world.ts";
import type { Inventory } from "../model/inventory.ts";
import { peopleOf } from "./moves.ts";
import { servedBy } from "./served-by.ts";
import { samplePeople, servingQuality } from "./serving-quality.ts";
import { Standing } from "./table.ts";

const POPULATION = new Map([...TEST_CENTROIDS].map(([country, { population }]) => [country, population]));
const BACKENDS = ["frankfurt", "dublin", "virginia", "tokyo"].map((name, i) => testBackend(name, i + 1));

function look(inventory: Inventory, standing: (backend: string) => Standing = () => Standing.Usable, most = 512) {
  const { table, measures } = compileTestTable(inventory, [COUNTRY_FILE]);
  for (const [i, { name }] of table.names.backends.entries()) table.state.standing.fill(standing(name), 2 * i, 2 * i + 2);
  const sample = samplePeople(table, peopleOf(table.geo, POPULATION), measures, most)!;
  const quality = servingQuality(table, 0, 0, sample);
  const rows = Array.from({ length: quality.regrets.length / 3 }, (_, i) => {
    const [km = 0, ms = 0, people = 0] = quality.regrets.subarray(3 * i, 3 * i + 3);
    return { km, ms, people };
  });
  return { table, sample, quality, rows, measures };
}

const worst = (rows: readonly { readonly km: number }[]) => Math.max(...rows.map(({ km }) => km));

describe("who is served", () => {
  test.each([
    ["Nearest", { order: "Nearest" as const }],
    ["by weight", { order: "Weighted" as const }],
  ])("%s: shares are those that the status tells", (_name, more) => {
    const { table, quality } = look(testInventory([testRoute(BACKENDS, more)]));
    const told = new Map(servedBy(table, 0, 0, POPULATION).map(({ cluster, population }) => [cluster, population]));
    table.names.clusters.forEach((cluster, i) => {
      expect(quality.shares[i]).toBeCloseTo(told.get(cluster) ?? 0, 1);
    });
    expect(quality.shares[quality.largest]).toBe(Math.max(...quality.shares));
  });

  test("nobody, while nothing may be answered", () => {
    const { quality } = look(testInventory([testRoute(BACKENDS)]), () => Standing.Excluded);
    expect([quality.largest, Math.max(...quality.shares), quality.regrets.length]).toEqual([-1, 0, 0]);
  });
});

describe("regret", () => {
  test("there is none where everybody is answered with the nearest", () => {
    const { rows } = look(testInventory([testRoute(BACKENDS)]));
    expect(rows.length).toBeGreaterThan(3);
    expect(worst(rows)).toBe(0);
  });

  test("whoever loses the nearest regrets the difference to the next, in km and in ms", () => {
    const { rows, table, measures } = look(testInventory([testRoute(BACKENDS)]), (name) =>
      name === "frankfurt" ? Standing.Unhealthy : Standing.Usable,
    );
    const germany = table.geo.places.find(({ country }) => country === "DE")!;
    const [frankfurt, dublin] = ["frankfurt", "dublin"].map((name) => table.names.clusters.indexOf(name)) as [number, number];
    const total = [...POPULATION.values()].reduce((sum, people) => sum + people, 0);
    const theirs = rows.filter(({ km }) => km > 0);
    expect(theirs.reduce((sum, { people }) => sum + people, 0)).toBeCloseTo(80 / total, 3);
    for (const { km, ms } of theirs) {
      expect(km).toBeCloseTo(measures.distance(germany, dublin)! - measures.distance(germany, frankfurt)!, 0);
      expect(ms).toBeGreaterThan(0);
    }
  });

  test("what a rule forbids is nobody's loss", () => {
    const rule = testRule("far", "Require", { countries: ["DE"] }, ["tokyo"]);
    expect(worst(look(testInventory([testRoute(BACKENDS, { rules: [rule] })])).rows)).toBe(0);
  });

  test("an order that looks at weights alone costs distance", () => {
    const near = testRoute(BACKENDS, { name: "near", hosts: ["near.example.org"] }); // so that coordinates are kept
    const { rows } = look(testInventory([testRoute(BACKENDS, { order: "Weighted" }), near]));
    expect(worst(rows)).toBeGreaterThan(5000);
    expect(rows.reduce((sum, { people }) => sum + people, 0)).toBeCloseTo(1, 5);
  });

  test("nothing is known of it where no route asks where clients are", () => {
    const { rows } = look(testInventory([testRoute(BACKENDS, { order: "Weighted" })]));
    expect(rows.every(({ km, ms }) => Number.isNaN(km) && Number.isNaN(ms))).toBe(true);
  });

  test("a backend without an address of the family is no better choice", () => {
    const backends = BACKENDS.map((one) => (one.name === "frankfurt" ? { ...one, addresses: ["2001:db8::1"] } : one));
    const { rows } = look(testInventory([testRoute(backends, { families: "Each" })]), (name) =>
      name === "frankfurt" ? Standing.Absent : Standing.Usable,
    );
    expect(worst(rows)).toBe(0);
  });
});

test("fewer places than there are stand for all people, the large ones heavier", () => {
  const { sample, table } = look(testInventory([testRoute(BACKENDS)]), undefined, 20);
  const weightOf = (country: string) =>
    [...sample.places].reduce((sum, place, i) => sum + (table.geo.places[place]!.country === country ? sample.weights[i]! : 0), 0);
  expect([...sample.weights].reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9);
  const few = samplePeople(
    table,
    Float64Array.from(table.geo.places, (_, i) => (i === 0 ? 0 : i)),
    { distance: () => 1, latency: () => undefined },
    3,
  )!;
  expect([...few.weights].reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9);
  expect(few.places.length).toBeLessThanOrEqual(3);
  expect(few.ms.every(Number.isNaN)).toBe(true);
  expect(weightOf("US")).toBeGreaterThan(weightOf("DE"));
});

test("where nobody lives there is nothing to tell", () => {
  const { table, measures } = look(testInventory([testRoute(BACKENDS)]));
  expect(samplePeople(table, new Float64Array(table.geo.places.length), measures, 10)).toBeUndefined();
});
