import { expect, test } from "vitest";
import { oracleKm } from "../../test/support/oracle/geo.ts";
import { loadCentroids } from "./country-centroids.ts";
import { loadGeoFiles } from "./geo-files.ts";

const centroids = loadCentroids();

// The middle of where people live, which is not the middle of the land.
const cases = [
  { country: "DE", continent: "EU", latitude: 51.3, longitude: 9.5, withinKm: 100 },
  { country: "US", continent: "NA", latitude: 38, longitude: -92, withinKm: 250 },
  { country: "JP", continent: "AS", latitude: 35.5, longitude: 137.5, withinKm: 200 },
  { country: "BR", continent: "SA", latitude: -18, longitude: -45.5, withinKm: 250 },
  { country: "ZA", continent: "AF", latitude: -28.5, longitude: 27, withinKm: 200 },
  { country: "AU", continent: "OC", latitude: -33.5, longitude: 145, withinKm: 250 },
  { country: "FJ", continent: "OC", latitude: -17.8, longitude: 178, withinKm: 100 }, // astride the date line
  { country: "NZ", continent: "OC", latitude: -39.7, longitude: 174.5, withinKm: 100 },
];
test.each(cases)("$country is where its people are", ({ country, continent, latitude, longitude, withinKm }) => {
  const centroid = centroids.get(country)!;
  expect(centroid.continent).toBe(continent);
  expect(oracleKm(centroid.latitude, centroid.longitude, latitude, longitude)).toBeLessThan(withinKm);
});

test("every country of the default geo file has one", async () => {
  const { trees } = await loadGeoFiles([]);
  const missing = trees[0]!.records.flatMap(({ country }) => (country !== undefined && !centroids.has(country) ? [country] : []));
  expect(missing).toEqual([]);
});

test("all are on Earth, to a tenth of a degree, on one of seven continents", () => {
  for (const [country, { continent, latitude, longitude, population }] of centroids) {
    expect(country).toMatch(/^[A-Z]{2}$/);
    expect(continent).toMatch(/^(AF|AN|AS|EU|NA|OC|SA)$/);
    expect(Math.abs(latitude)).toBeLessThanOrEqual(90);
    expect(Math.abs(longitude)).toBeLessThanOrEqual(180);
    expect(latitude * 10).toBeCloseTo(Math.round(latitude * 10), 9);
    expect(population).toBeGreaterThanOrEqual(0);
  }
});
