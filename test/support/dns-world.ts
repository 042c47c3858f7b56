/** A small world to ask DNS questions about: every kind of name, two clusters, clients told apart by rule networks alone (no mmdb). */
import { buildZoneTable, type ServingTables } from "../../src/dns/zone-table.ts";
import { buildGeoTable } from "../../src/geo/build-geo-table.ts";
import type { Backend, Inventory, Route, StaticRecord, Zone } from "../../src/model/inventory.ts";
import { parseNetwork } from "../../src/model/ip.ts";
import { ms, seconds } from "../../src/model/units.ts";
import { compile } from "../../src/routing/compile.ts";
import { placeNeeds, ruleSubnets } from "../../src/routing/policy.ts";
import { type RoutingTable, Standing } from "../../src/routing/table.ts";

export const SERIAL = 2026_11_01;

/** Clients of these networks are sent to `west`, everybody else to `east`. */
export const WEST_V4 = "198.51.100.0/24";
export const WEST_V6 = "2001:db8:beef::/48";

const backend = (cluster: string, addresses: readonly string[], weight = 100): Backend => ({
  name: cluster,
  cluster,
  addresses,
  weight,
  priority: 0,
  bias: 0,
});

/** Both families in both clusters. */
const BOTH = [backend("east", ["192.0.2.1", "2001:db8::e1"]), backend("west", ["203.0.113.1", "2001:db8::31"])];
const V4_ONLY = [backend("east", ["192.0.2.4"]), backend("west", ["203.0.113.4"])];
const MANY = [
  backend(
    "east",
    Array.from({ length: 64 }, (_, i) => `192.0.2.${100 + i}`),
  ),
  backend("west", ["203.0.113.1"]),
];

const westFirst = {
  name: "west",
  clients: { continents: [], countries: [], subdivisions: [], asns: [], subnets: [WEST_V4, WEST_V6] },
  to: ["west"],
  mode: "Require",
  unknownPlace: "Skip",
} as const;
const eastElse = {
  ...westFirst,
  name: "east",
  clients: { ...westFirst.clients, subnets: ["0.0.0.0/0", "::/0"] },
  to: ["east"],
  mode: "Prefer",
} as const;

export function route(name: string, hosts: readonly string[], backends: readonly Backend[], more: Partial<Route> = {}): Route {
  return {
    namespace: "default",
    name,
    hosts,
    ttl: { min: seconds(5), max: seconds(60) },
    answers: 2,
    spread: 1,
    families: "Each",
    backends,
    order: "Weighted",
    tolerance: {},
    rules: [westFirst, eastElse],
    sticky: "None",
    health: {
      probe: { type: "TCP", scheme: "HTTP", port: 80, path: "/", host: hosts[0] ?? "", service: "", expect: { status: [] }, verify: true },
      interval: ms(5000),
      timeout: ms(2000),
      rise: 2,
      fall: 3,
      quorum: { type: "Majority" },
    },
    failover: {
      whenAllUnhealthy: "FailOpen",
      failback: { mode: "Automatic", after: ms(300_000), slowStart: ms(120_000) },
      tricklePercent: 0,
      maxWithdrawalPercent: 34,
    },
    alpn: [],
    zones: [],
    ...more,
  };
}

export function zone(name: string, domain: string, records: readonly StaticRecord[] = [], more: Partial<Zone> = {}): Zone {
  return {
    name,
    domain,
    nameservers: [`ns1.${domain}`, "ns2.example.com"],
    soa: {
      mname: `ns1.${domain}`,
      rname: `hostmaster@${domain}`,
      refresh: seconds(3600),
      retry: seconds(600),
      expire: seconds(1_209_600),
      minimum: seconds(30),
      ttl: seconds(3600),
    },
    records,
    allowedSuffixes: [],
    owner: "test",
    ...more,
  };
}

export const record = (name: string, type: StaticRecord["type"], ...values: readonly string[]): StaticRecord => ({
  name,
  type,
  ttl: seconds(300),
  values,
});

