/**
 * Clients as a server of PowerDNS can tell them apart, and the class of our plans that each kind of them is in. Its script sees a client's
 * country, continent, first subdivision and AS number, all from the same mmdb files that we read, and tests networks; it sees no coordinates
 * that could be compared with ours. Pure.
 *
 * ```
 * client ──longest of the route's networks──► subnet group ─┐
 * client ──AS number, if any rule names some──► asn group ──┴─► branch: country (or subdivision, or continent) ──► class ──► plan
 * ```
 * Which class a place is in is read from the compiled table, so that both give one answer.
 */
import type { GeoTable, Place } from "../../src/geo/geo-table.ts";
import type { Rule } from "../../src/model/inventory.ts";
import { networkContains, parseNetwork } from "../../src/model/ip.ts";
import type { RoutingTable } from "../../src/routing/table.ts";

export interface ClientCut {
  /**
   * Networks of Require rules that are longer than the client subnets which resolvers tell. A client subnet that has one in it is bound by it
   * (docs/decisions.md §7); these are tested first, and only against what is shorter than they are.
   */
  readonly parts: readonly { readonly group: number; readonly networks: readonly string[] }[];
  /** In the order in which they are to be tested: the first network that holds a client decides, as longer ones come first. */
  readonly networks: readonly { readonly group: number; readonly networks: readonly string[] }[];
  /** Groups of AS numbers that rules name, from {@link FIRST_ASN} on; empty: nobody asks for AS numbers. */
  readonly asns: readonly { readonly group: number; readonly numbers: readonly number[] }[];
  /** Lower case, as in `us-ca`: those that some rule names. */
  readonly subdivisions: readonly string[];
  /** Of each subnet group the one for any other AS number comes last; groups in descending order, so the one for clients in no network is last. */
  readonly branches: readonly Branch[];
  /** Some clients that are one to PowerDNS are in several classes. */
  readonly isBlurred: boolean;
}

export interface Branch {
  /** 0 = in none of the route's networks. */
  readonly subnetGroup: number;
  /** {@link OTHER_ASN}, {@link UNKNOWN_ASN} or a group of `asns`. */
  readonly asnGroup: number;
  /** `de`, `us-ca`, {@link UNKNOWN_SUBDIVISION} behind `us-`, or `+eu` for clients of whom the continent alone is known → class. */
  readonly classes: ReadonlyMap<string, number>;
  /** Class of everybody else, of clients of unknown place too. */
  readonly otherwise: number;
}

/** What resolvers cut a client's address to (RFC 7871 §11.1), and some of them a little more of IPv6. */
const TOLD = { 4: 24, 6: 48 } as const;

/** In none of the numbers that rules name. */
export const OTHER_ASN = 0;
export const UNKNOWN_ASN = 1;
export const FIRST_ASN = 2;
export const UNKNOWN_SUBDIVISION = "?";

type Routing = Pick<RoutingTable, "geo" | "partitions" | "hot">;

/** @param rules of the route, those that the table was compiled with */
export function cutClients({ geo, partitions, hot }: Routing, route: number, rules: readonly Rule[]): ClientCut {
  const policy = hot.routePolicy[route]!;
  const { classOfPlace } = partitions[hot.policyPartition[policy]!]!;
  const backends = hot.routeBackends[route + 1]! - hot.routeBackends[route]!;
  const chooser = createClassChooser(geo, classOfPlace, (cls) => isRestricted(hot, hot.policyPlans[policy]! + cls, backends));
  const subnets = groupSubnets(geo, rules);
  const asns = groupAsns(rules);
  const subdivisions = [...new Set(rules.flatMap(({ clients }) => clients.subdivisions))].map((code) => code.toLowerCase()).sort();

  const found = new Map<string, Map<string, number[]>>();
  geo.places.forEach((place, i) => {
    const key = `${subnets.groupOf(place)} ${asns.groupOf(place)}`;
    const branch = found.get(key) ?? new Map<string, number[]>();
    found.set(key, branch);
    const spot = spotOf(place, subdivisions);
    const places = branch.get(spot);
    if (places === undefined) branch.set(spot, [i]);
    else places.push(i);
  });
  const branches = Array.from(found, ([key, spots]): Branch => {
    const [subnetGroup = 0, asnGroup = 0] = key.split(" ").map(Number);
    const nowhere = spots.get(NOWHERE);
    const otherwise = nowhere === undefined ? chooser.guess([...spots.values()].flat()) : chooser.classOf(nowhere);
    spots.delete(NOWHERE);
    return { subnetGroup, asnGroup, otherwise, classes: new Map(Array.from(spots, ([spot, places]) => [spot, chooser.classOf(places)])) };
  });
  const last = (asnGroup: number): number => (asnGroup === UNKNOWN_ASN ? 2 : asnGroup === OTHER_ASN ? 1 : 0);
  branches.sort((a, b) => b.subnetGroup - a.subnetGroup || last(a.asnGroup) - last(b.asnGroup) || a.asnGroup - b.asnGroup);
  return { parts: subnets.parts, networks: subnets.networks, asns: asns.groups, subdivisions, branches, isBlurred: chooser.isBlurred() };
}

/** Whether rules leave backends out of a plan. */
function isRestricted(hot: RoutingTable["hot"], plan: number, backends: number): boolean {
  let members = 0;
  for (const tier of hot.planTierIds.subarray(hot.planTiers[plan], hot.planTiers[plan + 1]))
    members += hot.tierMembers[tier + 1]! - hot.tierMembers[tier]!;
  return members < backends;
}

