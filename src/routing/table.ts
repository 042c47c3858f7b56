/**
 * The routing table: all plans and routes compiled for lookup. Immutable but for {@link LiveState}. It is structured-cloneable: plain
 * objects and typed arrays over SharedArrayBuffers, so that a worker thread that receives it shares every large part.
 *
 * ```
 * client prefix ──geo──► leaf ──► place                                       one for all routes
 * route ──► policy ──► partition                                             many routes, few policies, fewer partitions
 * (partition, place) ──► class ──► plan                                      plan: tiers of backend positions, weights
 * (partition, leaf)  ──► ECS scope
 * (plan, usable backends) ──► tier ──► slot ──► backend ──► that route's addresses
 * ```
 */
import type { GeoTable } from "../geo/geo-table.ts";
import type { Partition } from "../geo/partition.ts";
import type { Route } from "../model/inventory.ts";

export interface RoutingTable {
  /** Grows by one with every table of one process; 0 is never used. */
  readonly version: number;
  /** When compiled, ms since the epoch. */
  readonly builtAt: number;
  readonly geo: GeoTable;
  readonly partitions: readonly Partition[];
  readonly hot: HotTable;
  readonly state: LiveState;
  /** What people are told; never read per query. */
  readonly names: TableNames;
}

/** Columns; the row numbers are route, policy, plan, tier, member, backend (counted over all routes), address (likewise). */
export interface HotTable {
  /**
   * route × {@link RouteRow.Length} + {@link RouteRow} → what a decision needs to know of a route, in half a cache line; the columns below
   * say the same to everybody else.
   */
  readonly routeRows: Int32Array;
  readonly routePolicy: Uint32Array;
  /** route → first of its backends; one entry more than routes. */
  readonly routeBackends: Uint32Array;
  readonly routeTtlMin: Uint32Array;
  readonly routeTtlMax: Uint32Array;
  readonly routeAnswers: Uint16Array;
  readonly routeSpread: Uint16Array;
  /** {@link ROUTE_STICKY} and its neighbours. */
  readonly routeFlags: Uint8Array;

  readonly policyPartition: Uint32Array;
  /** plan of (policy, class) = policyPlans[policy] + class. */
  readonly policyPlans: Uint32Array;
  /** plan → the backend position that makes up its first tier alone, or -1: most decisions end here. */
  readonly planLone: Int16Array;
  /** plan → first of its entries in `planTierIds`; one entry more than plans. */
  readonly planTiers: Uint32Array;
  /** Tiers of a plan, best first. Equal tiers are one tier. */
  readonly planTierIds: Uint32Array;
  /** tier → first of its members; one entry more than tiers. */
  readonly tierMembers: Uint32Array;
  /** tier → where its slots start in `slotOwner`; {@link NO_SLOTS} for a tier of one member. */
  readonly tierSlots: Uint32Array;
  /** tier → number of slots as a power of two (12 or 16). */
  readonly tierSlotBits: Uint8Array;
  /** member → backend position within the route (or policy). */
  readonly memberBackend: Uint16Array;
  readonly memberWeight: Float64Array;
  /** member → hash that feeds its rendezvous scores. */
  readonly memberHash: Uint32Array;
  /** member → how many slots of its tier it owns. */
  readonly memberOwned: Uint32Array;
  /** slot → member position within the tier. */
  readonly slotOwner: Uint8Array;
  /** slot → its rank among the slots of its owner, in hash order: the highest ranks are given away first. */
  readonly slotRank: Uint16Array;

  /** (backend × 2 + family) → first of its addresses; family 0 = IPv4, 1 = IPv6; one entry more. */
  readonly backendAddresses: Uint32Array;
  /** 16 bytes an address; IPv4 uses the first four. */
  readonly addressBytes: Uint8Array;
}

/** Words of a route's row. */
export const RouteRow = {
  Partition: 0,
  /** Plan of class 0; that of class n is n further. */
  Plans: 1,
  /** First of its backends. */
  Backends: 2,
  /** {@link ROUTE_STICKY} and its neighbours in the low half; in the high one 0..65535 = share of a serving tier's slots that goes to the next tier. */
  FlagsAndTrickle: 3,
  /** `answers` in the low half, `spread` in the high one. */
  AnswersAndSpread: 4,
  /** Mixed into the client's slot, so that routes do not move in step. */
  Seed: 5,
  TtlMin: 6,
  TtlMax: 7,
  Length: 8,
} as const;

export const ROUTE_STICKY = 1;
export const ROUTE_HOLD_LAST = 2;
/** The route offers A / AAAA at all (`families`); where not, the answer is NODATA. */
export const ROUTE_OFFERS_A = 4;
export const ROUTE_OFFERS_AAAA = 8;

export const NO_SLOTS = 0xffff_ffff;

/** The whole, of shares in sixteen bits. */
export const FULL = 0xffff;

/** What changes between compiles. Every element is written by one thread and read by all; each write is a whole answer by itself. */
export interface LiveState {
  /** (backend × 2 + family) → {@link Standing}. A health flip writes here and nowhere else. */
  readonly standing: Uint8Array;
  /** address → {@link Standing}, so that an answer names only the good addresses of its backend. */
  readonly addressStanding: Uint8Array;
  /** (backend × 2 + family) → 0..65535 share of its own slots that it keeps (slow start, shed). */
  readonly keep: Uint16Array;
  /** (backend × 2 + family) → when it last stopped being usable, ms since the epoch; 0 = never was. */
  readonly lastUsable: Float64Array;
  /** (backend × 2 + family) → earliest instant at which its standing can worsen, ms since the epoch. */
  readonly worsensAt: Float64Array;
  /** route → earliest instant at which a backend can come back, ms since the epoch; Infinity when none is out. */
  readonly returnsAt: Float64Array;
  /** backend → number under which answers that name it are counted: its cluster's, the same in all tables of one process; see `meterBackends`. */
  readonly meter: Uint16Array;
  /** [0] grows with every batch of writes. */
  readonly sequence: Int32Array;
}

/** How willing we are to answer with a backend or address. The order is the order of the fail-open ladder. */
export const Standing = {
  Usable: 0,
  /** Healthy again, but its failback delay or approval is pending: used before any fail-open. */
  Pending: 1,
  Unknown: 2,
  Unhealthy: 3,
  Draining: 4,
  /** Cordoned, gate known false, or no address of this family: never chosen, not even by fail-open. */
  Excluded: 5,
  /** No address of this family at all: not even held. */
  Absent: 6,
} as const;
export type Standing = (typeof Standing)[keyof typeof Standing];

export interface TableNames {
  readonly clusters: readonly string[];
  readonly routes: readonly Pick<Route, "namespace" | "name" | "hosts" | "zones" | "alpn">[];
  /** backend (counted over all routes) → its name and its cluster's index. */
  readonly backends: readonly { readonly name: string; readonly cluster: number }[];
  /** address → canonical text. */
  readonly addresses: readonly string[];
}
