/** The outlines of countries, for maps of the world. */
import { readFileSync } from "node:fs";

/** ISO 3166-1 alpha-2 → closed rings: longitude and latitude in turn, tenths of degrees. The smallest of all may be missing. */
export type CountryShapes = ReadonlyMap<string, readonly (readonly number[])[]>;

/** Reads data/country-shapes.json, which lies beside this file in a checkout and in a package alike. */
export function loadCountryShapes(): CountryShapes {
  const shapes: Readonly<Record<string, readonly (readonly number[])[]>> = JSON.parse(
    readFileSync(new URL("./data/country-shapes.json", import.meta.url), "utf8"),
  );
  return new Map(Object.entries(shapes));
}
