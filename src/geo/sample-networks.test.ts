import { expect, test } from "vitest";
import { writeMmdb } from "../../test/support/mmdb-writer.ts";
import { COUNTRY_FILE, TEST_CENTROIDS } from "../../test/support/world/compile-test-world.ts";
import { buildGeoTable } from "./build-geo-table.ts";
import { openMmdb } from "./mmdb-tree.ts";
import { sampleNetworks } from "./sample-networks.ts";

const needs = { continent: false, country: true, subdivision: false, asn: false, coordinates: false };
const table = (file: Buffer) => buildGeoTable({ trees: [openMmdb(file, "test.mmdb")], subnets: [], needs, centroids: TEST_CENTROIDS });
const country = (network: string, code: string) => ({ network, record: { country: { iso_code: code } } });

test("each country has its widest network, the lowest of several", () => {
  const file = writeMmdb([
    country("10.0.0.0/16", "DE"),
    country("203.0.0.0/10", "JP"),
    country("20.0.0.0/9", "DE"),
    country("40.0.0.0/9", "DE"),
    country("192.0.2.0/24", "IE"),
    country("2001:db8::/32", "US"),
  ]);
  // Ireland's is too narrow to be looked for, and the United States have none of IPv4.
  expect(sampleNetworks(table(file))).toEqual(
    new Map([
      ["DE", "20.0.0.0/9"],
      ["JP", "203.0.0.0/10"],
    ]),
  );
});

test("a file of narrow networks has no samples", () => expect(sampleNetworks(table(COUNTRY_FILE)).size).toBe(0));
