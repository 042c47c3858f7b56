/**
 * A city file, an ASN file and rule networks of the size of real ones, made up: no such file may be handed on. How long building takes and how
 * much it holds depends on how many networks, cities and providers there are and how they lie, which is about right; nothing else is.
 */
import { mix32 } from "../../src/routing/hash.ts";
import { encode, type Json } from "../../test/support/mmdb-writer.ts";
import { newRandom } from "./clients.ts";

export interface CitySize {
  /** Networks with a city, IPv4 and IPv6. */
  readonly v4Networks: number;
  readonly v6Networks: number;
  /** Networks with an AS number. */
  readonly v4Routes: number;
  readonly v6Routes: number;
}

/** GeoLite2-City and -ASN are about this large. */
export const CITY_SIZE: CitySize = { v4Networks: 2_000_000, v6Networks: 500_000, v4Routes: 400_000, v6Routes: 100_000 };

const CITIES = 40_000;
const PROVIDERS = 75_000;
/** How many of each are common in one /16. */
const LOCAL_CITIES = 12;
const LOCAL_PROVIDERS = 4;

const COUNTRIES = ["US", "CN", "DE", "FR", "GB", "JP", "BR", "IN", "ES", "IT", "CA", "AU", "NL", "PL", "SE", "ZA", "KR", "MX", "AR", "TR"];
const CONTINENTS = ["NA", "AS", "EU", "EU", "EU", "AS", "SA", "AS", "EU", "EU", "NA", "OC", "EU", "EU", "EU", "AF", "AS", "NA", "SA", "AS"];

export function cityFile({ v4Networks, v6Networks }: CitySize): Buffer {
  const random = newRandom(3);
  const records = Array.from({ length: CITIES }, (_, i): Json => {
    const country = i % COUNTRIES.length;
    return {
      continent: { code: CONTINENTS[country]! },
      country: { iso_code: COUNTRIES[country]! },
      location: {
        latitude: Math.round(random() * 1_300_000 - 550_000) / 10_000,
        longitude: Math.round(random() * 3_600_000 - 1_800_000) / 10_000,
      },
      subdivisions: [{ iso_code: `R${i % 50}` }],
    };
  });
  return madeUpFile("Made-Up-City", records, LOCAL_CITIES, v4Networks, v6Networks, random);
}

export function asnFile({ v4Routes, v6Routes }: CitySize): Buffer {
  const random = newRandom(4);
  const records = Array.from({ length: PROVIDERS }, (_, i): Json => ({ autonomous_system_number: 1000 + i }));
  return madeUpFile("Made-Up-ASN", records, LOCAL_PROVIDERS, v4Routes, v6Routes, random);
}

/** Different networks: /20 to /26, and one of five /36 to /48. */
export function ruleNetworks(count: number): readonly string[] {
  const random = newRandom(5);
  const found = new Set<string>();
  while (found.size < count) {
    if (found.size % 5 === 4) {
      const length = 36 + Math.floor(random() * 4) * 4;
      const groups = [
        0x2a00 + Math.floor(random() * 16),
        Math.floor(random() * 65_536),
        Math.floor(random() * 65_536) & (0xffff << (48 - length)),
      ];
      found.add(`${groups.map((group) => group.toString(16)).join(":")}::/${length}`);
    } else {
      const length = 20 + Math.floor(random() * 7);
      const ip = (Math.floor(0x0100_0000 + random() * 0xdeff_ffff) & (-1 << (32 - length))) >>> 0;
      found.add(`${ip >>> 24}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}/${length}`);
    }
  }
  return [...found];
}

/** A file of 32-bit records whose tree is cut at random until it has as many networks as wanted. */
function madeUpFile(databaseType: string, records: readonly Json[], local: number, v4: number, v6: number, random: () => number): Buffer {
  const tree = new MadeUpTree(records.length, local, v4 + v6 + 200, random);
  const v4Root = tree.grow(v4, 0, 28, 1);
  const v6Root = tree.grow(v6, 3, 48, 1);
  // 2000::/3 for IPv6, ::/96 for IPv4
  let below = v4Root;
  for (let depth = 96; depth > 3; depth--) below = tree.add(below, tree.nothing);
  tree.root(below, v6Root);
  const data: Buffer[] = records.map(encode);
  const offsets: number[] = [];
  let offset = 0;
  for (const one of data) {
    offsets.push(offset);
    offset += one.length;
  }
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_767_225_600,
    database_type: databaseType,
    description: { en: "made up for a benchmark" },
    ip_version: 6,
    languages: ["en"],
    node_count: tree.nodes,
    record_size: 32,
  });
  return Buffer.concat([tree.bytes(offsets), Buffer.alloc(16), ...data, Buffer.from("\xab\xcd\xefMaxMind.com", "latin1"), metadata]);
}

/** A binary trie in the making: a child is a node's number, or ~record. Node 0 is the root, which is set last. */
class MadeUpTree {
  readonly nothing: number;
  nodes = 3;
  private readonly children: Int32Array;
  private readonly records: number;
  private readonly local: number;
  private readonly random: () => number;

  /** @param local how many records are common in one /16 */
  constructor(records: number, local: number, networks: number, random: () => number) {
    this.records = records;
    this.local = local;
    this.nothing = ~records;
    this.children = new Int32Array(4 * networks);
    this.random = random;
  }

  add(left: number, right: number): number {
    this.children[2 * this.nodes] = left;
    this.children[2 * this.nodes + 1] = right;
    return this.nodes++;
  }

  /** The nodes of the first three bits: `low` is 000, `high` 001. */
  root(low: number, high: number): void {
    this.children.set([1, this.nothing, 2, this.nothing, low, high]);
  }

  /**
   * @param path decides how a part is cut, so that two files are cut at the same places
   * @param from first of the records that are common here; undefined above /16
   */
  grow(networks: number, depth: number, deepest: number, path: number, from?: number): number {
    if (networks < 1.5 || depth === deepest) {
      if (this.random() < 0.03) return this.nothing;
      return ~(((from ?? 0) + Math.floor(this.random() * this.local)) % this.records);
    }
    const here = from ?? (depth >= 16 ? Math.floor(this.random() * this.records) : undefined);
    // crowded and empty parts, as in life
    const left = networks * (0.5 + (mix32(path) / 0x1_0000_0000 - 0.5) * (depth < 8 ? 0.2 : 0.7));
    return this.add(
      this.grow(left, depth + 1, deepest, 2 * path, here),
      this.grow(networks - left, depth + 1, deepest, 2 * path + 1, here),
    );
  }

  bytes(offsets: readonly number[]): Buffer {
    const out = Buffer.alloc(8 * this.nodes);
    for (let i = 0; i < 2 * this.nodes; i++) {
      const child = this.children[i]!;
      const value = child >= 0 ? child : child === this.nothing ? this.nodes : this.nodes + 16 + offsets[~child]!;
      out.writeUInt32BE(value, 4 * i);
    }
    return out;
  }
}
