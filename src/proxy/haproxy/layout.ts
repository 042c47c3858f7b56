/** What HAProxy should have of the routes: backends with servers, and maps by which requests find them. Pure. */
import { parseIp } from "../../model/ip.ts";
import type { EdgeBackend, EdgePlan } from "../edge-plan.ts";
import { clientEntries } from "./client-entries.ts";
import type { HaproxyHttp } from "./http-rules.ts";
import { groupBackend, planKey, RANKS, type Rank, rankBackend, routeBackend } from "./names.ts";

export interface HaproxyRoute {
  readonly namespace: string;
  readonly name: string;
  /** Lower-case; the first label may be `*`. */
  readonly hosts: readonly string[];
  readonly sticky: "None" | "ClientSubnet";
  /** Where endpoints take requests. */
  readonly port: number;
  /** Endpoints speak TLS, and must show a certificate for the host that was asked for. */
  readonly tls?: { readonly caFile: string };
  /** Absent: as for every route that says nothing. */
  readonly http?: HaproxyHttp;
  /** For whoever is in no class that a group names. */
  readonly plan: EdgePlan;
  readonly groups?: readonly HaproxyGroup[];
}

/** Clients to whom the same rules of a route apply, otherwise than to the rest. */
export interface HaproxyGroup {
  /** Stands for the same clients in every process, so that backends keep their names when other routes' rules change. */
  readonly name: string;
  /** Names of classes; no class is in two groups of a route. */
  readonly classes: readonly string[];
  readonly plan: EdgePlan;
}

/** Clients of whom rules speak by network. Of the classes that hold a client, the one with the longest prefix counts. */
export interface ClientClass {
  readonly name: string;
  /** Canonical CIDR. */
  readonly networks: readonly string[];
}

export interface HaproxyWorld {
  readonly routes: readonly HaproxyRoute[];
  readonly classes: readonly ClientClass[];
}

export interface Layout {
  /** By name, ascending. */
  readonly plans: readonly PlanBackends[];
  readonly maps: Readonly<Record<MapName, readonly MapEntry[]>>;
}

export interface PlanBackends {
  readonly name: string;
  readonly sticky: boolean;
  readonly tls: { readonly caFile: string } | undefined;
  /** Undefined: as for every route that says nothing. */
  readonly http: HaproxyHttp | undefined;
  /** All plans of its route, by which its requests are counted; itself among them. */
  readonly siblings: readonly string[];
  /** Who serves, if that is one endpoint alone: requests reach it in one pass. */
  readonly direct: WantedServer | undefined;
  readonly ranks: readonly RankServers[];
}

export interface RankServers {
  readonly name: string;
  readonly rank: Rank;
  /** Those with a weight above 0 first. */
  readonly servers: readonly WantedServer[];
}

export interface WantedServer {
  /** Canonical IPv4 or IPv6. */
  readonly address: string;
  readonly port: number;
  /** 1..256; 0 = of the plan, but it gets nothing. */
  readonly weight: number;
}

/**
 * hosts: host → backend of its route. wildcards: end of a host → the same, longest first. clients: network → class. plans: backend of a
 * route and class → backend of the plan.
 */
export const MAPS = ["hosts", "wildcards", "clients", "plans"] as const;
export type MapName = (typeof MAPS)[number];
/** Neither holds white space. */
export type MapEntry = readonly [key: string, value: string];

/** The heaviest server of a backend has it: HAProxy's largest weight. */
const MOST_WEIGHT = 256;

/** Endpoints that are no addresses, hosts that are none and networks that are none are left out: what is in a layout can be written down. */
export const layoutOf = (world: HaproxyWorld): Layout => ({ plans: byName(world.routes.flatMap(plansOf)), maps: mapsOf(world) });

/** Lays out one world after another as {@link layoutOf} does; a route that is the same object as before is not laid out again. */
export function createLayouter(): (world: HaproxyWorld) => Layout {
  const known = new WeakMap<HaproxyRoute, readonly PlanBackends[]>();
  let before: { readonly world: HaproxyWorld; readonly layout: Layout } | undefined;

  function plansOnce(route: HaproxyRoute): readonly PlanBackends[] {
    const plans = known.get(route) ?? plansOf(route);
    known.set(route, plans);
    return plans;
  }

  return (world) => {
    const isAlike = before !== undefined && areFoundAlike(before.world, world);
    if (isAlike && world.routes.every((route, i) => route === before!.world.routes[i])) return before!.layout;
    const layout = { plans: byName(world.routes.flatMap(plansOnce)), maps: isAlike ? before!.layout.maps : mapsOf(world) };
    before = { world, layout };
    return layout;
  };
}

/** Whether requests find their way in both worlds by the same maps: those do not tell who serves. */
function areFoundAlike(one: HaproxyWorld, other: HaproxyWorld): boolean {
  if (!areSameClasses(one.classes, other.classes)) return false;
  const ways = ({ namespace, name, hosts, groups = [] }: HaproxyRoute): string =>
    JSON.stringify([namespace, name, hosts, groups.map((group) => [group.name, group.classes])]);
  return (
    one.routes.length === other.routes.length &&
    one.routes.every((route, i) => route === other.routes[i] || ways(route) === ways(other.routes[i]!))
  );
}

