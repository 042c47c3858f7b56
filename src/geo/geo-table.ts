/**
 * The compiled client map: address to leaf to place, in flat arrays over SharedArrayBuffers, so that every thread reads one copy.
 *
 * ```
 * root:    root[first 16 bits] ─► entry                     entry: ≥ 0 = leaf, < 0 = ~block
 * blocks:  a block is 256 entries in 8 groups of 32, for the next 8 bits; a group is 4 words:
 *          ┌─────────────┬─────────────┬──────────────┬───────────────┐
 *          │ inner       │ starts      │ leaf         │ block         │
 *          └─────────────┴─────────────┴──────────────┴───────────────┘
 *          bit i: entry i  bit i: a leaf   first leaf      first block
 *          is a block      starts at i     here, less one  here
 * leaf ─► leafPlace[leaf] ─► places[…]
 * ```
 * An entry is found by counting the bits up to it: leaves of one block have consecutive numbers, and so have the blocks below it.
 * `children` holds the same prefixes as a binary trie (two entries a node: child for bit 0, child for bit 1; negative = ~leaf), which
 * the builder of scopes and queries with a short source prefix walk. The trie is minimal: no node's children are leaves of one place.
 * Nodes are numbered parents first; leaves IPv4 before IPv6, then those of the root before those of the first blocks, and so on, which
 * puts the short prefixes, where most clients are, close together. A leaf belongs to one network of one family.
 */
export interface GeoTable {
  /** Changes whenever the content does. */
  readonly id: string;
  readonly v4Groups: Int32Array;
  readonly v6Groups: Int32Array;
  readonly leafPlace: Uint32Array;
  /** Length in bits (of the leaf's own family) of the network that the leaf stands for. */
  readonly leafLength: Uint8Array;
  readonly children: Int32Array;
  /** Root of each family in `children` terms: node number, or ~leaf when the whole family is one place. */
  readonly v4TrieRoot: number;
  readonly v6TrieRoot: number;
  /** Place 0 is always the unknown place. */
  readonly places: readonly Place[];
  /** The networks of all rules; `Place.subnets` holds indices into it. Canonical CIDR text. */
  readonly subnets: readonly string[];
}

/** Words of a group, and of a block that is not the root's. */
export const GROUP_WORDS = 4;
export const BLOCK_WORDS = 32;

/** What loaded data and rules can tell about a client. Members that no rule and no order uses are dropped before places are numbered. */
export interface Place {
  readonly continent?: string;
  readonly country?: string;
  /** ISO 3166-2 (`US-WA`), finest last. */
  readonly subdivisions?: readonly string[];
  readonly asn?: number;
  /** Degrees, rounded to a tenth (11 km, far below the error of any database). */
  readonly latitude?: number;
  readonly longitude?: number;
  /** Indices into `GeoTable.subnets` of the rule networks that hold the client, ascending. */
  readonly subnets?: readonly number[];
}

/** Which members of {@link Place} any loaded policy can tell apart. */
export interface PlaceNeeds {
  readonly continent: boolean;
  readonly country: boolean;
  readonly subdivision: boolean;
  readonly asn: boolean;
  readonly coordinates: boolean;
}
