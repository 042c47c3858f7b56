/** Why a client is sent where it is sent: each step of the decision in words, by the code that decides. Pure. */

import type { Place } from "../geo/geo-table.ts";
import { nodeOfV4, nodeOfV6 } from "../geo/lookup.ts";
import type { ProxyFleet, Route } from "../model/inventory.ts";
import { formatIp, formatNetwork, type Network } from "../model/ip.ts";
import { type Choice, newChoice } from "./choose.ts";
import { answerShares, decide, ipNumber, type ModeName, placeClient } from "./decide.ts";
import { type ExplainWorld, explainCandidates } from "./explain-candidates.ts";
import type { Explanation } from "./explanation.ts";
import { type Plan, planPlace } from "./plan.ts";
import { matchRule, type Policy, policyOf } from "./policy.ts";
import type { RoutingTable } from "./table.ts";

/**
 * @param route  index in the inventory, which is that of the table
 * @param client address or network, bits behind its length zero
 */
export function explain(world: ExplainWorld, route: number, host: string, client: Network, family: 0 | 1): Explanation {
  const { inventory, table, measures } = world;
  const spec = inventory.routes[route]!;
  const policy = policyOf(
    spec,
    inventory,
    new Map(inventory.clusters.map((cluster, i) => [cluster.name, i])),
    new Map(table.geo.subnets.map((subnet, i) => [subnet, i])),
  );
  const placed = newChoice();
  placeClient(table, route, client, placed);
  const { place, spans } = decidingPlace(table, route, client, placed);
  const plan = planPlace(policy, place, policy.order === "Latency" ? measures.latency : measures.distance);
  const decision = decide(table, route, client, family, 0.5, world.now);
  const sticky = spec.sticky === "ClientSubnet";
  const shares = sticky ? undefined : answerShares(table, route, family, placed);
  const wholeHost = client.length === (client.family === 4 ? 32 : 128);
  return {
    client: wholeHost ? formatIp(client) : formatNetwork(client),
    host,
    route: `${spec.namespace}/${spec.name}`,
    family: family === 0 ? "A" : "AAAA",
    place: describePlace(table, place),
    rules: plan.applied.map(({ rule, byUnknownPlace }) => ({
      name: rule.name,
      mode: rule.mode,
      why: byUnknownPlace ? "the client's place is unknown and unknownPlace is Apply" : matchedBy(table, spec, rule.name, place),
    })),
    rule: plan.applied[0]?.rule.name ?? null,
    tier: decision.choice.tier < 0 ? null : decision.choice.tier + 1,
    mode: decision.mode,
    ...(shares === undefined ? { slot: slotOf(table, decision.choice) } : { shares: roundedShares(shares.clusters) }),
    scopePrefixLength: decision.scope,
    ttl: decision.ttl,
    clusters: decision.clusters,
    addresses: decision.addresses,
    candidates: explainCandidates({ world, spec, route, family, place, policy, plan, decision, shares }),
    notes: [...prefixNotes(spans, plan), ...notes(world, spec, policy, place, plan, decision.mode), ...fleetNotes(world, spec)],
  };
}

/** The place whose plan answers: for a prefix that spans several places, the first one of the class that answers all of it. */
function decidingPlace(table: RoutingTable, route: number, client: Network, placed: Readonly<Choice>): { place: Place; spans: boolean } {
  const { geo, hot } = table;
  const policy = hot.routePolicy[route]!;
  const { classOfPlace } = table.partitions[hot.policyPartition[policy]!]!;
  const wanted = placed.plan - hot.policyPlans[policy]!;
  const node = client.family === 4 ? nodeOfV4(geo, ipNumber(client.bytes), client.length) : nodeOfV6(geo, client.bytes, 0, client.length);
  const find = (at: number): number => {
    if (at < 0) return classOfPlace[geo.leafPlace[~at]!] === wanted ? geo.leafPlace[~at]! : -1;
    const left = find(geo.children[2 * at]!);
    return left >= 0 ? left : find(geo.children[2 * at + 1]!);
  };
  const found = find(node);
  return { place: geo.places[found >= 0 ? found : classOfPlace.indexOf(wanted)]!, spans: node >= 0 };
}

function describePlace(table: RoutingTable, place: Place): Explanation["place"] {
  const { subnets, ...rest } = place;
  const known = Object.keys(rest).length > 0 || (subnets !== undefined && subnets.length > 0);
  return { known, ...rest, ...(subnets === undefined ? {} : { subnets: subnets.map((subnet) => table.geo.subnets[subnet]!) }) };
}

