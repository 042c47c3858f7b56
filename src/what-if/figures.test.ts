/** Load factors, percentiles, stale curves and the check of rules: each a function of a few numbers. */
import { describe, expect, test } from "vitest";
import { testRule } from "../../test/support/world/build-route.ts";
import { type LoadRow, loadFactors } from "./load.ts";
import { violations } from "./residency.ts";
import { spreadOf } from "./spread.ts";
import { staleCurve } from "./stale.ts";

describe("load", () => {
  const people = new Map([
    ["DE", 80],
    ["FR", 60],
    ["JP", 120],
    ["", 20],
  ]);
  const row = (country: string, requestsPerSecond: number, time = "", route = ""): LoadRow => ({ country, requestsPerSecond, time, route });

  test("a country's load is shared by its people, the others' by all others", () => {
    const { times, factor } = loadFactors([row("DE", 160), row("*", 100)], "web/shop", people);
    expect(times).toEqual([""]);
    expect(factor(0, "DE") * 80).toBeCloseTo(160, 9);
    expect(factor(0, "FR") * 60 + factor(0, "JP") * 120 + factor(0, undefined) * 20).toBeCloseTo(100, 9);
  });
  test("who is not named has none, and rows of a country add up", () => {
    const { factor } = loadFactors([row("DE", 80), row("DE", 80)], "web/shop", people);
    expect([factor(0, "DE"), factor(0, "JP")]).toEqual([2, 0]);
  });
  test("times stand apart", () => {
    const { times, factor } = loadFactors([row("DE", 80, "noon"), row("JP", 240, "night")], "web/shop", people);
    expect(times).toEqual(["noon", "night"]);
    expect([factor(0, "DE"), factor(0, "JP"), factor(1, "DE"), factor(1, "JP")]).toEqual([1, 0, 0, 2]);
  });
  test("rows of the route go before those of no route", () => {
    const rows = [row("DE", 80), row("DE", 800, "", "web/shop")];
    expect(loadFactors(rows, "web/shop", people).factor(0, "DE")).toBe(10);
    expect(loadFactors(rows, "web/cart", people).factor(0, "DE")).toBe(1);
  });
  test("a country without clients makes no load", () => expect(loadFactors([row("BR", 80)], "web/shop", people).factor(0, "BR")).toBe(0));
});

describe("spread", () => {
  test.each([
    { name: "nobody", samples: [], is: { mean: 0, p50: 0, p95: 0 } },
    { name: "one", samples: [[5, 2]], is: { mean: 5, p50: 5, p95: 5 } },
    { name: "weights count, not heads", samples: [[100, 1], [10, 3]], is: { mean: 32.5, p50: 10, p95: 100 } }, // biome-ignore format: pairs
    { name: "half is enough for the median", samples: [[1, 1], [2, 1]], is: { mean: 1.5, p50: 1, p95: 2 } }, // biome-ignore format: pairs
    { name: "nineteen of twenty", samples: [[1, 19], [9, 1]], is: { mean: 1.4, p50: 1, p95: 1 } }, // biome-ignore format: pairs
    { name: "no weight", samples: [[7, 0], [3, 1]], is: { mean: 3, p50: 3, p95: 3 } }, // biome-ignore format: pairs
  ])("$name", ({ samples, is }) => expect(spreadOf(samples.map(([value = 0, weight = 0]) => ({ value, weight })))).toEqual(is));
});

describe("stale answers", () => {
  test("run out evenly over the TTL", () => {
    const { ttl, curve } = staleCurve([{ ttl: 20, weight: 50 }], 100);
    expect(ttl).toBe(20);
    expect(Object.fromEntries(curve.map(({ seconds, share }) => [seconds, share]))).toEqual({
      ...{ 0: 0.5, 1: 0.475, 2: 0.45, 5: 0.375, 10: 0.25, 15: 0.125, 20: 0 },
    });
  });
  test("of several TTLs the longest ends it", () => {
    const { ttl, curve } = staleCurve([{ ttl: 5, weight: 30 }, { ttl: 60, weight: 30 }], 100); // biome-ignore format: short
    expect(ttl).toBe(60);
    expect(curve.find(({ seconds }) => seconds === 30)?.share).toBe(0.15);
    expect(curve.at(-1)).toEqual({ seconds: 60, share: 0 });
  });
  test("nobody moved, nothing is stale", () => expect(staleCurve([], 100)).toEqual({ ttl: 0, curve: [] }));
});

describe("Require rules, read by themselves", () => {
  const eu = testRule("gdpr", "Require", { countries: ["DE"], continents: ["OC"], subdivisions: ["US-CA"], asns: [64500], subnets: ["192.0.2.0/24"] }, ["dublin"], "Apply"); // biome-ignore format: one rule
  const rules = (...all: (typeof eu)[]) => ({ rules: all });
  const found = (place: Parameters<typeof violations>[1], clusters: readonly string[], rule = eu) =>
    violations(rules(rule), place, ["198.51.100.0/24", "192.0.2.0/24"], clusters).map((one) => one.cluster);
  const full = { country: "FR", continent: "EU", subdivisions: ["FR-75"], asn: 64501 };

  test.each([
    { name: "by country", place: { ...full, country: "DE" }, broken: true },
    { name: "by continent", place: { ...full, continent: "OC" }, broken: true },
    { name: "by subdivision", place: { ...full, country: "US", subdivisions: ["US-CA"] }, broken: true },
    { name: "by AS number", place: { ...full, asn: 64500 }, broken: true },
    { name: "by network", place: { ...full, subnets: [1] }, broken: true },
    { name: "in another network", place: { ...full, subnets: [0] }, broken: false },
    { name: "not at all", place: full, broken: false },
    { name: "by an unknown place, where Apply", place: {}, broken: true },
    { name: "by an unknown AS number, where Apply", place: { country: "FR", continent: "EU", subdivisions: ["FR-75"] }, broken: true },
    { name: "by an unknown subdivision of the country, where Apply", place: { country: "US", continent: "NA", asn: 1 }, broken: true },
    { name: "by an unknown subdivision of another country", place: { country: "FR", continent: "EU", asn: 1 }, broken: false },
  ])("a client that matches $name", ({ place, broken }) => {
    expect(found(place, ["virginia", "dublin"])).toEqual(broken ? ["virginia"] : []);
    expect(found(place, ["dublin"])).toEqual([]);
  });
  test("an unknown place is passed over, where Skip", () => expect(found({}, ["virginia"], { ...eu, unknownPlace: "Skip" })).toEqual([]));
  test("Prefer is a wish", () => expect(found({ country: "DE" }, ["virginia"], { ...eu, mode: "Prefer" })).toEqual([]));
});
