/** What a table calls things. */
import type { Cluster, Inventory, Route } from "../model/inventory.ts";
import { rememberedMap } from "../model/remembered-map.ts";
import type { RoutingTable, TableNames } from "./table.ts";

/** Makes names of one table after the other; what a table calls a route that has not changed is the same object as before. */
export interface TableNamer {
  /** @param addresses as `compile` has collected them */
  name(inventory: Inventory, addresses: readonly string[]): TableNames;
}

export function createTableNamer(): TableNamer {
  const routes = rememberedMap(({ namespace, name, hosts, zones, alpn }: Route): TableNames["routes"][number] => ({
    namespace,
    name,
    hosts,
    zones,
    alpn,
  }));
  let clusters: readonly Cluster[] = [];
  let backendsOf = namesOfBackends(clusters);
  return {
    name(inventory, addresses) {
      if (inventory.clusters !== clusters) {
        clusters = inventory.clusters;
        backendsOf = namesOfBackends(clusters);
      }
      return {
        clusters: clusters.map(({ name }) => name),
        routes: routes(inventory.routes),
        backends: backendsOf(inventory.routes).flat(),
        addresses,
      };
    },
  };
}

function namesOfBackends(clusters: readonly Cluster[]) {
  const index = new Map(clusters.map(({ name }, i) => [name, i]));
  return rememberedMap((route: Route): RoutingTable["names"]["backends"] =>
    route.backends.map(({ name, cluster }) => ({ name, cluster: index.get(cluster)! })),
  );
}