const areSameClasses = (one: HaproxyWorld["classes"], other: HaproxyWorld["classes"]): boolean =>
  one === other ||
  (one.length === other.length &&
    one.every(({ name, networks }, i) => {
      const { name: otherName, networks: others } = other[i]!;
      return name === otherName && networks.length === others.length && networks.every((network, j) => network === others[j]);
    }));

/** Of the route, and of each group that has a plan of its own. */
function plansOf(route: HaproxyRoute): readonly PlanBackends[] {
  const plans: readonly (readonly [name: string, plan: EdgePlan])[] = [
    [routeBackend(route), route.plan],
    ...(route.groups ?? []).map(({ name, plan }) => [groupBackend(route, name), plan] as const),
  ];
  const siblings = plans.map(([name]) => name);
  return plans.map(([name, plan]) => ({ ...planBackends(route, name, plan), siblings }));
}

const byName = (plans: readonly PlanBackends[]): readonly PlanBackends[] => plans.toSorted((a, b) => compare(a.name, b.name));

function mapsOf({ routes, classes }: HaproxyWorld): Layout["maps"] {
  const hosts = routes.flatMap((route) => route.hosts.filter(isHost).map((host): MapEntry => [host, routeBackend(route)]));
  return {
    hosts: unique(hosts.filter(([host]) => !host.startsWith("*"))).toSorted(byKey),
    wildcards: unique(hosts.filter(([host]) => host.startsWith("*")).map(([host, to]) => [host.slice(1), to])).toSorted(
      (a, b) => b[0].length - a[0].length || byKey(a, b),
    ),
    clients: clientEntries(classes),
    plans: routes
      .flatMap((route) =>
        (route.groups ?? []).flatMap(({ name, classes }) =>
          classes.map((cls): MapEntry => [planKey(route, cls), groupBackend(route, name)]),
        ),
      )
      .toSorted(byKey),
  };
}

function planBackends({ sticky, port, tls, http }: HaproxyRoute, name: string, plan: EdgePlan): Omit<PlanBackends, "siblings"> {
  const tiers = plan.tiers.map((tier) => tier.map(withAddressesOnly));
  const serving = tiers.find((tier) => tier.some(serves)) ?? [];
  const [next, last] = fallbacks(tiers);
  const all = tiers.flat();
  const ranks = RANKS.map((rank): RankServers => {
    const getting = rank === "serving" ? serving : all.filter(({ cluster }) => cluster === (rank === "next" ? next : last));
    return { name: rankBackend(name, rank), rank, servers: rankServers(getting, rank === "serving" ? all : [], port) };
  });
  const [one, ...others] = ranks[0]!.servers.filter(({ weight }) => weight > 0);
  return { ...{ name, sticky: sticky === "ClientSubnet", tls, http, ranks }, direct: others.length === 0 ? one : undefined };
}

/**
 * Two clusters to try after whoever served a request at first, best first. They differ where the plan has two, so that a cluster that fails
 * as a whole takes at most one of them with it; where others serve, the one that was certainly tried comes last.
 */
function fallbacks(tiers: readonly (readonly EdgeBackend[])[]): readonly [string | undefined, string | undefined] {
  const clusters = [
    ...new Set(
      tiers.flatMap((tier) =>
        tier
          .filter(serves)
          .toSorted((a, b) => b.weight - a.weight)
          .map(({ cluster }) => cluster),
      ),
    ),
  ];
  const first = tiers.find((tier) => tier.some(serves))?.filter(serves) ?? [];
  const isAlone = new Set(first.map(({ cluster }) => cluster)).size === 1;
  const [next, last = next] = isAlone ? [...clusters.slice(1), clusters[0]] : clusters;
  return [next, last];
}

/** @param known who gets nothing now but keeps a place, so that a failover moves nobody else */
function rankServers(getting: readonly EdgeBackend[], known: readonly EdgeBackend[], port: number): readonly WantedServer[] {
  const shares = new Map<string, number>();
  for (const { weight, endpoints } of getting) {
    const serving = endpoints.filter((endpoint) => endpoint.serves);
    for (const { address } of serving) shares.set(address, (shares.get(address) ?? 0) + weight / serving.length);
  }
  const most = Math.max(...shares.values());
  const idle = new Set(known.flatMap(({ endpoints }) => endpoints.map(({ address }) => address)).filter((address) => !shares.has(address)));
  return [
    ...[...shares].map(([address, share]) => ({ address, port, weight: Math.max(1, Math.round((share / most) * MOST_WEIGHT)) })),
    ...[...idle].map((address) => ({ address, port, weight: 0 })),
  ];
}

const withAddressesOnly = (backend: EdgeBackend): EdgeBackend => ({
  ...backend,
  endpoints: backend.endpoints.filter(({ address }) => parseIp(address) !== undefined),
});
const serves = ({ endpoints }: EdgeBackend): boolean => endpoints.some((endpoint) => endpoint.serves);

/** A check of its own: what is written into a file of another program's is never taken on trust. */
const isHost = (host: string): boolean => /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(host);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byKey = (a: MapEntry, b: MapEntry): number => compare(a[0], b[0]);
/** The first entry of each key. */
const unique = (entries: readonly MapEntry[]): readonly MapEntry[] => [...new Map(entries.toReversed())];
