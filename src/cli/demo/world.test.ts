import { describe, expect, test } from "vitest";
import { loadCloudRegions } from "../../geo/cloud-regions.ts";
import { networkContains, parseIp, parseNetwork } from "../../model/ip.ts";
import { parseManifests } from "../../model/manifest.ts";
import { buildInventory } from "../../model/to-inventory.ts";
import { demoManifests, SITES, SITES_NETWORK, ZONE } from "./world.ts";

const manifests = parseManifests([...demoManifests(8080)].map(([path, text]) => ({ path, text })));
const { inventory, problems } = buildInventory(manifests.objects, loadCloudRegions(), manifests.rejected);
const routeOf = (name: string) => inventory.routes.find((route) => route.name === name)!;

describe("the demo's objects", () => {
  test("are without fault, and without so much as a warning", () => {
    expect([...manifests.problems, ...problems]).toEqual([]);
    expect(inventory.routes.map((route) => route.hosts)).toEqual(["shop", "app", "eu"].map((name) => [`${name}.${ZONE}`]));
  });

  test("put each site where it says it is", () => {
    expect(inventory.clusters.map(({ name, location }) => [name, location.country]).sort()).toEqual([
      ["ap-northeast", "JP"],
      ["eu-central", "DE"],
      ["eu-west", "IE"],
      ["sa-east", "BR"],
      ["us-east", "US"],
    ]);
    for (const site of SITES) expect(networkContains(parseNetwork(SITES_NETWORK)!, parseIp(site.address)!)).toBe(true);
  });

  test("probe the port that they are told, and fail over as fast as the documents say", () => {
    const moved = parseManifests([...demoManifests(18080)].map(([path, text]) => ({ path, text })));
    for (const route of buildInventory(moved.objects, loadCloudRegions()).inventory.routes) {
      expect(route.health).toMatchObject({ probe: { type: "HTTP", path: "/healthz", port: 18080 }, interval: 1000, timeout: 800, fall: 2 });
      expect(route.failover.failback).toMatchObject({ mode: "Automatic", after: 10_000 });
      expect(route.ttl).toEqual({ min: 5, max: 5 });
    }
  });

  test("are a route by distance, one by weight, and one that keeps EU clients in the EU", () => {
    const names = (route: ReturnType<typeof routeOf>) => route.backends.map((backend) => backend.cluster);
    expect(routeOf("shop")).toMatchObject({ order: "Nearest", sticky: "None", rules: [] });
    expect(names(routeOf("shop"))).not.toContain("eu-central");
    expect(routeOf("app")).toMatchObject({ order: "Weighted", sticky: "ClientSubnet" });
    expect(routeOf("app").backends.map((backend) => backend.weight)).toEqual([50, 30, 10, 10]);
    expect(names(routeOf("eu"))).toHaveLength(5);
    expect(routeOf("eu").rules).toMatchObject([{ mode: "Require", to: ["eu-west", "eu-central"], unknownPlace: "Apply" }]);
    expect(routeOf("eu").rules[0]?.clients.countries).toEqual(expect.arrayContaining(["DE", "FR", "NO"]));
  });
});
