/** Where people live, for clients of the world: the cities of each country, gathered in squares of two degrees. */
import { readCsv } from "./csv.ts";

/** People of one country in one square. */
export interface Home {
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** Mean of the people's, degrees. */
  readonly latitude: number;
  readonly longitude: number;
  /** Inhabitants of the listed cities, at least 1. */
  readonly people: number;
}

/** Reads data/population.csv, which lies beside this file in a checkout and in a package alike; by country, then by position. */
export function loadHomes(): readonly Home[] {
  return readCsv(new URL("./data/population.csv", import.meta.url)).map((row) => ({
    country: row.country!,
    latitude: Number(row.latitude),
    longitude: Number(row.longitude),
    people: Number(row.population),
  }));
}
