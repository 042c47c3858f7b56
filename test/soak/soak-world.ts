/** The world of the soak: six sites, networks that are near to each, routes of every order; as objects for the server and for the oracle. */
import type { Inventory, Route, Rule } from "../../src/model/inventory.ts";
import { writeMmdb } from "../support/mmdb-writer.ts";
import { type OracleBackend, type OracleStanding, oracleDecide, oracleSlotHash } from "../support/oracle/decide.ts";
import { type OracleAddress, type OraclePlace, type OracleWorld, oracleAddress, oraclePlace, oracleReader } from "../support/oracle/geo.ts";
import { type OraclePlan, oraclePlan } from "../support/oracle/plan.ts";
import { oracleHash } from "../support/oracle/slots.ts";
import { testBackend, testCluster, testInventory, testRoute, testRule } from "../support/world/build-route.ts";

export interface Site {
  readonly name: string;
  readonly address: string;
  readonly latitude: number;
  readonly longitude: number;
}

export const SITES: readonly Site[] = [
  { name: "dublin", address: "127.0.21.1", latitude: 53.4, longitude: -6.3 },
  { name: "frankfurt", address: "127.0.21.2", latitude: 50.1, longitude: 8.7 },
  { name: "virginia", address: "127.0.21.3", latitude: 38.9, longitude: -77.5 },
  { name: "oregon", address: "127.0.21.4", latitude: 45.8, longitude: -119.7 },
  { name: "tokyo", address: "127.0.21.5", latitude: 35.7, longitude: 139.7 },
  { name: "paulo", address: "127.0.21.6", latitude: -23.5, longitude: -46.6 },
];
/** Lets these be probed. */
export const SITES_NETWORK = "127.0.21.0/29";

/** Client networks, and where they are; the last is in no database. */
const NETWORKS: readonly (readonly [network: string, country: string, continent: string, latitude: number, longitude: number])[] = [
  ["198.51.100.0/24", "DE", "EU", 52.5, 13.4],
  ["198.18.1.0/24", "IE", "EU", 53.3, -6.2],
  ["203.0.113.0/24", "US", "NA", 40.7, -74],
  ["198.18.2.0/24", "US", "NA", 47.6, -122.3],
  ["192.0.2.0/24", "JP", "AS", 35.6, 139.6],
  ["198.18.3.0/24", "BR", "SA", -22.9, -43.2],
  ["2001:db8:1::/48", "DE", "EU", 48.1, 11.6],
  ["2001:db8:2::/48", "JP", "AS", 34.6, 135.5],
];
const NOWHERE = ["198.18.99.0/24", "2001:db8:99::/48"];

/** The networks that clients are in, as text: `198.51.100.0/24`. */
export const CLIENT_NETWORKS: readonly string[] = [...NETWORKS.map(([network]) => network), ...NOWHERE];

/** A database of these networks. */
export const soakMmdb = (): Buffer =>
  writeMmdb(
    NETWORKS.map(([network, country, continent, latitude, longitude]) => ({
      network,
      record: { country: { iso_code: country }, continent: { code: continent }, location: { latitude, longitude } },
    })),
  );

const inEurope: Rule = testRule("europe", "Require", { continents: ["EU"] }, ["dublin", "frankfurt"]);

/** Everything but addresses and probes, which {@link soakObjects} has: what the oracle needs. */
const ROUTES: readonly (readonly [name: string, more: Partial<Route>])[] = [
  ["near", {}],
  ["around", { tolerance: { distanceKm: 7000 } }],
  ["europe", { rules: [inEurope] }],
  ["ordered", { order: "Priority" }],
  ["shared", { order: "Weighted" }],
  ["sticky", { order: "Weighted", sticky: "ClientSubnet" }],
];

export const HOSTS: readonly string[] = ROUTES.map(([name]) => `${name}.example.org`);
/** `default/near`, in the order of {@link HOSTS}. */
export const ROUTE_KEYS: readonly string[] = ROUTES.map(([name]) => `default/${name}`);

const inventory: Inventory = testInventory(
  ROUTES.map(([name, more]) =>
    testRoute(
      SITES.map((site, i) => testBackend(site.name, i + 1, { addresses: [site.address] })),
      { name, hosts: [`${name}.example.org`], ...more },
    ),
  ),
  {
    clusters: SITES.map(({ name, latitude, longitude }) => {
      const cluster = testCluster(name);
      return { ...cluster, location: { ...cluster.location, latitude, longitude } };
    }),
  },
);

