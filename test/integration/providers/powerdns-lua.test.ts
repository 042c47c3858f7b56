/** LUA records on a real PowerDNS with our geo data: clients get from it what they would get from us. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildCountryDatabase } from "../../../bench/dns/country-database.ts";
import type { DesiredSet } from "../../../dns-providers/change.ts";
import { exchangeOverHttp } from "../../../dns-providers/powerdns/http-exchange.ts";
import { createLuaZone } from "../../../dns-providers/powerdns/lua-policy.ts";
import { createPowerDnsProvider } from "../../../dns-providers/powerdns/powerdns-provider.ts";
import { createZoneSync, type SyncOutcome } from "../../../dns-providers/zone-sync.ts";
import { Rcode } from "../../../src/dns/wire/codes.ts";
import type { Backend, Inventory, Route } from "../../../src/model/inventory.ts";
import { formatNetwork, type Network } from "../../../src/model/ip.ts";
import { newChoice } from "../../../src/routing/choose.ts";
import { answerShares, decide, placeClient } from "../../../src/routing/decide.ts";
import { FULL, type RoutingTable, Standing } from "../../../src/routing/table.ts";
import { requireComponent } from "../../support/component.ts";
import { dig } from "../../support/dig.ts";
import { openUdp, type UdpClient } from "../../support/dns-client.ts";
import { type PowerDns, requirePowerDns, startPowerDns } from "../../support/providers/powerdns.ts";
import { ASNS, askFor, clientIn, compileWorld, randomClient, subnet, WORLD_FILE } from "../../support/providers/powerdns-world.ts";
import { seededRandom } from "../../support/random.ts";
import { testCluster, testFailover, testInventory, testRoute, testRule } from "../../support/world/build-route.ts";
import { everythingUsable } from "../../support/world/compile-test-world.ts";

const isHere = requirePowerDns() && requireComponent("dns-clients", "dig");
const exchange = exchangeOverHttp();
const providerOf = ({ server, apiKey }: PowerDns) =>
  createPowerDnsProvider({ server, domain: "example.org", apiKey, exchange, lua: "Server" });
const NEVER = new AbortController().signal;
const CLIENTS = 1000;

const SITES = ["dublin", "frankfurt", "virginia", "tokyo", "paulo"] as const;
/** @param addresses of each family */
const site = (cluster: string, more: Partial<Backend> = {}, addresses = 1): Backend => {
  const number = 10 * (1 + SITES.indexOf(cluster as (typeof SITES)[number]));
  return {
    ...{ name: cluster, cluster, weight: 100, priority: 0, bias: 0 },
    addresses: Array.from({ length: addresses }, (_, i) => [`192.0.2.${number + i}`, `2001:db8:ffff::${number + i}`]).flat(),
    ...more,
  };
};
const ALL = SITES.map((name) => site(name));
const named = (name: string, backends: readonly Backend[], more: Partial<Route> = {}): Route =>
  testRoute(backends, { name, hosts: [`${name}.example.org`], answers: 2, ...more });

