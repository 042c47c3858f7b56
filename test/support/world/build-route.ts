/** Routes, clusters and backends for tests, everything that a test does not speak of filled in. */
import type { Backend, Cluster, Inventory, Override, Route, Rule } from "../../../src/model/inventory.ts";
import { ms, seconds } from "../../../src/model/units.ts";

/** Where the clusters of tests are: five that lie far apart, and a second one in Germany. */
const SITES: Readonly<Record<string, readonly [number, number, string, string]>> = {
  dublin: [53.35, -6.26, "IE", "EU"],
  frankfurt: [50.11, 8.68, "DE", "EU"],
  berlin: [52.52, 13.4, "DE", "EU"],
  virginia: [38.95, -77.45, "US", "NA"],
  tokyo: [35.68, 139.69, "JP", "AS"],
  paulo: [-23.55, -46.63, "BR", "SA"],
};

/** @param name of a site, or of a cluster that then lies in Dublin */
export function testCluster(name: string, more: Partial<Cluster> = {}): Cluster {
  const [latitude, longitude, country, continent] = SITES[name] ?? SITES.dublin!;
  const location = { latitude, longitude, country, continent, label: name };
  return { name, labels: {}, location, state: "Active", weight: 100, ...more };
}

/** Named like its cluster; one address of each family, told apart by `number`. */
export function testBackend(cluster: string, number: number, more: Partial<Backend> = {}): Backend {
  return {
    name: cluster,
    cluster,
    addresses: [`192.0.2.${number}`, `2001:db8::${number.toString(16)}`],
    weight: 100,
    priority: 0,
    bias: 0,
    ...more,
  };
}

/** Any client matches any entry of `clients`. */
export function testRule(
  name: string,
  mode: Rule["mode"],
  clients: Partial<Rule["clients"]>,
  to: readonly string[],
  unknownPlace: Rule["unknownPlace"] = "Skip",
): Rule {
  return { name, mode, to, unknownPlace, clients: { continents: [], countries: [], subdivisions: [], asns: [], subnets: [], ...clients } };
}

/** Order Nearest, one answer, nothing sticky, failback after a minute. */
export function testRoute(backends: readonly Backend[], more: Partial<Route> = {}): Route {
  return {
    namespace: "default",
    name: "shop",
    hosts: ["shop.example.org"],
    ttl: { min: seconds(5), max: seconds(60) },
    answers: 1,
    spread: 1,
    families: "Common",
    backends,
    order: "Nearest",
    tolerance: {},
    rules: [],
    sticky: "None",
    health: {
      probe: {
        type: "TCP",
        scheme: "HTTP",
        port: 80,
        path: "/",
        host: "shop.example.org",
        service: "",
        expect: { status: [] },
        verify: true,
      },
      interval: ms(1000),
      timeout: ms(800),
      rise: 2,
      fall: 3,
      quorum: { type: "Majority" },
    },
    failover: testFailover(),
    alpn: [],
    zones: [],
    ...more,
  };
}

export function testFailover(more: Partial<Route["failover"]> = {}): Route["failover"] {
  return {
    whenAllUnhealthy: "FailOpen",
    failback: { mode: "Automatic", after: ms(60_000), slowStart: ms(0) },
    tricklePercent: 0,
    maxWithdrawalPercent: 34,
    ...more,
  };
}

/** @param clusters default: one for each backend, at the site of its name */
export function testInventory(routes: readonly Route[], more: Partial<Inventory> = {}): Inventory {
  const names = [...new Set(routes.flatMap((route) => route.backends.map((backend) => backend.cluster)))];
  return { routes, clusters: names.map((name) => testCluster(name)), zones: [], overrides: [], ...more };
}

export function testOverride(action: Override["action"], target: Override["target"], more: Partial<Override> = {}): Override {
  return { namespace: "default", name: action.toLowerCase(), target, action, reason: "a test", ...more };
}
