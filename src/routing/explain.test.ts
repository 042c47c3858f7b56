/** `explain` says what the decision says, and why. Clients are in Germany unless told otherwise. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { oracleBytes, oracleCut } from "../../test/support/oracle/geo.ts";
import { testBackend, testCluster, testFailover, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { CLIENTS, COUNTRY_FILE, compileTestTable, everythingUsable, type TestTable } from "../../test/support/world/compile-test-world.ts";
import { setStates } from "../../test/support/world/live-state.ts";
import { routingWorld, unitState } from "../../test/support/world/routing-world.ts";
import type { Inventory, ProxyFleet, Route } from "../model/inventory.ts";
import { parsePrefix } from "../model/ip.ts";
import { decide } from "./decide.ts";
import { explain } from "./explain.ts";
import type { Candidate, Explanation } from "./explanation.ts";
import { FULL, Standing } from "./table.ts";

const NAMES = ["frankfurt", "dublin", "virginia", "tokyo"];
const FOUR = NAMES.map((name, i) =>
  testBackend(name, i + 1, { addresses: [`192.0.2.${i + 1}`, `198.51.100.${i + 1}`, `2001:db8::${i + 1}`] }),
);

function scene(more: Partial<Route> = {}, inventoryMore: Partial<Inventory> = {}) {
  const route = testRoute(FOUR, more);
  const inventory = testInventory([route], inventoryMore);
  const compiled = compileTestTable(inventory, [COUNTRY_FILE]);
  everythingUsable(compiled.table);
  const stand = (standing: Standing, ...names: readonly string[]) => {
    for (const name of names)
      for (const family of [0, 1])
        compiled.table.state.standing[2 * route.backends.findIndex((one) => one.name === name) + family] = standing;
  };
  return { ...compiled, inventory, stand };
}

const ask = (
  { inventory, table, measures }: TestTable & { inventory: Inventory },
  client: string = CLIENTS.DE,
  family: 0 | 1 = 0,
  missingFields: readonly string[] = [],
): Explanation =>
  explain(
    {
      inventory,
      table,
      measures,
      fact: (_route, _backend, address) =>
        address.endsWith(".2") ? { health: "Unhealthy", why: "timeout" } : { health: "Healthy", why: "" },
      missingFields,
      now: 0,
    },
    0,
    "shop.example.org",
    parsePrefix(client)!,
    family,
  );
const of = ({ candidates }: Explanation, cluster: string, nth = 0): Candidate => candidates.filter((one) => one.cluster === cluster)[nth]!;

describe("properties", () => {
  const world = fc.record({
    world: routingWorld,
    states: fc.array(unitState, { minLength: 3, maxLength: 9 }),
    shift: fc.nat(),
    length: fc.nat({ max: 128 }),
    family: fc.constantFrom(0 as const, 1 as const),
  });
  test("an explanation is the decision: answer, tier, scope and TTL, and it takes only what it answers", () => {
    fc.assert(
      fc.property(world, ({ world: { inventory, geo, clients }, states, shift, length, family }) => {
        const { table, measures } = compileTestTable(inventory, geo.files);
        setStates(table, 0, states, [Standing.Usable, Standing.Unhealthy]);
        const at = clients[shift % clients.length]!;
        const prefix = oracleCut(at, Math.min(length, at.family === 4 ? 32 : 128));
        const client = { family: prefix.family, bytes: oracleBytes(prefix), length: prefix.length };
        const why = { health: "Healthy", why: "" } as const;
        const said = explain(
          { inventory, table, measures, fact: () => why, missingFields: [], now: 0 },
          0,
          "route-0.example.org",
          client,
          family,
        );
        const decision = decide(table, 0, client, family, 0.5, 0);
        expect([said.addresses, said.clusters, said.mode, said.ttl, said.scopePrefixLength]).toEqual([
          decision.addresses,
          decision.clusters,
          decision.mode,
          decision.ttl,
          decision.scope,
        ]);
        const taken = new Set(said.candidates.filter((one) => one.taken).map(({ address }) => address));
        for (const address of said.addresses) expect(taken).toContain(address);
        if (inventory.routes[0]!.sticky === "ClientSubnet") {
          expect(taken.size).toBe(said.addresses.length);
          expect(said).toHaveProperty("slot");
        } else {
          const total = Object.values(said.shares!).reduce((sum, share) => sum + share, 0);
          expect(total).toBeCloseTo(said.addresses.length > 0 ? 1 : 0, 2);
          for (const cluster of said.clusters) expect(said.shares).toHaveProperty([cluster]);
        }
        // What a rule forbids is in no tier; everything else is, and the serving tier holds what is taken.
        for (const one of said.candidates) {
          expect(one.reason).not.toMatch(/undefined|NaN|\?/);
          if (one.tier === null)
            expect([one.taken, one.reason]).toEqual([false, expect.stringMatching(/^Require rule rule-\d does not allow /)]);
        }
      }),
      { numRuns: 150, seed: 6 },
    );
  });
});

describe("reasons", () => {
  test("the nearest is taken, the others wait", () => {
    const said = ask(scene());
    expect(said).toMatchObject({
      client: CLIENTS.DE,
      route: "default/shop",
      family: "A",
      tier: 1,
      mode: "Usable",
      clusters: ["frankfurt"],
      shares: { frankfurt: 1 },
    });
    expect(said.place).toEqual({ known: true, continent: "EU", country: "DE", latitude: 51.1, longitude: 10.2 });
    expect(of(said, "frankfurt")).toMatchObject({
      taken: true,
      tier: 1,
      distanceKm: 154,
      weight: 100,
      health: "Healthy",
      latencySource: "model",
    });
    expect(of(said, "frankfurt").reason).toMatch(/^nearest \(15\d km\)$/);
    expect(of(said, "virginia").reason).toBe("usable, but farther: tier 3 serves when those before it cannot");
  });
  test("after an outage", () => {
    const it = scene();
    it.stand(Standing.Unhealthy, "frankfurt");
    it.stand(Standing.Pending, "dublin");
    expect(of(ask(it), "frankfurt", 1).reason).toBe("unhealthy");
    expect(of(ask(it), "dublin", 0)).toMatchObject({ reason: "healthy again, failback pending: timeout", taken: false });
    expect(of(ask(it), "virginia").reason).toMatch(/^first usable tier after 2 without a usable backend; nearest/);
  });
  test("an address of the chosen backend that has no room, and one that is down", () => {
    const it = scene();
    const reasons = ask(it)
      .candidates.filter((one) => one.cluster === "frankfurt")
      .map(({ reason }) => reason);
    expect(reasons).toHaveLength(2); // both have their turn: the route is not sticky
    expect(reasons.every((reason) => reason.startsWith("nearest"))).toBe(true);
    const sticky = scene({ sticky: "ClientSubnet" });
    expect(
      ask(sticky)
        .candidates.filter((one) => one.cluster === "frankfurt")
        .map(({ taken, reason }) => [taken, reason])
        .toSorted(),
    ).toEqual([
      [false, "usable; this answer names others of the backend's addresses"],
      [true, expect.stringMatching(/^nearest/)],
    ]);
    const half = scene();
    half.table.state.addressStanding[half.table.names.addresses.indexOf("192.0.2.2")] = Standing.Unhealthy;
    half.stand(Standing.Unhealthy, "frankfurt");
    expect(of(ask(half), "dublin")).toMatchObject({
      address: "192.0.2.2",
      taken: false,
      reason: "unhealthy: timeout; other addresses of the backend are usable",
    });
  });
  test("shares of a tier", () => {
    const said = ask(scene({ tolerance: { distanceKm: 1000 } }));
    expect(said.shares).toEqual({ frankfurt: 0.5, dublin: 0.5 });
    expect(of(said, "dublin")).toMatchObject({ taken: true, tier: 1, reason: "shares its tier by weight (50 % of this client's answers)" });
  });
  test("a sticky client's slot", () => {
    const said = ask(scene({ order: "Weighted", sticky: "ClientSubnet" }));
    expect(said.slot).toBeGreaterThanOrEqual(0);
    expect(said.slot).toBeLessThan(4096);
    expect(said.shares).toBeUndefined();
    const taken = said.candidates.filter((one) => one.taken);
    expect(taken.map(({ reason }) => reason)).toEqual(["first in the order of the client's slot"]);
    expect(said.candidates.find((one) => !said.clusters.includes(one.cluster))!.reason).toBe(
      "usable; the client's slot belongs to another member of the tier",
    );
  });
  test("what ramps gives away, and the next tier says so", () => {
    const it = scene();
    it.table.state.keep[0] = Math.round(0.25 * FULL);
    const said = ask(it);
    expect(said.shares).toEqual({ frankfurt: 0.25, dublin: 0.75 });
    expect(of(said, "frankfurt").reason).toMatch(/^nearest \(\d+ km\) \(25 % of this client's answers\)$/);
    expect(of(said, "dublin").reason).toMatch(
      /^takes what tiers before it give away \(slow start, load or trickle\); nearest .* \(75 % of this client's answers\)$/,
    );
    it.table.state.keep[0] = 0;
    expect(of(ask(it), "frankfurt").reason).toBe("usable, but gives this client away (slow start, load or trickle)");
  });
  test("orders by latency and by list, with bias", () => {
    expect(of(ask(scene({ order: "Latency" })), "frankfurt").reason).toMatch(/^lowest latency \(\d+ ms\)$/);
    expect(of(ask(scene({ order: "Priority" })), "frankfurt").reason).toBe("first in the listed order");
    expect(of(ask(scene({ order: "Priority" })), "tokyo").reason).toContain("later in the list");
    const biased = scene({ backends: FOUR.map((backend) => ({ ...backend, bias: backend.name === "dublin" ? 99 : 0 })) });
    expect(of(ask(biased), "dublin").reason).toMatch(/^nearest \(1\d{3} km, 1\d with bias 99\)$/);
  });
  test("standbys", () => {
    const it = scene({ backends: FOUR.map((backend) => ({ ...backend, weight: backend.name === "frankfurt" ? 0 : 100 })) });
    expect(of(ask(it), "frankfurt")).toMatchObject({
      weight: 0,
      tier: 4,
      reason: "warm standby: serves when no weighted backend of tiers before 4 can",
    });
  });
  test("weights are told as configured, even where all are 0", () => {
    const clusters = NAMES.map((name) => testCluster(name, { weight: name === "tokyo" ? 50 : 100 }));
    expect(of(ask(scene({}, { clusters })), "tokyo").weight).toBe(50);
    expect(of(ask(scene({ backends: FOUR.map((backend) => ({ ...backend, weight: 0 })) })), "tokyo").weight).toBe(0);
  });
  test("rules", () => {
    const rules = [
      testRule("near", "Prefer", { continents: ["EU"] }, ["dublin"]),
      testRule("gdpr", "Require", { countries: ["DE"] }, ["frankfurt", "dublin"]),
      testRule("net", "Require", { subnets: ["198.51.100.0/25"] }, ["frankfurt", "dublin", "tokyo"]),
    ];
    const said = ask(scene({ rules }));
    expect(said.rules).toEqual([
      { name: "gdpr", mode: "Require", why: "country DE" },
      { name: "net", mode: "Require", why: "subnet 198.51.100.0/25" },
      { name: "near", mode: "Prefer", why: "continent EU" },
    ]);
    expect([said.rule, said.clusters]).toEqual(["gdpr", ["dublin"]]);
    expect(said.place.subnets).toEqual(["198.51.100.0/25"]);
    expect(of(said, "tokyo")).toMatchObject({ tier: null, reason: "Require rule gdpr does not allow tokyo" });
    expect(said.candidates.at(-1)!.tier).toBeNull();
  });
  test("a client of unknown place", () => {
    const rules = [
      testRule("r", "Require", { countries: ["DE"] }, ["dublin"], "Apply"),
      testRule("s", "Prefer", { asns: [64500] }, ["tokyo"], "Skip"),
    ];
    const said = ask(scene({ rules }), CLIENTS.nowhere, 0, ["asn"]);
    expect(said.place).toEqual({ known: false });
    expect(said.rules).toEqual([{ name: "r", mode: "Require", why: "the client's place is unknown and unknownPlace is Apply" }]);
    expect(said.notes).toEqual([
      "rule s asks for asn, which no loaded database carries",
      "rule s was skipped: the client's place is unknown and unknownPlace is Skip",
      "the client's location is unknown: candidates share one tier by weight",
    ]);
  });
  test("fleets of proxies that measure from elsewhere, if they pass requests of the route", () => {
    const fleet = { places: [], endpointCaFile: "/ca.pem" };
    const listener = { address: "192.0.2.80", port: 80, trustedHops: 0 };
    const fleets: readonly ProxyFleet[] = [
      { ...fleet, type: "Envoy", name: "edge", listener },
      { ...fleet, type: "HAProxy", name: "office", trustedHops: 0, members: [] },
      { ...fleet, type: "Envoy", name: "inner" },
    ];
    const far = "go by the rules that apply to the client, and by how far clusters are from the proxy";
    const blind = "requests that pass ProxyFleet inner go by the place of the proxy alone, whoever the client is";
    expect(ask(scene({}, { fleets })).notes).toEqual([`requests that pass ProxyFleet edge, office ${far}`, blind]);
    expect(ask(scene({ fleets: ["office"] }, { fleets })).notes).toEqual([`requests that pass ProxyFleet office ${far}`]);
    expect(ask(scene({ order: "Weighted" }, { fleets })).notes).toEqual([blind]);
  });
  test("fail-open, hold, cordon, drain", () => {
    const it = scene();
    it.stand(Standing.Unhealthy, ...NAMES);
    expect(ask(it)).toMatchObject({ mode: "FailOpenUnhealthy", clusters: ["frankfurt"], ttl: 5 });
    expect(of(ask(it), "frankfurt").reason).toBe("fail-open: nothing allowed is healthy");
    expect(ask(it).notes).toEqual(["nothing allowed is healthy: answering as if everything allowed were (fail-open)"]);
    it.stand(Standing.Draining, "dublin");
    expect(of(ask(it), "dublin")).toMatchObject({ health: "Draining", reason: "draining: timeout" });
    it.stand(Standing.Excluded, ...NAMES);
    it.table.state.lastUsable[2] = 5;
    expect(ask(it)).toMatchObject({ mode: "Held", clusters: ["dublin"] });
    expect(of(ask(it), "frankfurt")).toMatchObject({ health: "Cordoned", reason: "cordoned" });
    it.stand(Standing.Pending, "tokyo");
    expect(of(ask(it), "tokyo").reason).toBe("used although its failback is pending: nothing else is usable");
  });
  test("nothing at all", () => {
    const rules = [testRule("a", "Require", { countries: ["DE"] }, ["tokyo"]), testRule("b", "Require", { countries: ["DE"] }, ["dublin"])];
    const said = ask(scene({ rules }));
    expect(said).toMatchObject({ mode: "Nothing", addresses: [], tier: null, ttl: 0 });
    expect(said.notes[0]).toMatch(/^the Require rules that apply have no cluster in common/);
  });
  test("a family that is not offered", () => {
    const backends = FOUR.map((backend, i) => (i === 3 ? { ...backend, addresses: ["192.0.2.4"] } : backend));
    const said = ask(scene({ backends }), CLIENTS.DE, 1);
    expect(said).toMatchObject({ mode: "NotOffered", addresses: [], family: "AAAA" });
    expect(said.notes).toEqual([
      "the route does not offer this family, so the answer is NODATA: not every weighted backend has such an address (families: Common)",
    ]);
    expect(of(said, "tokyo")).toMatchObject({ address: "-", reason: "no address of this family" });
    expect(of(said, "dublin").reason).toBe("the route does not offer this family");
  });
  test("trickle is the next tier's share", () => {
    const said = ask(scene({ failover: testFailover({ tricklePercent: 10 }) }));
    expect(said.shares).toEqual({ frankfurt: expect.closeTo(0.9, 3), dublin: expect.closeTo(0.1, 3) });
  });
});

describe("prefixes", () => {
  test("within one place nothing needs saying", () => {
    const said = ask(scene(), "198.51.100.0/28");
    expect([said.client, said.notes, said.place.country]).toEqual(["198.51.100.0/28", [], "DE"]);
  });
  test("most of the addresses decide, and one of their places is told", () => {
    // 198.51.100.0/24 holds five countries of a /27 each, and as much again that is nowhere; 64/26 holds the US and Japan.
    const said = ask(scene({ rules: [testRule("r", "Prefer", { countries: ["JP"] }, ["virginia"])] }), "198.51.100.64/26");
    expect(said.clusters).toEqual(["virginia"]);
    expect(said.notes[0]).toBe("the prefix holds several places: it is answered as a whole, as most of its addresses would be");
    expect(said.scopePrefixLength).toBe(27); // longer than the source: it says too little
  });
  test("a Require rule decides for all, and the place under it is told", () => {
    const said = ask(scene({ rules: [testRule("r", "Require", { countries: ["IE"] }, ["tokyo"])] }), "198.51.100.0/24");
    expect(said).toMatchObject({ clusters: ["tokyo"], place: { country: "IE" }, rule: "r" });
    expect(said.notes[0]).toBe("the prefix holds several places: it is answered as a whole, by a Require rule that holds for part of it");
  });
});
