import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { oracleDecide, oracleSlotHash, oracleSpread } from "../../test/support/oracle/decide.ts";
import { oracleAddress, type OracleAddress, oracleBytes, oraclePlace } from "../../test/support/oracle/geo.ts";
import { oraclePlan } from "../../test/support/oracle/plan.ts";
import { testBackend, testInventory, testRoute } from "../../test/support/world/build-route.ts";
import { CLIENTS, COUNTRY_FILE, compileTestTable, everythingUsable } from "../../test/support/world/compile-test-world.ts";
import { askOf, setStates } from "../../test/support/world/live-state.ts";
import { oracleWorldOf, routingWorld, subnetsOf, unitState } from "../../test/support/world/routing-world.ts";
import { type Network, formatIp, parsePrefix } from "../model/ip.ts";
import { newChoice } from "./choose.ts";
import { answerShares, decide, findRoute, indexHosts, modeName, placeClient } from "./decide.ts";
import { ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA, type RoutingTable, Standing } from "./table.ts";

const hostNetwork = (address: OracleAddress): Network => ({
  family: address.family,
  bytes: oracleBytes(address),
  length: address.family === 4 ? 32 : 128,
});

/** What a sticky slot depends on: the first 24 bits of an IPv4 client, the first 48 of an IPv6 one. */
const stickyNetwork = ({ family, value }: OracleAddress): readonly number[] =>
  family === 4 ? [Number((value >> 8n) << 8n)] : [Number(value >> 96n), Number((value >> 80n) & 0xffffn)];

const anyStanding = fc.constantFrom(...Object.values(Standing).filter((standing) => standing < Standing.Excluded));

const scene = fc.record({
  world: routingWorld,
  states: fc.array(unitState, { minLength: 3, maxLength: 12 }),
  addresses: fc.array(anyStanding, { minLength: 1, maxLength: 7 }),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  shift: fc.nat(),
});

describe("properties, against the rules read one by one", () => {
  test("a decision is the oracle's: backend, tier, mode, clusters and addresses", () => {
    fc.assert(
      fc.property(scene, ({ world, states, addresses, random, shift }) => {
        const { table } = compileTestTable(world.inventory, world.geo.files);
        const oracle = oracleWorldOf(world, subnetsOf(world));
        const clients = [0, 1, 2, 3].map((i) => world.clients[(shift + 5 * i) % world.clients.length]!);
        world.inventory.routes.forEach((spec, route) => {
          setStates(table, route, states, addresses);
          for (const client of clients) {
            const plan = oraclePlan(world.inventory, spec, oraclePlace(oracle, client), subnetsOf(world));
            const slotHash =
              spec.sticky === "ClientSubnet" ? oracleSlotHash(stickyNetwork(client), `default/${spec.name}`) : Math.floor(random * 2 ** 32);
            for (const family of [0, 1] as const) {
              if ((table.hot.routeFlags[route]! & (family === 0 ? ROUTE_OFFERS_A : ROUTE_OFFERS_AAAA)) === 0) continue;
              const ask = askOf(table, route, spec, plan, family, slotHash);
              const expected = oracleDecide(ask);
              const decision = decide(table, route, hostNetwork(client), family, random, 0);
              if (expected === undefined) {
                expect(decision).toMatchObject({ mode: "Nothing", clusters: [], addresses: [] });
                continue;
              }
              expect({
                backend: decision.choice.backend - table.hot.routeBackends[route]!,
                tier: decision.choice.tier,
                mode: decision.mode.replace("FailOpen", ""),
              }).toEqual({ backend: expected.backend.position, tier: expected.tier, mode: expected.mode });
              const named = oracleSpread(ask, expected, spec.spread).map(({ position }) => position);
              expect(decision.clusters).toEqual([...new Set(named.map((position) => spec.backends[position]!.cluster))]);
              expect(decision.addresses).toHaveLength(
                named.reduce((sum, position) => sum + Math.min(spec.answers, bestAddresses(table, route, position, family).length), 0),
              );
              const allowed = named.flatMap((position) => bestAddresses(table, route, position, family));
              expect(new Set(decision.addresses).size).toBe(decision.addresses.length);
              for (const address of decision.addresses) expect(allowed).toContain(address);
            }
          }
        });
      }),
      { numRuns: 250, seed: 6 },
    );
  });
});

/** The addresses of a backend that stand best among their own. */
function bestAddresses({ hot, state, names }: RoutingTable, route: number, position: number, family: 0 | 1): string[] {
  const row = 2 * (hot.routeBackends[route]! + position) + family;
  const numbers = Array.from({ length: hot.backendAddresses[row + 1]! - hot.backendAddresses[row]! }, (_, i) => hot.backendAddresses[row]! + i);
  const best = Math.min(...numbers.map((number) => state.addressStanding[number]!));
  return numbers.filter((number) => state.addressStanding[number] === best).map((number) => names.addresses[number]!);
}
