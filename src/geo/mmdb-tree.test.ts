import { describe, expect, test } from "vitest";
import { writeMmdb } from "../../test/support/mmdb-writer.ts";
import { GeoFileError } from "./geo-file-error.ts";
import { type MmdbTree, openMmdb } from "./mmdb-tree.ts";

const entries = [
  { network: "192.0.2.0/25", record: { country_code: "DE" } },
  { network: "192.0.2.128/25", record: { country_code: "FR" } },
  { network: "198.51.100.0/24", record: { country_code: "DE" } },
];

/** The record at the end of a path of bits, most significant first. */
function follow(tree: MmdbTree, root: number, bytes: readonly number[]): number {
  let at = root;
  for (let bit = 0; at >= 0; bit++) at = tree.children[2 * at + ((bytes[bit >>> 3]! >>> (7 - (bit & 7))) & 1)]!;
  return ~at;
}

describe.each([24, 28, 32] as const)("records of %i bits", (recordSize) => {
  test.each([4, 6] as const)("of IP version %i", (ipVersion) => {
    const tree = openMmdb(writeMmdb(entries, { ipVersion, recordSize, buildEpoch: 1_700_000_000 }), "test.mmdb");
    expect(tree).toMatchObject({ ipVersion, databaseType: "Test", buildEpoch: 1_700_000_000_000 });
    expect(tree.records[follow(tree, tree.v4Root, [192, 0, 2, 1])]).toEqual({ country: "DE" });
    expect(tree.records[follow(tree, tree.v4Root, [192, 0, 2, 200])]).toEqual({ country: "FR" });
    expect(follow(tree, tree.v4Root, [203, 0, 113, 1])).toBe(0);
    expect(tree.records).toHaveLength(3); // nothing, DE, FR: one a distinct record, however many networks
  });
});

test("pointers of more than 24 bits are read from the byte that both records of 28 bits share", () => {
  const tree = openMmdb(writeMmdb(entries, { recordSize: 28, padding: 2 ** 24 }), "test.mmdb");
  expect(tree.records[follow(tree, tree.v4Root, [192, 0, 2, 1])]).toEqual({ country: "DE" });
  expect(tree.records[follow(tree, tree.v4Root, [192, 0, 2, 200])]).toEqual({ country: "FR" });
  // One of two siblings holds data, the other nothing: a large pointer beside a small number, and the other way round.
  expect(tree.records[follow(tree, tree.v4Root, [198, 51, 100, 1])]).toEqual({ country: "DE" });
  expect(follow(tree, tree.v4Root, [198, 51, 101, 1])).toBe(0);
  expect(follow(tree, tree.v4Root, [192, 0, 3, 1])).toBe(0);
  expect(tree.records).toHaveLength(3);
});

test("a version 4 file knows nothing of IPv6", () => {
  const tree = openMmdb(writeMmdb(entries, { ipVersion: 4 }), "test.mmdb");
  expect(tree.v4Root).toBe(0);
  expect(tree.v6Root).toBe(~0);
});

test("IPv6 addresses that embed IPv4 ones are not looked up in the IPv4 tree", () => {
  const tree = openMmdb(writeMmdb(entries, { aliases: true }), "test.mmdb");
  expect(tree.records[follow(tree, tree.v4Root, [192, 0, 2, 200])]).toEqual({ country: "FR" });
  expect(follow(tree, tree.v6Root, [0x20, 2, 192, 0, 2, 200])).toBe(0);
  expect(follow(tree, tree.v6Root, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1])).toBe(0);
  expect(follow(tree, tree.v6Root, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1])).toBe(0);
});

/** Overwrites record `side` of a node in a file of 24-bit records. */
function poke(bytes: Buffer, node: number, side: 0 | 1, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUIntBE(value, 6 * node + 3 * side, 3);
  return copy;
}

/** Overwrites a number of the metadata in place; the writer holds it as uint32. */
function pokeMetadata(bytes: Buffer, key: string, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt32BE(value, copy.lastIndexOf(key) + key.length + 1);
  return copy;
}

