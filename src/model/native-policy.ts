/**
 * What becomes of a route's policy in a zone whose provider decides by itself who gets which answer, by records with routing policies and by
 * its own health checks (Route 53). What it cannot follow is told, never dropped in silence. Pure.
 */
import { type Continent, continents } from "./countries.ts";
import type { Cluster, HealthPolicy, Route, Rule } from "./inventory.ts";
import { formatNetwork, maskNetwork, parseIp, parseNetwork } from "./ip.ts";
import type { LostPolicy } from "./lost-part.ts";
import { isOnInternet } from "./special-addresses.ts";

/** Longest prefixes that clients can be told apart by. */
const LONGEST = { 4: 24, 6: 48 } as const;
/** Values that one answer has at most, of all that are healthy. */
const MOST_ANSWERS = 8;

/**
 * The route with rules that ask only for what the provider knows of clients. A Require rule that asks for more binds more clients than it
 * says, so that nobody whom it names escapes it (docs/safety.md, rule 9); a Prefer rule binds fewer.
 */
export function tellableRules(rules: readonly Rule[]): readonly Rule[] {
  return rules.flatMap((rule): readonly Rule[] => {
    const { continents: inContinents, countries, subdivisions, asns, subnets } = rule.clients;
    const isRequired = rule.mode === "Require";
    if (isRequired && asns.length > 0)
      return [{ ...rule, clients: { ...NOBODY, continents: continents as readonly Continent[] }, unknownPlace: "Apply" }];
    const wide = isRequired ? subdivisions.filter((code) => !isTellable(code)).map((code) => code.slice(0, 2)) : [];
    const clients = {
      ...{ continents: inContinents, asns: [] },
      countries: [...new Set([...countries, ...wide])].sort(),
      subdivisions: subdivisions.filter(isTellable),
      subnets: [...new Set(subnets.flatMap((subnet) => tellableSubnets(subnet, isRequired)))].sort(),
    };
    const isEmpty = [clients.continents, clients.countries, clients.subdivisions, clients.subnets].every(({ length }) => length === 0);
    return isEmpty ? [] : [{ ...rule, clients }];
  });
}

const NOBODY: Rule["clients"] = { continents: [], countries: [], subdivisions: [], asns: [], subnets: [] };

const isTellable = (subdivision: string): boolean => subdivision.startsWith("US-");

function tellableSubnets(subnet: string, isRequired: boolean): readonly string[] {
  const network = parseNetwork(subnet);
  if (network === undefined) return [];
  const { family, length } = network;
  if (length === 0) return family === 4 ? ["0.0.0.0/1", "128.0.0.0/1"] : ["::/1", "8000::/1"];
  if (length <= LONGEST[family]) return [subnet];
  return isRequired ? [formatNetwork(maskNetwork(network, LONGEST[family]))] : [];
}

/** Region of Amazon's that a cluster is in; undefined when it is elsewhere. */
export const awsRegionOf = ({ location }: Pick<Cluster, "location">): string | undefined => /^aws (\S+)$/.exec(location.label)?.[1];

/**
 * Why the provider cannot look at an endpoint as the route's probe does. Certificates are never verified by it, and that alone is no reason.
 *
 * @returns undefined when it can
 */
export function uncheckable({ probe }: Pick<HealthPolicy, "probe">, address: string): string | undefined {
  const { type, expect } = probe;
  if (type === "GRPC" || type === "TLS") return `it makes no probes of type ${type}`;
  const [first, ...more] = expect.status;
  if (type === "HTTP" && (more.length > 0 || first?.from !== 200 || first.to !== 399)) return "it takes every status from 200 to 399";
  if ((expect.body?.length ?? 0) > 255) return "it looks for 255 characters of a body at most";
  const ip = parseIp(address);
  return ip === undefined || !isOnInternet(ip) ? `${address} is not on the public internet` : undefined;
}

/** @param hasHttps whether the provider takes HTTPS records @returns undefined when nothing is lost */
export function nativePolicy(route: Route, hasHttps = false): LostPolicy | undefined {
  const { order, tolerance, rules, sticky, backends, failover } = route;
  const weighted = backends.filter(({ weight }) => weight > 0);
  const isSplit = new Set(weighted.map(({ cluster }) => cluster)).size > 1;
  const isNear = isSplit && (order === "Nearest" || order === "Latency");
  const isWide = isNear && ((tolerance.distanceKm ?? 0) > 0 || (tolerance.latencyMs ?? 0) > 0);
  const subnets = rules.flatMap(({ clients }) => clients.subnets);
  const unseen = backends.flatMap(({ addresses }) => addresses.map((address) => uncheckable(route.health, address))).find(Boolean);
  const claims: readonly (readonly [part: string, isLost: boolean, instead: string])[] = [
    ["order Latency", isSplit && order === "Latency", "latencies are Amazon's, and clients get the nearest where a cluster is not in AWS"],
    ["tolerance", isWide, "each client gets the first cluster alone"],
    ["sticky", sticky !== "None" && isSplit && (order === "Weighted" || isWide), "every query is shared out anew"],
    ["spread", route.spread > 1, "an answer names one cluster"],
    ["answers", backends.some(({ addresses }) => addresses.length > route.answers), `an answer names up to ${MOST_ANSWERS} addresses`],
    ["tricklePercent", failover.tricklePercent > 0, "backups get nothing before they serve"],
    ["shed", route.shed !== undefined, "nothing is shed"],
    ["alpn", route.alpn.length > 0 && !hasHttps, "no HTTPS record is published"],
    ["HoldLast", failover.whenAllUnhealthy === "HoldLast", "it fails open"],
    ["failback by Approval", failover.failback.mode === "Approval", "it fails back at once"],
    ["asns", rules.some(({ clients }) => clients.asns.length > 0), "Require rules with asns bind everybody, Prefer rules with them nobody"],
    [
      "subdivisions outside the US",
      rules.some(({ clients }) => !clients.subdivisions.every(isTellable)),
      "Require rules bind the whole country, Prefer rules nobody there",
    ],
    [
      "subnets longer than /24 or /48",
      subnets.some((subnet) => tellableSubnets(subnet, false).length === 0),
      "Require rules bind the wider subnet, Prefer rules nobody there",
    ],
    ["the probe", unseen !== undefined, `it fails over by our writes, because ${unseen}`],
  ];
  const told = claims.filter(([, isLost]) => isLost);
  if (told.length === 0) return undefined;
  return { lost: told.map(([part]) => part), instead: told.map(([, , instead]) => instead).join("; ") };
}
