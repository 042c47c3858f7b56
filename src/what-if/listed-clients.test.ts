import { expect, test } from "vitest";
import { testBackend, testInventory, testRoute } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable } from "../../test/support/world/compile-test-world.ts";
import { leafOfV4 } from "../geo/lookup.ts";
import { parsePrefix } from "../model/ip.ts";
import { isV6, totalWeight } from "./clients.ts";
import { listClients } from "./listed-clients.ts";

const { geo } = compileTestTable(testInventory([testRoute([testBackend("dublin", 1)])]), [COUNTRY_FILE]).table;

function listed(...entries: readonly (readonly [string, number])[]) {
  const clients = listClients(
    geo,
    entries.map(([text, weight]) => ({ network: parsePrefix(text)!, weight })),
  );
  if ("tooWide" in clients) throw new Error(`entry ${clients.tooWide} is too wide`);
  const country = (client: number) => geo.places[geo.leafPlace[leafOfV4(geo, clients.v4[client]!)]!]!.country;
  return { clients, country };
}

test("an address is one client", () => {
  const { clients, country } = listed(["198.51.100.40", 3]);
  expect(clients.count).toBe(1);
  expect(country(0)).toBe("IE");
  expect(clients.weight[0]).toBe(3);
});

test("a network of several countries counts in each by its addresses", () => {
  // Five of its eight /27 have a country.
  const { clients, country } = listed(["198.51.100.0/24", 8]);
  const weights = new Map<string | undefined, number>();
  for (let client = 0; client < clients.count; client++)
    weights.set(country(client), (weights.get(country(client)) ?? 0) + clients.weight[client]!);
  expect(Object.fromEntries(weights)).toEqual({ DE: 1, IE: 1, US: 1, JP: 1, BR: 1, undefined: 3 });
});

test("a wide network of one place is cut into clients of different slots", () => {
  const { clients } = listed(["203.0.0.0/16", 10]);
  expect(clients.count).toBe(256);
  expect(new Set([...clients.v4].map((address) => address >>> 8)).size).toBe(256);
  expect(totalWeight(clients)).toBeCloseTo(10, 9);
});

test("both families stand in one list", () => {
  const { clients } = listed(["198.51.100.1", 1], ["2001:db8:1::/48", 2], ["198.51.100.2", 3]);
  expect([0, 1, 2].map((client) => isV6(clients, client))).toEqual([false, true, false]);
  expect([...clients.v4.filter((_, client) => !isV6(clients, client))].map((address) => address & 255)).toEqual([1, 2]);
  expect([...clients.v6.slice(16, 22)]).toEqual([0x20, 0x01, 0x0d, 0xb8, 0, 1]);
});
