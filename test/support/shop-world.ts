/** One route, `shop.example.org`, over up to five clusters, as a folder of objects for `startWorld`. */
import { afterEach } from "vitest";
import { CLIENTS, clusterYaml, type SimulatedWorld, startWorld, type WorldOptions } from "./simulated-world.ts";

const REGIONS = { eu: "eu-central-1", us: "us-east-1", jp: "ap-northeast-1", br: "sa-east-1", uk: "eu-west-2" } as const;
export type ClusterName = keyof typeof REGIONS;
export const ADDRESSES: Readonly<Record<ClusterName, string>> = {
  eu: "198.51.100.1",
  us: "198.51.100.2",
  jp: "198.51.100.3",
  br: "198.51.100.4",
  uk: "198.51.100.5",
};
export const ALL: readonly ClusterName[] = ["eu", "us", "jp", "br", "uk"];
export const FOUR: readonly ClusterName[] = ["eu", "us", "jp", "br"];

/** @param more further lines of its spec, indented by two */
export const shopRoute = (names: readonly ClusterName[], more = "") => `apiVersion: globalroute.dev/v1alpha1
kind: GlobalRoute
metadata: {name: shop}
spec:
  hosts: [shop.example.org]
  ttl: {min: 5s, max: 60s}
  backends:
${names.map((name) => `  - {name: ${name}, cluster: ${name}, addresses: [${ADDRESSES[name]}]}`).join("\n")}
  health: {interval: 1s, timeout: 800ms, fall: 2, rise: 2}
  failover: {failback: {mode: Automatic, after: 10s}}
${more}`;

const zone = `apiVersion: globalroute.dev/v1alpha1
kind: DNSZone
metadata: {name: example}
spec:
  domain: example.org
  owner: test
  provider: {type: Embedded, embedded: {nameservers: [ns1.example.org]}}
`;

export const shopFiles = (names: readonly ClusterName[], more = "") => ({
  "clusters.yaml": names.map((name) => clusterYaml(name, REGIONS[name])).join(""),
  "route.yaml": shopRoute(names, more),
  "zone.yaml": zone,
});

export const drainYaml = (cluster: ClusterName, until = "2027-01-15T09:00:00Z") => `apiVersion: globalroute.dev/v1alpha1
kind: TrafficOverride
metadata: {name: drain-${cluster}}
spec: {targetRef: {kind: MemberCluster, name: ${cluster}}, action: Drain, reason: upgrade, until: "${until}"}
`;

/** @param from,to ms since the epoch */
export const drillYaml = (cluster: ClusterName, from: number, to: number) => `apiVersion: globalroute.dev/v1alpha1
kind: TrafficOverride
metadata: {name: drill-${cluster}}
spec:
  targetRef: {kind: MemberCluster, name: ${cluster}}
  action: Drill
  start: "${new Date(from).toISOString()}"
  until: "${new Date(to).toISOString()}"
  reason: game day
`;

export const shopServes = (world: SimulatedWorld, client: keyof typeof CLIENTS) => world.ask("shop.example.org", CLIENTS[client]).clusters;

/** Starts worlds that are stopped after each test of the file that calls this. */
export function shopWorlds() {
  const open: SimulatedWorld[] = [];
  afterEach(async () => {
    for (const world of open.splice(0)) {
      const stopped = world.stop();
      await world.clock.advance(5000);
      await stopped;
    }
  });
  /** @param settle simulated milliseconds for the first probes */
  return async (options: WorldOptions, settle = 3000) => {
    const world = await startWorld(options);
    open.push(world);
    await world.clock.advance(settle);
    return world;
  };
}
