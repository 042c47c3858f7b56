/** A large, plausible world: routes of a few hundred policies over clusters in cloud regions all around the globe. */
import { loadCloudRegions } from "../../src/geo/cloud-regions.ts";
import type { Backend, Cluster, Inventory, Route, Rule } from "../../src/model/inventory.ts";
import { ms, seconds } from "../../src/model/units.ts";

const REGIONS = [
  "eu-west-1",
  "us-east-1",
  "ap-northeast-1",
  "sa-east-1",
  "eu-central-1",
  "us-west-2",
  "ap-southeast-1",
  "ap-southeast-2",
  "ap-south-1",
  "eu-north-1",
  "ca-central-1",
  "us-east-2",
  "us-west-1",
  "eu-west-2",
  "eu-west-3",
  "eu-south-1",
  "af-south-1",
  "me-south-1",
  "ap-east-1",
  "ap-northeast-2",
];

const EU = [
  "AT",
  "BE",
  "BG",
  "HR",
  "CY",
  "CZ",
  "DK",
  "EE",
  "FI",
  "FR",
  "DE",
  "GR",
  "HU",
  "IE",
  "IT",
  "LV",
  "LT",
  "LU",
  "MT",
  "NL",
  "PL",
  "PT",
  "RO",
  "SK",
  "SI",
  "ES",
  "SE",
];

export interface RoutingWorldSize {
  readonly routes: number;
  /** At most 20. */
  readonly clusters: number;
  /** Different sets of weights; with the orders and rules below there are twenty times as many policies. */
  readonly weightSets: number;
}

/** Deterministic: the same size gives the same world. */
export function largeInventory(size: RoutingWorldSize): Inventory {
  const regions = loadCloudRegions();
  const clusters = REGIONS.slice(0, size.clusters).map((region): Cluster => {
    const found = regions.find("aws", region);
    if (found === undefined) throw new Error(`the region table has no aws ${region}`);
    const { latitude, longitude, country, continent } = found;
    return { name: region, labels: {}, location: { latitude, longitude, country, continent, label: region }, state: "Active", weight: 100 };
  });
  const routes = Array.from({ length: size.routes }, (_, number) => largeRoute(number, clusters, size.weightSets));
  return { routes, clusters, zones: [], overrides: [] };
}

function largeRoute(number: number, clusters: readonly Cluster[], weightSets: number): Route {
  const [order, tolerance] = ORDERS[number % ORDERS.length]!;
  const rules = rulesOf(Math.floor(number / ORDERS.length) % 5, clusters);
  const weights = Math.floor(number / (ORDERS.length * 5)) % weightSets;
  return {
    namespace: `team-${number % 100}`,
    name: `service-${number}`,
    hosts: [`service-${number}.example.org`],
    ttl: { min: seconds(5), max: seconds(60) },
    answers: 2,
    spread: 1,
    families: "Common",
    alpn: [],
    backends: clusters.map(
      ({ name }, i): Backend => ({
        name,
        cluster: name,
        addresses: addressesOf(number, i),
        weight: 50 + ((weights * 7 + i * 13) % 10) * 10,
        priority: 0,
        bias: 0,
      }),
    ),
    order,
    tolerance,
    rules,
    sticky: number % 3 === 0 ? "ClientSubnet" : "None",
    health: {
      probe: { type: "TCP", scheme: "HTTPS", port: 443, path: "/", host: "", service: "", expect: { status: [] }, verify: true },
      interval: ms(5000),
      timeout: ms(2000),
      rise: 2,
      fall: 3,
      quorum: { type: "Majority" },
    },
    failover: {
      whenAllUnhealthy: "FailOpen",
      failback: { mode: "Automatic", after: ms(300_000), slowStart: ms(0) },
      tricklePercent: 0,
      maxWithdrawalPercent: 34,
    },
    zones: [],
  };
}

const ORDERS: readonly (readonly [Route["order"], Route["tolerance"]])[] = [
  ["Nearest", {}],
  ["Nearest", { distanceKm: 800 }],
  ["Latency", {}],
  ["Weighted", {}],
];

/** Five ways to make exceptions; the first is to make none. */
function rulesOf(kind: number, clusters: readonly Cluster[]): readonly Rule[] {
  const of = (continent: string) => clusters.filter(({ location }) => location.continent === continent).map(({ name }) => name);
  const rule = (name: string, mode: Rule["mode"], countries: readonly string[], to: readonly string[]): Rule => ({
    name,
    mode,
    to,
    unknownPlace: "Skip",
    clients: { continents: [], countries, subdivisions: [], asns: [], subnets: [] },
  });
  const gdpr = rule("gdpr", "Require", EU, of("EU"));
  const home = rule("home", "Prefer", ["US", "CA"], of("NA"));
  return [[], [gdpr], [home], [gdpr, home], [rule("japan", "Require", ["JP"], of("AS"))]][kind]!;
}

/** Two IPv4 addresses and one IPv6 address, different for every backend. */
function addressesOf(route: number, cluster: number): readonly string[] {
  const n = 2 * (route * 32 + cluster);
  const v4 = (number: number): string => `10.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}`;
  return [v4(n), v4(n + 1), `2001:db8:${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}::1`];
}
