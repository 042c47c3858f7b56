import fc from "fast-check";
import { expect, test } from "vitest";
import { median, medianInterval, seededRandom } from "./statistics.ts";

test.each([
  { name: "of nothing is not a number", values: [], is: Number.NaN },
  { name: "of one is that one", values: [3], is: 3 },
  { name: "of an odd number is the middle one, in whatever order they come", values: [9, 1, 5], is: 5 },
  { name: "of an even number is the mean of the middle two", values: [10, 1, 2, 4], is: 3 },
])("the median $name", ({ values, is }) => {
  expect(median(values)).toBe(is);
});

test("the interval holds the median and lies within the values", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.1, max: 10, noNaN: true }), { minLength: 1, maxLength: 12 }), (values) => {
      const interval = medianInterval(values);
      expect(interval.low).toBeLessThanOrEqual(interval.median);
      expect(interval.high).toBeGreaterThanOrEqual(interval.median);
      expect(interval.low).toBeGreaterThanOrEqual(Math.min(...values));
      expect(interval.high).toBeLessThanOrEqual(Math.max(...values));
    }),
    { numRuns: 20 },
  );
});

test("values that agree leave no doubt, values that scatter do, and more of them leave less", () => {
  const scattered = [0.8, 0.9, 1, 1.1, 1.2];
  const many = Array.from({ length: 10 }, () => scattered).flat();
  const width = (values: readonly number[]): number => medianInterval(values).high - medianInterval(values).low;
  expect(width([1.1, 1.1, 1.1])).toBe(0);
  expect(width(scattered)).toBeGreaterThan(0.2);
  expect(width(many)).toBeLessThan(width(scattered));
});

test("the same rounds give the same interval", () => {
  const ratios = [1.02, 1.11, 0.97, 1.3, 1.08, 1.05, 1.12, 1.01, 0.99, 1.2];
  expect(medianInterval(ratios)).toEqual(medianInterval(ratios));
  expect(medianInterval([])).toEqual({ median: Number.NaN, low: Number.NaN, high: Number.NaN });
});

test("dice repeat by their seed and are spread evenly", () => {
  const [first, again, other] = [seededRandom(1), seededRandom(1), seededRandom(2)];
  const draws = Array.from({ length: 10_000 }, first);
  expect(Array.from({ length: 10_000 }, again)).toEqual(draws);
  expect(other()).not.toBe(draws[0]);
  expect(draws.reduce((sum, draw) => sum + draw, 0) / draws.length).toBeCloseTo(0.5, 1);
});
