import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { distanceKm } from "./distance.ts";
import { fitLatency, type LatencySample } from "./latency-fit.ts";
import { type LatencyMap, latencyOf, lineOf, newLatencyMap, seedOf } from "./latency-model.ts";

const HOUR = 3_600_000;

const clusters = [
  { name: "eu-west", latitude: 53.35, longitude: -6.26, continent: "EU" },
  { name: "eu-central", latitude: 50.11, longitude: 8.68, continent: "EU" },
  { name: "us-east", latitude: 39.04, longitude: -77.49, continent: "NA" },
  { name: "ap-northeast", latitude: 35.68, longitude: 139.69, continent: "AS" },
  { name: "ap-southeast", latitude: 1.35, longitude: 103.82, continent: "AS" },
  { name: "sa-east", latitude: -23.55, longitude: -46.63, continent: "SA" },
].map(({ name, ...location }) => ({ name, location: { ...location, label: name } }));
type Cluster = (typeof clusters)[number];
const cluster = (name: string): Cluster => clusters.find((one) => one.name === name)!;

const tokyo = { latitude: 35.7, longitude: 139.7, continent: "AS" };
const berlin = { latitude: 52.5, longitude: 13.4, continent: "EU" };
const delhi = { latitude: 28.6, longitude: 77.2, continent: "AS" };

type Vantage = LatencySample["vantage"];

const kmBetween = (vantage: Vantage, { location }: Cluster): number =>
  distanceKm(vantage.latitude, vantage.longitude, location.latitude, location.longitude);

/** `count` samples of one pair, all alike. */
const samplesOf = (vantage: Vantage, to: Cluster, rttMs: number, at: number, count = 60): LatencySample[] =>
  Array.from({ length: count }, () => ({
    vantage,
    cluster: to.name,
    clusterContinent: to.location.continent,
    rttMs,
    at,
    distanceKm: kmBetween(vantage, to),
  }));

/** Windows an hour apart, each seeing its own samples. */
function windows(count: number, samplesAt: (now: number, window: number) => readonly LatencySample[], from = newLatencyMap()): LatencyMap {
  let map = from;
  for (let window = 0; window < count; window++) map = fitLatency(map, samplesAt(window * HOUR, window), window * HOUR);
  return map;
}

const estimates = (map: LatencyMap, place: Vantage) => clusters.map((one) => latencyOf(map, place, one));

describe("hysteresis", () => {
  const far = cluster("sa-east");
  const model = seedOf("EU").a + (seedOf("EU").f * kmBetween(berlin, far)) / 100;
  /** What a probe must measure for a client's estimate to be this much off, access line apart. */
  const off = (ms: number) => (now: number) => samplesOf(berlin, far, model - seedOf("EU").a + ms, now, 200);

  test("one window changes nothing that is read", () => {
    const map = windows(1, off(150));
    expect(map).toMatchObject({ version: 1, cells: {}, measured: [] });
  });

  test("two windows that agree change it once, to the next version", () => {
    const map = windows(2, off(150));
    expect(map.version).toBe(2);
    expect(map.cells["EU>SA"]).toBeDefined();
    expect(latencyOf(map, berlin, far)!.ms).toBeGreaterThan(model + 100);
  });

  test("windows that disagree change nothing", () => {
    expect(windows(10, (now, window) => off(window % 2 === 0 ? 150 : -60)(now)).version).toBe(1);
  });

  test("a window without samples in between starts the count again", () => {
    expect(windows(10, (now, window) => (window % 2 === 0 ? off(150)(now) : [])).version).toBe(1);
  });

  test("a quiet window in between starts the count again", () => {
    expect(windows(10, (now, window) => (window % 2 === 0 ? off(150) : off(0))(now)).version).toBe(1);
  });

  test.each([
    {
      name: "9 ms of 12 are noise, though far above 15 %",
      vantage: { ...berlin, latitude: 50.1, longitude: 8.7 },
      to: cluster("eu-central"),
      by: 9,
    },
    { name: "20 ms of 180 are noise, though above 10 ms", vantage: berlin, to: far, by: 20 },
  ])("$name", ({ vantage, to, by }) => {
    const expected = (seedOf("EU").f * kmBetween(vantage, to)) / 100;
    expect(windows(10, (now) => samplesOf(vantage, to, expected + by, now)).version).toBe(1);
  });

  test("steady evidence settles: after a few windows the version stands still", () => {
    const settled = windows(6, off(150));
    expect(windows(20, off(150), settled).version).toBe(settled.version);
  });

  test("a detour that ends is unlearnt", () => {
    const map = windows(6, off(0), windows(6, off(150)));
    expect(Math.abs(latencyOf(map, berlin, far)!.ms - model)).toBeLessThan(0.16 * model);
  });
});

