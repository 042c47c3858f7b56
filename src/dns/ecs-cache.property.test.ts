/** Whole answers behind a model of a resolver's cache (RFC 7871 §7.3): nobody is handed what was meant for others. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { servingTables, zone } from "../../test/support/dns-world.ts";
import { type CacheClient, ecsCache, type ScopedAnswer } from "../../test/support/oracle/ecs-cache.ts";
import {
  type OraclePlace,
  type OraclePrefix,
  type OracleWorld,
  oracleBytes,
  oraclePlace,
  oraclePrefixClasses,
} from "../../test/support/oracle/geo.ts";
import { type OraclePlan, oraclePlan } from "../../test/support/oracle/plan.ts";
import { compileTestTable, everythingUsable } from "../../test/support/world/compile-test-world.ts";
import { oracleWorldOf, type RoutingWorld, routingWorld, subnetsOf } from "../../test/support/world/routing-world.ts";
import type { Route } from "../model/inventory.ts";
import { answer, newAnswerContext, useTables } from "./answer.ts";
import type { AnswerContext } from "./answer-context.ts";
import { Transport } from "./counters.ts";
import { newSource, setSource } from "./source.ts";
import { Rcode, Type } from "./wire/codes.ts";
import { decodeMessage } from "./wire/decode-message.ts";
import { encodeQuery } from "./wire/encode-query.ts";

/** The tiers of the plan that an answer was made by, and what it said. */
interface Answered {
  readonly tiers: readonly (readonly number[])[];
  readonly addresses: readonly string[];
}

const QNAME = "route-0.example.org";

/** Backend positions by tier, of the plan that the latest answer was made by. */
function tiersOf({ tables, choice }: AnswerContext): number[][] {
  const { hot } = tables!.routing;
  return [...hot.planTierIds.subarray(hot.planTiers[choice.plan], hot.planTiers[choice.plan + 1])].map((tier) => [
    ...hot.memberBackend.subarray(hot.tierMembers[tier], hot.tierMembers[tier + 1]),
  ]);
}

/** Everything that a world's clients can be told, with all backends usable. */
function sceneOf(world: RoutingWorld, type: number, scopeBudget: number) {
  const { table } = compileTestTable(world.inventory, world.geo.files, { scopeBudget });
  everythingUsable(table);
  const context = newAnswerContext({ now: () => 0, random: () => 0.5 });
  useTables(context, servingTables(table, [zone("example-org", "example.org")]));
  const source = newSource(Transport.UDP);
  setSource(source, "192.0.2.53"); // the resolver
  const out = new Uint8Array(1232);

  function ask(prefix: OraclePrefix): ScopedAnswer<Answered> {
    const clientSubnet = { family: prefix.family, address: oracleBytes(prefix), source: prefix.length };
    const query = encodeQuery({ id: 7, name: QNAME, type, edns: { clientSubnet } });
    const reply = decodeMessage(out.slice(0, answer(query, query.length, source, out, context)))!;
    const subnet = reply.edns!.clientSubnet!;
    expect([subnet.family, subnet.source, ...subnet.address]).toEqual([
      prefix.family === 4 ? 1 : 2,
      prefix.length,
      ...clientSubnet.address.slice(0, Math.ceil(prefix.length / 8)),
    ]);
    const addresses = reply.answers.map(({ data }) => data);
    const isTailored = addresses.length > 0; // what rules forbid altogether is SERVFAIL, a family that a plan lacks is NODATA
    expect(isTailored ? [Rcode.NOERROR] : [Rcode.NOERROR, Rcode.SERVFAIL]).toContain(reply.rcode);
    if (prefix.length === 0 || !isTailored) expect(subnet.scope).toBe(0);
    return { scope: subnet.scope, isTailored, value: { tiers: tiersOf(context), addresses } };
  }

  return { ask, route: world.inventory.routes[0]!, oracle: oracleWorldOf(world, subnetsOf(world)) };
}

const length = { v4: fc.integer({ min: 1, max: 32 }), v6: fc.integer({ min: 1, max: 128 }) };

interface Manner {
  /** Without an option, with one of its own, or through a forwarder. */
  readonly kind: "plain" | "own" | "forwarded";
  /** SOURCE PREFIX-LENGTH, taken modulo what the family has. */
  readonly source: number;
  /** Which of the world's clients, modulo their number. */
  readonly at: number;
}

const mannerOf = (...kinds: readonly Manner["kind"][]): fc.Arbitrary<Manner> =>
  fc.record({ kind: fc.constantFrom(...kinds), source: fc.nat(128), at: fc.nat() });

function clientOf(world: RoutingWorld, { kind, source, at }: Manner): CacheClient {
  const address = world.clients[at % world.clients.length]!;
  if (kind === "plain") return { address };
  return { address, source: source % (address.family === 4 ? 33 : 129), isForwarded: kind === "forwarded" };
}

