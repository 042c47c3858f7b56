/**
 * Which clients the rules of all routes tell apart by their addresses, as networks that a proxy can look an address up in. Pure.
 *
 * ```
 * rules that speak of the same clients ──► one question, "do they apply to this address?"
 * geo table: leaf ──► place ──► answers to all questions ──► class      the widest networks of one class each; none lies in another
 * ```
 */
import type { GeoTable, Place } from "../geo/geo-table.ts";
import { formatNetwork } from "../model/ip.ts";
import { hashText } from "../routing/hash.ts";
import { matchRule, type Policy, type PolicyRule } from "../routing/policy.ts";

/** Clients to whom the same rules apply, whatever the route. */
export interface ClientClass {
  /** Sixteen hexadecimal digits, which follow from the rules alone: the same in every process and with every edition of the geo data. */
  readonly name: string;
  /** Canonical CIDR; no network of any class lies in another. */
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

/**
 * @param policies of all routes
 * @returns by `Network` when no rule speaks of countries and the like, when the geo data know none, or when it would be more networks than `most`
 */
export function clientClasses(geo: GeoTable, policies: readonly Policy[], most = MOST_NETWORKS): ClientClasses {
  const questions = questionsOf(geo, policies);
  const knowsPlaces = geo.places.some(({ continent, country, asn }) => (continent ?? country ?? asn) !== undefined);
  const byAddress = knowsPlaces && [...questions.values()].some(isGeographic) ? classesBy("Address", geo, questions, most) : undefined;
  return byAddress ?? classesBy("Network", geo, questions, most) ?? NO_CLASSES;
}

/** {@link clientClasses} that gives the same object again until rules' clients or the geo data change: working it out can take a second. */
export function rememberClasses(most = MOST_NETWORKS): (geo: GeoTable, policies: readonly Policy[]) => ClientClasses {
  let known: { readonly key: string; readonly classes: ClientClasses } | undefined;
  return (geo, policies) => {
    const key = [geo.id, ...[...questionsOf(geo, policies).keys()].sort()].join("\n");
    if (known?.key !== key) known = { key, classes: clientClasses(geo, policies, most) };
    return known.classes;
  };
}

/** Whether a rule goes by more than networks. */
export const isGeographic = ({ continents, countries, subdivisions, asns }: PolicyRule): boolean =>
  continents.length + countries.length + subdivisions.length + asns.length > 0;

/** What a rule asks of a client → a rule that does. */
type Questions = ReadonlyMap<string, PolicyRule>;

function questionsOf({ subnets }: GeoTable, policies: readonly Policy[]): Questions {
  const text = ({ unknownPlace, continents, countries, subdivisions, asns, subnets: own }: PolicyRule): string =>
    JSON.stringify([unknownPlace, continents, countries, subdivisions, asns, own.map((subnet) => subnets[subnet])]);
  return new Map(policies.flatMap(({ rules }) => rules.map((rule) => [text(rule), rule] as const)));
}

/** Whether a rule applies to a client, as far as its address tells. */
export function appliesByAddress(by: "Address" | "Network", rule: PolicyRule, client: Place): boolean {
  if (by === "Network") return client.subnets?.some((subnet) => rule.subnets.includes(subnet)) ?? false;
  const match = matchRule(rule, client);
  return match === "yes" || (match === "unknown" && rule.unknownPlace === "Apply");
}

/** @returns undefined when it would be more than `most` networks */
function classesBy(by: "Address" | "Network", geo: GeoTable, questions: Questions, most: number): ClientClasses | undefined {
  const byKey = new Map<string, number>();
  const members: { readonly name: string; readonly client: Place; readonly networks: string[] }[] = [];
  const classOf = (place: Place): number => {
    const client = by === "Address" ? place : onlySubnets(place);
    const key = [...questions]
      .flatMap(([question, rule]) => (appliesByAddress(by, rule, client) ? [question] : []))
      .sort()
      .join("\n");
    const known = byKey.get(key);
    if (known !== undefined) return known;
    byKey.set(key, members.length);
    return members.push({ name: nameOf(by, key), client, networks: [] }) - 1;
  };
  const unknown = classOf({}); // the first: nobody need be told of them
  const classOfPlace = Int32Array.from(geo.places, classOf);
  let count = 0;
  forEachNetwork(geo, classOfPlace, (cls, network) => {
    if (cls !== unknown && count++ < most) members[cls]!.networks.push(network());
  });
  if (count > most) return undefined;
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