describe("what is believed", () => {
  const far = cluster("us-east");
  const cases: readonly { name: string; samples: (now: number) => readonly LatencySample[]; believed: boolean }[] = [
    { name: "a slow path", samples: (now) => samplesOf(berlin, far, 400, now), believed: true },
    { name: "faster than light: loopback, tunnels, anycast", samples: (now) => samplesOf(berlin, far, 0.3, now), believed: false },
    { name: "just faster than light", samples: (now) => samplesOf(berlin, far, 43, now), believed: false },
    { name: "two samples only", samples: (now) => samplesOf(berlin, far, 400, now, 2), believed: false },
    { name: "samples of the future", samples: (now) => samplesOf(berlin, far, 400, now + 1), believed: false },
    { name: "four samples of last week", samples: (now) => samplesOf(berlin, far, 400, now - 168 * HOUR, 4), believed: false },
    { name: "no number", samples: (now) => samplesOf(berlin, far, Number.NaN, now), believed: false },
    {
      name: "mostly normal with absurd outliers",
      samples: (now) => [...samplesOf(berlin, far, 107, now, 40), ...samplesOf(berlin, far, 20_000, now, 20)],
      believed: false,
    },
  ];
  test.each(cases)("$name: $believed", ({ samples, believed }) => {
    expect(windows(4, samples).version > 1).toBe(believed);
  });

  test("a vantage of unknown continent fits no line, but stands in around itself", () => {
    const map = windows(4, (now) => samplesOf({ latitude: 52.5, longitude: 13.4 }, far, 400, now, 200));
    expect(map.cells).toEqual({});
    expect(latencyOf(map, berlin, far)).toMatchObject({ source: "measured" });
  });

  test("more samples weigh more against the model", () => {
    const withSamples = (count: number) =>
      latencyOf(
        windows(2, (now) => samplesOf(berlin, far, 400, now, count)),
        berlin,
        far,
      )!.ms;
    expect(withSamples(200)).toBeGreaterThan(withSamples(20));
    expect(withSamples(20)).toBeGreaterThan(withSamples(8));
    expect(withSamples(200)).toBeLessThan(405.001);
  });

  test("values of a vantage that fell silent are forgotten after two days, lines stay", () => {
    // Two clusters of one cell, one fast and one slow: a line cannot tell both, so values must.
    const probing = (now: number) => [
      ...samplesOf(berlin, cluster("eu-west"), 150, now, 200),
      ...samplesOf(berlin, cluster("eu-central"), 6, now, 200),
    ];
    const map = windows(8, probing);
    expect(map.measured.length).toBeGreaterThan(0);
    const last = 7 * HOUR;
    expect(fitLatency(map, [], last + 48 * HOUR).measured).toEqual(map.measured);
    const later = fitLatency(map, [], last + 49 * HOUR);
    expect(later).toMatchObject({ version: map.version + 1, measured: [], cells: map.cells });
  });
});

describe("evidence stays where it was gathered", () => {
  /** What any vantage may say of the clusters over a few windows, sane or not. */
  const told = (vantage: Vantage) =>
    fc
      .array(
        fc.array(
          fc.record({
            to: fc.constantFrom(...clusters),
            rttMs: fc.double({ min: 0, max: 2000, noNaN: true }),
            count: fc.nat({ max: 300 }),
          }),
        ),
        {
          minLength: 2,
          maxLength: 5,
        },
      )
      .map((rounds) =>
        [...rounds, rounds.at(-1)!].map((round, i) =>
          round.flatMap(({ to, rttMs, count }) => samplesOf(vantage, to, rttMs, i * HOUR, count)),
        ),
      );

  const play = (rounds: readonly (readonly LatencySample[])[], from = newLatencyMap()): LatencyMap =>
    rounds.reduce((map, samples, i) => fitLatency(map, samples, i * HOUR), from);

  test("whatever a vantage in Tokyo measures, Berlin keeps every estimate, so every order", () => {
    fc.assert(
      fc.property(told(tokyo), told(berlin), (fromTokyo, fromBerlin) => {
        expect(estimates(play(fromTokyo), berlin)).toEqual(estimates(newLatencyMap(), berlin));
        // Nor does it on top of what Berlin's own vantage says.
        const both = fromBerlin.map((samples, i) => [...samples, ...(fromTokyo[i] ?? [])]);
        expect(estimates(play(both), berlin)).toEqual(estimates(play(fromBerlin), berlin));
      }),
      { numRuns: 200 },
    );
  });

  test("beyond 300 km a vantage moves clients of its own continent only as a line does: within one cell nearer stays faster", () => {
    fc.assert(
      fc.property(told(tokyo), (rounds) => {
        const map = play(rounds);
        for (const [one, other] of clusters.flatMap((a) => clusters.map((b) => [a, b] as const))) {
          if (one.location.continent !== other.location.continent || kmBetween(delhi, one) >= kmBetween(delhi, other)) continue;
          const [near, far] = [latencyOf(map, delhi, one)!, latencyOf(map, delhi, other)!];
          expect(near.source).toBe("model");
          expect(near.ms).toBeLessThan(far.ms);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("lines stay within what cables can do, and every change is one version", () => {
    fc.assert(
      fc.property(told(tokyo), told(berlin), (a, b) => {
        let map = newLatencyMap();
        a.forEach((samples, i) => {
          const next = fitLatency(map, [...samples, ...(b[i] ?? [])], i * HOUR);
          const changed = next.cells !== map.cells || next.measured !== map.measured;
          expect(next.version - map.version).toBe(changed ? 1 : 0);
          map = next;
        });
        for (const to of ["AS", "EU", "NA", "SA"]) {
          for (const from of ["AS", "EU"]) {
            const { a: access, f } = lineOf(map.cells, from, to);
            expect(f).toBeGreaterThanOrEqual(1);
            expect(f).toBeLessThanOrEqual(6);
            expect(access).toBeGreaterThanOrEqual(0);
            expect(access).toBeLessThanOrEqual(60);
          }
        }
        expect(JSON.parse(JSON.stringify(map))).toEqual(map);
      }),
      { numRuns: 200 },
    );
  });

  test("a vantage that measures what the model says changes nothing", () => {
    const honest = (now: number) => clusters.flatMap((to) => samplesOf(tokyo, to, (seedOf("AS").f * kmBetween(tokyo, to)) / 100, now));
    expect(windows(5, honest).version).toBe(1);
  });
});
