import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { oracleKm } from "../../test/support/oracle/geo.ts";
import { along, latencyOf, lineOf, newLatencyMap, seedOf } from "./latency-model.ts";

const at = (name: string, latitude: number, longitude: number, continent?: string) => ({
  name,
  location: { latitude, longitude, label: name, ...(continent !== undefined && { continent }) },
});
const frankfurt = at("eu-central", 50.11, 8.68, "EU");
const berlin = { latitude: 52.5, longitude: 13.4, continent: "EU" };

test("without evidence it is the seed of the client's continent", () => {
  const estimate = latencyOf(newLatencyMap(), berlin, frankfurt)!;
  expect(estimate.source).toBe("model");
  expect(estimate.ms).toBeCloseTo(5 + (1.6 * 423) / 100, 0); // Berlin to Frankfurt: 423 km
});

test("a client of unknown continent gets the mean of all seeds", () => {
  expect(seedOf(undefined)).toEqual(seedOf("??"));
  expect(seedOf(undefined).a).toBeCloseTo((10 + 10 + 8 + 5 + 5 + 7 + 8) / 7);
});

test("a place without coordinates has no estimate", () =>
  expect(latencyOf(newLatencyMap(), { continent: "EU" }, frankfurt)).toBeUndefined());

test("seeds are in the range that measurements of the field allow", () => {
  for (const continent of ["AF", "AN", "AS", "EU", "NA", "OC", "SA", undefined]) {
    const { a, f } = seedOf(continent);
    expect(a).toBeGreaterThanOrEqual(5);
    expect(a).toBeLessThanOrEqual(10);
    expect(f).toBeGreaterThanOrEqual(1.6);
    expect(f).toBeLessThanOrEqual(2.2);
  }
});

describe("a measured value", () => {
  const measured = { latitude: 52.5, longitude: 13.4, cluster: "eu-central", distanceKm: 423, ms: 44 };
  const map = { cells: {}, measured: [measured] };
  const cases = [
    { name: "stands in at the vantage", place: berlin, cluster: frankfurt, source: "measured" },
    { name: "stands in 284 km away", place: { latitude: 53.6, longitude: 9.6, continent: "EU" }, cluster: frankfurt, source: "measured" },
    { name: "does not 310 km away", place: { latitude: 53.6, longitude: 9.2, continent: "EU" }, cluster: frankfurt, source: "model" },
    { name: "does not for another cluster", place: berlin, cluster: { ...frankfurt, name: "other" }, source: "model" },
    { name: "does not once the cluster has moved", place: berlin, cluster: at("eu-central", 45.46, 9.19, "EU"), source: "model" },
    {
      name: "stands in for a client of unknown continent too",
      place: { latitude: 52.5, longitude: 13.4 },
      cluster: frankfurt,
      source: "measured",
    },
  ];
  test.each(cases)("$name", ({ place, cluster, source }) => {
    const estimate = latencyOf(map, place, cluster)!;
    expect(estimate.source).toBe(source);
    if (source === "measured") expect(estimate.ms).toBe(44);
  });

  test("of the nearest vantage counts", () => {
    const hamburg = { ...measured, latitude: 53.55, longitude: 10, distanceKm: 393, ms: 12 };
    for (const both of [
      [measured, hamburg],
      [hamburg, measured],
    ]) {
      expect(latencyOf({ cells: {}, measured: both }, { latitude: 53.4, longitude: 10.2 }, frankfurt)!.ms).toBe(12);
      expect(latencyOf({ cells: {}, measured: both }, berlin, frankfurt)!.ms).toBe(44);
    }
  });
});

test("a cell is used for its own pair of continents alone", () => {
  const cells = { "EU>NA": { a: 20, f: 1 } };
  expect(lineOf(cells, "EU", "NA")).toEqual({ a: 20, f: 1 });
  expect(lineOf(cells, "NA", "EU")).toEqual(seedOf("NA"));
  expect(lineOf(cells, "EU", undefined)).toEqual(seedOf("EU"));
  expect(along({ a: 20, f: 1 }, 1000)).toBe(30);
});

test("without evidence the nearer cluster is never the slower one, wherever the continents' borders run", () => {
  const spot = fc.record({
    latitude: fc.double({ min: -89, max: 89, noNaN: true }),
    longitude: fc.double({ min: -179, max: 179, noNaN: true }),
    continent: fc.constantFrom("AF", "AN", "AS", "EU", "NA", "OC", "SA"),
  });
  fc.assert(
    fc.property(spot, spot, spot, (place, one, two) => {
      const estimate = (to: typeof one) => latencyOf(newLatencyMap(), place, at("any", to.latitude, to.longitude, to.continent))!.ms;
      const km = (to: typeof one) => oracleKm(place.latitude, place.longitude, to.latitude, to.longitude);
      return Math.abs(km(one) - km(two)) < 1 || Math.sign(estimate(one) - estimate(two)) === Math.sign(km(one) - km(two));
    }),
  );
});