/** A chain of nodes, each with both records pointing to the next: 2^length paths in a file of a few bytes. */
function bomb(length: number, ipVersion: 4 | 6): Buffer {
  const count = length;
  const tree = Buffer.alloc(6 * count);
  for (let node = 0; node < count; node++) {
    const next = node + 1 < count ? node + 1 : count + 16;
    tree.writeUIntBE(next, 6 * node, 3);
    tree.writeUIntBE(node + 1 < count ? next : count, 6 * node + 3, 3);
  }
  const rest = writeMmdb([{ network: "0.0.0.0/1", record: { country_code: "DE" } }], { ipVersion });
  const nodes = ipVersion === 4 ? 1 : 97;
  return pokeMetadata(Buffer.concat([tree, rest.subarray(6 * nodes)]), "node_count", count);
}

describe("what is refused", () => {
  const good = writeMmdb(entries);
  const nodeCount = good.readUInt32BE(good.lastIndexOf("node_count") + 11);
  const cases: readonly { name: string; bytes: Buffer; code: GeoFileError["code"]; fact?: string }[] = [
    { name: "an empty file", bytes: Buffer.alloc(0), code: "not-mmdb" },
    { name: "a text file", bytes: Buffer.from("country,continent\n"), code: "not-mmdb" },
    { name: "a file cut short", bytes: good.subarray(0, good.length >> 1), code: "not-mmdb" },
    { name: "a file cut within its metadata", bytes: good.subarray(0, good.length - 60), code: "corrupt" },
    { name: "a file whose middle is missing", bytes: Buffer.concat([good.subarray(0, 30), good.subarray(700)]), code: "truncated" },
    { name: "zero nodes", bytes: pokeMetadata(good, "node_count", 0), code: "empty" },
    { name: "more nodes than bytes", bytes: pokeMetadata(good, "node_count", 1_000_000), code: "truncated" },
    { name: "absurdly many nodes", bytes: pokeMetadata(good, "node_count", 0xffff_ffff), code: "too-large" },
    { name: "one node fewer than written", bytes: pokeMetadata(good, "node_count", nodeCount - 1), code: "corrupt" },
    { name: "records of 20 bits", bytes: pokeMetadata(good, "record_size", 20), code: "corrupt" },
    { name: "IP version 5", bytes: pokeMetadata(good, "ip_version", 5), code: "unsupported" },
    { name: "format version 3", bytes: pokeMetadata(good, "binary_format_major_version", 3), code: "unsupported" },
    { name: "a pointer into the separator", bytes: poke(good, 0, 1, nodeCount + 7), code: "corrupt" },
    { name: "a pointer behind the data", bytes: poke(good, 0, 1, nodeCount + 16 + 100_000), code: "corrupt" },
    { name: "a node that is its own child", bytes: poke(good, 5, 1, 5), code: "corrupt", fact: "a cycle" },
    { name: "a cycle of several nodes", bytes: poke(good, 20, 0, 3), code: "corrupt", fact: "a cycle" },
    { name: "a tree deeper than an address", bytes: bomb(40, 4), code: "corrupt", fact: "deeper than 32 bits" },
    { name: "a few nodes that unfold to millions of millions", bytes: bomb(100, 6), code: "too-large" },
  ];
  test.each(cases)("$name is $code", ({ bytes, code, fact = "" }) => {
    const attempt = () => openMmdb(bytes, "/etc/geo/test.mmdb");
    expect(attempt).toThrow(GeoFileError);
    expect(attempt).toThrow(fact);
    expect(attempt).toThrow(
      expect.objectContaining({ code, file: "/etc/geo/test.mmdb", message: expect.stringMatching(/^\/etc\/geo\/test\.mmdb: .+\. .+\.$/) }),
    );
  });

  test("a file with any one byte changed is opened or refused, never anything else", () => {
    for (let at = 0; at < good.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const bytes = Buffer.from(good);
        bytes[at]! ^= flip;
        try {
          openMmdb(bytes, "test.mmdb");
        } catch (error) {
          if (!(error instanceof GeoFileError)) throw error;
        }
      }
    }
  });
});