const ROUTES: readonly Route[] = [
  named("countries", ALL, {
    order: "Priority",
    rules: [
      testRule("far", "Prefer", { countries: ["AU", "NZ", "JP", "KR"] }, ["tokyo"]),
      testRule("south", "Prefer", { countries: ["BR", "AR", "CL"] }, ["paulo", "virginia"]),
    ],
  }),
  named("continents", ALL, {
    order: "Priority",
    rules: [
      testRule("america", "Prefer", { continents: ["NA", "SA"] }, ["virginia"]),
      testRule("asia", "Prefer", { continents: ["AS", "OC"] }, ["tokyo"]),
    ],
  }),
  named(
    "nearest",
    ALL.map((backend, i) => ({ ...backend, bias: i === 2 ? 30 : 0 })),
  ),
  named("residency", ALL, {
    rules: [
      testRule("gdpr", "Require", { continents: ["EU"], countries: ["TR"] }, ["dublin", "frankfurt"], "Apply"),
      testRule("swiss", "Require", { countries: ["CH"] }, ["frankfurt"], "Skip"),
    ],
  }),
  named("tiers", [
    site("dublin", { priority: 0 }),
    site("frankfurt", { priority: 1 }),
    site("virginia", { priority: 2 }),
    site("tokyo", { priority: 0, weight: 0 }),
  ]),
  named("networks", ALL, {
    rules: [
      testRule("office", "Require", { subnets: ["20.7.0.0/16", "2001:db8:9::/48"] }, ["tokyo"], "Skip"),
      testRule("lab", "Prefer", { subnets: ["20.7.128.0/17", "20.9.64.0/18"] }, ["paulo", "tokyo"], "Skip"),
      testRule("carrier", "Require", { asns: [ASNS[0]] }, ["virginia", "tokyo"], "Skip"),
    ],
  }),
  named("desk", ALL, { rules: [testRule("desk", "Require", { subnets: ["20.11.5.16/28", "2001:db8:b::7:0/112"] }, ["tokyo"], "Skip")] }),
  named("states", ALL, { rules: [testRule("california", "Require", { subdivisions: ["US-CA"] }, ["tokyo"], "Apply")] }),
  named("asns", ALL, { rules: [testRule("carrier", "Require", { asns: [ASNS[1]] }, ["frankfurt"], "Apply")] }),
  named("single", [site("dublin", {}, 5), site("tokyo", {}, 5)]),
  named("standby", [site("dublin", { weight: 0 }), site("tokyo", { weight: 0 })], { order: "Weighted" }),
  named("half", [site("dublin"), site("tokyo", { addresses: ["192.0.2.40"] })], {
    families: "Each",
    rules: [testRule("japan", "Require", { countries: ["JP"] }, ["tokyo"], "Skip")],
  }),
];

test.skipIf(!isHere)(`${CLIENTS} clients anywhere, by the registries' countries`, async () => {
  const { file } = buildCountryDatabase();
  const powerDns = await startPowerDns({ mmdb: file });
  const client = await openUdp({ address: "127.0.0.1", port: powerDns.dnsPort });
  try {
    const routes = [named("nearest", ALL)];
    const table = compileWorld(testInventory(routes), file);
    everythingUsable(table);
    const [set] = createLuaZone()({ table, routes, isInZone: () => true, before: () => undefined }).sets;
    await powerDns.put(set!);
    const random = seededRandom(11);
    const seen = new Map<string, number>();
    for (let i = 0; i < CLIENTS; i++) {
      const who: Network = {
        family: 4,
        length: 32,
        bytes: Uint8Array.from({ length: 4 }, (_, n) => Math.floor(random() * (n === 0 ? 224 : 256))),
      };
      const ours = decide(table, 0, who, 0, 0.5, 0);
      const choice = newChoice();
      placeClient(table, 0, who, choice);
      if (answerShares(table, 0, 0, choice).clusters.size > 1) continue; // of unknown place
      const theirs = await askFor(client, "nearest.example.org", "A", who);
      expect(theirs.addresses, formatNetwork(who)).toEqual([...ours.addresses].sort());
      seen.set(ours.clusters[0]!, (seen.get(ours.clusters[0]!) ?? 0) + 1);
    }
    expect(seen.size).toBe(SITES.length);
    expect([...seen.values()].reduce((sum, one) => sum + one, 0)).toBeGreaterThan(CLIENTS / 2);
  } finally {
    client.close();
    await powerDns.stop();
  }
});

