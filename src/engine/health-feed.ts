/** Health of routes and clusters for whoever follows thousands of them: no shares of the population, no latencies, and calls only on change. */
import type { EndpointHealth, EndpointKey } from "../model/health.ts";
import type { Inventory } from "../model/inventory.ts";
import { clusterState } from "../routing/orders.ts";
import type { Standings } from "./standings.ts";
import { backendStatuses, combinedHealth, endpointsByCluster, formatFailover } from "./status.ts";
import type { ClusterHealth, HealthFeed } from "./view.ts";

export interface HealthFeedInput {
  /** What is served. */
  readonly inventory: () => Inventory | undefined;
  readonly standings: Pick<Standings, "evaluation" | "endpointKeys" | "endpointHealth" | "lastFailover" | "route" | "watch">;
  readonly health: (key: EndpointKey) => EndpointHealth;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function createHealthFeed({ inventory, standings, health, now }: HealthFeedInput): HealthFeed {
  const { evaluation, endpointKeys, endpointHealth } = standings;
  let weights: { readonly of: Inventory["clusters"]; readonly byName: ReadonlyMap<string, number> } | undefined;
  let endpoints: { readonly of: Inventory["routes"]; readonly byCluster: ReturnType<typeof endpointsByCluster> } | undefined;

  function weightsOf({ clusters }: Inventory): ReadonlyMap<string, number> {
    if (weights?.of !== clusters) weights = { of: clusters, byName: new Map(clusters.map(({ name, weight }) => [name, weight])) };
    return weights.byName;
  }

  function endpointsOf(served: Inventory): ReturnType<typeof endpointsByCluster> {
    if (endpoints?.of !== served.routes)
      endpoints = { of: served.routes, byCluster: endpointsByCluster({ inventory: served, endpointKeys }) };
    return endpoints.byCluster;
  }

  return {
    route(key) {
      const served = inventory();
      const found = standings.route(key);
      if (served === undefined || found === undefined) return undefined;
      return {
        hosts: found.route.hosts,
        backends: backendStatuses({ endpointHealth, evaluation, endpointKeys }, found.route, weightsOf(served)),
        lastFailover: formatFailover(standings.lastFailover(key)),
        failOpen: found.isDesperate,
        memory: found.memory,
      };
    },
    clusters() {
      const served = inventory();
      if (served === undefined) return new Map();
      const byCluster = endpointsOf(served);
      return new Map(
        served.clusters.map((cluster): [string, ClusterHealth] => {
          const all = [...(byCluster.get(cluster.name)?.keys() ?? [])].map(health);
          return [cluster.name, { state: clusterState(cluster, served.overrides, now()), ...combinedHealth(all) }];
        }),
      );
    },
    drillAbort: (override) => inventory()?.overrides.find(({ namespace, name }) => `${namespace}/${name}` === override)?.aborted,
    watch: standings.watch,
  };
}