/** What a client may be answered while the sites stand as they do. */
export interface SoakOracle {
  /**
   * @param client    an address of the client's network; undefined = a query without client subnet, which comes from loopback
   * @param standings of the sites, in their order
   * @returns addresses of which exactly one is answered
   */
  readonly allowed: (route: number, client: string | undefined, standings: readonly OracleStanding[]) => ReadonlySet<string>;
}

const LADDER: readonly OracleStanding[] = ["Usable", "Pending", "Unknown", "Unhealthy"];
const WHOLE = 65_535;

export function soakOracle(mmdb: Buffer): SoakOracle {
  const world: OracleWorld = { readers: [oracleReader(mmdb)], subnets: [], centroids: new Map() };
  const plans = new Map<string, OraclePlan>();
  const answers = new Map<string, ReadonlySet<string>>();

  function planOf(route: number, client: string | undefined): OraclePlan {
    const key = `${route} ${client}`;
    const place: OraclePlace = client === undefined ? {} : oraclePlace(world, oracleAddress(client));
    const plan = plans.get(key) ?? oraclePlan(inventory, inventory.routes[route]!, place, []);
    plans.set(key, plan);
    return plan;
  }

  function stickyAnswer(route: number, client: string | undefined, plan: OraclePlan, standings: readonly OracleStanding[]): string {
    const backendAt = (position: number): OracleBackend => ({
      position,
      weight: plan.weights[position]!,
      hash: oracleHash(`${SITES[position]!.name}#0`),
      standing: standings[position]!,
      keep: WHOLE,
      lastUsable: 1,
    });
    const slotHash = oracleSlotHash(stickyNetwork(oracleAddress(client ?? "127.0.0.1")), ROUTE_KEYS[route]!);
    const decision = oracleDecide({ tiers: plan.tiers.map((tier) => tier.map(backendAt)), slotHash, trickle: 0, holdLast: false });
    return SITES[decision!.backend.position]!.address;
  }

  function compute(route: number, client: string | undefined, standings: readonly OracleStanding[]): ReadonlySet<string> {
    const plan = planOf(route, client);
    if (inventory.routes[route]!.sticky !== "None") return new Set([stickyAnswer(route, client, plan, standings)]);
    for (const standing of LADDER) {
      const tier = plan.tiers.find((members) => members.some((position) => standings[position] === standing));
      if (tier !== undefined)
        return new Set(tier.filter((position) => standings[position] === standing).map((position) => SITES[position]!.address));
    }
    return new Set();
  }

  return {
    allowed(route, client, standings) {
      const key = `${route} ${client} ${standings.join()}`;
      const known = answers.get(key) ?? compute(route, client, standings);
      answers.set(key, known);
      return known;
    },
  };
}

/** A client's /24 as one number, its /48 as two. */
function stickyNetwork({ family, value }: OracleAddress): readonly number[] {
  return family === 4 ? [Number((value >> 8n) << 8n)] : [Number(value >> 96n), Number((value >> 80n) & 0xffffn)];
}

const head = (kind: string, name: string): string =>
  `---\napiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;

/**
 * The same world for the server.
 *
 * @param port    of every site
 * @param edition a number that a TXT record tells: another one is another configuration
 */
export function soakObjects(port: number, edition: number): string {
  const clusters = SITES.map(
    ({ name, latitude, longitude }) =>
      `${head("MemberCluster", name)}spec: {location: {latitude: "${latitude}", longitude: "${longitude}"}}\n`,
  );
  const backends = SITES.map(({ name, address }) => `  - {name: ${name}, cluster: ${name}, addresses: [${address}]}\n`).join("");
  const routes = ROUTES.map(
    ([name, { order = "Nearest", tolerance, sticky, rules }]) => `${head("GlobalRoute", name)}spec:
  hosts: [${name}.example.org]
  ttl: {min: 5s, max: 60s}
  answers: 1
  backends:
${backends}  health: {probe: {port: ${port}, host: probe.example.org}, interval: 100ms, timeout: 100ms, fall: 2, rise: 2}
  failover: {failback: {after: 500ms}}
  routing:
    order: ${order}
${tolerance?.distanceKm === undefined ? "" : `    tolerance: {distanceKm: ${tolerance.distanceKm}}\n`}${sticky === undefined ? "" : `    sticky: ${sticky}\n`}${
  rules === undefined
    ? ""
    : "    rules: [{name: europe, mode: Require, unknownPlace: Skip, clients: {continents: [EU]}, to: {clusters: [dublin, frankfurt]}}]\n"
}`,
  );
  return `${clusters.join("")}${head("DNSZone", "example")}spec:
  domain: example.org
  provider: {type: Embedded, embedded: {nameservers: [ns1.example.org], records: [{name: edition, type: TXT, values: ["${edition}"]}]}}
${routes.join("")}`;
}
