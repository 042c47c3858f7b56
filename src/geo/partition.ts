/** Scopes: how far around a client an answer holds, for one way of cutting places into classes. */
import { sharedUint8, sharedUint16, sharedUint32 } from "../model/shared-array.ts";
import type { GeoTable } from "./geo-table.ts";

/** One way of cutting all places into classes of equal plan, shared by every policy that cuts alike. */
export interface Partition {
  /** place → class. */
  readonly classOfPlace: Uint32Array;
  /**
   * leaf → its mark: class × 256 + ECS scope prefix-length, which is the shortest prefix around the leaf in which every address has the
   * same class. One number, because two would be two cache misses. Empty beyond the scope budget; see {@link markOfLeaf}.
   */
  readonly marks: Marks;
  /** trie node (of `GeoTable.children`) → the class that answers a whole prefix ending there: a Require class if any part is in one, else that of most addresses. */
  readonly classOfNode: ClassNumbers;
  readonly classes: number;
}

/** As narrow as the number of classes allows. */
export type Marks = Uint16Array | Uint32Array;

/**
 * The mark of a leaf; beyond the scope budget the leaf is its own scope: correct, only narrower.
 *
 * @returns class × 256 + scope
 */
export function markOfLeaf(partition: Partition, geo: GeoTable, leaf: number): number {
  const { marks } = partition;
  if (leaf < marks.length) return marks[leaf]!;
  return (partition.classOfPlace[geo.leafPlace[leaf]!]! << 8) | geo.leafLength[leaf]!;
}

/** As narrow as the number of classes allows: there is one for each node of the trie, and most partitions have few classes. */
export type ClassNumbers = Uint8Array | Uint16Array | Uint32Array;

const classNumbers = (length: number, classes: number): ClassNumbers =>
  classes <= 2 ** 8 ? sharedUint8(length) : classes <= 2 ** 16 ? sharedUint16(length) : sharedUint32(length);

/** Bytes that {@link buildPartition} takes for leaves and nodes. */
export const partitionBytes = (geo: GeoTable, classes: number): number =>
  (classes <= 2 ** 8 ? 2 : 4) * geo.leafPlace.length + (classes <= 2 ** 8 ? 1 : classes <= 2 ** 16 ? 2 : 4) * (geo.children.length / 2);

/**
 * Two walks of the trie: upwards to count the addresses of each class below a node, downwards to hand the widest uniform prefix to its
 * leaves.
 *
 * Most addresses: shares of the prefix are doubles, so classes whose shares differ by less than 2⁻⁵³ of it tie. Ties go to the lower class.
 *
 * @param classOfPlace place → class, below `classes`
 * @param requireClass class → 1 when it exists because of a Require rule: such a class answers every prefix that has any part in it
 */
export function buildPartition(geo: GeoTable, classOfPlace: Uint32Array, classes: number, requireClass: Uint8Array): Partition {
  const { classOfNode, uniform } = classesOfNodes(geo, classOfPlace, classes, requireClass);
  return { classOfPlace: sharedUint32(classOfPlace), marks: marksOfLeaves(geo, classOfPlace, classes, uniform), classOfNode, classes };
}

/** Share of a family's addresses that a prefix of this length holds. */
const SHARE = Float64Array.from({ length: 129 }, (_, length) => 2 ** -length);

function classesOfNodes(geo: GeoTable, classOfPlace: Uint32Array, classes: number, requireClass: Uint8Array) {
  const { children, leafPlace } = geo;
  const classOfNode = classNumbers(children.length / 2, classes);
  const uniform = new Uint8Array(children.length / 2);
  // What lies below a node is a run of (class, share) pairs sorted by class. Runs lie on one stack; a node replaces its children's two
  // by their sum. At any time the runs stand for disjoint sets of leaves, at most two a level.
  const capacity = Math.min(260 * classes, leafPlace.length + 1);
  const stackClass = new Uint32Array(capacity);
  const stackShare = new Float64Array(capacity);
  const sumClass = new Uint32Array(Math.min(classes, capacity));
  const sumShare = new Float64Array(Math.min(classes, capacity));
  let top = 0;

  const visit = (at: number, depth: number): void => {
    if (at < 0) {
      stackClass[top] = classOfPlace[leafPlace[~at]!]!;
      stackShare[top++] = SHARE[depth]!;
      return;
    }
    const left = top;
    visit(children[2 * at]!, depth + 1);
    const right = top;
    visit(children[2 * at + 1]!, depth + 1);
    if (right - left === 1 && top - right === 1 && stackClass[left] === stackClass[right]) {
      stackShare[left] = SHARE[depth]!;
      top = right;
      uniform[at] = 1;
      classOfNode[at] = stackClass[left]!;
    } else {
      classOfNode[at] = addRuns(left, right);
    }
  };

  /** Replaces the two topmost runs by their sum. @returns the class that answers for it */
  const addRuns = (left: number, right: number): number => {
    let sums = 0;
    let best = 0;
    let required = -1;
    for (let l = left, r = right; l < right || r < top; sums++) {
      const fromLeft = l < right && (r >= top || stackClass[l]! <= stackClass[r]!);
      const fromRight = r < top && (l >= right || stackClass[r]! <= stackClass[l]!);
      const klass = fromLeft ? stackClass[l]! : stackClass[r]!;
      const share = (fromLeft ? stackShare[l++]! : 0) + (fromRight ? stackShare[r++]! : 0);
      sumClass[sums] = klass;
      sumShare[sums] = share;
      if (share > sumShare[best]!) best = sums;
      if (requireClass[klass] === 1 && (required < 0 || share > sumShare[required]!)) required = sums;
    }
    for (let i = 0; i < sums; i++) {
      stackClass[left + i] = sumClass[i]!;
      stackShare[left + i] = sumShare[i]!;
    }
    top = left + sums;
    return sumClass[required >= 0 ? required : best]!;
  };

  for (const root of [geo.v4TrieRoot, geo.v6TrieRoot]) {
    top = 0;
    visit(root, 0);
  }
  return { classOfNode, uniform };
}

const UNDECIDED = -1;

function marksOfLeaves(geo: GeoTable, classOfPlace: Uint32Array, classes: number, uniform: Uint8Array): Marks {
  const { children, leafPlace } = geo;
  const marks = classes <= 256 ? sharedUint16(leafPlace.length) : sharedUint32(leafPlace.length);
  const visit = (at: number, depth: number, inherited: number): void => {
    if (at < 0) {
      const scope = inherited === UNDECIDED ? depth : inherited;
      marks[~at] = classOfPlace[leafPlace[~at]!]! * 256 + scope;
      return;
    }
    const scope = inherited === UNDECIDED && uniform[at] === 1 ? depth : inherited;
    visit(children[2 * at]!, depth + 1, scope);
    visit(children[2 * at + 1]!, depth + 1, scope);
  };
  visit(geo.v4TrieRoot, 0, UNDECIDED);
  visit(geo.v6TrieRoot, 0, UNDECIDED);
  return marks;
}
