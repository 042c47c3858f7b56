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

/**
 * The fewest networks by which a longest-prefix match finds each leaf's class (the method of Draves, King, Venkatachary and Zill, INFOCOM
 * 1999): upwards, the classes that a node could have with the fewest exceptions below it; downwards, a network wherever what is inherited
 * is none of these. Both families have a network for everybody, because HAProxy looks for clients of one in the other.
 *
 * @param classOfPlace place → number of its class
 * @returns number of a class → canonical CIDRs
 */
function leastNetworks(geo: GeoTable, classOfPlace: readonly number[]): ReadonlyMap<number, readonly string[]> {
  const { children } = geo;
  const { uniform, fitting, words } = fittingClasses(geo, classOfPlace);
  const networks = new Map<number, string[]>();
  const classOf = (entry: number): number => (entry < 0 ? classOfPlace[geo.leafPlace[~entry]!]! : uniform[entry]!);
  const fits = (entry: number, one: number): boolean =>
    one >= 0 && (classOf(entry) < 0 ? (fitting[entry * words + (one >> 5)]! >>> (one & 31)) % 2 === 1 : classOf(entry) === one);

  for (const { family, bytes, root } of [
    { family: 4, bytes: 4, root: geo.v4TrieRoot },
    { family: 6, bytes: 16, root: geo.v6TrieRoot },
  ] as const) {
    const address = new Uint8Array(bytes);
    const visit = (entry: number, length: number, inherited: number): void => {
      let own = inherited;
      if (!fits(entry, own)) {
        own = classOf(entry);
        for (let one = 0; own < 0; one++) if (fits(entry, one)) own = one;
        const list = networks.get(own) ?? [];
        networks.set(own, list);
        list.push(formatNetwork({ family, bytes: address, length }));
      }
      if (classOf(entry) >= 0) return;
      visit(children[2 * entry]!, length + 1, own);
      address[length >> 3]! |= 0x80 >> (length & 7);
      visit(children[2 * entry + 1]!, length + 1, own);
      address[length >> 3]! &= ~(0x80 >> (length & 7));
    };
    visit(root, 0, -1);
  }
  return networks;
}

interface FittingClasses {
  /** Node → the class of all leaves below it, or -1. */
  readonly uniform: Int32Array;
  /** A row of `words` for each node that is not uniform: bits of the classes that it could have. */
  readonly fitting: Uint32Array;
  readonly words: number;
}

/** The way upwards. Nodes are numbered parents first, so that it needs no recursion: a trie of the world has a million of them. */
function fittingClasses({ children, leafPlace }: GeoTable, classOfPlace: readonly number[]): FittingClasses {
  const nodes = children.length / 2;
  const words = Math.ceil((Math.max(0, ...classOfPlace) + 1) / 32);
  const uniform = new Int32Array(nodes);
  const fitting = new Uint32Array(nodes * words);
  const word = (entry: number, one: number, at: number): number =>
    one < 0 ? fitting[entry * words + at]! : one >> 5 === at ? (1 << (one & 31)) >>> 0 : 0;
  for (let node = nodes - 1; node >= 0; node--) {
    const [left, right] = [children[2 * node]!, children[2 * node + 1]!];
    const ofLeft = left < 0 ? classOfPlace[leafPlace[~left]!]! : uniform[left]!;
    const ofRight = right < 0 ? classOfPlace[leafPlace[~right]!]! : uniform[right]!;
    uniform[node] = ofLeft === ofRight ? ofLeft : -1; // -1 also of two that are not
    if (uniform[node]! >= 0) continue;
    let common = 0;
    for (let at = 0; at < words; at++) common |= word(left, ofLeft, at) & word(right, ofRight, at);
    for (let at = 0; at < words; at++) {
      const [one, other] = [word(left, ofLeft, at), word(right, ofRight, at)];
      fitting[node * words + at] = common === 0 ? one | other : one & other;
    }
  }
  return { uniform, fitting, words };
}
