/**
 * What a zone of a provider should have where everyone gets the same answer: the provider knows no policy, so we choose, and write again
 * whenever the choice changes. What of a route's policy is lost that way is told by the checks of the objects. Pure.
 */
import { type PlacelessRouting, placelessAddresses } from "../src/dns/transfer/placeless.ts";
import { type Route, routeKey } from "../src/model/inventory.ts";
import { clustersForAll } from "../src/model/plain-policy.ts";
import type { RoutingTable } from "../src/routing/table.ts";
import type { DesiredSet } from "./change.ts";
import { recordSetKey } from "./record-set.ts";
import { createRouteMemory } from "./route-memory.ts";

export interface PlainZoneInput {
  readonly table: PlacelessRouting & Pick<RoutingTable, "names">;
  /** Those of the table, in its order. */
  readonly routes: readonly Route[];
  /** Whether a host is published in this zone. */
  readonly isInZone: (route: Route, host: string) => boolean;
  /** What was desired before: it stays where nothing may be answered now (docs/safety.md, rule 1). @param key of the set */
  readonly before: (key: string) => DesiredSet | undefined;
}

/** One set for everyone at each host. */
export const plainZone = (input: PlainZoneInput): readonly DesiredSet[] => createPlainZone()(input);

/** As {@link plainZone}, of one table after the other: routes whose standing has not changed have the same sets, not only equal ones. */
export function createPlainZone(): (input: PlainZoneInput) => readonly DesiredSet[] {
  const memory = createRouteMemory<Drawn>(({ isWhole }) => isWhole);
  return (input) => {
    const { table, routes, isInZone } = input;
    return routes.flatMap((route, i) => memory.recall(table, i, route, [isInZone], () => draw(input, route, i)).sets);
  };
}

interface Drawn {
  readonly sets: readonly DesiredSet[];
  /** None of them is from before. */
  readonly isWhole: boolean;
}

function draw({ table, isInZone, before }: PlainZoneInput, route: Route, i: number): Drawn {
  const sets: DesiredSet[] = [];
  let isWhole = true;
  const hosts = route.hosts.filter((host) => isInZone(route, host));
  const clusters = hosts.length === 0 ? [] : clustersForAll(route);
  if (clusters.length === 0) return { sets, isWhole };
  for (const [family, type] of [
    [0, "A"],
    [1, "AAAA"],
  ] as const) {
    const values = addressesOf(table, i, family, clusters);
    if (values === undefined) continue;
    isWhole &&= values.length > 0;
    for (const name of hosts) {
      const wanted = { name, type, ttl: table.hot.routeTtlMin[i]!, values, resource: `GlobalRoute/${routeKey(route)}` };
      const set = values.length > 0 ? wanted : before(recordSetKey(wanted));
      if (set !== undefined) sets.push(set);
    }
  }
  return { sets, isWhole };
}

function addressesOf(
  table: PlainZoneInput["table"],
  route: number,
  family: 0 | 1,
  clusters: readonly string[],
): readonly string[] | undefined {
  const { names } = table;
  const isAllowed = (backend: number): boolean => clusters.includes(names.clusters[names.backends[backend]!.cluster]!);
  return placelessAddresses(table, route, family, isAllowed)?.map((address) => names.addresses[address]!);
}
