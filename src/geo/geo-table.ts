/**
 * The compiled client map: address to leaf to place, in flat arrays over SharedArrayBuffers, so that every thread reads one copy.
 *
 * ```
 * v4:  v4Root[ip >>> 16] ─► entry ─► v4Blocks[block·256 + next 8 bits] ─► entry ─► v4Blocks[…last 8 bits] ─► entry
 * v6:  v6Root[first 16 bits] ─► entry ─► v6Blocks[block·16 + next 4 bits] ─► …
 * entry: top bit clear = leaf id; top bit set = block number in the low 31 bits
 * leaf ─► leafPlace[leaf] ─► places[…]
 * ```
 * `children` holds the same prefixes as a binary trie (two entries a node: child for bit 0, child for bit 1; negative = ~leaf), which
 * the builder of scopes and queries with a short source prefix walk. The trie is minimal: no node's children are leaves of one place.
 * Nodes are numbered parents first, leaves in address order, IPv4 before IPv6. A leaf belongs to one network of one family.
 */
export interface GeoTable {
  /** Changes whenever the content does. */
  readonly id: string;
  readonly v4Root: Uint32Array;
  readonly v4Blocks: Uint32Array;
  readonly v6Root: Uint32Array;
  readonly v6Blocks: Uint32Array;
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

export const BLOCK = 0x8000_0000;

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
