/** Which lines the map draws from clients to clusters, and how thick. */
import type { WorldMap } from "./types.ts";

export interface Arc {
  readonly key: string;
  readonly country: string;
  readonly cluster: string;
  /** Of the world's population. */
  readonly weight: number;
  readonly path: string;
}

type Point = readonly [number, number];

/** More lines hide each other. */
const MOST = 90;
/** Smaller parts of a country's answers are told in its panel only. */
const SMALLEST_SHARE = 0.1;

/** @param place from latitude and longitude to the map's units */
export function arcsOf(map: WorldMap, place: (latitude: number, longitude: number) => Point): readonly Arc[] {
  const clusters = new Map(map.clusters.map((cluster) => [cluster.name, place(cluster.location.latitude, cluster.location.longitude)]));
  const total = map.regions.reduce((sum, { population }) => sum + population, 0) || 1;
  const all = map.regions.flatMap(({ country, latitude, longitude, population, served }) =>
    served.flatMap(({ cluster, share }) => {
      const to = clusters.get(cluster);
      if (to === undefined || share < SMALLEST_SHARE) return [];
      const path = curve(place(latitude, longitude), to);
      return path === undefined ? [] : [{ key: `${country}>${cluster}`, country, cluster, weight: (population * share) / total, path }];
    }),
  );
  return all.sort((a, b) => b.weight - a.weight || a.key.localeCompare(b.key)).slice(0, MOST);
}

/** Bends towards the pole of its half of the map, as the shortest way does. @returns undefined for ends that are too close to see a line */
function curve([ax, ay]: Point, [bx, by]: Point): string | undefined {
  const length = Math.hypot(bx - ax, by - ay);
  if (length < 4) return undefined;
  const lift = Math.min(90, length * 0.22);
  const round = (value: number): string => value.toFixed(1);
  return `M${round(ax)},${round(ay)}Q${round((ax + bx) / 2)},${round((ay + by) / 2 - lift)} ${round(bx)},${round(by)}`;
}

/** In the map's units. @param weight of the world's population */
export const arcWidth = (weight: number): number => Math.min(4, 0.6 + 12 * Math.sqrt(weight) * 0.6);
