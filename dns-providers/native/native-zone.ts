/**
 * What a zone should have whose provider decides by itself who gets which answer (docs/providers.md). Health has no part in it where the
 * provider can look for itself: clients leave a cluster that fails without a write. Pure.
 */

import { bestAddresses, type PlacelessRouting } from "../../src/dns/transfer/placeless.ts";
import { type Cluster, type Route, routeKey } from "../../src/model/inventory.ts";
import { ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA, type RoutingTable, Standing } from "../../src/routing/table.ts";
import type { DesiredSet } from "../change.ts";
import type { HelperScope } from "../helper-sets.ts";
import { createRouteMemory } from "../route-memory.ts";
import { healthCheckOf } from "./health-check.ts";
import { type Leaf, renderTree } from "./render-tree.ts";
import { type Node, treeOf } from "./tree.ts";

export interface NativeZoneInput {
  readonly table: PlacelessRouting & Pick<RoutingTable, "names">;
  /** Those of the table, in its order. */
  readonly routes: readonly Route[];
  readonly clusters: readonly Cluster[];
  /** Whether a host is published in this zone. */
  readonly isInZone: (route: Route, host: string) => boolean;
  readonly scope: HelperScope;
  /** Hash of a text: hexadecimal, at least ten characters. */
  readonly digest: (text: string) => string;
  /** What the provider calls the zone of a load balancer of its own; undefined when it is none. */
  readonly aliasZone: (host: string) => string | undefined;
}

interface Family {
  readonly type: "A" | "AAAA";
  readonly tree: Node;
  readonly leaves: readonly Leaf[];
}

interface Drawn {
  readonly route: Route;
  readonly hosts: readonly string[];
  readonly families: readonly Family[];
  /** What the policy is, free of health and of operators' acts. */
  readonly policy: string;
  /** What they make of it. */
  readonly state: string;
}

/**
 * Routes of one policy share their helpers. Where a state is not that of most of them, as by an operator's act on one route, they have
 * helpers of their own.
 */
export const nativeZone = (input: NativeZoneInput): readonly DesiredSet[] => createNativeZone()(input);

/** As {@link nativeZone}, of one table after the other: only routes whose standing has changed are thought about again. */
export function createNativeZone(): (input: NativeZoneInput) => readonly DesiredSet[] {
  const memory = createRouteMemory<readonly Drawn[]>();
  return (input) => {
    const { table, clusters, isInZone, aliasZone } = input;
    const things = [clusters, isInZone, aliasZone];
    return render(
      input,
      input.routes.flatMap((route, i) => memory.recall(table, i, route, things, () => draw(input, route, i))),
    );
  };
}

function render(input: NativeZoneInput, drawn: readonly Drawn[]): readonly DesiredSet[] {
  const sets: DesiredSet[] = [];
  for (const [policy, alike] of Map.groupBy(drawn, (one) => one.policy)) {
    const byState = [...Map.groupBy(alike, ({ state }) => state)].sort(
      ([a, some], [b, others]) => others.length - some.length || (a < b ? -1 : 1),
    );
    byState.forEach(([state, same], nth) => {
      const id = input.digest(nth === 0 ? policy : `${policy} ${state}`).slice(0, 10);
      for (const { type, tree, leaves } of same[0]!.families) {
        const rendered = renderTree(tree, { type, ttl: same[0]!.route.ttl.max, leaves, scope: input.scope, id });
        sets.push(...rendered.sets);
        for (const { route, hosts } of same)
          for (const name of hosts)
            sets.push({
              ...{ name, type, ttl: 0, values: [], alias: { target: rendered.root, followsHealth: false } },
              resource: `GlobalRoute/${routeKey(route)}`,
            });
      }
    });
  }
  return sets;
}

const FAMILIES = [
  { family: 0, type: "A", flag: ROUTE_OFFERS_A },
  { family: 1, type: "AAAA", flag: ROUTE_OFFERS_AAAA },
] as const;

function draw(input: NativeZoneInput, route: Route, index: number): readonly Drawn[] {
  const hosts = route.hosts.filter((host) => input.isInZone(route, host));
  if (hosts.length === 0) return [];
  const families = FAMILIES.flatMap(({ family, type, flag }): readonly Family[] => {
    if ((input.table.hot.routeFlags[index]! & flag) === 0) return [];
    const leaves = route.backends.map((_, position) => leafOf(input, route, index, position, family));
    const tree = treeOf(route, input, (member) => leaves[member]!.endpoints.length > 0 || leaves[member]!.alias !== undefined);
    return tree === undefined ? [] : [{ type, tree, leaves }];
  });
  if (families.length === 0) return [];
  const leaves = families.flatMap((family) => family.leaves);
  // Addresses that were resolved come and go, and no helper gets another name for that.
  const backends = route.backends.map(({ name, addresses, resolvedFrom }) => [name, resolvedFrom ?? addresses]);
  const probe = [route.health.probe, route.health.interval, route.health.fall];
  return [
    {
      ...{ route, hosts, families },
      policy: JSON.stringify([route.ttl.max, backends, probe, families.map(({ type, tree }) => [type, tree])]),
      state: JSON.stringify(leaves.map(({ reluctance, endpoints }) => [reluctance, endpoints.map(({ address }) => address)])),
    },
  ];
}

function leafOf({ table, aliasZone }: NativeZoneInput, route: Route, index: number, position: number, family: 0 | 1): Leaf {
  const { hot, state, names } = table;
  const { name, resolvedFrom = [] } = route.backends[position]!;
  const row = hot.routeBackends[index]! + position;
  const standing = state.standing[2 * row + family]!;
  const numbers = Array.from(
    { length: hot.backendAddresses[2 * row + family + 1]! - hot.backendAddresses[2 * row + family]! },
    (_, i) => hot.backendAddresses[2 * row + family]! + i,
  );
  const isOperators = standing === Standing.Draining || standing === Standing.Excluded;
  const zone = resolvedFrom.length === 1 ? aliasZone(resolvedFrom[0]!) : undefined;
  if (zone !== undefined && standing !== Standing.Absent)
    return { name, endpoints: [], alias: { target: resolvedFrom[0]!, zone }, reluctance: isOperators ? standing : 0 };
  const endpoints = numbers.map((number) => {
    const address = names.addresses[number]!;
    const check = healthCheckOf(route.health, address);
    return { number, address, ...(check === undefined ? {} : { check }) };
  });
  const isChecked = endpoints.length > 0 && endpoints.every(({ check }) => check !== undefined);
  if (isChecked)
    return { name, endpoints: endpoints.map(({ number: _, ...endpoint }) => endpoint), reluctance: isOperators ? standing : 0 };
  const best = new Set(bestAddresses(table, row, family));
  return {
    name,
    endpoints: endpoints.filter(({ number }) => best.has(number)).map(({ address }) => ({ address })),
    reluctance: standing <= Standing.Pending ? 0 : standing,
  };
}