describe.skipIf(!isHere)("LUA records on PowerDNS", () => {
  let powerDns: PowerDns;
  let client: UdpClient;
  beforeAll(async () => {
    powerDns = await startPowerDns({ mmdb: WORLD_FILE });
    client = await openUdp({ address: "127.0.0.1", port: powerDns.dnsPort });
  });
  afterAll(async () => {
    client?.close();
    await powerDns?.stop();
  });

  const worldOf = (routes: readonly Route[], more: Partial<Inventory> = {}): RoutingTable => {
    const table = compileWorld(testInventory(routes, more));
    everythingUsable(table);
    return table;
  };
  const luaZone = createLuaZone();
  const zoneOf = (routes: readonly Route[], table: RoutingTable) =>
    luaZone({ table, routes, isInZone: () => true, before: () => undefined });

  /** Writes what a table says now, as one writer after the other: each begins by listing. */
  async function publish(routes: readonly Route[], table: RoutingTable): Promise<SyncOutcome> {
    const sync = createZoneSync({
      ...{ provider: providerOf(powerDns), domain: "example.org", owner: "prod-eu", policy: "Sync", relistAfter: 0, now: () => 0 },
    });
    return sync.sync({ desired: zoneOf(routes, table).sets, epoch: 1, isRemovalConfirmed: true, signal: NEVER });
  }

  /** @param i the route's index in the table @returns how many answers could be nothing but one set */
  async function compare(route: Route, i: number, table: RoutingTable, clients: readonly Network[]): Promise<number> {
    let exact = 0;
    for (const [n, who] of clients.entries()) {
      const family = n % 4 === 3 ? 1 : 0;
      const ours = decide(table, i, who, family, 0.5, 0);
      const theirs = await askFor(client, route.hosts[0]!, family === 0 ? "A" : "AAAA", who);
      const about = `${route.name} ${formatNetwork(who)} family ${family}`;
      if (ours.mode === "NotOffered") {
        expect([theirs.rcode, theirs.addresses], about).toEqual([Rcode.NOERROR, []]);
        continue;
      }
      const choice = newChoice();
      placeClient(table, i, who, choice);
      const shares = answerShares(table, i, family, choice);
      const most = ours.choice.backend < 0 ? 0 : countAddresses(table, ours.choice.backend, family);
      if (shares.clusters.size === 1 && most <= route.answers) {
        exact++;
        expect(theirs.addresses, about).toEqual([...ours.addresses].sort());
      } else {
        const all = [...shares.numbers].map((number) => table.names.addresses[number]!);
        expect(all, about).toEqual(expect.arrayContaining([...theirs.addresses]));
        expect(theirs.addresses.length, about).toBe(ours.addresses.length);
        expect(new Set(theirs.addresses.map((address) => clusterOf(table, i, address))).size, about).toBe(1);
      }
      expect(theirs.scope, about).toBe(who.length); // holds for who asked, and for nobody else
      expect(theirs.ttl, about).toBe(5);
    }
    return exact;
  }

  test("an HTTPS record stands beside a script, and both are answered", async () => {
    const route: Route = { ...ROUTES[0]!, name: "https", hosts: ["https.example.org"] };
    const { sets } = zoneOf([route], worldOf([route]));
    const https: DesiredSet = { ...sets[0]!, type: "HTTPS", values: ["1 . alpn=h2,h3"] };
    const sync = createZoneSync({
      ...{ provider: providerOf(powerDns), domain: "example.org", owner: "prod-eu", policy: "Sync", relistAfter: 0, now: () => 0 },
    });
    const run = (desired: readonly DesiredSet[]) => sync.sync({ desired, epoch: 1, isRemovalConfirmed: true, signal: NEVER });
    expect(await run([...sets, https])).toMatchObject({ kind: "Synced", plan: { conflicts: [] }, batches: 1 });
    expect(await run([...sets, https])).toMatchObject({ batches: 0 });
    expect((await dig(powerDns.dnsPort, "https.example.org", "HTTPS")).answers).toEqual(['1 . alpn="h2,h3"']);
    expect((await dig(powerDns.dnsPort, "https.example.org", "A")).answers).not.toEqual([]);
    await run([]);
    expect((await dig(powerDns.dnsPort, "https.example.org", "HTTPS")).status).toBe("NXDOMAIN");
  });

  const random = seededRandom(1);
  const clients = Array.from({ length: CLIENTS }, () => randomClient(random));

  describe(`${CLIENTS} clients, IPv4 and IPv6, of every country and of none, get what we decide`, () => {
    const table = isHere ? worldOf(ROUTES) : undefined;

    test("a first sync writes all routes, and what is read back is the same", async () => {
      expect(await publish(ROUTES, table!)).toMatchObject({ kind: "Synced", plan: { conflicts: [] }, batches: 1 });
      expect(await publish(ROUTES, table!)).toMatchObject({ batches: 0 });
      expect(zoneOf(ROUTES, table!).lost.size).toBe(0);
      expect(await providerOf(powerDns).checkSetup(NEVER)).toEqual([]);
    });

    test.each(ROUTES.map((route, i) => ({ name: route.name, route, i })))("$name", async ({ route, i }) => {
      const exact = await compare(route, i, table!, clients);
      process.stderr.write(`${route.name}: ${exact} of ${CLIENTS} clients can get but one set\n`);
    });

    test("a client subnet with a part that a Require rule binds is bound whole", async () => {
      const i = ROUTES.findIndex(({ name }) => name === "desk");
      const who = [
        subnet("20.11.5.0", 24),
        subnet("20.11.5.17", 32),
        subnet("20.11.5.32", 32),
        subnet("20.11.4.0", 24),
        subnet("2001:db8:b::", 56),
      ];
      expect(await compare(ROUTES[i]!, i, table!, [...who, ...who, ...who, ...who])).toBe(20);
      expect((await askFor(client, "desk.example.org", "A", who[0]!)).addresses).toEqual(["192.0.2.40"]);
    });

    test("so do those of one state, of another, and of a state that is not known", async () => {
      const i = ROUTES.findIndex(({ name }) => name === "states");
      const who = [10, 40, 70, 200].map((third) => clientIn("US", third));
      expect(await compare(ROUTES[i]!, i, table!, [...who, ...who, ...who, ...who])).toBe(16);
      const [unknown, california, washington] = await Promise.all(who.map((one) => askFor(client, "states.example.org", "A", one)));
      expect([unknown, california, washington].map((answer) => answer?.addresses)).toEqual([
        ["192.0.2.40"],
        ["192.0.2.40"],
        ["192.0.2.30"],
      ]);
    });

    test("and so they do after a failover, which is one PATCH", async () => {
      setStanding(table!, "dublin", Standing.Unhealthy);
      setStanding(table!, "tokyo", Standing.Draining);
      expect(await publish(ROUTES, table!)).toMatchObject({ kind: "Synced", batches: 1 });
      for (const [i, route] of ROUTES.entries()) await compare(route, i, table!, clients.slice(0, 200));
    });

    test("and when nothing is healthy: fail-open, and never another region", async () => {
      for (const name of SITES) setStanding(table!, name, name === "virginia" ? Standing.Draining : Standing.Unhealthy);
      expect(await publish(ROUTES, table!)).toMatchObject({ kind: "Synced", batches: 1 });
      for (const [i, route] of ROUTES.entries()) await compare(route, i, table!, clients.slice(0, 200));
    });

    test("of whom nothing may be answered gets SERVFAIL", async () => {
      everythingUsable(table!);
      setStanding(table!, "frankfurt", Standing.Excluded);
      await publish(ROUTES, table!);
      expect(await askFor(client, "residency.example.org", "A", clientIn("CH"))).toMatchObject({ rcode: Rcode.SERVFAIL });
      expect(await askFor(client, "residency.example.org", "A", clientIn("FR"))).toMatchObject({ addresses: ["192.0.2.10"] });
    });
  });

  test("a failover is never seen as an empty answer", async () => {
    const routes = [named("flap", ALL)];
    const table = worldOf(routes);
    await publish(routes, table);
    let isOver = false;
    let asked = 0;
    const watch = (async () => {
      while (!isOver) {
        const { addresses } = await askFor(client, "flap.example.org", "A", clientIn("DE"));
        expect(addresses.length).toBe(1);
        asked++;
      }
    })();
    for (let flip = 0; flip < 40; flip++) {
      setStanding(table, "frankfurt", flip % 2 === 0 ? Standing.Unhealthy : Standing.Usable);
      await publish(routes, table);
    }
    isOver = true;
    await watch;
    expect(asked).toBeGreaterThan(40);
  });

  describe("shares", () => {
    const weights = { dublin: 60, tokyo: 30, paulo: 10 } as const;
    const backends = Object.entries(weights).map(([name, weight]) => site(name, { weight }));
    const routes = [
      named("weighted", backends, { order: "Weighted" }),
      named("sticky", backends, { order: "Weighted", sticky: "ClientSubnet" }),
      named("ramp", backends, { order: "Weighted" }),
      named("spread", backends, { order: "Weighted", spread: 2 }),
      named("many", [site("dublin", {}, 8)], { sticky: "ClientSubnet" }),
    ];
    const first = (addresses: readonly string[]): string => SITES[Math.floor(Number(addresses[0]!.split(".")[3]) / 10) - 1]!;
    const deviations = (counts: ReadonlyMap<string, number>, total: number, shares: Readonly<Record<string, number>>): readonly number[] =>
      Object.entries(shares).map(
        ([name, share]) => Math.abs((counts.get(name) ?? 0) - total * share) / Math.sqrt(total * share * (1 - share)),
      );
    const count = async (name: string, who: readonly Network[]): Promise<Map<string, number>> => {
      const counts = new Map<string, number>();
      for (const one of who) {
        const { addresses } = await askFor(client, `${name}.example.org`, "A", one);
        counts.set(first(addresses), (counts.get(first(addresses)) ?? 0) + 1);
      }
      return counts;
    };
    let table: RoutingTable;
    beforeAll(async () => {
      if (!isHere) return;
      table = worldOf(routes);
      table.state.keep[2 * table.hot.routeBackends[2]!] = FULL >> 1; // dublin gives half of its clients away
      expect(await publish(routes, table)).toMatchObject({ kind: "Synced" });
    });
    const some = (n: number, seed: number): readonly Network[] => {
      const roll = seededRandom(seed);
      return Array.from({ length: n }, () => subnet(`20.${Math.floor(roll() * 240)}.${Math.floor(roll() * 256)}.0`, 24));
    };

    // The dice are the server's own: a sample is out once in 370 times, and two are never.
    test("by dice: within 3σ of the weights, in one sample or the next", async () => {
      const worst: number[] = [];
      for (const seed of [2, 8]) {
        const counts = await count("weighted", some(4000, seed));
        worst.push(Math.max(...deviations(counts, 4000, { dublin: 0.6, tokyo: 0.3, paulo: 0.1 })));
        if (worst.at(-1)! < 3) break;
      }
      expect(Math.min(...worst)).toBeLessThan(3);
    });

    test("by the client's subnet: within 3σ of the weights", async () => {
      const who = [...new Map(some(4000, 3).map((one) => [formatNetwork(one), one])).values()];
      const counts = await count("sticky", who);
      expect(Math.max(...deviations(counts, who.length, { dublin: 0.6, tokyo: 0.3, paulo: 0.1 }))).toBeLessThan(3);
    });

    test("while a backend ramps", async () => {
      const counts = await count("ramp", some(4000, 4));
      const { clusters } = answerShares(table, 2, 0, newChoice());
      expect(Math.max(...deviations(counts, 4000, Object.fromEntries(clusters)))).toBeLessThan(4);
      expect(clusters.get("dublin")).toBeCloseTo(0.3, 1);
    });

    test("of an answer that names two clusters", async () => {
      for (const who of some(100, 5)) {
        const { addresses } = await askFor(client, "spread.example.org", "A", who);
        expect(new Set(addresses.map((address) => first([address]))).size).toBe(2);
      }
    });

    test("a sticky client keeps its answer: everybody in its /24, however often it asks, and which of many addresses too", async () => {
      for (const who of some(60, 6)) {
        const wanted = await askFor(client, "sticky.example.org", "A", who);
        const many = await askFor(client, "many.example.org", "A", who);
        expect(many.addresses.length).toBe(2);
        for (const host of [1, 77, 255]) {
          const neighbour: Network = { family: 4, length: 32, bytes: Uint8Array.of(who.bytes[0]!, who.bytes[1]!, who.bytes[2]!, host) };
          expect((await askFor(client, "sticky.example.org", "A", neighbour)).addresses).toEqual(wanted.addresses);
          expect((await askFor(client, "many.example.org", "A", neighbour)).addresses).toEqual(many.addresses);
        }
      }
    });

    test("and when a cluster fails, nobody moves but its own clients", async () => {
      const who = some(400, 7);
      const before = [];
      for (const one of who) before.push((await askFor(client, "sticky.example.org", "A", one)).addresses.join());
      setStanding(table, "paulo", Standing.Unhealthy);
      await publish(routes, table);
      let moved = 0;
      for (const [i, one] of who.entries()) {
        const after = (await askFor(client, "sticky.example.org", "A", one)).addresses.join();
        if (before[i] !== "192.0.2.50") expect(after).toBe(before[i]);
        else moved++;
      }
      expect(moved).toBeGreaterThan(10);
    });
  });

  test("the largest scripts that are written end within the server's limit of steps", async () => {
    const most = (make: (n: number) => Route): Route => {
      let best = make(1);
      for (let step = 64; step >= 1; step /= 2) {
        const n = best.backends.length + step;
        const route = make(n);
        const table = worldOf([route], { clusters: clustersOf(n) });
        if (zoneOf([route], table).lost.size === 0) best = route;
      }
      return best;
    };
    const backend = (i: number, addresses: number): Backend => ({
      ...{ name: `b${i}`, cluster: `c${i}`, weight: 100 + i, priority: 0, bias: 0 },
      addresses: Array.from({ length: addresses }, (_, n) => `198.18.${i}.${n + 1}`),
    });
    const backends = (n: number, addresses = 1): readonly Backend[] => Array.from({ length: n }, (_, i) => backend(i, addresses));
    const routes = [
      most((n) => named("large-sticky", backends(n), { order: "Weighted", sticky: "ClientSubnet", answers: 1 })),
      most((n) => named("large-spread", backends(n), { order: "Weighted", spread: 3, answers: 1 })),
      most((n) => named("large-weighted", backends(n, 8), { order: "Weighted", answers: 8 })),
      most((n) => named("large-nearest", backends(n), { rules: [testRule("x", "Prefer", { subnets: many(n) }, ["c0"], "Skip")] })),
    ];
    const table = worldOf(routes, { clusters: clustersOf(128) });
    await publish(routes, table);
    const sizes = zoneOf(routes, table).sets.map(({ values }) => values[0]!.length);
    process.stderr.write(
      `${routes.map(({ name, backends: { length } }, i) => `${name}: ${length} backends, ${sizes[i]} bytes`).join("; ")}\n`,
    );
    for (const { hosts } of routes) {
      for (const who of clients.slice(0, 100)) {
        const { rcode, addresses } = await askFor(client, hosts[0]!, "A", who);
        expect([rcode, addresses.length > 0], `${hosts[0]} ${powerDns.log().slice(-300)}`).toEqual([Rcode.NOERROR, true]);
      }
    }
  });

  test("wildcards and the apex", async () => {
    const routes = [testRoute(ALL, { hosts: ["*.wild.example.org", "example.org"], failover: testFailover() })];
    const table = worldOf(routes);
    await publish(routes, table);
    for (const host of ["any.wild.example.org", "example.org"]) {
      expect((await askFor(client, host, "A", clientIn("JP"))).addresses).toEqual(["192.0.2.40"]);
      expect((await askFor(client, host, "A", clientIn("BR"))).addresses).toEqual(["192.0.2.50"]);
    }
  });
});

