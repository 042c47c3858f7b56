/** A table compiled with what earlier compiles left equals one that was compiled from nothing. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { TEST_CENTROIDS } from "../../test/support/world/compile-test-world.ts";
import { type RoutingWorld, routingWorld } from "../../test/support/world/routing-world.ts";
import { buildGeoTable } from "../geo/build-geo-table.ts";
import { newLatencyMap } from "../geo/latency-model.ts";
import { openMmdb } from "../geo/mmdb-tree.ts";
import type { Inventory } from "../model/inventory.ts";
import { parseNetwork } from "../model/ip.ts";
import { compile } from "./compile.ts";
import { createCompileMemo } from "./compile-memo.ts";
import { measuresOf } from "./measure.ts";
import { placeNeeds, ruleSubnets } from "./policy.ts";

/** A later state of the inventory. The rules' networks stay, as the geo table was built for them. */
interface Change {
  readonly drop: boolean;
  readonly weight: number;
  readonly moved: number;
  /** Weight of the first cluster, percent. */
  readonly share: number;
  readonly budget: number;
}

const change = fc.record<Change>({
  drop: fc.boolean(),
  weight: fc.nat(3),
  moved: fc.constantFrom(0, 0, 40),
  share: fc.constantFrom(100, 100, 50, 0),
  budget: fc.constantFrom(0, 1 << 26, 1 << 26),
});

function changed({ inventory }: RoutingWorld, { drop, weight, moved, share }: Change): Inventory {
  const routes = drop ? inventory.routes.slice(1) : inventory.routes;
  return {
    ...inventory,
    // Every second route stays the very object that it was.
    routes: routes.map((route, at) =>
      at % 2 === 0 ? { ...route, backends: route.backends.map((backend, i) => (i === 0 ? { ...backend, weight } : backend)) } : route,
    ),
    clusters: inventory.clusters.map((cluster, i) =>
      i === 0 ? { ...cluster, weight: share, location: { ...cluster.location, latitude: cluster.location.latitude - moved } } : cluster,
    ),
  };
}

test("whatever was compiled before", () => {
  fc.assert(
    fc.property(routingWorld, fc.array(change, { minLength: 1, maxLength: 4 }), (world, changes) => {
      const { inventory, geo: files } = world;
      const geo = buildGeoTable({
        trees: files.files.map((bytes) => openMmdb(bytes, "test.mmdb")),
        subnets: ruleSubnets(inventory).map((text) => parseNetwork(text)!),
        needs: placeNeeds(inventory),
        centroids: TEST_CENTROIDS,
      });
      const memo = createCompileMemo();
      for (const one of changes) {
        const next = changed(world, one);
        const options = { version: 1, builtAt: 0, scopeBudget: one.budget };
        const fresh = compile(next, geo, measuresOf(next.clusters, newLatencyMap()), options);
        const measures = JSON.stringify(next.clusters.map(({ location }) => location));
        const again = compile(next, geo, measuresOf(next.clusters, newLatencyMap()), { ...options, memo: { of: memo, measures } });
        expect(again).toEqual(fresh);
      }
    }),
    { numRuns: 60 },
  );
});

test("scopes are built once for as long as geo data and measures stay, and kept while they are used", () => {
  fc.assert(
    fc.property(routingWorld, (world) => {
      const { inventory, geo: files } = world;
      const parts = {
        trees: files.files.map((bytes) => openMmdb(bytes, "test.mmdb")),
        subnets: ruleSubnets(inventory).map((text) => parseNetwork(text)!),
        needs: placeNeeds(inventory),
        centroids: TEST_CENTROIDS,
      };
      const geo = buildGeoTable(parts);
      const memo = { of: createCompileMemo(), measures: "" };
      const run = (of = geo) =>
        compile(inventory, of, measuresOf(inventory.clusters, newLatencyMap()), { version: 1, builtAt: 0, scopeBudget: 1 << 26, memo })
          .table.partitions;
      const [first, second, other] = [run(), run(), run(buildGeoTable(parts))];
      expect(second.every((partition, i) => partition === first[i])).toBe(true);
      expect(other.some((partition) => first.includes(partition))).toBe(false);
    }),
    { numRuns: 10 },
  );
});
