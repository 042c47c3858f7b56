/** A binary trie as a multibit table: a root of 2^first entries, then blocks of 2^stride. */
import { sharedUint32 } from "../model/shared-array.ts";
import { BLOCK, type GeoTable } from "./geo-table.ts";

interface LpmTable {
  readonly root: Uint32Array;
  readonly blocks: Uint32Array;
}

const V4_FIRST = 16;
const V4_STRIDE = 8;
const V6_FIRST = 16;
const V6_STRIDE = 4;

/** The look-up tables of both families: the members of {@link GeoTable} that its trie determines. */
export function lookupTables(
  trie: Pick<GeoTable, "children" | "v4TrieRoot" | "v6TrieRoot">,
): Pick<GeoTable, "v4Root" | "v4Blocks" | "v6Root" | "v6Blocks"> {
  const v4 = buildLpmTable(trie.children, trie.v4TrieRoot, V4_FIRST, V4_STRIDE);
  const v6 = buildLpmTable(trie.children, trie.v6TrieRoot, V6_FIRST, V6_STRIDE);
  return { v4Root: v4.root, v4Blocks: v4.blocks, v6Root: v6.root, v6Blocks: v6.blocks };
}

/**
 * @param children the trie, two entries a node: a node number, or ~leaf
 * @param trieRoot node number, or ~leaf
 * @param first    bits that the root table is indexed with
 * @param stride   bits of each further step
 */
function buildLpmTable(children: Int32Array, trieRoot: number, first: number, stride: number): LpmTable {
  const size = 2 ** stride;
  const table: LpmTable = { root: sharedUint32(2 ** first), blocks: sharedUint32(size * countBlocks(children, trieRoot, first, stride)) };
  let used = 0;

  /** Fills the 2^bits entries from `offset` on with what lies below `at`. */
  const fill = (into: Uint32Array, at: number, bits: number, offset: number): void => {
    if (at < 0) {
      into.fill(~at, offset, offset + 2 ** bits);
    } else if (bits > 0) {
      fill(into, children[2 * at]!, bits - 1, offset);
      fill(into, children[2 * at + 1]!, bits - 1, offset + 2 ** (bits - 1));
    } else {
      const block = used++;
      into[offset] = BLOCK + block;
      fill(table.blocks, children[2 * at]!, stride - 1, block * size);
      fill(table.blocks, children[2 * at + 1]!, stride - 1, block * size + size / 2);
    }
  };

  fill(table.root, trieRoot, first, 0);
  return table;
}

/** Nodes at depth first, first + stride, first + 2·stride, … */
function countBlocks(children: Int32Array, at: number, untilBlock: number, stride: number): number {
  if (at < 0) return 0;
  const [here, next] = untilBlock === 0 ? [1, stride] : [0, untilBlock];
  return here + countBlocks(children, children[2 * at]!, next - 1, stride) + countBlocks(children, children[2 * at + 1]!, next - 1, stride);
}
