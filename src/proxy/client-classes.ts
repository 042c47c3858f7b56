/**
 * Which clients the rules of all routes tell apart by their addresses, as networks that a proxy can look an address up in. Pure.
 *
 * ```
 * rules that speak of the same clients ──► one question, "do they apply to this address?"
 * geo table: leaf ──► place ──► answers to all questions ──► class      the widest networks of one class each; none lies in another
 * ```
 */
import type { GeoTable, Place } from "../geo/geo-table.ts";
import type { Route } from "../model/inventory.ts";
import { formatNetwork } from "../model/ip.ts";
import { hashText } from "../routing/hash.ts";
import { matchRule, namesNetworkOf, type RuleClients, ruleClients } from "../routing/policy.ts";

/** Clients to whom the same rules apply, whatever the route. */
export interface ClientClass {
  /** Sixteen hexadecimal digits, which follow from the rules alone: the same in every process and with every edition of the geo data. */
  readonly name: string;
  /** Canonical CIDR, in the order of their texts; no network of any class lies in another. */
  readonly networks: readonly string[];
  /** What rules go by, of one of them. */
  readonly client: Place;
}

export interface ClientClasses {
  /**
   * What rules go by at a proxy. `Address`: whatever the geo data and rules' networks know of the client's address, as at DNS. `Network`: rules'
   * networks by the client's address, all else by the place of the proxy. `Place`: the place of the proxy alone.
   */
  readonly by: "Address" | "Network" | "Place";
  /** Whoever is in none of them is unknown to the geo data, or no rule speaks of it. */
  readonly classes: readonly ClientClass[];
}

/** Proxies that do not see who their clients are. */
export const NO_CLASSES: ClientClasses = { by: "Place", classes: [] };

/**
 * Networks that a proxy is told at most. The member states of the EU are 217,000 in the default geo data, and whoever else is known 242,000; an
 * Envoy holds 250,000 in 120 MB.
 */
export const MOST_NETWORKS = 300_000;

/** What rules ask of clients, in words → the rules' own numbers for it. Rules that ask the same are one question. */
export type Questions = ReadonlyMap<string, RuleClients>;

/**
 * @param routes whose rules count
 * @param subnets CIDR → number in the geo table
 */
export function questionsOf(routes: readonly Pick<Route, "rules">[], subnets: ReadonlyMap<string, number>): Questions {
  const questions = new Map<string, RuleClients>();
  for (const { rules } of routes)
    for (const rule of rules) {
      const { continents, countries, subdivisions, asns, subnets: own } = rule.clients;
      const text = JSON.stringify([rule.unknownPlace, continents, countries, subdivisions, asns, own]);
      if (!questions.has(text)) questions.set(text, ruleClients(rule, subnets));
    }
  return questions;
}

/**
 * It can take a second: whoever serves somebody meanwhile has another thread do it.
 *
 * @returns by `Network` when no rule speaks of countries and the like, when the geo data know none, or when it would be more networks than `most`
 */
export function clientClasses(geo: GeoTable, questions: Questions, most = MOST_NETWORKS): ClientClasses {
  const knowsPlaces = geo.places.some(({ continent, country, asn }) => (continent ?? country ?? asn) !== undefined);
  const byAddress = knowsPlaces && [...questions.values()].some(isGeographic) ? classesBy("Address", geo, questions, most) : undefined;
  return byAddress ?? classesBy("Network", geo, questions, most) ?? NO_CLASSES;
}

/** Whether a rule goes by more than networks. */
export const isGeographic = ({ continents, countries, subdivisions, asns }: Geographic): boolean =>
  continents.length + countries.length + subdivisions.length + asns.length > 0;

type Geographic = Pick<RuleClients, "continents" | "countries" | "subdivisions" | "asns">;

/** Whether a rule applies to a client, as far as its address tells. */
export function appliesByAddress(by: "Address" | "Network", rule: RuleClients, client: Place): boolean {
  if (by === "Network") return namesNetworkOf(rule, client);
  const match = matchRule(rule, client);
  return match === "yes" || (match === "unknown" && rule.unknownPlace === "Apply");
}

/** @returns undefined when it would be more than `most` networks */
function classesBy(by: "Address" | "Network", geo: GeoTable, questions: Questions, most: number): ClientClasses | undefined {
  const asked = [...questions].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const byKey = new Map<string, number>();
  const members: { readonly name: string; readonly client: Place; readonly networks: string[] }[] = [];
  const classOf = (place: Place): number => {
    const client = by === "Address" ? place : onlySubnets(place);
    const applied = asked.flatMap(([, rule], i) => (appliesByAddress(by, rule, client) ? [i] : []));
    const key = applied.join(); // not of their words, which may name a hundred thousand networks
    const known = byKey.get(key);
    if (known !== undefined) return known;
    byKey.set(key, members.length);
    return members.push({ name: nameOf(by, applied.map((i) => asked[i]![0]).join("\n")), client, networks: [] }) - 1;
  };
  const unknown = classOf({}); // the first: nobody need be told of them
  const classOfPlace = Int32Array.from(geo.places, classOf);
  let count = 0;
  forEachNetwork(geo, classOfPlace, (cls) => {
    if (cls !== unknown) count++;
  });
  if (count > most) return undefined; // before their texts are made, which takes much longer
  forEachNetwork(geo, classOfPlace, (cls, network) => {
    if (cls !== unknown) members[cls]!.networks.push(network());
  });
  for (const { networks } of members) networks.sort();
  return { by, classes: members.filter(({ networks }) => networks.length > 0).toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
}

const onlySubnets = ({ subnets }: Place): Place => (subnets === undefined ? {} : { subnets });

const nameOf = (...of: readonly [string, string]): string =>
  [of.join("\n"), `again ${of.join("\n")}`].map((text) => hashText(text).toString(16).padStart(8, "0")).join("");

const MIXED = -1;

/** @param visit is told of the widest networks that are of one class as a whole, of the class and of the network's text on demand */
function forEachNetwork(geo: GeoTable, classOfPlace: Int32Array, visit: (cls: number, network: () => string) => void): void {
  const { children, leafPlace } = geo;
  const families = [
    { family: 4, root: geo.v4TrieRoot, bytes: new Uint8Array(4) },
    { family: 6, root: geo.v6TrieRoot, bytes: new Uint8Array(16) },
  ] as const;
  for (const { family, root, bytes } of families) {
    const setBit = (bit: number, isOne: boolean): void => {
      const mask = 0x80 >>> (bit & 7);
      bytes[bit >>> 3] = isOne ? bytes[bit >>> 3]! | mask : bytes[bit >>> 3]! & ~mask;
    };
    const tell = (cls: number, length: number): void => {
      if (cls !== MIXED) visit(cls, () => formatNetwork({ family, bytes, length }));
    };
    /** @returns the class of all below, or MIXED after its parts were told */
    const walk = (at: number, depth: number): number => {
      if (at < 0) return classOfPlace[leafPlace[~at]!]!;
      const left = walk(children[2 * at]!, depth + 1);
      setBit(depth, true);
      const right = walk(children[2 * at + 1]!, depth + 1);
      if (left !== right) tell(right, depth + 1);
      setBit(depth, false);
      if (left === right) return left;
      tell(left, depth + 1);
      return MIXED;
    };
    tell(walk(root, 0), 0);
  }
}
