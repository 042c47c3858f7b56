import { Reader } from "maxmind";
import { describe, expect, test } from "vitest";
import { writeMmdb } from "./mmdb-writer.ts";

const entries = [
  { network: "192.0.2.0/24", record: { country: { iso_code: "DE" }, location: { latitude: -1.5, longitude: 3 } } },
  { network: "192.0.2.128/25", record: { country: { iso_code: "FR" } } },
  { network: "203.0.113.7/32", record: { list: [1, true, "a".repeat(100)] } },
];

describe.each([24, 28, 32] as const)("records of %i bits", (recordSize) => {
  test.each([4, 6] as const)("maxmind reads version %i back", (ipVersion) => {
    const reader = new Reader(writeMmdb(entries, { ipVersion, recordSize }));
    expect(reader.metadata).toMatchObject({ ipVersion, recordSize, databaseType: "Test" });
    expect(reader.getWithPrefixLength("192.0.2.1")).toEqual([entries[0]!.record, 25]);
    expect(reader.getWithPrefixLength("192.0.2.200")).toEqual([entries[1]!.record, 25]);
    expect(reader.getWithPrefixLength("203.0.113.7")).toEqual([entries[2]!.record, 32]);
    expect(reader.get("203.0.113.8")).toBeNull();
  });

  test("maxmind reads IPv6 and the aliases of IPv4 back", () => {
    const all = [...entries, { network: "2001:db8::/32", record: { country_code: "JP" } }];
    const reader = new Reader(writeMmdb(all, { recordSize, aliases: true }));
    expect(reader.getWithPrefixLength("2001:db8:1::")).toEqual([{ country_code: "JP" }, 32]);
    expect(reader.get("::ffff:c000:0201")).toEqual(entries[0]!.record);
    expect(reader.get("2002:c000:02ff::1")).toEqual(entries[1]!.record);
    expect(reader.get("::c000:0201")).toEqual(entries[0]!.record);
  });
});

test("pointers of more than 24 bits survive in the byte that both records of 28 bits share", () => {
  const reader = new Reader(writeMmdb(entries, { recordSize: 28, padding: 2 ** 24 }));
  for (const { network, record } of entries.slice(1)) expect(reader.get(network.replace(/\/.*/, ""))).toEqual(record);
});

test("an IPv6 network in a version 4 file is refused", () => {
  expect(() => writeMmdb([{ network: "2001:db8::/32", record: "x" }], { ipVersion: 4 })).toThrow("does not fit");
});
