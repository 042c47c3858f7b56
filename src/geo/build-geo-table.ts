/** Builds the {@link GeoTable}: all mmdb files and the networks of all rules, walked together, merged and laid out flat. */
import { formatNetwork, type Network } from "../model/ip.ts";
import { sharedInt32, sharedUint8, sharedUint32 } from "../model/shared-array.ts";
import type { Centroids } from "./country-centroids.ts";
import type { GeoTable, PlaceNeeds } from "./geo-table.ts";
import { LPM_FIRST, LPM_STRIDE, lookupTables } from "./lpm-table.ts";
import type { MmdbTree } from "./mmdb-tree.ts";
import { numberPlaces, type PlaceNumbering } from "./place-numbering.ts";
import { buildSubnetTree } from "./subnet-tree.ts";

export interface GeoInput {
  /** Most trusted first: the first file that gives a field wins. */
  readonly trees: readonly MmdbTree[];
  /** The networks of all rules; places refer to them by position. */
  readonly subnets: readonly Network[];
  readonly needs: PlaceNeeds;
  readonly centroids: Centroids;
}

/**
 * Pure, but for the SharedArrayBuffers that the result lies in. Equal input gives an equal table, leaves numbered in address order.
 *
 * An address that no file holds has place 0, or a place of rule networks alone.
 */
export function buildGeoTable(input: GeoInput): GeoTable {
  const subnetTree = buildSubnetTree(input.subnets);
  const trees = [...input.trees, subnetTree];
  const numbering = numberPlaces(
    input.trees.map((tree) => tree.records),
    subnetTree.sets,
    input.needs,
    input.centroids,
  );
  const merged = newMergedTrie();
  const v4Roots = trees.map((tree) => tree.v4Root);
  const v6Roots = trees.map((tree) => tree.v6Root);
  const v4Merged = mergeTries(merged, trees, v4Roots, 32, numbering);
  const v6Merged = mergeTries(merged, trees, v6Roots, 128, numbering);

  // Every node has two children, so a family of n nodes has n + 1 leaves.
  const layout: Layout = {
    children: sharedInt32(2 * merged.nodes),
    leafPlace: sharedUint32(merged.nodes + 2),
    leafLength: sharedUint8(merged.nodes + 2),
    nodes: 0,
    leaves: 0,
  };
  const v4TrieRoot = lay(layout, merged.children, v4Merged);
  const v6TrieRoot = lay(layout, merged.children, v6Merged);
  return {
    id: contentId(input),
    ...lookupTables({ children: layout.children, v4TrieRoot, v6TrieRoot }),
    leafPlace: layout.leafPlace,
    leafLength: layout.leafLength,
    children: layout.children,
    v4TrieRoot,
    v6TrieRoot,
    places: numbering.places,
    subnets: input.subnets.map(formatNetwork),
  };
}

/** The trie of places while it grows: two entries a node, children before parents; a node number, or ~place. */
interface MergedTrie {
  children: Int32Array;
  nodes: number;
}

const newMergedTrie = (): MergedTrie => ({ children: new Int32Array(1 << 16), nodes: 0 });

interface Tree {
  readonly children: Int32Array;
}

/**
 * Walks several tries in step and adds the trie of their places to `merged`, without nodes whose children are leaves of one place.
 *
 * @param roots of each trie, node number or ~terminal
 * @param bits  of an address; no trie is deeper
 * @returns the root: a node of `merged`, or ~place
 */
function mergeTries(merged: MergedTrie, trees: readonly Tree[], roots: readonly number[], bits: number, numbering: PlaceNumbering): number {
  const width = trees.length;
  /** Where each trie stands, a row for each depth. */
  const cursors = new Int32Array((bits + 1) * width);
  cursors.set(roots);

  const walk = (row: number): number => {
    let decided = true;
    for (let k = 0; k < width; k++) if (cursors[row + k]! >= 0) decided = false;
    if (decided) return ~numbering.numberOf(cursors, row);
    const below = row + width;
    step(row, below, 0);
    const left = walk(below);
    step(row, below, 1);
    const right = walk(below);
    return left === right && left < 0 ? left : addNode(merged, left, right);
  };

  const step = (from: number, to: number, side: 0 | 1): void => {
    for (let k = 0; k < width; k++) {
      const cursor = cursors[from + k]!;
      cursors[to + k] = cursor < 0 ? cursor : trees[k]!.children[2 * cursor + side]!;
    }
  };

  return walk(0);
}

function addNode(merged: MergedTrie, left: number, right: number): number {
  if (2 * merged.nodes === merged.children.length) {
    const grown = new Int32Array(2 * merged.children.length);
    grown.set(merged.children);
    merged.children = grown;
  }
  merged.children[2 * merged.nodes] = left;
  merged.children[2 * merged.nodes + 1] = right;
  return merged.nodes++;
}

interface Layout {
  readonly children: Int32Array;
  readonly leafPlace: Uint32Array;
  readonly leafLength: Uint8Array;
  nodes: number;
  leaves: number;
}

/**
 * Copies one family into its final order: parents before children, leaves in the order of the look-up table.
 *
 * @returns the root (node number or ~leaf)
 */
function lay(layout: Layout, merged: Int32Array, mergedRoot: number): number {
  const { children, leafPlace, leafLength } = layout;
  let root = 0;
  let level: Hook[] = [{ from: mergedRoot, into: -1, depth: 0 }];
  for (let end = LPM_FIRST; level.length > 0; end += LPM_STRIDE) {
    const below: Hook[] = [];
    /** Copies what lies above depth `end`. @returns its number; a node at `end` gets one when its own block is laid */
    const place = (from: number, depth: number): number => {
      if (from < 0) {
        leafPlace[layout.leaves] = ~from;
        leafLength[layout.leaves] = depth;
        return ~layout.leaves++;
      }
      const node = layout.nodes++;
      for (let side = 0; side < 2; side++) {
        const child = merged[2 * from + side]!;
        if (child >= 0 && depth + 1 === end) below.push({ from: child, into: 2 * node + side, depth: end });
        else children[2 * node + side] = place(child, depth + 1);
      }
      return node;
    };
    for (const { from, into, depth } of level) {
      const at = place(from, depth);
      if (into < 0) root = at;
      else children[into] = at;
    }
    level = below;
  }
  return root;
}

/** A subtree that is still to be laid. */
interface Hook {
  /** In the merged trie. */
  readonly from: number;
  /** The entry of `children` that will hold its number; -1 = it is the root. */
  readonly into: number;
  readonly depth: number;
}

/** Of what goes in: hashing the tables would cost more than building them. Raise the format when the layout changes. */
function contentId({ trees, subnets, needs, centroids }: GeoInput): string {
  const content = { format: 2, trees: trees.map((tree) => tree.id), subnets: subnets.map(formatNetwork), needs, centroids: [...centroids] };
  const text = JSON.stringify(content);
  return hash(text, 0x811c_9dc5) + hash(text, 0x0103_0507);
}

/** FNV-1a over UTF-16 code units, as eight hex digits: tells editions of our own data apart, resists nobody. */
function hash(text: string, seed: number): string {
  let state = seed;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x0100_0193);
  return (state >>> 0).toString(16).padStart(8, "0");
}