const NOWHERE = "";

/** What PowerDNS looks a client up by. */
function spotOf({ country, continent, subdivisions }: Place, named: readonly string[]): string {
  if (country === undefined) return continent === undefined ? NOWHERE : `+${continent.toLowerCase()}`;
  const code = country.toLowerCase();
  if (!named.some((subdivision) => subdivision.startsWith(`${code}-`))) return code;
  if (subdivisions === undefined) return `${code}-${UNKNOWN_SUBDIVISION}`;
  const first = subdivisions[0]!.toLowerCase();
  return named.includes(first) ? first : code;
}

/** Networks by the rules that hold for the clients in them: those of a network and of all around it. */
function groupSubnets(geo: GeoTable, rules: readonly Rule[]) {
  const rulesOf = new Map<string, number[]>();
  rules.forEach(({ clients }, rule) => {
    for (const subnet of clients.subnets) rulesOf.set(subnet, [...(rulesOf.get(subnet) ?? []), rule]);
  });
  const groups = new Map<string, number>([["", 0]]);
  const groupOfRules = (held: readonly number[]): number => {
    const key = [...new Set(held)].sort((a, b) => a - b).join();
    const group = groups.get(key) ?? groups.size;
    groups.set(key, group);
    return group;
  };
  const parsed = [...rulesOf.keys()].map((text) => ({ text, network: parseNetwork(text)! }));
  const grouped = parsed.map(({ text, network }) => {
    const around = parsed.filter((other) => other.network.length <= network.length && networkContains(other.network, network));
    const isPart = network.length > TOLD[network.family] && rulesOf.get(text)!.some((rule) => rules[rule]!.mode === "Require");
    return { text, length: network.length, isPart, group: groupOfRules(around.flatMap((other) => rulesOf.get(other.text)!)) };
  });
  grouped.sort((a, b) => b.length - a.length || a.group - b.group || (a.text < b.text ? -1 : 1));
  const parts = grouped.filter(({ isPart }) => isPart);
  const groupOf = ({ subnets = [] }: Place): number => groupOfRules(subnets.flatMap((subnet) => rulesOf.get(geo.subnets[subnet]!) ?? []));
  return { parts: inRuns(parts), networks: inRuns(grouped), groupOf };
}

/** Neighbours of one group as one entry. */
function inRuns(networks: readonly { readonly group: number; readonly text: string }[]): ClientCut["networks"] {
  const runs: { readonly group: number; readonly networks: string[] }[] = [];
  for (const { text, group } of networks) {
    if (runs.at(-1)?.group === group) runs.at(-1)!.networks.push(text);
    else runs.push({ group, networks: [text] });
  }
  return runs;
}

/** AS numbers by the rules that name them. */
function groupAsns(rules: readonly Rule[]) {
  const rulesOf = new Map<number, string>();
  rules.forEach(({ clients }, rule) => {
    for (const asn of new Set(clients.asns)) rulesOf.set(asn, `${rulesOf.get(asn) ?? ""} ${rule}`);
  });
  const byRules = Map.groupBy(
    [...rulesOf.keys()].sort((a, b) => a - b),
    (asn) => rulesOf.get(asn)!,
  );
  const groups = Array.from(byRules.values(), (numbers, i) => ({ group: FIRST_ASN + i, numbers }));
  const groupOfAsn = new Map(groups.flatMap(({ group, numbers }) => numbers.map((asn) => [asn, group] as const)));
  const groupOf = ({ asn }: Place): number => {
    if (rulesOf.size === 0) return OTHER_ASN;
    return asn === undefined ? UNKNOWN_ASN : (groupOfAsn.get(asn) ?? OTHER_ASN);
  };
  return { groups, groupOf };
}

interface ClassChooser {
  /** The class of places that are one to PowerDNS. */
  classOf(places: readonly number[]): number;
  /** That of clients of whom nothing is known but that they are in one of these places. */
  guess(places: readonly number[]): number;
  isBlurred(): boolean;
}

/** Of several classes the one that a Require rule bounds, as for a client subnet that is cut by one; of several of those that of most addresses. */
function createClassChooser(geo: GeoTable, classOfPlace: Uint32Array, isBounded: (cls: number) => boolean): ClassChooser {
  let blurred = false;
  let sizes: Float64Array | undefined;
  const guess = (places: readonly number[]): number => {
    sizes ??= sizesOfPlaces(geo);
    const size = new Map<number, number>();
    for (const place of places) size.set(classOfPlace[place]!, (size.get(classOfPlace[place]!) ?? 0) + sizes[place]!);
    const ranked = [...size.keys()].sort((a, b) => Number(isBounded(b)) - Number(isBounded(a)) || size.get(b)! - size.get(a)! || a - b);
    return ranked[0]!;
  };
  return {
    guess,
    classOf(places) {
      const first = classOfPlace[places[0]!]!;
      if (places.every((place) => classOfPlace[place] === first)) return first;
      blurred = true;
      return guess(places);
    },
    isBlurred: () => blurred,
  };
}

/** place → share of all IPv4 addresses. */
function sizesOfPlaces({ children, leafPlace, v4TrieRoot, places }: GeoTable): Float64Array {
  const sizes = new Float64Array(places.length);
  const visit = (at: number, share: number): void => {
    if (at < 0) {
      sizes[leafPlace[~at]!]! += share;
      return;
    }
    visit(children[2 * at]!, share / 2);
    visit(children[2 * at + 1]!, share / 2);
  };
  visit(v4TrieRoot, 1);
  return sizes;
}
