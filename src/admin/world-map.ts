/** A frame of the map joined with what it is drawn on: places of clusters and countries, people, and load. */
import type { MapFrame } from "../engine/view.ts";
import type { WorldMap } from "./map-schemas.ts";

/** A country as the map draws it. */
export interface Region {
  readonly country: string;
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly population: number;
}

export interface WorldMapInput {
  readonly frame: MapFrame;
  readonly route: string | null;
  readonly regions: readonly Region[];
  /** Country → a network of it. */
  readonly sample: (country: string) => string | undefined;
  /** Cluster → answers per second; undefined for the past. */
  readonly load: ReadonlyMap<string, number> | undefined;
}

export function worldMap({ frame, route, regions, sample, load }: WorldMapInput): WorldMap {
  const served = new Map(frame.countries.map((one) => [one.country, one.served]));
  const people = new Map<string, number>();
  let total = 0;
  for (const { country, population } of regions) {
    for (const { cluster, share } of served.get(country) ?? []) {
      people.set(cluster, (people.get(cluster) ?? 0) + share * population);
      total += share * population;
    }
  }
  return {
    frame: { id: frame.id, at: frame.at, version: frame.version },
    route,
    clusters: frame.clusters.map(({ name, state, health, location: { label, latitude, longitude } }) => ({
      name,
      state,
      health,
      location: { label, latitude, longitude },
      population: total === 0 ? 0 : Math.round(((people.get(name) ?? 0) / total) * 10_000) / 10_000,
      answersPerSecond: load === undefined ? null : Math.round((load.get(name) ?? 0) * 10) / 10,
    })),
    regions: regions.map((region) => ({
      ...region,
      sample: sample(region.country) ?? null,
      served: [...(served.get(region.country) ?? [])],
    })),
  };
}

/** @param centroids ISO code → where its people are */
export function regionsOf(
  centroids: ReadonlyMap<string, { readonly latitude: number; readonly longitude: number; readonly population: number }>,
): readonly Region[] {
  const names = new Intl.DisplayNames("en", { type: "region" });
  return [...centroids]
    .map(([country, { latitude, longitude, population }]) => ({
      country,
      name: names.of(country) ?? country,
      latitude,
      longitude,
      population,
    }))
    .sort((a, b) => b.population - a.population || a.country.localeCompare(b.country));
}
