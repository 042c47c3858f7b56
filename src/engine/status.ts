/** The JSON of `status`, from what the engine holds. Pure. */
import type { EndpointHealth, EndpointKey, Health } from "../model/health.ts";
import { type Cluster, type Inventory, type Override, type Route, routeKey } from "../model/inventory.ts";
import type { RouteEvaluation } from "../routing/evaluate-route.ts";
import { clusterState, isInForce } from "../routing/orders.ts";
import { Standing } from "../routing/table.ts";
import type { FailoverRecord } from "./route-reports.ts";
import type { BackendStatus, ClusterStatus, RouteStatus, ServedShare, Status } from "./view.ts";

export interface StatusInput {
  readonly inventory: Inventory;
  readonly health: (key: EndpointKey) => EndpointHealth;
  /** Of an address of a route's backend, with what its cluster says of the backend taken in. */
  readonly endpointHealth: (route: string, backend: string, address: string) => EndpointHealth;
  /** Address → key of its probe, of a route; host names that could not be resolved have none. */
  readonly endpointKeys: (route: string) => ReadonlyMap<string, EndpointKey>;
  readonly evaluation: (route: string) => RouteEvaluation | undefined;
  readonly lastFailover: (route: string) => FailoverRecord | null;
  readonly servedBy: (route: Route, index: number) => readonly ServedShare[];
  readonly table: { readonly version: number; readonly builtAt: number };
  readonly config: Status["config"];
  readonly degraded: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const STANDING_NAMES: Readonly<Record<Standing, string>> = {
  [Standing.Usable]: "Usable",
  [Standing.Pending]: "Pending",
  [Standing.Unknown]: "Unknown",
  [Standing.Unhealthy]: "Unhealthy",
  [Standing.Draining]: "Draining",
  [Standing.Excluded]: "Excluded",
  [Standing.Absent]: "Absent",
};

export function buildStatus(input: StatusInput): Status {
  const { inventory, now } = input;
  const endpoints = endpointsByCluster(input);
  const weights = new Map(inventory.clusters.map((cluster) => [cluster.name, cluster.weight]));
  return {
    clusters: inventory.clusters.map((cluster) => clusterStatus(input, cluster, endpoints.get(cluster.name) ?? new Map())),
    routes: inventory.routes.map((route, index) => routeStatus(input, route, index, weights)),
    zones: inventory.zones.map(({ name, domain }) => ({ name, domain })),
    table: { version: input.table.version, age: Math.max(0, Math.round((now - input.table.builtAt) / 1000)) },
    config: input.config,
    overrides: inventory.overrides.filter((override) => isInForce(override, now)).map(overrideStatus),
    degraded: input.degraded,
  };
}

/** Cluster → key → address, each endpoint once, however many routes share it. */
export function endpointsByCluster({
  inventory,
  endpointKeys,
}: Pick<StatusInput, "inventory" | "endpointKeys">): ReadonlyMap<string, ReadonlyMap<EndpointKey, string>> {
  const clusters = new Map<string, Map<EndpointKey, string>>();
  for (const route of inventory.routes) {
    const keys = endpointKeys(routeKey(route));
    for (const { cluster, addresses } of route.backends) {
      const known = clusters.get(cluster) ?? new Map<EndpointKey, string>();
      clusters.set(cluster, known);
      for (const address of addresses) {
        const key = keys.get(address);
        if (key !== undefined) known.set(key, address);
      }
    }
  }
  return clusters;
}

const iso = (instant: number): string => new Date(instant).toISOString();

function overrideStatus(override: Override): Status["overrides"][number] {
  const { target } = override;
  const name =
    target.kind === "MemberCluster"
      ? `MemberCluster ${target.name}`
      : `GlobalRoute ${target.namespace}/${target.name}${target.backend === undefined ? "" : `/${target.backend}`}`;
  return {
    name: `${override.namespace}/${override.name}`,
    target: name,
    action: override.action,
    reason: override.reason,
    ...(override.until === undefined ? {} : { until: iso(override.until) }),
  };
}

function clusterStatus({ inventory, health, now }: StatusInput, cluster: Cluster, keys: ReadonlyMap<EndpointKey, string>): ClusterStatus {
  const all = [...keys.keys()].map(health);
  const latencies = all.flatMap(({ latency }) => (latency === undefined ? [] : [latency])).sort((a, b) => a - b);
  const { label, latitude, longitude, country } = cluster.location;
  return {
    name: cluster.name,
    state: clusterState(cluster, inventory.overrides, now),
    ...combinedHealth(all),
    location: { label, latitude, longitude, ...(country === undefined ? {} : { country }) },
    addresses: [...new Set(keys.values())],
    latencyMs: latencies.length === 0 ? null : Math.round(latencies[latencies.length >> 1]! * 10) / 10,
  };
}

/** What the endpoints of one cluster say together: since when and why by the one that tells most. */
export function combinedHealth(all: readonly EndpointHealth[]): Pick<ClusterStatus, "health" | "endpoints" | "since" | "reason"> {
  const worst = all.find((one) => one.health === "Unhealthy") ?? all.find((one) => one.health === "Unknown") ?? all[0];
  return {
    health: combine(all),
    endpoints: { healthy: all.filter((one) => one.health === "Healthy").length, total: all.length },
    since: worst === undefined || worst.since === 0 ? null : iso(worst.since),
    reason: worst?.reason ?? "not-probed",
  };
}

/** Healthy while anything of it is; Unknown while nothing is known to be down. */
function combine(all: readonly EndpointHealth[]): Health {
  if (all.some(({ health }) => health === "Healthy")) return "Healthy";
  return all.length === 0 || all.some(({ health }) => health === "Unknown") ? "Unknown" : "Unhealthy";
}

function routeStatus(input: StatusInput, route: Route, index: number, weights: ReadonlyMap<string, number>): RouteStatus {
  return {
    namespace: route.namespace,
    name: route.name,
    hosts: route.hosts,
    order: route.order,
    sticky: route.sticky === "ClientSubnet",
    backends: backendStatuses(input, route, weights),
    servedBy: input.servedBy(route, index),
    lastFailover: formatFailover(input.lastFailover(routeKey(route))),
  };
}

/** With its instant as text. */
export const formatFailover = (failover: FailoverRecord | null): RouteStatus["lastFailover"] =>
  failover === null ? null : { from: failover.from, to: failover.to, at: iso(failover.at), reason: failover.reason };

/** @param weights of the clusters, percent */
export function backendStatuses(
  input: Pick<StatusInput, "endpointHealth" | "endpointKeys" | "evaluation">,
  route: Route,
  weights: ReadonlyMap<string, number>,
): readonly BackendStatus[] {
  const key = routeKey(route);
  const evaluation = input.evaluation(key);
  const keys = input.endpointKeys(key);
  return route.backends.map((backend, i): BackendStatus => {
    const own = backend.addresses.flatMap((address) => {
      return keys.has(address) ? [input.endpointHealth(key, backend.name, address)] : [];
    });
    const result = evaluation?.backends[i];
    const best = result === undefined ? Standing.Unknown : (Math.min(...result.standing) as Standing);
    const telling = own.find((one) => one.health === "Unhealthy") ?? own[0];
    return {
      name: backend.name,
      cluster: backend.cluster,
      addresses: backend.addresses,
      health: result?.health ?? "Unknown",
      standing: STANDING_NAMES[best],
      since: telling === undefined || telling.since === 0 ? null : iso(telling.since),
      reason: telling?.reason ?? "not-probed",
      weight: (backend.weight * (weights.get(backend.cluster) ?? 100)) / 100,
      failbackAt: failbackAt(evaluation, backend.name),
    };
  });
}

function failbackAt(evaluation: RouteEvaluation | undefined, backend: string): string | null {
  for (const family of ["4", "6"]) {
    const state = evaluation?.memory.units[`${backend}/${family}`]?.failback;
    if (state?.phase === "Waiting") return state.until === "approval" ? "approval" : iso(state.until);
  }
  return null;
}
