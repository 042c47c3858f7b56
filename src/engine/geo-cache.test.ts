import { expect, test } from "vitest";
import { testBackend, testInventory, testRoute } from "../../test/support/world/build-route.ts";
import type { GeoFiles } from "../geo/geo-files.ts";
import { createGeoCache } from "./world.ts";

const files = (id: string, fails = false): GeoFiles => ({
  id,
  files: [],
  get trees(): GeoFiles["trees"] {
    if (fails) throw new Error("unreadable");
    return [];
  },
  buildEpoch: 0,
  capabilities: { continent: true, country: true, subdivision: false, asn: false, coordinates: false },
});
const inventory = testInventory([testRoute([testBackend("frankfurt", 1)])]);

test("one table stands for as long as nobody asks for another", () => {
  const cache = createGeoCache();
  const today = files("today");
  const first = cache.table(today, inventory);
  expect(cache.table(today, { ...inventory, routes: inventory.routes.map((route) => ({ ...route, answers: 2 })) })).toBe(first);
  expect(cache.table(files("tomorrow"), inventory)).not.toBe(first);
});

test("files that cannot be built from are not taken for those of before, however often it is tried", () => {
  const cache = createGeoCache();
  cache.table(files("today"), inventory);
  const broken = files("tomorrow", true);
  for (let i = 0; i < 3; i++) expect(() => cache.table(broken, inventory)).toThrow("unreadable");
});
