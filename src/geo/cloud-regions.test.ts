import { expect, test } from "vitest";
import { oracleKm } from "../../test/support/oracle/geo.ts";
import { loadCloudRegions } from "./cloud-regions.ts";
import { loadCentroids } from "./country-centroids.ts";
import { readCsv } from "./csv.ts";

const regions = loadCloudRegions();
const rows = readCsv(new URL("./data/cloud-regions.csv", import.meta.url));

// Checked by hand against atlases, one or more a provider.
const known = [
  ["aws", "eu-west-1", 53.35, -6.26],
  ["aws", "us-east-1", 39.04, -77.49],
  ["aws", "ap-northeast-1", 35.68, 139.69],
  ["aws", "sa-east-1", -23.55, -46.63],
  ["aws", "eu-central-1", 50.11, 8.68],
  ["aws", "af-south-1", -33.92, 18.42],
  ["aws", "cn-northwest-1", 37.5, 105.19],
  ["azure", "swedencentral", 60.67, 17.14],
  ["azure", "westus2", 47.23, -119.85],
  ["azure", "eastus2", 36.67, -78.39],
  ["azure", "australiaeast", -33.87, 151.21],
  ["gcp", "us-central1", 41.26, -95.86],
  ["gcp", "europe-north1", 60.57, 27.2],
  ["gcp", "me-central2", 26.43, 50.1],
  ["digitalocean", "blr1", 12.97, 77.59],
  ["equinix", "SP", -23.55, -46.63],
  ["hetzner", "fsn1", 50.48, 12.37],
] as const;

test.each(known)("%s %s is where atlases have its city", (cloud, region, latitude, longitude) => {
  const found = regions.find(cloud, region)!;
  expect(oracleKm(found.latitude, found.longitude, latitude, longitude)).toBeLessThan(20);
});

test("every region is on Earth, on the continent of its country, and within reach of its country's people", () => {
  const centroids = loadCentroids();
  for (const row of rows) {
    const region = regions.find(row.provider!, row.region!)!;
    const centroid = centroids.get(region.country)!;
    expect(region.continent, row.region).toBe(centroid.continent);
    expect(oracleKm(region.latitude, region.longitude, centroid.latitude, centroid.longitude), row.region).toBeLessThan(4000);
  }
});

test("no region is there twice", () =>
  expect(new Set(rows.map((row) => `${row.provider} ${row.region}`.toLowerCase())).size).toBe(rows.length));

test("case does not matter", () => expect(regions.find("AWS", "EU-West-1")?.city).toBe("Dublin"));

const suggestions = [
  { cloud: "aws", region: "eu-west1", suggested: "aws eu-west-1" },
  { cloud: "aws", region: "us-eats-1", suggested: "aws us-east-1" },
  { cloud: "gcp", region: "europe-west-1", suggested: "gcp europe-west1" },
  { cloud: "azure", region: "West Europe", suggested: "azure westeurope" },
  { cloud: "amazon", region: "nowhere-at-all-99", suggested: undefined },
];
test.each(suggestions)("$cloud $region suggests $suggested", ({ cloud, region, suggested }) => {
  expect(regions.find(cloud, region)).toBeUndefined();
  expect(regions.suggest(cloud, region)).toBe(suggested);
});