const clustersOf = (n: number) =>
  Array.from({ length: n }, (_, i) =>
    testCluster(`c${i}`, { location: { latitude: (i * 37) % 90, longitude: (i * 71) % 180, label: "" } }),
  );
const many = (n: number): readonly string[] => Array.from({ length: 2 * n }, (_, i) => `20.${i}.${i}.0/24`);

const countAddresses = ({ hot }: RoutingTable, backend: number, family: 0 | 1): number =>
  hot.backendAddresses[2 * backend + family + 1]! - hot.backendAddresses[2 * backend + family]!;

function clusterOf({ hot, names }: RoutingTable, route: number, address: string): string {
  for (let row = 2 * hot.routeBackends[route]!; row < 2 * hot.routeBackends[route + 1]!; row++)
    for (let number = hot.backendAddresses[row]!; number < hot.backendAddresses[row + 1]!; number++)
      if (names.addresses[number] === address) return names.clusters[names.backends[row >> 1]!.cluster]!;
  return "";
}

/** Of all backends of a cluster, in every route and family. */
function setStanding({ hot, state, names }: RoutingTable, cluster: string, standing: Standing): void {
  names.backends.forEach((backend, i) => {
    if (names.clusters[backend.cluster] !== cluster) return;
    for (const row of [2 * i, 2 * i + 1]) {
      if (state.standing[row] === Standing.Absent) continue;
      state.standing[row] = standing;
      const addresses = state.addressStanding.subarray(hot.backendAddresses[row], hot.backendAddresses[row + 1]);
      addresses.fill(standing);
    }
  });
}
