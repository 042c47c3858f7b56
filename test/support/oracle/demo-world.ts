/** What the demo must answer, worked out without the code that is judged: `maxmind`, the committed tables, and the distance formula of the oracle. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { repository } from "../source-tree.ts";
import { type OraclePlace, type OracleWorld, oracleAddress, oracleKm, oraclePlace, oracleReader, oracleScope } from "./geo.ts";

export interface OracleSite {
  readonly name: string;
  readonly address: string;
  readonly latitude: number;
  readonly longitude: number;
}

/** Rows of a committed table, by column name; comment lines start with `#`. */
function readTable(path: string): readonly Readonly<Record<string, string>>[] {
  const [head = "", ...lines] = readFileSync(join(repository, path), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const columns = head.split(",");
  return lines.map((line) => {
    const fields = line.split(",");
    return Object.fromEntries(columns.map((column, i) => [column, fields[i] ?? ""]));
  });
}

/** The default geo data, as the program reads it when it is given none. */
export function defaultOracleWorld(): OracleWorld {
  const file = createRequire(import.meta.url).resolve("@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb");
  const centroids = new Map(
    readTable("src/geo/data/country-centroids.csv").map((row) => [
      row.country ?? "",
      { continent: row.continent ?? "", latitude: Number(row.latitude), longitude: Number(row.longitude) },
    ]),
  );
  return { readers: [oracleReader(readFileSync(file))], subnets: [], centroids };
}

/** Where people live, by row of the committed table. */
export const oracleHomes = (): readonly {
  readonly country: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly people: number;
}[] =>
  readTable("src/geo/data/population.csv").map((row) => ({
    country: row.country ?? "",
    latitude: Number(row.latitude),
    longitude: Number(row.longitude),
    people: Number(row.population),
  }));

/** The demo's sites in the order of their addresses. */
export function oracleSites(names: readonly string[]): readonly OracleSite[] {
  const regions: Readonly<Record<string, string>> = {
    "eu-west": "eu-west-1",
    "us-east": "us-east-1",
    "ap-northeast": "ap-northeast-1",
    "sa-east": "sa-east-1",
    "eu-central": "eu-central-1",
  };
  const table = readTable("src/geo/data/cloud-regions.csv");
  return Object.entries(regions).flatMap(([name, region], i) => {
    const row = table.find((one) => one.provider === "aws" && one.region === region);
    if (row === undefined) throw new Error(`the region table has no aws ${region}`);
    if (!names.includes(name)) return [];
    return [{ name, address: `127.0.10.${i + 1}`, latitude: Number(row.latitude), longitude: Number(row.longitude) }];
  });
}

/** Site names, nearest to the place first; empty for a place without coordinates. */
export function byDistance(sites: readonly OracleSite[], place: OraclePlace): readonly string[] {
  const { latitude, longitude } = place;
  if (latitude === undefined || longitude === undefined) return [];
  const km = (site: OracleSite): number => oracleKm(latitude, longitude, site.latitude, site.longitude);
  return sites.toSorted((a, b) => km(a) - km(b)).map((site) => site.name);
}

/** For a route by distance without rules: the sites in the order in which they serve a client, and the ECS scope of the answer. */
export function nearestAnswer(
  world: OracleWorld,
  sites: readonly OracleSite[],
  client: string,
): { readonly order: readonly string[]; readonly scope: number } {
  const classes = new Map<string, number>();
  const classOf = (place: OraclePlace): number => {
    const key = byDistance(sites, place).join();
    if (!classes.has(key)) classes.set(key, classes.size);
    return classes.get(key) ?? 0;
  };
  const address = oracleAddress(client);
  return { order: byDistance(sites, oraclePlace(world, address)), scope: oracleScope(world, address, classOf) };
}
