/**
 * What became of the requests at each endpoint, as its probes want to know it (`health/traffic.ts`), and how busy they make it. Counts only:
 * what they mean is judged where probes are.
 */
import type { Traffic } from "../../../../health/traffic.ts";
import { type EndpointKey, probeKey } from "../../../model/health.ts";
import type { Route } from "../../../model/inventory.ts";
import { rememberedMap } from "../../../model/remembered-map.ts";
import type { Milliseconds } from "../../../model/units.ts";
import type { AttemptResult, Outcomes } from "../forward/outcome.ts";

export interface TrafficBook extends Required<Pick<Outcomes, "attempt" | "head">> {
  /** These are the routes that are passed on from now on. */
  readonly adopt: (routes: readonly Route[]) => void;
  /** What was noted of an endpoint since this was asked last; nothing of one that no route has. */
  readonly take: (key: EndpointKey) => Traffic;
  /** All attempts since the start. */
  readonly attempts: () => Iterable<AttemptCount>;
}

export interface AttemptCount {
  readonly cluster: string;
  readonly result: AttemptResult;
  readonly count: number;
}

interface Entry {
  /** What the endpoint's part of the backend can take, requests a second; 0 = nobody said. */
  capacity: number;
  /** A route wants its requests to have no say about its health. */
  isSilent: boolean;
  /** Of its cluster, by the place of the result. The cluster may change: an address can move. */
  counts: Float64Array;
  attempts: number;
  failures: number;
  /** Failures after the last success. */
  run: number;
  /** Attempts that reached it. */
  passed: number;
  /** Loads that responses told. */
  loads: number;
  loadSum: number;
  /** Since when those are counted, ms. */
  since: number;
  /** Share of the capacity that requests come to, smoothed. */
  rateLoad: number;
}

const RESULTS: readonly AttemptResult[] = ["ok", "connect", "reset", "timeout", "status"];
const PLACES: ReadonlyMap<AttemptResult, number> = new Map(RESULTS.map((result, place) => [result, place]));
/**
 * How much the newest interval counts for the load that requests come to. What is shed shows only in the next interval: taken at its word
 * each time, a cluster would be given everybody and nobody by turns.
 */
const NEWEST = 0.2;
const NOTHING: Traffic = { attempts: 0, failures: 0, run: 0 };

/** What one backend of a route makes of one of its addresses. */
interface Share {
  readonly key: EndpointKey;
  readonly cluster: string;
  readonly capacity: number;
  readonly isSilent: boolean;
}

function routeShares({ backends, health }: Route): readonly Share[] {
  const how = probeKey(health.probe, health);
  const isSilent = health.useRequests === false;
  return backends.flatMap(({ cluster, addresses, capacity = 0 }) =>
    addresses.map((address) => ({ key: address + how, cluster, capacity: capacity / addresses.length, isSilent })),
  );
}

/** @param now monotonic */
export function createTrafficBook(now: () => Milliseconds): TrafficBook {
  let entries: ReadonlyMap<EndpointKey, Entry> = new Map();
  /** Routes that stay as they are keep theirs: there may be thousands. */
  const sharesOf = rememberedMap(routeShares);
  let adopted: readonly (readonly Share[])[] = [];
  /** Cluster → its counts, which outlive its endpoints. */
  const clusters = new Map<string, Float64Array>();

  function countsOf(cluster: string): Float64Array {
    const known = clusters.get(cluster) ?? new Float64Array(RESULTS.length);
    clusters.set(cluster, known);
    return known;
  }

  const newEntry = (cluster: string): Entry => ({
    capacity: 0,
    isSilent: false,
    counts: countsOf(cluster),
    ...NOTHING,
    passed: 0,
    loads: 0,
    loadSum: 0,
    since: now(),
    rateLoad: 0,
  });

  /** The newest interval's rate, into the mean of those before. */
  function smoothedLoad(entry: Entry, at: number): number | undefined {
    if (entry.capacity === 0) return undefined;
    if (at > entry.since) entry.rateLoad += NEWEST * ((1000 * entry.passed) / (at - entry.since) / entry.capacity - entry.rateLoad);
    return entry.rateLoad;
  }

  return {
    adopt(routes) {
      const shares = sharesOf(routes);
      if (shares === adopted) return;
      adopted = shares;
      const next = new Map<EndpointKey, Entry>();
      for (const { key, cluster, capacity, isSilent } of shares.flat()) {
        let entry = next.get(key);
        if (entry === undefined) {
          entry = entries.get(key) ?? newEntry(cluster);
          entry.counts = countsOf(cluster);
          entry.capacity = 0;
          entry.isSilent = false;
          next.set(key, entry);
        }
        entry.capacity += capacity; // of several routes that share it: what all of them may send
        entry.isSilent ||= isSilent;
      }
      entries = next;
    },
    attempt({ id }, result) {
      const entry = entries.get(id);
      if (entry === undefined) return; // it has left the routes meanwhile
      entry.counts[PLACES.get(result)!]! += 1;
      entry.attempts++;
      if (result === "ok") {
        entry.run = 0;
      } else {
        entry.failures++;
        entry.run++;
      }
      if (result !== "connect") entry.passed++;
    },
    head({ id }, load) {
      const entry = entries.get(id);
      if (entry === undefined) return;
      entry.loads++;
      entry.loadSum += load;
    },
    take(key) {
      const entry = entries.get(key);
      if (entry === undefined) return NOTHING;
      const at = now();
      const { attempts, failures, run, isSilent, loads, loadSum } = entry;
      const told = loads === 0 ? undefined : loadSum / loads;
      const come = smoothedLoad(entry, at);
      const load = told === undefined || come === undefined ? (told ?? come) : Math.max(told, come);
      entry.attempts = entry.failures = entry.passed = entry.loads = entry.loadSum = 0;
      entry.since = at;
      return { ...(isSilent ? NOTHING : { attempts, failures, run }), ...(load === undefined ? {} : { load }) };
    },
    *attempts() {
      for (const [cluster, counts] of clusters)
        for (const [place, result] of RESULTS.entries()) if (counts[place]! > 0) yield { cluster, result, count: counts[place]! };
    },
  };
}
