/** A table in which a few routes changed equals one that was compiled from nothing. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { TEST_CENTROIDS } from "../../test/support/world/compile-test-world.ts";
import { type RoutingWorld, routingWorld } from "../../test/support/world/routing-world.ts";
import { buildGeoTable } from "../geo/build-geo-table.ts";
import { newLatencyMap } from "../geo/latency-model.ts";
import { openMmdb } from "../geo/mmdb-tree.ts";
import type { Inventory, Route } from "../model/inventory.ts";
import { parseNetwork } from "../model/ip.ts";
import { seconds } from "../model/units.ts";
import { compile } from "./compile.ts";
import { createCompileMemo } from "./compile-memo.ts";
import { measuresOf } from "./measure.ts";
import { placeNeeds, ruleSubnets } from "./policy.ts";

/** Enough that a change of one is a change of few. */
const COPIES = 8;

const manyRoutes = ({ inventory }: RoutingWorld): Inventory => ({
  ...inventory,
  routes: inventory.routes.flatMap((route) =>
    Array.from({ length: COPIES }, (_, i) => ({ ...route, name: `${route.name}-${i}`, hosts: route.hosts.map((host) => `c${i}-${host}`) })),
  ),
});

const backends = (route: Route, change: (backend: Route["backends"][number]) => Partial<Route["backends"][number]>): Route => ({
  ...route,
  backends: route.backends.map((backend, i) => (i === 0 ? { ...backend, ...change(backend) } : backend)),
});

const CHANGES: Readonly<Record<string, (route: Route) => Route>> = {
  ttl: (route) => ({ ...route, ttl: { min: seconds(7), max: seconds(77) } }),
  answers: (route) => ({ ...route, answers: 3, spread: 2 }),
  sticky: (route) => ({ ...route, sticky: "ClientSubnet" }),
  trickle: (route) => ({ ...route, failover: { ...route.failover, tricklePercent: 5 } }),
  hosts: (route) => ({ ...route, hosts: ["other.example.org"] }),
  address: (route) => backends(route, ({ addresses }) => ({ addresses: addresses.map((_, i) => `198.51.100.${i + 1}`) })),
  "more addresses": (route) => backends(route, ({ addresses }) => ({ addresses: [...addresses, "198.51.100.9"] })),
  "no address": (route) => backends(route, () => ({ addresses: [] })),
  weight: (route) => backends(route, () => ({ weight: 7 })),
  "one backend less": (route) => ({ ...route, backends: route.backends.slice(0, -1) }),
};
/** Of these nothing else moves. */
const PATCHED = ["ttl", "answers", "sticky", "trickle", "hosts"];

test("whichever routes change, one after the other", () => {
  const change = fc.tuple(fc.nat(), fc.constantFrom(...Object.keys(CHANGES)));
  fc.assert(
    fc.property(routingWorld, fc.array(change, { minLength: 1, maxLength: 5 }), (world, changes) => {
      let inventory = manyRoutes(world);
      const geo = buildGeoTable({
        trees: world.geo.files.map((bytes) => openMmdb(bytes, "test.mmdb")),
        subnets: ruleSubnets(inventory).map((text) => parseNetwork(text)!),
        needs: placeNeeds(inventory),
        centroids: TEST_CENTROIDS,
      });
      const measures = measuresOf(inventory.clusters, newLatencyMap());
      const options = { version: 1, builtAt: 0, scopeBudget: 1 << 26 };
      const memo = { of: createCompileMemo(), measures: "" };
      let before = compile(inventory, geo, measures, { ...options, memo });
      for (const [at, name] of changes) {
        const position = at % inventory.routes.length;
        inventory = { ...inventory, routes: inventory.routes.map((route, i) => (i === position ? CHANGES[name]!(route) : route)) };
        const served = structuredClone(before.table.hot);
        const again = compile(inventory, geo, measures, { ...options, memo });
        expect(again).toEqual(compile(inventory, geo, measures, options));
        expect(before.table.hot).toEqual(served); // it goes on serving
        expect(again.table.state).not.toBe(before.table.state);
        if (PATCHED.includes(name)) expect(again.table.hot.planTierIds).toBe(before.table.hot.planTierIds);
        before = again;
      }
    }),
    { numRuns: 60 },
  );
});
