/** Turns probes' round trips into the {@link LatencyMap}, slowly: a line or value changes only when two windows agree that it is far off. */
import { along, cellKey, type LatencyLine, type LatencyMap, lineOf, seedOf, type Watched } from "./latency-model.ts";

/** One network round trip from a vantage to a cluster. */
export interface LatencySample {
  readonly vantage: { readonly latitude: number; readonly longitude: number; readonly continent?: string };
  readonly cluster: string;
  readonly clusterContinent?: string;
  readonly rttMs: number;
  /** ms since the epoch. */
  readonly at: number;
  readonly distanceKm: number;
}

const DAY = 86_400_000;
/** Weight of the seed or model against evidence, in samples. */
const PRIOR_SAMPLES = 20;
/** A pair probed every second must not outvote all others of its cell. */
const MAX_SAMPLES = 200;
/** Below this many (aged) samples a pair is no evidence. */
const MIN_SAMPLES = 3;
const FORGET_AFTER = 2 * DAY;

/**
 * Ends one window: fits lines and measured values to the samples and takes over those whose change has been large (more than 10 ms and
 * more than 15 %) and in the same direction in this window and the one before.
 *
 * Not believed: samples faster than light between the two places (one of them is not where we think: a tunnel, loopback, anycast), and
 * for lines, samples of vantages or clusters of unknown continent.
 *
 * @param samples those of the window, or of several: older ones count less (half-life one day) and none from the future
 * @param now     ms since the epoch
 * @returns a map of the same version, `cells` and `measured` when nothing changed; else of the next version
 */
export function fitLatency(previous: LatencyMap, samples: readonly LatencySample[], now: number): LatencyMap {
  const pairs = pairsOf(samples, now);
  // Whoever says nothing in this window has broken the run of windows that agree.
  const watched: Record<string, Watched> = Object.fromEntries(
    Object.entries(previous.watched).map(([key, { seen }]) => [key, { wants: "nothing", seen }]),
  );
  const cells: Record<string, LatencyLine> = { ...previous.cells };
  let changed = false;

  /** Notes what this window wants. @returns true when the last one wanted the same */
  const confirms = (key: string, wants: Watched["wants"]): boolean => {
    const before = previous.watched[key]?.wants;
    const confirmed = wants !== "nothing" && before === wants;
    watched[key] = { wants: confirmed ? "nothing" : wants, seen: now };
    return confirmed;
  };

  for (const [key, members] of Map.groupBy(pairs, (pair) => pair.cell)) {
    if (key === undefined) continue;
    const seed = seedOf(members[0]!.continent);
    const fitted = fitLine(seed, members);
    const current = cells[key] ?? seed;
    // Lines differ most at one end of what was sampled.
    const ends = [Math.min(...members.map(({ km }) => km)), Math.max(...members.map(({ km }) => km))];
    const wants = ends.map((km) => wantedChange(along(current, km), along(fitted, km))).find((change) => change !== "nothing") ?? "nothing";
    if (confirms(key, wants)) {
      cells[key] = fitted;
      changed = true;
    }
  }

  const measured = new Map(previous.measured.map((one) => [pairKey(one.latitude, one.longitude, one.cluster), one]));
  for (const pair of pairs) {
    // Judged against the lines just fitted: what they already explain needs no value of its own.
    const model = along(lineOf(cells, pair.continent, pair.clusterContinent), pair.km);
    const ms = (pair.samples * pair.ms + PRIOR_SAMPLES * model) / (pair.samples + PRIOR_SAMPLES);
    if (confirms(pair.key, wantedChange(measured.get(pair.key)?.ms ?? model, ms))) {
      measured.set(pair.key, { latitude: pair.latitude, longitude: pair.longitude, cluster: pair.cluster, distanceKm: pair.km, ms });
      changed = true;
    }
  }
  for (const [key, { seen }] of Object.entries(watched)) {
    if (now - seen <= FORGET_AFTER) continue;
    delete watched[key];
    if (measured.delete(key)) changed = true; // the vantage is gone; the lines that it helped to fit stay
  }
  if (!changed) return { ...previous, watched };
  return { version: previous.version + 1, cells, measured: [...measured.values()], watched };
}

