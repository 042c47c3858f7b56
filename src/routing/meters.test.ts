import { expect, test } from "vitest";
import { testBackend, testInventory, testRoute } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable } from "../../test/support/world/compile-test-world.ts";
import { createMeters, METERS } from "./meters.ts";

const tableOf = (...clusters: readonly string[]) =>
  compileTestTable(testInventory([testRoute(clusters.map((name, i) => testBackend(name, i + 1)))]), [COUNTRY_FILE]).table;

test("a cluster keeps its number from table to table, wherever it stands there", () => {
  const meters = createMeters();
  const first = tableOf("dublin", "tokyo");
  meters.number(first);
  const second = tableOf("tokyo", "virginia", "dublin");
  meters.number(second);
  expect([...first.state.meter]).toEqual([1, 2]);
  expect([...second.state.meter]).toEqual([2, 3, 1]);
  expect(meters.names).toEqual(["", "dublin", "tokyo", "virginia"]);
});

test("what comes when all numbers are given is counted together", () => {
  const meters = createMeters();
  const names = Array.from({ length: METERS + 5 }, (_, i) => `c${i}`);
  const table = {
    names: { clusters: names, backends: names.map((name, cluster) => ({ name, cluster })) },
    state: { meter: new Uint16Array(names.length) },
  };
  meters.number({
    ...tableOf("dublin"),
    names: { ...tableOf("dublin").names, ...table.names },
    state: { ...tableOf("dublin").state, ...table.state },
  });
  expect(meters.names).toHaveLength(METERS);
  expect([...table.state.meter.slice(-7)]).toEqual([METERS - 1, 0, 0, 0, 0, 0, 0]);
});
