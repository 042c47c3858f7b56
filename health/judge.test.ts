import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { earliestChange, isDoubted, type Judgement, judge, presume, type Thresholds, UNKNOWN } from "./judge.ts";

const thresholds: Thresholds = { rise: 2, fall: 3 };
const healthy = (failures: number, run: number, doubtedSince: number): Extract<Judgement, { verdict: "Healthy" }> => ({
  verdict: "Healthy",
  since: 1,
  firstSign: 1,
  failures,
  run,
  doubtedSince,
});
const unhealthy = (run: number, doubtedSince: number): Extract<Judgement, { verdict: "Unhealthy" }> => ({
  verdict: "Unhealthy",
  since: 1,
  firstSign: 1,
  run,
  doubtedSince,
});

const cases: readonly { name: string; from: Judgement; ok: boolean; to: Judgement }[] = [
  { name: "the first success decides", from: UNKNOWN, ok: true, to: { ...healthy(0, 1, 0), since: 9, firstSign: 9 } },
  { name: "the first failure decides", from: UNKNOWN, ok: false, to: { ...unhealthy(0, 0), since: 9, firstSign: 9 } },
  { name: "the first failure of a healthy one is a doubt", from: healthy(0, 5, 0), ok: false, to: healthy(1, 0, 9) },
  { name: "the second keeps the time of the first", from: healthy(1, 0, 7), ok: false, to: healthy(2, 0, 7) },
  {
    name: "the third takes it down, first sign = first failure",
    from: healthy(2, 0, 7),
    ok: false,
    to: { ...unhealthy(0, 0), since: 9, firstSign: 7 },
  },
  { name: "one success does not forgive", from: healthy(2, 0, 7), ok: true, to: healthy(2, 1, 7) },
  { name: "a run of successes forgives", from: healthy(2, 1, 7), ok: true, to: healthy(0, 2, 0) },
  { name: "one success does not bring it back", from: unhealthy(0, 0), ok: true, to: unhealthy(1, 9) },
  { name: "a failure restarts the run", from: unhealthy(1, 7), ok: false, to: unhealthy(0, 0) },
  {
    name: "a run of successes brings it back, first sign = first success",
    from: unhealthy(1, 7),
    ok: true,
    to: { ...healthy(0, 2, 0), since: 9, firstSign: 7 },
  },
];
test.each(cases)("$name", (c) => expect(judge(c.from, c.ok, 9, thresholds)).toEqual(c.to));

/** Brute force: the whole history, read from the newest verdict on. */
function verdictOf(history: readonly boolean[], { rise, fall }: Thresholds): string {
  let verdict = "Unknown";
  let sinceChange: boolean[] = [];
  for (const ok of history) {
    if (verdict === "Unknown") {
      verdict = ok ? "Healthy" : "Unhealthy";
      sinceChange = ok ? [true] : [];
      continue;
    }
    sinceChange.push(ok);
    if (verdict === "Unhealthy") {
      if (sinceChange.length >= rise && sinceChange.slice(-rise).every((entry) => entry)) {
        verdict = "Healthy";
        sinceChange = [];
      }
    } else {
      let start = 0; // failures before a run of `rise` successes are forgiven
      for (let i = 0; i + rise <= sinceChange.length; i++) if (sinceChange.slice(i, i + rise).every((entry) => entry)) start = i + rise;
      if (sinceChange.slice(start).filter((entry) => !entry).length >= fall) {
        verdict = "Unhealthy";
        sinceChange = [];
      }
    }
  }
  return verdict;
}

const arbitraryThresholds = fc.record({ rise: fc.integer({ min: 1, max: 4 }), fall: fc.integer({ min: 1, max: 4 }) });

describe("properties", () => {
  test("equals the rules read over the whole history", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 40 }), arbitraryThresholds, (history, limits) => {
        const end = history.reduce<Judgement>((state, ok, i) => judge(state, ok, i + 1, limits), UNKNOWN);
        expect(end.verdict).toBe(verdictOf(history, limits));
      }),
      { numRuns: 2000 },
    );
  });

  test("every second probe lost takes an endpoint down when rise is 2 or more", () => {
    let state: Judgement = UNKNOWN;
    for (let i = 1; i <= 8; i++) state = judge(state, i % 2 === 1, i, thresholds);
    expect(state.verdict).toBe("Unhealthy");
  });

  test("the verdict never changes before earliestChange, and the worst case reaches it", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }), arbitraryThresholds, fc.boolean(), (history, limits, next) => {
        const state = history.reduce<Judgement>((before, ok, i) => judge(before, ok, i, limits), UNKNOWN);
        let at = 1000;
        const earliest = earliestChange(state, at, 50, limits);
        let later = judge(state, next, at, limits);
        while (later.verdict === state.verdict && at < 2000) {
          at += 50;
          later = judge(later, state.verdict === "Unhealthy", at, limits);
        }
        expect(at).toBeGreaterThanOrEqual(earliest);
        if (next === (state.verdict === "Unhealthy")) expect(at).toBe(earliest);
      }),
    );
  });

  test("it is doubted exactly while something counts against the verdict", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 30 }), arbitraryThresholds, (history, limits) => {
        const state = history.reduce<Judgement>((before, ok, i) => judge(before, ok, i + 1, limits), UNKNOWN);
        const against = state.verdict === "Healthy" ? state.failures > 0 : state.verdict === "Unhealthy" && state.run > 0;
        expect(isDoubted(state)).toBe(against);
      }),
    );
  });
});

test("a presumed verdict needs the full count to be overturned", () => {
  let state = presume("Healthy", 5, 4, thresholds);
  for (let i = 0; i < 2; i++) state = judge(state, false, 10 + i, thresholds);
  expect(state.verdict).toBe("Healthy");
  expect(judge(state, false, 12, thresholds)).toMatchObject({ verdict: "Unhealthy", firstSign: 10 });
  expect(judge(presume("Unhealthy", 5, 4, thresholds), true, 10, thresholds).verdict).toBe("Unhealthy");
  expect(presume("Unknown", 5, 4, thresholds)).toBe(UNKNOWN);
});
