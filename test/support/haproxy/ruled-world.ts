/** What a HAProxy is told of a table whose rules tell clients apart. */
import type { Place } from "../../../src/geo/geo-table.ts";
import type { Inventory } from "../../../src/model/inventory.ts";
import { clientClasses, questionsOf } from "../../../src/proxy/client-classes.ts";
import { planClients } from "../../../src/proxy/client-groups.ts";
import type { HaproxyWorld } from "../../../src/proxy/haproxy/layout.ts";
import type { Measures } from "../../../src/routing/measure.ts";
import { policyOf } from "../../../src/routing/policy.ts";
import type { RoutingTable } from "../../../src/routing/table.ts";

/** @param home the proxy's place */
export function ruledWorld(inventory: Inventory, table: RoutingTable, measures: Measures, home: Place): HaproxyWorld {
  const clusters = new Map(inventory.clusters.map(({ name }, i) => [name, i]));
  const subnets = new Map(table.geo.subnets.map((text, i) => [text, i]));
  const policies = inventory.routes.map((route) => policyOf(route, inventory, clusters, subnets));
  const classes = clientClasses(table.geo, questionsOf(inventory.routes, subnets));
  const routes = inventory.routes.map((route, index) => {
    const policy = policies[index]!;
    const { plans, groups = [] } = planClients(
      policy,
      new Map([["home", { table, route, index, policy, measures, place: home }]]),
      classes,
    );
    return {
      ...{ namespace: route.namespace, name: route.name, hosts: route.hosts, sticky: route.sticky, port: route.health.probe.port },
      plan: plans.get("home")!,
      groups: groups.flatMap(({ name, classes: own, plans }) =>
        own === undefined ? [] : [{ name, classes: own, plan: plans.get("home")! }],
      ),
    };
  });
  return { routes, classes: classes.classes };
}