function matchedBy(table: RoutingTable, route: Route, ruleName: string, place: Place): string {
  const { clients } = route.rules.find((rule) => rule.name === ruleName)!;
  if (place.continent !== undefined && clients.continents.includes(place.continent)) return `continent ${place.continent}`;
  if (place.country !== undefined && clients.countries.includes(place.country)) return `country ${place.country}`;
  const subdivision = place.subdivisions?.find((code) => clients.subdivisions.includes(code));
  if (subdivision !== undefined) return `subdivision ${subdivision}`;
  if (place.asn !== undefined && clients.asns.includes(place.asn)) return `AS${place.asn}`;
  const held = place.subnets?.map((subnet) => table.geo.subnets[subnet]!) ?? [];
  return `subnet ${held.find((subnet) => clients.subnets.includes(subnet)) ?? "?"}`;
}

const slotOf = (table: RoutingTable, choice: Readonly<Choice>): number => {
  if (choice.tier < 0) return choice.slotHash >>> 20;
  const tier = table.hot.planTierIds[table.hot.planTiers[choice.plan]! + choice.tier]!;
  return choice.slotHash >>> (32 - (table.hot.tierSlotBits[tier]! || 12));
};

const roundedShares = (shares: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...shares].map(([cluster, share]) => [cluster, Math.round(share * 10_000) / 10_000]));

function prefixNotes(spans: boolean, plan: Plan): string[] {
  if (!spans) return [];
  const byRule = plan.applied.some(({ rule }) => rule.mode === "Require");
  return [
    `the prefix holds several places: it is answered as a whole, ${byRule ? "by a Require rule that holds for part of it" : "as most of its addresses would be"}`,
  ];
}

/** What proxies of fleets do in another way than what is explained: they stand elsewhere than this client. */
function fleetNotes({ inventory }: ExplainWorld, { fleets, order }: Route): string[] {
  const carrying = (inventory.fleets ?? []).filter(({ name }) => fleets === undefined || fleets.includes(name));
  const isBlind = (fleet: ProxyFleet): boolean => fleet.type === "Envoy" && fleet.listener === undefined;
  const about = (some: readonly ProxyFleet[], what: string): string[] =>
    some.length === 0 ? [] : [`requests that pass ProxyFleet ${some.map(({ name }) => name).join(", ")} ${what}`];
  const isMeasured = order === "Nearest" || order === "Latency";
  const seeing = isMeasured ? carrying.filter((fleet) => !isBlind(fleet)) : [];
  return [
    ...about(seeing, "go by the rules that apply to the client, and by how far clusters are from the proxy"),
    ...about(carrying.filter(isBlind), "go by the place of the proxy alone, whoever the client is"),
  ];
}

function notes(world: ExplainWorld, spec: Route, policy: Policy, place: Place, plan: Plan, mode: ModeName): string[] {
  const out: string[] = [];
  for (const rule of policy.rules) {
    const asked = [rule.subdivisions.length > 0 ? "subdivision" : "", rule.asns.length > 0 ? "asn" : ""].filter((field) =>
      world.missingFields.includes(field),
    );
    if (asked.length > 0) out.push(`rule ${rule.name} asks for ${asked.join(" and ")}, which no loaded database carries`);
    if (matchRule(rule, place) === "unknown" && rule.unknownPlace === "Skip") {
      out.push(`rule ${rule.name} was skipped: the client's place is unknown and unknownPlace is Skip`);
    }
  }
  const ordered = spec.order === "Nearest" || spec.order === "Latency";
  if (ordered && place.latitude === undefined) out.push("the client's location is unknown: candidates share one tier by weight");
  if (plan.tiers.length === 0)
    out.push("the Require rules that apply have no cluster in common: the answer is SERVFAIL rather than a forbidden cluster");
  if (mode === "NotOffered") {
    const why =
      spec.families === "Common"
        ? "not every weighted backend has such an address (families: Common)"
        : "no backend that the rules allow has such an address";
    out.push(`the route does not offer this family, so the answer is NODATA: ${why}`);
  }
  if (mode.startsWith("FailOpen")) out.push("nothing allowed is healthy: answering as if everything allowed were (fail-open)");
  if (mode === "Held") out.push("the last answer is held");
  return out;
}
