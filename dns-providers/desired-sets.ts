/**
 * What a zone of a provider should have where everyone gets the same answer: the provider knows no policy, so we choose, and write again
 * whenever the choice changes. What of a route's policy is lost that way is told, never dropped in silence. Pure.
 */
import { type PlacelessRouting, placelessAddresses } from "../src/dns/transfer/placeless.ts";
import { type Route, type RouteKey, routeKey } from "../src/model/inventory.ts";
import type { RoutingTable } from "../src/routing/table.ts";
import type { DesiredSet } from "./planner.ts";
import { recordSetKey } from "./record-set.ts";

/** A part of a policy that a provider cannot follow. */
export type Lost = "Order" | "Weights" | "Prefer" | "Require" | "Sticky" | "Trickle" | "HTTPS";

/** What a provider does not follow of a route, and what it publishes instead. */
export interface Reduction {
  readonly route: RouteKey;
  readonly lost: readonly Lost[];
  /** For people: what clients get. */
  readonly instead: string;
}

export interface DesiredZone {
  readonly sets: readonly DesiredSet[];
  readonly reductions: readonly Reduction[];
}

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
export function plainZone({ table, routes, isInZone, before }: PlainZoneInput): DesiredZone {
  const sets: DesiredSet[] = [];
  const reductions: Reduction[] = [];
  for (const [i, route] of routes.entries()) {
    const hosts = route.hosts.filter((host) => isInZone(route, host));
    if (hosts.length === 0) continue;
    const clusters = allowedClusters(route);
    const reduction = reductionOf(route, clusters);
    if (reduction !== undefined) reductions.push(reduction);
    if (clusters.length === 0) continue;
    for (const [family, type] of [
      [0, "A"],
      [1, "AAAA"],
    ] as const) {
      const values = addressesOf(table, i, family, clusters);
      if (values === undefined) continue;
      for (const name of hosts) {
        const wanted = { name, type, ttl: table.hot.routeTtlMin[i]!, values, resource: `GlobalRoute/${routeKey(route)}` };
        const set = values.length > 0 ? wanted : before(recordSetKey(wanted));
        if (set !== undefined) sets.push(set);
      }
    }
  }
  return { sets, reductions };
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

/** Who may serve whoever asks: a Require rule binds some clients, and nobody can tell them from others (docs/safety.md, rule 9). */
function allowedClusters({ backends, rules }: Route): readonly string[] {
  const required = rules.filter(({ mode }) => mode === "Require");
  const clusters = [...new Set(backends.map(({ cluster }) => cluster))];
  return clusters.filter((cluster) => required.every(({ to }) => to.includes(cluster)));
}

function reductionOf(route: Route, clusters: readonly string[]): Reduction | undefined {
  const { order, rules, sticky, backends, failover, alpn } = route;
  const serving = backends.filter(({ cluster, weight }) => clusters.includes(cluster) && weight > 0);
  const isSplit = new Set(serving.map(({ cluster }) => cluster)).size > 1;
  const claims: readonly (readonly [Lost, boolean])[] = [
    ["Order", isSplit && (order === "Nearest" || order === "Latency")],
    ["Weights", isSplit && new Set(serving.map(({ weight }) => weight)).size > 1],
    ["Prefer", rules.some(({ mode }) => mode === "Prefer")],
    ["Require", rules.some(({ mode }) => mode === "Require")],
    ["Sticky", isSplit && sticky !== "None"],
    ["Trickle", failover.tricklePercent > 0],
    ["HTTPS", alpn.length > 0],
  ];
  const lost = claims.flatMap(([part, isLost]) => (isLost ? [part] : []));
  if (lost.length === 0) return undefined;
  const instead =
    clusters.length === 0
      ? "nothing: no cluster is allowed by all Require rules, and this provider cannot tell clients apart"
      : `every client gets all addresses that serve a client of unknown place, from ${clusters.join(", ")}`;
  return { route: routeKey(route), lost, instead };
}
