/** The networks of all rules as binary tries of the same form as an mmdb's search tree, so that both are walked alike. */
import type { Network } from "../model/ip.ts";

export interface SubnetTree {
  /** Two entries a node: a node number, or ~set. */
  readonly children: Int32Array;
  /** Node number, or ~set. */
  readonly v4Root: number;
  readonly v6Root: number;
  /** Set → indices of the networks that hold an address, ascending. Set 0 is the empty one. */
  readonly sets: readonly (readonly number[])[];
}

/** A trie while it is built: which networks end here, and what lies below. */
interface Node {
  readonly ending: number[];
  readonly below: [Node | undefined, Node | undefined];
}

const newNode = (): Node => ({ ending: [], below: [undefined, undefined] });

export function buildSubnetTree(subnets: readonly Network[]): SubnetTree {
  const roots = { 4: newNode(), 6: newNode() };
  subnets.forEach((subnet, index) => {
    let node = roots[subnet.family];
    for (let bit = 0; bit < subnet.length; bit++) {
      const side = (subnet.bytes[bit >>> 3]! >>> (7 - (bit & 7))) & 1;
      const below = node.below[side] ?? newNode();
      node.below[side] = below;
      node = below;
    }
    node.ending.push(index);
  });

  const children: number[] = [];
  const sets: (readonly number[])[] = [[]];
  const setOf = new Map<string, number>([["", 0]]);

  const emit = (node: Node | undefined, outer: number): number => {
    if (node === undefined) return ~outer;
    const held = node.ending.length === 0 ? outer : intern([...sets[outer]!, ...node.ending].sort((a, b) => a - b));
    if (node.below[0] === undefined && node.below[1] === undefined) return ~held;
    const at = children.push(0, 0) / 2 - 1;
    children[2 * at] = emit(node.below[0], held);
    children[2 * at + 1] = emit(node.below[1], held);
    return at;
  };

  const intern = (held: readonly number[]): number => {
    const key = held.join(",");
    let set = setOf.get(key);
    if (set === undefined) {
      set = sets.push(held) - 1;
      setOf.set(key, set);
    }
    return set;
  };

  const v4Root = emit(roots[4], 0);
  const v6Root = emit(roots[6], 0);
  return { children: Int32Array.from(children), v4Root, v6Root, sets };
}
