/** Where the people of a country are, on average: the stand-in for clients of whom only the country is known. */
import { readCsv } from "./csv.ts";
import { roundDegrees } from "./place-record.ts";

export interface Centroid {
  /** Two letters: AF AN AS EU NA OC SA. */
  readonly continent: string;
  /** Degrees, to a tenth like all places. */
  readonly latitude: number;
  readonly longitude: number;
  /** Of the cities that made it; 0 for a territory placed by hand. */
  readonly population: number;
}

/** ISO 3166-1 alpha-2 → centroid. */
export type Centroids = ReadonlyMap<string, Centroid>;

/** Reads data/country-centroids.csv, which lies beside this file in a checkout and in a package alike. */
export function loadCentroids(): Centroids {
  return new Map(
    readCsv(new URL("./data/country-centroids.csv", import.meta.url)).map((row): [string, Centroid] => [
      row.country!,
      {
        continent: row.continent!,
        latitude: roundDegrees(Number(row.latitude)),
        longitude: roundDegrees(Number(row.longitude)),
        population: Number(row.population),
      },
    ]),
  );
}
