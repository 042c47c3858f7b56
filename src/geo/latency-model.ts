/**
 * How long a round trip from a client to a cluster takes, without asking the client.
 *
 * `a + f · km / 100`: a seed line for each client continent, then a fitted line for each cell (client continent, cluster continent), and
 * measured values in the neighbourhood of vantages. Evidence stays where it was gathered: a vantage changes the lines of its own
 * continent and the values within 300 km of it, and nothing else. All cells of a continent start from one line and every line rises with
 * distance, so without evidence, and always within one cell, nearer is never slower.
 */
import type { Cluster } from "../model/inventory.ts";
import { distanceKm } from "./distance.ts";
import type { Place } from "./geo-table.ts";

/** A round trip of `a + f · km / 100` milliseconds. */
export interface LatencyLine {
  readonly a: number;
  readonly f: number;
}

/** What stands in for the model near one vantage. */
export interface MeasuredLatency {
  /** Of the vantage, degrees. */
  readonly latitude: number;
  readonly longitude: number;
  readonly cluster: string;
  /** From the vantage to where the cluster was when it was measured. */
  readonly distanceKm: number;
  /** Of a client at the vantage, its access line included. */
  readonly ms: number;
}

/** Plain JSON. {@link latencyOf} reads `cells` and `measured`; they change together with `version` only. */
export interface LatencyMap {
  readonly version: number;
  /** `EU>NA`: clients in Europe, clusters in North America. */
  readonly cells: Readonly<Record<string, LatencyLine>>;
  readonly measured: readonly MeasuredLatency[];
  /** Bookkeeping of {@link fitLatency}, by cell or by vantage and cluster. */
  readonly watched: Readonly<Record<string, Watched>>;
}

/** Whether the last window already asked for a change, and when evidence was last seen (ms since the epoch). */
export interface Watched {
  readonly wants: "higher" | "lower" | "nothing";
  readonly seen: number;
}

export interface LatencyEstimate {
  readonly ms: number;
  readonly source: "measured" | "model";
}

/** Measured values stand in for clients up to this far from the vantage. */
const REACH_KM = 300;

/**
 * Seeds by client continent: `a` is the access line, 5..10 ms; `f` how much longer than the geodesic and than light in fibre (1 ms per
 * 100 km) paths are, 1.6..2.2.
 */
const seeds: Readonly<Record<string, LatencyLine>> = {
  AF: { a: 10, f: 2.2 },
  AN: { a: 10, f: 2.2 },
  AS: { a: 8, f: 2 },
  EU: { a: 5, f: 1.6 },
  NA: { a: 5, f: 1.6 },
  OC: { a: 7, f: 1.9 },
  SA: { a: 8, f: 2.1 },
};

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const unknownSeed: LatencyLine = {
  a: mean(Object.values(seeds).map((line) => line.a)),
  f: mean(Object.values(seeds).map((line) => line.f)),
};

/** The seed of a client continent; the mean of all for an unknown one. */
export const seedOf = (continent: string | undefined): LatencyLine =>
  (continent === undefined ? undefined : seeds[continent]) ?? unknownSeed;

/** Key of `LatencyMap.cells`. */
export const cellKey = (from: string, to: string): string => `${from}>${to}`;

/** @returns milliseconds at a distance */
export const along = (line: LatencyLine, km: number): number => line.a + (line.f * km) / 100;

/** The map before any evidence. */
export const newLatencyMap = (): LatencyMap => ({ version: 1, cells: {}, measured: [], watched: {} });

/**
 * Estimates the round trip of a client at a place to a cluster.
 *
 * @returns undefined when the place has no coordinates; `measured` when a vantage within 300 km has probed the cluster where it is now
 */
export function latencyOf(
  map: Pick<LatencyMap, "cells" | "measured">,
  place: Pick<Place, "latitude" | "longitude" | "continent">,
  cluster: Pick<Cluster, "name" | "location">,
): LatencyEstimate | undefined {
  const { latitude, longitude, continent } = place;
  if (latitude === undefined || longitude === undefined) return undefined;
  const { location } = cluster;
  let nearest: MeasuredLatency | undefined;
  let nearestKm = REACH_KM;
  for (const measured of map.measured) {
    if (measured.cluster !== cluster.name) continue;
    const km = distanceKm(latitude, longitude, measured.latitude, measured.longitude);
    if (km > nearestKm || (nearest !== undefined && km === nearestKm)) continue;
    const now = distanceKm(measured.latitude, measured.longitude, location.latitude, location.longitude);
    if (Math.abs(now - measured.distanceKm) > MOVED_KM) continue;
    nearest = measured;
    nearestKm = km;
  }
  if (nearest !== undefined) return { ms: nearest.ms, source: "measured" };
  const km = distanceKm(latitude, longitude, location.latitude, location.longitude);
  return { ms: along(lineOf(map.cells, continent, location.continent), km), source: "model" };
}

/** A cluster that is now this much nearer or farther has moved: what was measured is of its old site. */
const MOVED_KM = 50;

/** The line of a cell, or of its client continent as long as nothing is fitted. */
export function lineOf(cells: LatencyMap["cells"], from: string | undefined, to: string | undefined): LatencyLine {
  return (from === undefined || to === undefined ? undefined : cells[cellKey(from, to)]) ?? seedOf(from);
}
