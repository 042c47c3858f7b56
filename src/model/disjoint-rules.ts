/** Require rules that leave a client nowhere to go. */
import { continentOf } from "./countries.ts";
import type { ClientMatch, Rule } from "./inventory.ts";
import { networkContains, parseNetwork } from "./ip.ts";

/** Two Require rules without a common cluster that can hold for one client together. `why` completes "both apply to". */
export interface DisjointPair {
  readonly first: number;
  readonly second: number;
  readonly why: string;
}

/** @param backendClusters clusters in which the route has a backend: others cannot help */
export function disjointRequires(rules: readonly Rule[], backendClusters: ReadonlySet<string>): readonly DisjointPair[] {
  const pairs: DisjointPair[] = [];
  rules.forEach((a, first) => {
    rules.slice(first + 1).forEach((b, offset) => {
      if (a.mode !== "Require" || b.mode !== "Require") return;
      if (a.to.some((cluster) => backendClusters.has(cluster) && b.to.includes(cluster))) return;
      const why = meeting(a, b);
      if (why !== undefined) pairs.push({ first, second: first + 1 + offset, why });
    });
  });
  return pairs;
}

/** Who can match both rules; undefined when nobody can. Where the data needed is not to be had here, the answer is that some can. */
function meeting(a: Rule, b: Rule): string | undefined {
  if (a.unknownPlace === "Apply" && b.unknownPlace === "Apply") return "clients of unknown place";
  const [left, right] = [a.clients, b.clients];
  const country = left.countries.find((code) => right.countries.includes(code) || right.continents.includes(continentOf(code) ?? ""));
  if (country !== undefined) return `clients in ${country}`;
  const reverse = right.countries.find((code) => left.continents.includes(continentOf(code) ?? ""));
  if (reverse !== undefined) return `clients in ${reverse}`;
  const continent = left.continents.find((code) => right.continents.includes(code));
  if (continent !== undefined) return `clients in ${continent}`;
  const subdivision = subdivisionMeeting(left, right) ?? subdivisionMeeting(right, left);
  if (subdivision !== undefined) return `clients in ${subdivision}`;
  return networkMeeting(left, right);
}

function subdivisionMeeting(left: ClientMatch, right: ClientMatch): string | undefined {
  return left.subdivisions.find((code) => {
    const country = code.slice(0, 2);
    return right.subdivisions.includes(code) || right.countries.includes(country) || right.continents.includes(continentOf(country) ?? "");
  });
}

/** Prefixes and AS numbers say nothing about places, so they can meet any place; with each other they meet where they overlap. */
function networkMeeting(left: ClientMatch, right: ClientMatch): string | undefined {
  const asn = left.asns.find((number) => right.asns.includes(number));
  if (asn !== undefined) return `clients of AS${asn}`;
  const subnet = left.subnets.find((text) => right.subnets.some((other) => overlap(text, other)));
  if (subnet !== undefined) return `clients in ${subnet}`;
  const [leftNets, rightNets] = [left.subnets.length > 0, right.subnets.length > 0];
  const [leftAsns, rightAsns] = [left.asns.length > 0, right.asns.length > 0];
  const crossed = (leftNets && (rightAsns || hasPlaces(right))) || (rightNets && (leftAsns || hasPlaces(left)));
  const asnAndPlace = (leftAsns && hasPlaces(right)) || (rightAsns && hasPlaces(left));
  return crossed || asnAndPlace ? "clients whose network and place fall under one each" : undefined;
}

const hasPlaces = ({ continents, countries, subdivisions }: ClientMatch): boolean =>
  continents.length + countries.length + subdivisions.length > 0;

function overlap(a: string, b: string): boolean {
  const [one, other] = [parseNetwork(a), parseNetwork(b)];
  if (one === undefined || other === undefined) return false;
  return one.length <= other.length ? networkContains(one, other) : networkContains(other, one);
}
