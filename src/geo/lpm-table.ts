/** A binary trie as a multibit table: a root of 2^16 entries, then blocks of 256. Layout: {@link GeoTable}. */
import { sharedInt32 } from "../model/shared-array.ts";
import { BLOCK_WORDS, type GeoTable, GROUP_WORDS } from "./geo-table.ts";

/** Bits that the root is indexed with, and bits of each further step. */
export const LPM_FIRST = 16;
export const LPM_STRIDE = 8;

/** Words of the root's block. */
const ROOT_WORDS = GROUP_WORDS * 2 ** (LPM_FIRST - 5);

/** The look-up tables of both families: the members of {@link GeoTable} that its trie determines. */
export function lookupTables(trie: Pick<GeoTable, "children" | "v4TrieRoot" | "v6TrieRoot">): Pick<GeoTable, "v4Groups" | "v6Groups"> {
  return { v4Groups: buildGroups(trie.children, trie.v4TrieRoot), v6Groups: buildGroups(trie.children, trie.v6TrieRoot) };
}

/**
 * Goes through a family's blocks in the order of their numbers, and through the entries of each in address order: first what a root of
 * 16 bits holds, then what the blocks below it hold, and so on. Leaves are numbered in this order.
 *
 * @param children two entries a node: a node number, or negative for a leaf
 * @param root     node number, or negative for a leaf
 * @param onEntry  told of each: the block it is in (-1 = the root's), its first position there, and the node or leaf as `children` has it; a
 *                 node stands for one position and is the next block
 */
function walkBlocks(children: Int32Array, root: number, onEntry: (block: number, position: number, at: number) => void): void {
  let queue: number[] = [];
  const walk = (block: number, at: number, position: number, open: number): void => {
    if (at >= 0 && open > 0) {
      walk(block, children[2 * at]!, position, open - 1);
      walk(block, children[2 * at + 1]!, position + 2 ** (open - 1), open - 1);
      return;
    }
    onEntry(block, position, at);
    if (at >= 0) queue.push(at);
  };
  walk(-1, root, 0, LPM_FIRST);
  for (let block = 0; queue.length > 0; ) {
    const level = queue;
    queue = [];
    for (const at of level) {
      // The node itself stands for no bit of the block: its children are the first step.
      walk(block, at, 0, LPM_STRIDE);
      block++;
    }
  }
}

function buildGroups(children: Int32Array, trieRoot: number): Int32Array {
  let blocks = 0;
  let firstLeaf = Number.POSITIVE_INFINITY;
  walkBlocks(children, trieRoot, (_block, _position, at) => {
    if (at >= 0) blocks++;
    else firstLeaf = Math.min(firstLeaf, ~at);
  });
  const groups = sharedInt32(ROOT_WORDS + BLOCK_WORDS * blocks);
  let begun = 0;
  let leaf = firstLeaf - 1; // the last one that was met
  let block = ROOT_WORDS; // where the next one starts
  /** Groups begin with the numbers that are next when the walk gets to them. */
  const begin = (end: number): void => {
    for (; begun < end; begun += GROUP_WORDS) {
      groups[begun + 2] = leaf;
      groups[begun + 3] = block;
    }
  };
  walkBlocks(children, trieRoot, (number, position, at) => {
    const start = number < 0 ? 0 : ROOT_WORDS + BLOCK_WORDS * number;
    const group = start + GROUP_WORDS * (position >>> 5);
    begin(group + GROUP_WORDS);
    groups[group + (at < 0 ? 1 : 0)]! |= 1 << (position & 31);
    if (at < 0) leaf = ~at;
    else block += BLOCK_WORDS;
  });
  begin(groups.length);
  return groups;
}