/** A TXT RRset that fits no UDP answer. */
const LARGE = Array.from({ length: 40 }, (_, i) => `${String(i).padStart(2, "0")} ${"x".repeat(200)}`);

export const ZONES: readonly Zone[] = [
  zone("example-org", "example.org", [
    record("ns1.example.org", "A", "192.0.2.53"),
    record("ns1.example.org", "AAAA", "2001:db8::53"),
    record("example.org", "MX", "10 mail.example.org.", "20 mail"),
    record("example.org", "TXT", "v=spf1 -all"),
    record("example.org", "CAA", '0 issue "ca.example.net"'),
    record("www.example.org", "CNAME", "shop.example.org."),
    record("_sip._tcp.example.org", "SRV", "0 5 5060 sip.example.org."),
    record("large.example.org", "TXT", ...LARGE),
    record("*.wild.example.org", "TXT", "from the wildcard"),
    record("host.wild.example.org", "A", "192.0.2.77"),
    record("deep.ent.wild.example.org", "A", "192.0.2.78"),
    record("*.alias.example.org", "CNAME", "shop.example.org."),
    record("child.example.org", "NS", "ns.child.example.org.", "ns.example.net."),
    record("ns.child.example.org", "A", "192.0.2.54"),
    record("ns.child.example.org", "AAAA", "2001:db8::54"),
    record("shop.example.org", "TXT", "a route with a record beside it"),
  ]),
  zone("inner", "inner.example.org"),
];

export const ROUTES: readonly Route[] = [
  route("apex", ["example.org"], BOTH),
  route("shop", ["shop.example.org"], BOTH),
  route("v4only", ["v4only.example.org"], V4_ONLY),
  route("sticky", ["sticky.example.org"], BOTH, { sticky: "ClientSubnet" }),
  route("plain", ["plain.example.org"], BOTH, { rules: [] }),
  route("web", ["web.example.org"], BOTH, { alpn: ["h2", "http/1.1"] }),
  route("apps", ["*.apps.example.org"], BOTH),
  route("inner", ["www.inner.example.org"], BOTH),
  route("many", ["many.example.org"], MANY, { answers: 32 }),
  route("most", ["most.example.org"], MANY, { answers: 32, spread: 16 }),
  route("nothing", ["nothing.example.org"], BOTH),
];

/** All backends usable, but for those of `nothing`, which are cordoned. */
export function dnsWorld(zones: readonly Zone[] = ZONES, routes: readonly Route[] = ROUTES, version = 1): ServingTables {
  const location = { latitude: 0, longitude: 0, label: "0,0" };
  const inventory: Inventory = {
    routes,
    clusters: ["east", "west"].map((name) => ({ name, labels: {}, location, state: "Active", weight: 100 })),
    zones,
    overrides: [],
  };
  const subnets = ruleSubnets(inventory).map((text) => parseNetwork(text)!);
  const geo = buildGeoTable({ trees: [], subnets, needs: placeNeeds(inventory), centroids: new Map() });
  const measures = { distance: () => undefined, latency: () => undefined, estimate: () => undefined };
  const { table } = compile(inventory, geo, measures, { version, builtAt: 0, scopeBudget: 1 << 20 });
  const { standing, addressStanding } = table.state;
  for (let i = 0; i < standing.length; i++) if (standing[i] !== Standing.Absent) standing[i] = Standing.Usable;
  addressStanding.fill(Standing.Usable);
  table.state.worsensAt.fill(Number.POSITIVE_INFINITY);
  routes.forEach(({ name }, i) => {
    if (name !== "nothing") return;
    for (let row = 2 * table.hot.routeBackends[i]!; row < 2 * table.hot.routeBackends[i + 1]!; row++) standing[row] = Standing.Excluded;
  });
  return servingTables(table, zones);
}

/** A routing table with zones that answer for it. */
export const servingTables = (table: RoutingTable, zones: readonly Zone[]): ServingTables => ({
  routing: table,
  zones: buildZoneTable(zones, table, () => SERIAL).zones,
});