function wantedChange(from: number, to: number): Watched["wants"] {
  if (Math.abs(to - from) <= Math.max(10, 0.15 * from)) return "nothing";
  return to > from ? "higher" : "lower";
}

/** All samples of one vantage and one cluster. */
interface Pair {
  readonly key: string;
  readonly cell: string | undefined;
  readonly latitude: number;
  readonly longitude: number;
  readonly continent: string | undefined;
  readonly cluster: string;
  readonly clusterContinent: string | undefined;
  readonly km: number;
  /** Median, plus the access line that a client has and a probe from a data centre has not. */
  readonly ms: number;
  /** How many, each worth less with age. */
  readonly samples: number;
}

const pairKey = (latitude: number, longitude: number, cluster: string): string => `${latitude},${longitude}>${cluster}`;

function pairsOf(samples: readonly LatencySample[], now: number): readonly Pair[] {
  const credible = samples.filter(
    (sample) => Number.isFinite(sample.rttMs) && sample.at <= now && sample.rttMs >= lightMs(sample.distanceKm),
  );
  const groups = Map.groupBy(credible, ({ vantage, cluster }) => pairKey(vantage.latitude, vantage.longitude, cluster));
  return [...groups].flatMap(([key, members]) => {
    const newest = members.reduce((a, b) => (b.at > a.at ? b : a));
    const { vantage, cluster, clusterContinent } = newest;
    const samples = Math.min(
      MAX_SAMPLES,
      members.reduce((sum, { at }) => sum + 0.5 ** ((now - at) / DAY), 0),
    );
    if (samples < MIN_SAMPLES) return [];
    const known = vantage.continent !== undefined && clusterContinent !== undefined;
    return [
      {
        key,
        cell: known ? cellKey(vantage.continent, clusterContinent) : undefined,
        latitude: vantage.latitude,
        longitude: vantage.longitude,
        continent: vantage.continent,
        cluster,
        clusterContinent,
        km: newest.distanceKm,
        ms: median(members.map(({ rttMs }) => rttMs)) + seedOf(vantage.continent).a,
        samples,
      },
    ];
  });
}

/** Light in a vacuum, there and back; places are known to some 100 km. */
const lightMs = (km: number): number => (Math.max(0, km - 100) * 2) / 299.792;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Light in fibre takes 1 ms per 100 km, there and back; no path is shorter. Above 6 a path circles the Earth. */
const MIN_F = 1;
const MAX_F = 6;
const MAX_A = 60;
/** At 2,000 km an error of 1 in `f` weighs as much as one of 20 ms in `a`. */
const TYPICAL = 20;

/** Weighted least squares, held to the seed by {@link PRIOR_SAMPLES} samples' worth of ridge, within what cables can do. */
function fitLine(seed: LatencyLine, pairs: readonly Pair[]): LatencyLine {
  let w = PRIOR_SAMPLES;
  let wx = 0;
  let wxx = PRIOR_SAMPLES * TYPICAL * TYPICAL;
  let wr = 0;
  let wxr = 0;
  for (const { samples, km, ms } of pairs) {
    const x = km / 100;
    const residual = ms - along(seed, km);
    w += samples;
    wx += samples * x;
    wxx += samples * x * x;
    wr += samples * residual;
    wxr += samples * x * residual;
  }
  const slope = (w * wxr - wx * wr) / (w * wxx - wx * wx);
  const f = Math.min(MAX_F, Math.max(MIN_F, seed.f + slope));
  const a = seed.a + (wr - (f - seed.f) * wx) / w; // the best intercept for this slope, be it clamped or not
  return { a: Math.min(MAX_A, Math.max(0, a)), f };
}
