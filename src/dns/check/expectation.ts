/** What the objects say of a zone that the world can see. Pure. */
import { delegationParent } from "../../model/check-delegation.ts";
import { zoneOf } from "../../model/host-zones.ts";
import { type Inventory, type Route, routeKey, type Zone, type ZoneProvider } from "../../model/inventory.ts";
import { parseIp } from "../../model/ip.ts";
import { isWithin } from "../zone-draft.ts";

export interface Expectation {
  /** Name of the DNSZone. */
  readonly object: string;
  /** There when GlobalRoute does not answer for the zone itself; `primary` is where it is written to. */
  readonly keptElsewhere?: { readonly type: string; readonly primary?: { readonly host: string; readonly port: number } };
  /** Name of the DNSZone in which we keep the delegation. */
  readonly delegatedBy?: string;
  /** Lower-case, without the trailing dot; empty for a zone that is kept elsewhere. */
  readonly nameservers: readonly string[];
  readonly isSigned: boolean;
  /** GlobalRoute servers of one zone count their serials apart. `Only`: all servers of the zone are such; `Perhaps`: copies are taken, too. */
  readonly serialsApart: "No" | "Perhaps" | "Only";
  /** At most as many as was asked for, of different routes first. */
  readonly hosts: readonly ExpectedHost[];
  /** How many hosts the zone has. */
  readonly allHosts: number;
}

export interface ExpectedHost {
  /** As the route has it, perhaps a wildcard. */
  readonly host: string;
  /** What to ask for. */
  readonly name: string;
  /** `namespace/name`. */
  readonly route: string;
  /** Seconds. */
  readonly ttl: { readonly min: number; readonly max: number };
  /** Canonical; what an answer may hold. */
  readonly addresses: readonly string[];
  /** Some backends are host names, so that addresses which are not in the objects may be answered. */
  readonly hasHostNames: boolean;
  /** The families that must have an answer. */
  readonly types: readonly ("A" | "AAAA")[];
  /** Clients may be answered differently. */
  readonly varies: boolean;
}

/** First label of the name that is asked for a wildcard. */
const ANY_LABEL = "globalroute-check";

/**
 * What is expected of one zone.
 *
 * @param most hosts to look at
 * @returns undefined when no DNSZone has this domain
 */
export function expectationOf(domain: string, inventory: Inventory, most: number): Expectation | undefined {
  const byDomain = new Map(inventory.zones.map((zone) => [zone.domain, zone]));
  const zone = byDomain.get(domain);
  if (zone === undefined) return undefined;
  const hosts = hostsOf(zone, inventory, byDomain);
  const { provider } = zone;
  const delegation = delegationParent(zone, inventory.zones);
  return {
    object: zone.name,
    ...(delegation === undefined || "fault" in delegation ? {} : { delegatedBy: delegation.parent.name }),
    ...(provider === undefined ? {} : { keptElsewhere: keeperOf(provider) }),
    nameservers: zone.nameservers.map((name) => name.toLowerCase().replace(/\.$/, "")),
    isSigned: zone.dnssec !== undefined,
    serialsApart: provider !== undefined ? "No" : zone.transfer === undefined ? "Only" : "Perhaps",
    hosts: hosts.slice(0, most),
    allHosts: hosts.length,
  };
}

/** Only a provider that speaks DNS itself has a server that can be asked; others have an API. */
const keeperOf = (provider: ZoneProvider): NonNullable<Expectation["keptElsewhere"]> => ({
  type: provider.type,
  ...(provider.type === "RFC2136" ? { primary: provider.server } : {}),
});

/** The first host of every route, then the second ones, and so on: a sample has as many routes in it as it can. */
function hostsOf(zone: Zone, inventory: Inventory, byDomain: ReadonlyMap<string, Zone>): readonly ExpectedHost[] {
  const clusterWeight = new Map(inventory.clusters.map(({ name, weight }) => [name, weight]));
  const ranked = inventory.routes.flatMap((route) =>
    route.hosts.filter((host) => isServed(route, host, zone, byDomain)).map((host, rank) => ({ rank, route, host })),
  );
  return ranked.sort((a, b) => a.rank - b.rank).map(({ route, host }) => expectedHost(route, host, zone, clusterWeight));
}

const isServed = (route: Route, host: string, zone: Zone, byDomain: ReadonlyMap<string, Zone>): boolean =>
  zoneOf(host, byDomain) === zone &&
  (route.zones.length === 0 || route.zones.includes(zone.name)) &&
  (zone.allowedSuffixes.length === 0 || zone.allowedSuffixes.some((suffix) => isWithin(host, suffix)));

function expectedHost(route: Route, host: string, zone: Zone, clusterWeight: ReadonlyMap<string, number>): ExpectedHost {
  const addresses = [...new Set(route.backends.flatMap((backend) => backend.addresses))];
  const isAddress = (text: string): boolean => parseIp(text) !== undefined;
  return {
    host,
    name: host.startsWith("*.") ? `${ANY_LABEL}${host.slice(1)}` : host,
    route: routeKey(route),
    ttl: route.ttl,
    addresses: addresses.filter(isAddress),
    hasHostNames: !addresses.every(isAddress),
    types: typesOf(route, clusterWeight),
    varies: zone.provider === undefined && variesByClient(route),
  };
}

/**
 * The families that an answer always exists for, whatever is down: with `families: Common` those that every weighted backend has. What a host
 * name resolves to is not known here, so that such a backend has neither for certain.
 */
function typesOf({ backends, families }: Route, clusterWeight: ReadonlyMap<string, number>): readonly ("A" | "AAAA")[] {
  const weighted = backends.filter(({ weight, cluster }) => weight * (clusterWeight.get(cluster) ?? 100) > 0);
  const deciding = weighted.length > 0 ? weighted : backends;
  const has =
    (family: 4 | 6) =>
    ({ addresses }: Route["backends"][number]): boolean =>
      addresses.some((text) => parseIp(text)?.family === family);
  const types = [
    { type: "A", family: 4 },
    { type: "AAAA", family: 6 },
  ] as const;
  const common = types.filter(({ family }) => deciding.every(has(family)));
  const offered = families === "Common" && common.length > 0 ? common : types.filter(({ family }) => backends.some(has(family)));
  return offered.length === 0 ? ["A"] : offered.map(({ type }) => type); // host names alone
}

/** With backends in several clusters only `Priority` and `Weighted` without rules treat all clients alike. */
const variesByClient = ({ backends, order, rules, sticky }: Route): boolean =>
  new Set(backends.map(({ cluster }) => cluster)).size > 1 &&
  (order === "Nearest" || order === "Latency" || rules.length > 0 || sticky === "ClientSubnet");
