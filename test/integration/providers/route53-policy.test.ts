/**
 * What Route 53 answers from the records that we make, as its documentation tells how it chooses, is what a plan made by hand from the same
 * objects says: for clients of every kind, with every backend healthy, and with some not.
 */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nativeZone } from "../../../dns-providers/native/native-zone.ts";
import { createZoneSync } from "../../../dns-providers/zone-sync.ts";
import type { Inventory, Route, Rule } from "../../../src/model/inventory.ts";
import { uncheckable } from "../../../src/model/native-policy.ts";
import type { OraclePlace } from "../../support/oracle/geo.ts";
import { oraclePlan } from "../../support/oracle/plan.ts";
import { answer, type Client } from "../../support/providers/route53/answer.ts";
import { type Route53Emulator, startRoute53Emulator } from "../../support/providers/route53/server.ts";
import { FREE_LANE, hashOf, route53Client, route53ProviderOf } from "../../support/providers/route53-zone.ts";
import { seededRandom } from "../../support/random.ts";
import { compileTestTable, everythingUsable, TEST_CENTROIDS } from "../../support/world/compile-test-world.ts";
import { type RoutingWorld, routingWorld } from "../../support/world/routing-world.ts";

let emulator: Route53Emulator;
beforeAll(async () => {
  emulator = await startRoute53Emulator({ quotas: { healthChecks: 100_000, cidrCollections: 100_000, hostedZones: 100_000 } });
});
afterAll(() => emulator?.close());

/** What Route 53 can look at, and can tell clients by: the rest is what `policy-not-expressible` is about. */
function tellable(world: RoutingWorld): Inventory {
  const addressOf = (address: string): string =>
    address.includes(":") ? address.replace("2001:db8:ffff:", "2600:1:1:") : address.replace("203.0.113.", "20.0.113.");
  const clientsOf = ({ clients }: Rule): Rule["clients"] => ({
    ...clients,
    asns: [],
    subdivisions: clients.subdivisions.filter((code) => code.startsWith("US-")),
    subnets: clients.subnets.filter((subnet) => {
      const length = Number(subnet.slice(subnet.indexOf("/") + 1));
      return length > 0 && length <= (subnet.includes(":") ? 48 : 24);
    }),
  });
  const routeOf = (route: Route): Route => ({
    ...route,
    order: route.order === "Latency" ? "Nearest" : route.order,
    tolerance: {},
    spread: 1,
    backends: route.backends.map((backend) => ({ ...backend, addresses: backend.addresses.map(addressOf) })),
    rules: route.rules
      .map((rule) => ({ ...rule, clients: clientsOf(rule) }))
      .filter(({ clients }) => Object.values(clients).some((list) => list.length > 0)),
  });
  return { ...world.inventory, routes: world.inventory.routes.slice(0, 1).map(routeOf) };
}

interface Asker {
  readonly client: Client;
  readonly place: OraclePlace;
}

/** One of each kind that rules could tell apart. */
function askersOf(subnets: readonly string[]): readonly Asker[] {
  const at = (country: string): Pick<OraclePlace, "latitude" | "longitude" | "continent"> => {
    const { latitude, longitude, continent } = TEST_CENTROIDS.get(country)!;
    return { latitude, longitude, continent };
  };
  const addresses = ["9.9.9.9", "2620:fe::9", ...subnets.map((subnet) => subnet.slice(0, subnet.indexOf("/")))];
  const places: readonly OraclePlace[] = [
    ...["DE", "IE", "JP", "BR"].map((country) => ({ country, subdivisions: [], ...at(country) })),
    { country: "US", subdivisions: ["US-WA"], ...at("US") },
    { country: "US", subdivisions: ["US-TX"], ...at("US") },
    { country: "US", ...at("US") },
    {},
  ];
  return addresses.flatMap((address) =>
    places.map((place) => ({
      client: {
        address,
        ...(place.continent === undefined ? {} : { continent: place.continent, country: place.country! }),
        ...(place.latitude === undefined ? {} : { latitude: place.latitude, longitude: place.longitude! }),
        ...(place.subdivisions?.[0] === undefined ? {} : { subdivision: place.subdivisions[0].slice(3) }),
      },
      place,
    })),
  );
}

