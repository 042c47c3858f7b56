import { readFileSync } from "node:fs";
import { type CountryResponse, Reader } from "maxmind";
import { expect, test } from "vitest";
import { defaultGeoFile } from "../../src/geo/geo-files.ts";
import { openMmdb } from "../../src/geo/mmdb-tree.ts";
import { buildCountryDatabase } from "./country-database.ts";
import { datacenterOf, drawClients } from "./steering.ts";

const database = buildCountryDatabase();
const ours = new Reader<CountryResponse>(database.file);
const original = new Reader<CountryResponse & { country_code?: string }>(readFileSync(defaultGeoFile()));
const dotted = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");

test("it names the same country for every address as the file it was made of", () => {
  const clients = drawClients(5000, 1, (address) => original.get(dotted(address)) !== null);
  for (const client of clients) {
    const record = ours.get(dotted(client));
    expect(record?.country?.iso_code, dotted(client)).toBe(original.get(dotted(client))?.country_code);
    expect(database.countryOf(client)).toEqual({ code: record?.country?.iso_code, continent: record?.continent?.code });
  }
  expect(ours.get("2001:4860:4860::8888")?.country?.iso_code).toBe(original.get("2001:4860:4860::8888")?.country_code);
});

test("loopback has a country, its neighbours have none of it", () => {
  expect(ours.get("127.0.0.1")?.country?.iso_code).toBe("DE");
  expect(database.countryOf(0x7fff_ffff)?.code).toBe("DE");
  for (const neighbour of ["126.255.255.255", "128.0.0.0", "10.0.0.1"]) {
    expect(ours.get(neighbour)?.country?.iso_code, neighbour).toBe(original.get(neighbour)?.country_code);
  }
});

test("our own reader takes it, with a continent for every country", () => {
  const { records, ipVersion } = openMmdb(database.file, "countries.mmdb");
  expect(ipVersion).toBe(6);
  expect(records.length - 1).toBe(database.countries.length);
  expect(records.slice(1).every(({ country, continent }) => country !== undefined && continent !== undefined)).toBe(true);
});

test.each([
  { code: "CA", continent: "NA", name: "us-west-2" },
  { code: "US", continent: "NA", name: "us-east-1" },
  { code: "FR", continent: "EU", name: "eu-west-1" },
  { code: "PL", continent: "EU", name: "eu-central-1" },
  { code: "IN", continent: "AS", name: "ap-south-1" },
  { code: "JP", continent: "AS", name: "ap-northeast-1" },
  { code: "NZ", continent: "OC", name: "ap-northeast-1" },
  { code: "AQ", continent: "AN", name: "eu-central-1" },
])("clients in $code are served by $name", ({ code, continent, name }) => {
  expect(datacenterOf({ code, continent }).name).toBe(name);
});

test("clients are drawn from allocated space, the same each time", () => {
  const draw = () => drawClients(100, 7, (address) => database.countryOf(address) !== undefined);
  expect(draw()).toEqual(draw());
  expect([...draw()].every((client) => (client & 255) === 0 && database.countryOf(client) !== undefined)).toBe(true);
});
