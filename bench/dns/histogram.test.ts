import fc from "fast-check";
import { expect, test } from "vitest";
import { addLatency, latencyAt, newHistogram } from "./histogram.ts";

const LAST = 65_535;

test.each([
  { name: "one latency is every quantile", latencies: [17.9], share: 0.5, at: 17 },
  { name: "the median of an even number is the lower one", latencies: [1, 2, 3, 4], share: 0.5, at: 2 },
  { name: "p99 of a hundred is the last but one", latencies: Array.from({ length: 100 }, (_, i) => i), share: 0.99, at: 98 },
  { name: "all of them are below the largest", latencies: [5, 900, 30], share: 1, at: 900 },
  { name: "what is too long stands in the last bucket", latencies: [1e9], share: 0.5, at: LAST },
  { name: "a clock that went back counts as nothing", latencies: [-3], share: 0.5, at: 0 },
])("$name", ({ latencies, share, at }) => {
  const histogram = newHistogram();
  for (const latency of latencies) addLatency(histogram, latency);
  expect(latencyAt(histogram, share)).toBe(at);
});

test("nothing counted has no quantile", () => {
  expect(latencyAt(newHistogram(), 0.5)).toBeNaN();
});

test("a quantile is what sorting gives", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(LAST), { minLength: 1 }), fc.double({ min: 0, max: 1, noNaN: true }), (latencies, share) => {
      const histogram = newHistogram();
      for (const latency of latencies) addLatency(histogram, latency);
      const sorted = latencies.toSorted((a, b) => a - b);
      expect(latencyAt(histogram, share)).toBe(sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1]);
    }),
    { numRuns: 50 },
  );
});

test("a latency seen several times weighs as often", () => {
  const histogram = newHistogram();
  addLatency(histogram, 10, 3);
  addLatency(histogram, 20);
  expect([latencyAt(histogram, 0.75), latencyAt(histogram, 0.76)]).toEqual([10, 20]);
});