let zones = 0;
async function program(inventory: Inventory): Promise<string> {
  const domain = `z${zones++}.example.org`;
  const [route] = inventory.routes;
  const named = { ...inventory, routes: [{ ...route!, hosts: [`shop.${domain}`] }] };
  const { table } = compileTestTable(named, []);
  everythingUsable(table);
  const scope = { domain, owner: "prod-eu" };
  const sets = nativeZone({
    ...{ table, routes: named.routes, clusters: named.clusters, isInZone: () => true, scope, digest: hashOf },
    aliasZone: () => undefined,
  });
  const id = emulator.addZone(`${domain}.`);
  const client = route53Client(emulator.url);
  const provider = route53ProviderOf(client, id, { domain, lane: FREE_LANE });
  const sync = createZoneSync({ provider, ...scope, policy: "Sync", now: () => 0, relistAfter: 0 });
  const signal = new AbortController().signal;
  expect(await sync.sync({ desired: sets, epoch: 1, signal })).toMatchObject({ kind: "Synced", plan: { conflicts: [] } });
  expect(await sync.sync({ desired: sets, epoch: 1, signal })).toMatchObject({ batches: 0 }); // read back, it is the same
  client.destroy();
  return id;
}

test("Route 53 sends every client where our plan does, and leaves what is unhealthy", { timeout: 300_000 }, async () => {
  let asked = 0;
  await fc.assert(
    fc.asyncProperty(routingWorld, fc.integer(), async (world, seed) => {
      const inventory = tellable(world);
      const route = inventory.routes[0]!;
      expect(route.backends.flatMap(({ addresses }) => addresses).map((address) => uncheckable(route.health, address))).not.toContain(
        expect.any(String),
      );
      const id = await program(inventory);
      const random = seededRandom(seed);
      const subnets = [...new Set(route.rules.flatMap(({ clients }) => clients.subnets))];
      const down = new Set(route.backends.filter(() => random() < 0.3).map(({ name }) => name));
      const downAddresses = new Set(route.backends.filter(({ name }) => down.has(name)).flatMap(({ addresses }) => addresses));
      const unhealthy = new Set(
        emulator
          .healthChecks()
          .filter(({ config }) => downAddresses.has(config.ipAddress ?? ""))
          .map((check) => check.id),
      );
      const zone = emulator.zone(id)!;
      const of = (type: "A" | "AAAA", position: number): readonly string[] =>
        route.backends[position]!.addresses.filter((address) => address.includes(":") === (type === "AAAA"));
      for (const type of ["A", "AAAA"] as const) {
        const isPublished = zone.sets.some((set) => set.type === type);
        for (const { client, place } of askersOf(subnets)) {
          const plan = oraclePlan(inventory, route, { ...place, subnets: holding(subnets, client.address) }, subnets);
          const tiers = plan.tiers
            .map((tier) => tier.filter((position) => of(type, position).length > 0))
            .filter((tier) => tier.length > 0);
          const got = answer(
            { zoneId: id, zoneName: zone.name, sets: zone.sets, unhealthy, blocksOf: emulator.blocksOf, random },
            { name: `shop.${zone.name}`, type },
            client,
          );
          const at = JSON.stringify({ type, client, down: [...down], tiers });
          if (!isPublished) {
            expect(got.kind, at).toMatch(/NoData|NameError/);
            continue;
          }
          expect(got.kind, at).toBe("Records");
          const values = got.kind === "Records" ? [...got.values].sort() : [];
          const healthy = tiers
            .map((tier) => tier.filter((position) => !down.has(route.backends[position]!.name)))
            .find((tier) => tier.length > 0);
          // A client of no place has no nearest: whom the rules allow. So has one for whom everything is down.
          const isLoose = healthy === undefined || (route.order === "Nearest" && place.latitude === undefined);
          const expected = (isLoose ? tiers.flat() : healthy).map((position) => [...of(type, position)].sort());
          expect(expected, at).toContainEqual(values);
          asked++;
        }
      }
    }),
    { numRuns: 150, seed: 20 },
  );
  expect(asked).toBeGreaterThan(2000);
});

/** Indices of the subnets that hold an address; the askers' addresses are first addresses of subnets, or outside of all. */
function holding(subnets: readonly string[], address: string): readonly number[] {
  const bits = (text: string): string => {
    if (!text.includes(":"))
      return text
        .split(".")
        .map((part) => Number(part).toString(2).padStart(8, "0"))
        .join("");
    const [head = "", tail = ""] = text.split("::");
    const groups = (half: string): readonly string[] => (half === "" ? [] : half.split(":"));
    const missing = text.includes("::") ? 8 - groups(head).length - groups(tail).length : 0;
    return [...groups(head), ...Array<string>(missing).fill("0"), ...groups(tail)]
      .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0"))
      .join("");
  };
  return subnets.flatMap((subnet, i) => {
    const [network = "", length = "0"] = subnet.split("/");
    const isSame = network.includes(":") === address.includes(":");
    return isSame && bits(network).slice(0, Number(length)) === bits(address).slice(0, Number(length)) ? [i] : [];
  });
}
