/**
 * Which clients the rules of routes tell apart: networks that HAProxy looks clients up in, so that a rule holds for whom it names, wherever the
 * proxy stands. What is no matter of rules, such as who is nearest, goes by the proxy's own place. Pure.
 */
import type { GeoTable, Place } from "../../geo/geo-table.ts";
import { formatNetwork } from "../../model/ip.ts";
import { hashText } from "../../routing/hash.ts";
import { rankMembers } from "../../routing/plan.ts";
import type { Policy } from "../../routing/policy.ts";
import type { ClientClass } from "./layout.ts";

export interface ClientClassesInput {
  readonly geo: GeoTable;
  /** Of routes; those without rules tell nobody apart. */
  readonly policies: readonly Policy[];
  /** The proxy's. */
  readonly home: Place;
}

export interface ClientClasses {
  /** Every address is in one, by its longest network. */
  readonly classes: readonly ClientClass[];
  /** The place that the plan of a policy is made for, by name of the class: those to whom its rules apply otherwise than at home. */
  readonly placesFor: (policy: Policy) => ReadonlyMap<string, Place>;
}

/** Classes are as few as rules allow: clients to whom the same rules apply are one, whatever countries they come from. */
export function clientClasses({ geo, policies, home }: ClientClassesInput): ClientClasses {
  const ruled = new Map(policies.filter(({ rules }) => rules.length > 0).map((policy) => [rulesOf(policy), policy])); // many routes have the same
  if (ruled.size === 0) return { classes: [], placesFor: () => new Map() };
  /** Which rules apply, for each set of rules, in words: the same words next time, so that backends keep their names. */
  const signature = (place: Place): ReadonlyMap<string, string> =>
    new Map([...ruled].map(([rules, policy]) => [rules, appliedTo(policy, place)]));
  const known = new Map<string, { readonly number: number; readonly place: Place; readonly applied: ReadonlyMap<string, string> }>();
  const classOfPlace = geo.places.map((place) => {
    const applied = signature(place);
    const key = [...applied.values()].join("\n");
    const found = known.get(key) ?? { number: known.size, place, applied };
    known.set(key, found);
    return found.number;
  });
  const all = [...known].map(([key, one]) => ({ ...one, name: `c${hashText(key).toString(16).padStart(8, "0")}` }));
  const networks = leastNetworks(geo, classOfPlace);
  const atHome = signature(home);
  return {
    classes: all.map(({ name, number }) => ({ name, networks: networks.get(number) ?? [] })),
    placesFor(policy) {
      const rules = rulesOf(policy);
      const others = all.filter(({ applied }) => applied.get(rules) !== atHome.get(rules));
      const { latitude, longitude } = home;
      const here = latitude === undefined || longitude === undefined ? {} : { latitude, longitude };
      return new Map(others.map(({ name, place: { latitude: _, longitude: __, ...place } }) => [name, { ...place, ...here }]));
    },
  };
}

const appliedTo = (policy: Policy, place: Place): string =>
  JSON.stringify(rankMembers(policy, place).applied.map(({ rule }) => [rule.mode, rule.name, rule.to]));

const rulesOf = ({ rules }: Policy): string => JSON.stringify(rules);

const FAMILIES = [
  { family: 4, bytes: 4 },
  { family: 6, bytes: 16 },
] as const;

/**
 * The fewest networks by which a longest-prefix match finds each leaf's class (the method of Draves, King, Venkatachary and Zill, INFOCOM
 * 1999): upwards, the classes that a node could have with the fewest exceptions below it; downwards, a network wherever what is inherited
 * is none of these. Both families have a network for everybody, because HAProxy looks for clients of one in the other.
 *
 * @param classOfPlace place → number of its class
 * @returns number of a class → canonical CIDRs
 */
function leastNetworks(geo: GeoTable, classOfPlace: readonly number[]): ReadonlyMap<number, readonly string[]> {
  const { children, leafPlace } = geo;
  const networks = new Map<number, string[]>();
  /** Bits: classes. Of nodes that hold several; in all others every leaf has one class. */
  const fitting = new Map<number, bigint>();
  const fits = (entry: number): bigint => {
    if (entry < 0) return 1n << BigInt(classOfPlace[leafPlace[~entry]!]!);
    const [left, right] = [fits(children[2 * entry]!), fits(children[2 * entry + 1]!)];
    const isUniform = left === right && !fitting.has(children[2 * entry]!) && !fitting.has(children[2 * entry + 1]!);
    const both = (left & right) === 0n ? left | right : left & right;
    if (!isUniform) fitting.set(entry, both);
    return both;
  };
  for (const { family, bytes } of FAMILIES) {
    const address = new Uint8Array(bytes);
    const visit = (entry: number, length: number, inherited: number, set: bigint): void => {
      let own = inherited;
      if (own < 0 || ((set >> BigInt(own)) & 1n) === 0n) {
        own = lowestBit(set);
        const list = networks.get(own) ?? [];
        networks.set(own, list);
        list.push(formatNetwork({ family, bytes: address, length }));
      }
      if (entry < 0 || !fitting.has(entry)) return;
      for (const side of [0, 1] as const) {
        const child = children[2 * entry + side]!;
        if (side === 1) address[length >> 3]! |= 0x80 >> (length & 7);
        visit(child, length + 1, own, fitting.get(child) ?? fits(child));
        if (side === 1) address[length >> 3]! &= ~(0x80 >> (length & 7));
      }
    };
    const root = family === 4 ? geo.v4TrieRoot : geo.v6TrieRoot;
    visit(root, 0, -1, fits(root));
  }
  return networks;
}

const lowestBit = (bits: bigint): number => {
  let i = 0;
  while (((bits >> BigInt(i)) & 1n) === 0n) i++;
  return i;
};
