/** Small random worlds for property tests: mmdb files, rule networks, and the addresses at which anything changes. */
import fc from "fast-check";
import { type Json, type MmdbEntry, writeMmdb } from "./mmdb-writer.ts";
import { type OracleAddress, type OracleWorld, oracleAddress, oraclePrefix, oracleReader, oracleText } from "./oracle/geo.ts";

export interface GeoWorld {
  readonly files: readonly Buffer[];
  readonly subnets: readonly string[];
  /** First and last address of every network, and their neighbours outside. */
  readonly edges: readonly OracleAddress[];
}

/** Networks crowd together, so that they overlap, touch and nest. */
const v4Network = fc
  .tuple(
    fc.constantFrom("192.0.2.0", "192.0.2.128", "192.0.3.0", "198.51.100.0", "0.0.0.0", "203.0.113.77"),
    fc.integer({ min: 0, max: 32 }),
  )
  .map(([address, length]) => ({ ...oracleAddress(address), length }));
const v6Network = fc
  .tuple(
    fc.constantFrom("2001:db8::", "2001:db8:8000::", "2001:db8::1", "2001:db9::", "::", "2001:db8:0:ff00::"),
    fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 65, max: 128 })),
  )
  .map(([address, length]) => ({ ...oracleAddress(address), length }));

const text = ({ family, value, length }: OracleAddress & { length: number }): string => {
  const host = BigInt((family === 4 ? 32 : 128) - length);
  return `${oracleText({ family, value: (value >> host) << host })}/${length}`;
};

const spot = fc.constantFrom(
  { country: "DE", continent: "EU", part: "BE", latitude: 52.52, longitude: 13.4 },
  { country: "DE", continent: "EU", part: "BY", latitude: 48.14, longitude: 11.58 },
  { country: "US", continent: "NA", part: "WA", latitude: 47.61, longitude: -122.33 },
  { country: "JP", continent: "AS", part: "13", latitude: 35.68, longitude: 139.69 },
);
const asn = fc.constantFrom(64500, 64501);

/** A record of either dialect with any of its fields missing. */
const record: fc.Arbitrary<Json> = fc.oneof(
  fc.tuple(spot, fc.subarray(["country", "continent", "subdivisions", "location"])).map(([at, fields]) => ({
    ...(fields.includes("country") && { country: { iso_code: at.country } }),
    ...(fields.includes("continent") && { continent: { code: at.continent } }),
    ...(fields.includes("subdivisions") && { subdivisions: [{ iso_code: at.part }] }),
    ...(fields.includes("location") && { location: { latitude: at.latitude, longitude: at.longitude } }),
  })),
  fc.tuple(spot, fc.boolean()).map(([at, located]) => ({
    country_code: at.country,
    state1: "a name",
    ...(located && { latitude: String(at.latitude), longitude: String(at.longitude) }),
  })),
  asn.map((number) => ({ autonomous_system_number: number })),
  asn.map((number) => ({ asn: `AS${number}` })),
);

const file = fc
  .record({
    ipVersion: fc.constantFrom(4 as const, 6 as const),
    recordSize: fc.constantFrom(24 as const, 28 as const, 32 as const),
    aliases: fc.boolean(),
    entries: fc.array(fc.record({ network: fc.oneof(v4Network, v6Network), record }), { minLength: 1, maxLength: 12 }),
  })
  .map(({ ipVersion, recordSize, aliases, entries }) => {
    const held = entries.filter(({ network }) => ipVersion === 6 || network.family === 4);
    const written: MmdbEntry[] = held.map((entry) => ({ network: text(entry.network), record: entry.record }));
    return {
      bytes: writeMmdb(written, { ipVersion, recordSize, aliases: aliases && ipVersion === 6 }),
      networks: held.map(({ network }) => network),
    };
  });

export const geoWorld: fc.Arbitrary<GeoWorld> = fc
  .record({ files: fc.array(file, { maxLength: 3 }), subnets: fc.array(fc.oneof(v4Network, v6Network), { maxLength: 6 }) })
  .map(({ files, subnets }) => ({
    files: files.map(({ bytes }) => bytes),
    subnets: [...new Set(subnets.map(text))],
    edges: [...files.flatMap(({ networks }) => networks), ...subnets].flatMap(edgesOf),
  }));

function edgesOf({ family, value, length }: OracleAddress & { length: number }): OracleAddress[] {
  const size = 1n << BigInt((family === 4 ? 32 : 128) - length);
  const end = 1n << (family === 4 ? 32n : 128n);
  const start = (value / size) * size;
  return [start - 1n, start, start + size - 1n, start + size, value]
    .filter((at) => at >= 0n && at < end)
    .map((at) => ({ family, value: at }));
}

export const oracleOf = (world: GeoWorld, centroids: OracleWorld["centroids"]): OracleWorld => ({
  readers: world.files.map(oracleReader),
  subnets: world.subnets.map(oraclePrefix),
  centroids,
});
