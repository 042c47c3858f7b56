/**
 * The country file that npm brought, in the schema that the peers read: `country.iso_code` and `continent.code`, as in MaxMind's own files.
 * Its search tree stays as it is, but for 127.0.0.0/8, which gets a country: plain queries come from there.
 */
import { readFileSync } from "node:fs";
import { loadCentroids } from "../../src/geo/country-centroids.ts";
import { defaultGeoFile } from "../../src/geo/geo-files.ts";
import { type MmdbTree, openMmdb } from "../../src/geo/mmdb-tree.ts";
import type { Country } from "./steering.ts";

export interface CountryDatabase {
  /** A MaxMind DB file (format 2.0). */
  readonly file: Buffer;
  /** All that occur. */
  readonly countries: readonly Country[];
  /** @param address IPv4, unsigned */
  countryOf(address: number): Country | undefined;
}

/** Where the bench's own machine is said to be. */
const LOOPBACK_COUNTRY = "DE";

/** @throws when the file of the package cannot be read */
export function buildCountryDatabase(): CountryDatabase {
  const path = defaultGeoFile();
  const source = openMmdb(readFileSync(path), path);
  const centroids = loadCentroids();
  const countries: Country[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (code: string): number => {
    const known = numbers.get(code);
    if (known !== undefined) return known;
    const number = countries.push({ code, continent: centroids.get(code)?.continent ?? "EU" }) - 1;
    numbers.set(code, number);
    return number;
  };
  const countryOfRecord = source.records.map(({ country }) => (country === undefined ? -1 : numberOf(country)));
  const tree = withLoopback(source, ~countryOfRecord.indexOf(numberOf(LOOPBACK_COUNTRY)));
  return {
    file: writeFile(source, tree, countries, countryOfRecord),
    countries,
    countryOf(address) {
      let at = source.v4Root;
      for (let bit = 31; bit >= 0 && at >= 0; bit--) at = tree[2 * at + ((address >>> bit) & 1)]!;
      return at >= 0 ? undefined : countries[countryOfRecord[~at]!];
    },
  };
}

/** The children of all nodes, with `terminal` at 127.0.0.0/8, and the IPv4 tree at ::/96 again, where openMmdb cuts it off. */
function withLoopback({ children, v4Root, v6Root }: MmdbTree, terminal: number): Int32Array {
  const grown = [...children];
  let above = v6Root;
  for (let bit = 0; bit < 95; bit++) above = grown[2 * above]!;
  grown[2 * above] = v4Root;
  let node = v4Root;
  for (let bit = 7; bit > 0; bit--) {
    const at = 2 * node + ((127 >>> bit) & 1);
    const next = grown[at]!;
    if (next < 0) {
      grown[at] = grown.length / 2; // a leaf above 127.0.0.0/8 becomes a node whose sides both say what it said
      grown.push(next, next);
    }
    node = grown[at]!;
  }
  grown[2 * node + 1] = terminal;
  return Int32Array.from(grown);
}

const SEPARATOR = 16;

function writeFile(source: MmdbTree, tree: Int32Array, countries: readonly Country[], countryOfRecord: readonly number[]): Buffer {
  const records = countries.map(({ code, continent }) =>
    map({ continent: map({ code: text(continent) }), country: map({ iso_code: text(code) }) }),
  );
  const offsets: number[] = [];
  let length = 0;
  for (const record of records) {
    offsets.push(length);
    length += record.length;
  }
  const nodes = tree.length / 2;
  const search = Buffer.alloc(4 * tree.length);
  tree.forEach((child, i) => {
    const country = child < 0 ? countryOfRecord[~child]! : -1;
    search.writeUInt32BE(child >= 0 ? child : country < 0 ? nodes : nodes + SEPARATOR + offsets[country]!, 4 * i);
  });
  const metadata = map({
    binary_format_major_version: uint(2, 5),
    binary_format_minor_version: uint(0, 5),
    build_epoch: uint(source.buildEpoch / 1000, 9),
    database_type: text("GeoLite2-Country"),
    description: map({ en: text("countries of address registries") }),
    ip_version: uint(source.ipVersion, 5),
    languages: Buffer.concat([Buffer.of(1, 4), text("en")]), // an array of one
    node_count: uint(nodes, 6),
    record_size: uint(32, 5),
  });
  const marker = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");
  return Buffer.concat([search, Buffer.alloc(SEPARATOR), ...records, marker, metadata]);
}

// Values of the format, all short: a control byte with type and size, and what follows it. libmaxminddb insists on the widths of numbers.
const text = (value: string): Buffer => Buffer.concat([sized(2, Buffer.byteLength(value)), Buffer.from(value)]);

const map = (fields: Readonly<Record<string, Buffer>>): Buffer =>
  Buffer.concat([sized(7, Object.keys(fields).length), ...Object.entries(fields).flatMap(([name, value]) => [text(name), value])]);

const sized = (type: number, size: number): Buffer => (size < 29 ? Buffer.of((type << 5) | size) : Buffer.of((type << 5) | 29, size - 29));

/** @param type 5 = 16 bits, 6 = 32 bits, 9 = 64 bits */
function uint(value: number, type: 5 | 6 | 9): Buffer {
  const bytes = { 5: 2, 6: 4, 9: 8 }[type];
  const out = Buffer.alloc(bytes);
  if (type === 9) out.writeBigUInt64BE(BigInt(value));
  else out.writeUIntBE(value, 0, bytes);
  return Buffer.concat([type === 9 ? Buffer.of(bytes, type - 7) : Buffer.of((type << 5) | bytes), out]);
}