/** Plans by the rules read one by one: of the client's own address, and those that may answer the prefix which the resolver would ask for. */
function ownPlans(world: RoutingWorld, oracle: OracleWorld, client: CacheClient, query: OraclePrefix): readonly OraclePlan[] {
  const plans: OraclePlan[] = [];
  const numbers = new Map<string, number>();
  const classOf = (at: OraclePlace): number => {
    const plan = oraclePlan(world.inventory, world.inventory.routes[0]!, at, subnetsOf(world));
    const key = JSON.stringify(plan.tiers);
    if (!numbers.has(key)) numbers.set(key, plans.push(plan) - 1);
    return numbers.get(key)!;
  };
  const exact = classOf(oraclePlace(oracle, client.address));
  const ofQuery = oraclePrefixClasses(oracle, query, classOf, (klass) => plans[klass]!.isRestricted);
  return [...(client.isForwarded === true ? [] : [exact]), ...ofQuery].map((klass) => plans[klass]!);
}

/** Every address that a plan's serving tier has of a family, and the next one's for a route that trickles. */
function servedBy(route: Route, { tiers }: OraclePlan, type: number): readonly string[] {
  const ofFamily = (position: number): readonly string[] =>
    route.backends[position]!.addresses.filter((address) => address.includes(":") === (type === Type.AAAA));
  const serving = tiers.map((tier) => tier.flatMap(ofFamily)).filter((addresses) => addresses.length > 0);
  return serving.slice(0, route.failover.tricklePercent > 0 ? 2 : 1).flat();
}

const answerKey = ({ tiers }: Pick<Answered, "tiers">): string => JSON.stringify(tiers);

describe("properties", () => {
  test("a cache that keeps to RFC 7871 hands every client an answer by the plan of its own address or prefix", () => {
    let [hits, widest] = [0, 0];
    fc.assert(
      fc.property(
        routingWorld,
        fc.constantFrom(Type.A, Type.AAAA),
        length.v4,
        length.v6,
        fc.array(mannerOf("plain", "plain", "own", "forwarded"), { minLength: 2, maxLength: 12 }),
        (world, type, most4, most6, manners) => {
          const { ask, oracle, route } = sceneOf(world, type, 1 << 26);
          const cache = ecsCache<Answered>({ 4: most4, 6: most6 });
          for (const client of manners.map((manner) => clientOf(world, manner))) {
            const { value, hit } = cache.resolve(client, ask);
            if (client.source === 0 || value.addresses.length === 0) continue; // source 0: by the resolver's address, as it wishes
            const own = ownPlans(world, oracle, client, cache.queryOf(client));
            expect(own.map(answerKey)).toContain(answerKey(value));
            expect(own.flatMap((plan) => servedBy(route, plan, type))).toEqual(expect.arrayContaining([...value.addresses]));
            if (hit) hits++;
            if (hit && own.length > 1 && new Set(own.map(answerKey)).size > 1) widest++;
          }
        },
      ),
      { numRuns: 200, seed: 7 },
    );
    expect(hits).toBeGreaterThan(200);
    expect(widest).toBeGreaterThan(0); // prefixes in which plans differ were among them
  });

  test("a sticky client is handed what it would be told itself", () => {
    let hits = 0;
    const sticky = routingWorld.map((world): RoutingWorld => {
      const routes = world.inventory.routes.map((route): Route => ({ ...route, sticky: "ClientSubnet" }));
      return { ...world, inventory: { ...world.inventory, routes } };
    });
    fc.assert(
      fc.property(
        sticky,
        length.v4,
        length.v6,
        fc.array(mannerOf("plain"), { minLength: 2, maxLength: 12 }),
        (world, most4, most6, manners) => {
          const { ask } = sceneOf(world, Type.A, 1 << 26);
          const cache = ecsCache<Answered>({ 4: most4, 6: most6 });
          for (const client of manners.map((manner) => clientOf(world, manner))) {
            const { value, hit } = cache.resolve(client, ask);
            expect(value).toEqual(ask(cache.queryOf(client)).value);
            if (hit) hits++;
          }
        },
      ),
      { numRuns: 100, seed: 7 },
    );
    expect(hits).toBeGreaterThan(100);
  });

  test("beyond the byte budget of scopes too, for resolvers that send whole addresses", () => {
    let hits = 0;
    fc.assert(
      fc.property(routingWorld, fc.array(mannerOf("plain"), { minLength: 2, maxLength: 12 }), (world, manners) => {
        const { ask, oracle } = sceneOf(world, Type.A, 0);
        const cache = ecsCache<Answered>({ 4: 32, 6: 128 });
        for (const client of manners.map((manner) => clientOf(world, manner))) {
          const { value, hit } = cache.resolve(client, ask);
          if (value.addresses.length === 0) continue;
          expect(ownPlans(world, oracle, client, cache.queryOf(client)).map(answerKey)).toContain(answerKey(value));
          if (hit) hits++;
        }
      }),
      { numRuns: 100, seed: 7 },
    );
    expect(hits).toBeGreaterThan(50);
  });
});
