/** Gathers round-trip times of probes and fits the latency map once a window. */
import { distanceKm } from "../geo/distance.ts";
import { fitLatency, type LatencySample } from "../geo/latency-fit.ts";
import type { LatencyMap } from "../geo/latency-model.ts";
import type { Observation } from "../model/health.ts";
import type { Cluster, Location } from "../model/inventory.ts";

/** Milliseconds; a fitted value must win in two windows before it counts. */
export const LATENCY_WINDOW = 60_000;

export interface LatencyKeeper {
  /** Takes note of an observation that measured a round trip to a cluster. */
  observe(observation: Observation, cluster: Cluster): void;
  map(): LatencyMap;
  /** Closes a window. @returns true when the map has a new version */
  fit(): boolean;
}

/** @param vantage where probes leave from; without a location nothing is learnt, because nobody's neighbourhood is known */
export function createLatencyKeeper(vantage: Location | undefined, first: LatencyMap, now: () => number): LatencyKeeper {
  let map = first;
  let samples: LatencySample[] = [];
  return {
    observe(observation, cluster) {
      if (vantage === undefined || !observation.ok || observation.roundTrip === undefined) return;
      const km = distanceKm(vantage.latitude, vantage.longitude, cluster.location.latitude, cluster.location.longitude);
      const { latitude, longitude, continent } = vantage;
      samples.push({
        vantage: { latitude, longitude, ...(continent === undefined ? {} : { continent }) },
        cluster: cluster.name,
        ...(cluster.location.continent === undefined ? {} : { clusterContinent: cluster.location.continent }),
        rttMs: observation.roundTrip,
        at: observation.at,
        distanceKm: km,
      });
    },
    map: () => map,
    fit() {
      const before = map.version;
      map = fitLatency(map, samples, now());
      samples = [];
      return map.version !== before;
    },
  };
}
