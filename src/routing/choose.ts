/**
 * The hot half of a decision: from a client's address to a backend, by table look-ups alone. Allocates nothing; results go into a
 * {@link Choice} that the caller reuses. `decide` and `explain` run this same code.
 */
import { leafOfV4, leafOfV6, nodeOfV4, nodeOfV6 } from "../geo/lookup.ts";
import { markOfLeaf, type Partition } from "../geo/partition.ts";
import { mixSigned, rendezvousScore } from "./hash.ts";
import { FULL, type HotTable, NO_SLOTS, ROUTE_HOLD_LAST, ROUTE_STICKY, RouteRow, type RoutingTable, Standing } from "./table.ts";

/** Filled by {@link placeClientV4} or {@link placeClientV6}, then by {@link choose}. */
export interface Choice {
  /** Set by the placing step, as are the two below. */
  plan: number;
  /** ECS scope prefix-length in bits of the client's family. */
  scope: number;
  /** What a sticky route hashes: the client's address cut to /24 or /48. */
  clientHash: number;
  /** Set by the choosing step, as are those below: 0 = IPv4 answers (A), 1 = IPv6 answers (AAAA). */
  family: 0 | 1;
  /** 32 bits, of which a tier's slot is the highest ones. */
  slotHash: number;
  /** Position of the serving tier in the plan, from 0; -1 when none. */
  tier: number;
  /** Backend counted over all routes, or -1 when nothing may be answered (SERVFAIL). */
  backend: number;
  mode: number;
}

/** Why this backend: the ladder of fail-open. Values up to Draining equal those of {@link Standing}. */
export const Mode = { Usable: 0, Pending: 1, Unknown: 2, Unhealthy: 3, Draining: 4, Held: 5, Nothing: 6, NotOffered: 7 } as const;

export const newChoice = (): Choice => ({
  plan: 0,
  scope: 0,
  clientHash: 0,
  family: 0,
  slotHash: 0,
  tier: -1,
  backend: -1,
  mode: Mode.Nothing,
});

const STICKY_V4 = 24;
const STICKY_V6 = 48;

/**
 * Places an IPv4 client and finds the plan of a route's policy for it.
 *
 * @param ip           address as a 32-bit number (a signed one is never boxed), bits behind `sourceLength` zero
 * @param sourceLength ECS SOURCE PREFIX-LENGTH, or 32 for a resolver's own address
 */
export function placeClientV4(table: RoutingTable, route: number, ip: number, sourceLength: number, out: Choice): void {
  const row = route * RouteRow.Length;
  const partition = table.partitions[table.hot.routeRows[row + RouteRow.Partition]!]!;
  const mark = markOfLeaf(partition, table.geo, leafOfV4(table.geo, ip));
  const node = (mark & 255) > sourceLength ? nodeOfV4(table.geo, ip, sourceLength) : -1;
  finishPlacing(table.hot.routeRows, row, partition, mark, node, STICKY_V4, out);
  out.clientHash = ip & 0xffff_ff00;
}

/** As {@link placeClientV4}; 16 bytes at `offset` of `bytes`, `sourceLength` up to 128. */
export function placeClientV6(
  table: RoutingTable,
  route: number,
  bytes: Uint8Array,
  offset: number,
  sourceLength: number,
  out: Choice,
): void {
  const row = route * RouteRow.Length;
  const partition = table.partitions[table.hot.routeRows[row + RouteRow.Partition]!]!;
  const mark = markOfLeaf(partition, table.geo, leafOfV6(table.geo, bytes, offset));
  const node = (mark & 255) > sourceLength ? nodeOfV6(table.geo, bytes, offset, sourceLength) : -1;
  finishPlacing(table.hot.routeRows, row, partition, mark, node, STICKY_V6, out);
  const high = (bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!;
  out.clientHash = mixSigned(high) ^ ((bytes[offset + 4]! << 8) | bytes[offset + 5]!);
}

/** @param node trie node in which the client's prefix ends, or negative when all of the prefix is of one class */
function finishPlacing(
  rows: Int32Array,
  row: number,
  partition: Partition,
  mark: number,
  node: number,
  stickyLength: number,
  out: Choice,
): void {
  const cls = node < 0 ? mark >>> 8 : classOfShortPrefix(partition, node);
  // Longer than the source when the prefix holds several classes: it was not specific enough, and the answer is for who asks with just this
  // prefix, not for every client inside (RFC 7871 §7.2.1, §7.3.1).
  const scope = mark & 255;
  out.plan = rows[row + RouteRow.Plans]! + cls;
  out.scope = (rows[row + RouteRow.FlagsAndTrickle]! & ROUTE_STICKY) !== 0 && scope < stickyLength ? stickyLength : scope;
}

/** Partitions beyond the scope budget have one class for all short prefixes. */
const classOfShortPrefix = (partition: Partition, node: number): number =>
  partition.classOfNode[node < partition.classOfNode.length ? node : 0]!;

/**
 * A throw of dice as 32 bits, signed: a fraction on its way from function to function would be boxed on the heap for each query.
 *
 * @param random [0, 1)
 */
export const diceOf = (random: number): number => (random * 0x1_0000_0000) | 0;

/**
 * Chooses the backend of a placed client.
 *
 * The first tier with a usable backend serves. The owner of the client's slot is taken if it is usable and keeps the slot; otherwise the
 * slot goes to the next usable member in that slot's rendezvous order, then to the next tier. When nothing is usable the ladder of
 * {@link Mode} is climbed, one standing after another, through all tiers each time.
 *
 * @param family 0 = IPv4 answers (A), 1 = IPv6 answers (AAAA)
 * @param dice   as {@link diceOf} makes it, used unless the route is sticky
 */
export function choose(table: RoutingTable, route: number, family: 0 | 1, dice: number, out: Choice): void {
  const rows = table.hot.routeRows;
  const row = route * RouteRow.Length;
  const sticky = (rows[row + RouteRow.FlagsAndTrickle]! & ROUTE_STICKY) !== 0;
  // Signed, like clientHash: a small integer in a field is stored as it is, a larger one would be boxed on the heap for each query.
  out.slotHash = (sticky ? mixSigned(mixSigned(out.clientHash) ^ rows[row + RouteRow.Seed]!) : dice) | 0;
  chooseBySlot(table, route, family, out);
}

/** As {@link choose}, for a slot that the caller has set: how shares over all slots are worked out. */
export function chooseBySlot(table: RoutingTable, route: number, family: 0 | 1, out: Choice): void {
  out.family = family;
  if (chooseLone(table, route, family, out)) return;
  if (chooseUsable(table, route, family, out)) return;
  if (chooseStanding(table, route, family, Standing.Pending, out)) return;
  const flags = table.hot.routeRows[route * RouteRow.Length + RouteRow.FlagsAndTrickle]!;
  if ((flags & ROUTE_HOLD_LAST) !== 0 && chooseHeld(table, route, family, Standing.Draining, out)) return;
  if (chooseStanding(table, route, family, Standing.Unknown, out)) return;
  if (chooseStanding(table, route, family, Standing.Unhealthy, out)) return;
  if (chooseStanding(table, route, family, Standing.Draining, out)) return;
  if (chooseHeld(table, route, family, Standing.Excluded, out)) return;
  out.tier = -1;
  out.backend = -1;
  out.mode = isOffered(table, route, family, out.plan) ? Mode.Nothing : Mode.NotOffered;
}

/** False when every backend that the plan allows was made without this family: no incident, but NODATA. */
function isOffered(table: RoutingTable, route: number, family: 0 | 1, plan: number): boolean {
  const { hot, state } = table;
  const base = hot.routeBackends[route]!;
  const first = hot.planTiers[plan]!;
  const end = hot.planTiers[plan + 1]!;
  for (let t = first; t < end; t++) {
    const tier = hot.planTierIds[t]!;
    for (let m = hot.tierMembers[tier]!; m < hot.tierMembers[tier + 1]!; m++) {
      if (state.standing[(base + hot.memberBackend[m]!) * 2 + family] !== Standing.Absent) return true;
    }
  }
  return first === end; // rules that leave nothing at all are a fault, not a wish
}

/** The short way through {@link chooseUsable}: the first tier is one backend, which gives nothing away. */
function chooseLone({ hot, state }: RoutingTable, route: number, family: 0 | 1, out: Choice): boolean {
  const position = hot.planLone[out.plan]!;
  const row = route * RouteRow.Length;
  if (position < 0 || hot.routeRows[row + RouteRow.FlagsAndTrickle]! >>> 16 !== 0) return false;
  const backend = hot.routeRows[row + RouteRow.Backends]! + position;
  const unit = backend * 2 + family;
  return state.standing[unit] === Standing.Usable && state.keep[unit] === FULL && take(out, 0, backend, Mode.Usable);
}

function chooseUsable(table: RoutingTable, route: number, family: 0 | 1, out: Choice): boolean {
  const { hot, state } = table;
  const standing = state.standing;
  const row = route * RouteRow.Length;
  const base = hot.routeRows[row + RouteRow.Backends]!;
  const first = hot.planTiers[out.plan]!;
  const end = hot.planTiers[out.plan + 1]!;
  let trickle = hot.routeRows[row + RouteRow.FlagsAndTrickle]! >>> 16;
  let spareBackend = -1; // who serves if every usable one gives this slot away
  let spareTier = -1;
  for (let t = first; t < end; t++) {
    const tier = hot.planTierIds[t]!;
    const slots = hot.tierSlots[tier]!;
    const slot = out.slotHash >>> (32 - hot.tierSlotBits[tier]!);
    const ownerMember = hot.tierMembers[tier]! + (slots === NO_SLOTS ? 0 : hot.slotOwner[slots + slot]!);
    const owner = base + hot.memberBackend[ownerMember]!;
    const ownerUsable = standing[owner * 2 + family] === Standing.Usable;
    const keep = state.keep[owner * 2 + family]!;
    if (ownerUsable && trickle === 0 && keep === FULL) return take(out, t - first, owner, Mode.Usable);
    if (slots === NO_SLOTS) {
      if (!ownerUsable) continue;
      const share = out.slotHash >>> 16;
      if ((keep === FULL || share < keep) && share < FULL + 1 - trickle) return take(out, t - first, owner, Mode.Usable);
      if (spareBackend < 0) {
        spareBackend = owner;
        spareTier = t - first;
      }
      trickle = 0;
      continue;
    }
    const rank = hot.slotRank[slots + slot]!;
    const owned = hot.memberOwned[ownerMember]!;
    const trickled = trickle !== 0 && rank >= owned - Math.round((owned * trickle) / FULL);
    if (ownerUsable && !trickled && (keep === FULL || rank < Math.round((owned * keep) / FULL)))
      return take(out, t - first, owner, Mode.Usable);
    const next = bestOf(table, base, tier, slot, family, Standing.Usable, true, owner);
    if (next >= 0 && !trickled) return take(out, t - first, next, Mode.Usable);
    const spare = ownerUsable ? owner : bestOf(table, base, tier, slot, family, Standing.Usable, false, -1);
    if (spare < 0) continue; // nobody here is usable: not a serving tier
    if (spareBackend < 0) {
      spareBackend = spare;
      spareTier = t - first;
    }
    trickle = 0; // only the first serving tier proves its backup
  }
  return spareBackend >= 0 && take(out, spareTier, spareBackend, Mode.Usable);
}

/** The first tier that has a member of this standing; within it the slot's owner, else the best of that standing. */
function chooseStanding(table: RoutingTable, route: number, family: 0 | 1, wanted: number, out: Choice): boolean {
  const { hot, state } = table;
  const base = hot.routeBackends[route]!;
  const first = hot.planTiers[out.plan]!;
  const end = hot.planTiers[out.plan + 1]!;
  for (let t = first; t < end; t++) {
    const tier = hot.planTierIds[t]!;
    const owner = base + hot.memberBackend[ownerOf(hot, tier, out.slotHash)]!;
    if (state.standing[owner * 2 + family] === wanted) return take(out, t - first, owner, wanted);
    const slot = out.slotHash >>> (32 - hot.tierSlotBits[tier]!);
    const next = bestOf(table, base, tier, slot, family, wanted, false, owner);
    if (next >= 0) return take(out, t - first, next, wanted);
  }
  return false;
}

/** The last answer that the plan still allows: its members that stopped being usable last, up to a standing. */
function chooseHeld(table: RoutingTable, route: number, family: 0 | 1, worst: number, out: Choice): boolean {
  const { hot, state } = table;
  const base = hot.routeBackends[route]!;
  const first = hot.planTiers[out.plan]!;
  const end = hot.planTiers[out.plan + 1]!;
  let latest = 0;
  let held = -1;
  let heldTier = -1;
  let heldScore = -1;
  for (let t = first; t < end; t++) {
    const tier = hot.planTierIds[t]!;
    for (let m = hot.tierMembers[tier]!; m < hot.tierMembers[tier + 1]!; m++) {
      const backend = base + hot.memberBackend[m]!;
      const last = state.lastUsable[backend * 2 + family]!;
      if (last === 0 || last < latest || state.standing[backend * 2 + family]! > worst) continue;
      const score = rendezvousScore(out.slotHash >>> 20, hot.memberHash[m]!, hot.memberWeight[m]!);
      if (last === latest && (heldTier !== t - first || score <= heldScore)) continue; // an earlier tier comes first
      latest = last;
      held = backend;
      heldTier = t - first;
      heldScore = score;
    }
  }
  return held >= 0 && take(out, heldTier, held, Mode.Held);
}

function ownerOf(hot: HotTable, tier: number, slotHash: number): number {
  const member = hot.tierMembers[tier]!;
  const slots = hot.tierSlots[tier]!;
  return slots === NO_SLOTS ? member : member + hot.slotOwner[slots + (slotHash >>> (32 - hot.tierSlotBits[tier]!))]!;
}

/**
 * The member of a tier that is first in a slot's rendezvous order among those of a standing.
 *
 * @param full    only members that keep all of their slots (nothing ramps, nothing is shed)
 * @param without backend that is out of the question, or -1
 */
function bestOf(
  table: RoutingTable,
  base: number,
  tier: number,
  slot: number,
  family: 0 | 1,
  wanted: number,
  full: boolean,
  without: number,
): number {
  const { hot, state } = table;
  let best = -1;
  let bestScore = -1;
  for (let m = hot.tierMembers[tier]!; m < hot.tierMembers[tier + 1]!; m++) {
    const backend = base + hot.memberBackend[m]!;
    if (backend === without || state.standing[backend * 2 + family] !== wanted || (full && state.keep[backend * 2 + family] !== FULL))
      continue;
    const score = rendezvousScore(slot, hot.memberHash[m]!, hot.memberWeight[m]!);
    if (score > bestScore) {
      best = backend;
      bestScore = score;
    }
  }
  return best;
}

function take(out: Choice, tier: number, backend: number, mode: number): true {
  out.tier = tier;
  out.backend = backend;
  out.mode = mode;
  return true;
}

/**
 * The addresses of an answer: up to `answers` of each of up to `spread` backends of the serving tier. Which ones of many depends on the
 * slot, so a sticky client sees the same ones.
 *
 * @param into address numbers (see `HotTable.addressBytes`); at least answers × spread long
 * @returns how many were written; at least 1 when a backend was chosen
 */
export function chooseAddresses(table: RoutingTable, route: number, family: 0 | 1, choice: Choice, into: Uint32Array): number {
  if (choice.backend < 0) return 0;
  const answersAndSpread = table.hot.routeRows[route * RouteRow.Length + RouteRow.AnswersAndSpread]!;
  let count = addressesOf(table, choice.backend, family, choice.slotHash, answersAndSpread & 0xffff, into, 0);
  const spread = answersAndSpread >>> 16;
  if (spread > 1 && choice.mode !== Mode.Held) count = spreadOver(table, route, family, choice, spread - 1, into, count);
  return count;
}

/**
 * Adds backends of the serving tier, of the same standing as the chosen one, in the slot's rendezvous order. One that gives clients away
 * is named in as large a share of the answers as it keeps.
 */
function spreadOver(
  table: RoutingTable,
  route: number,
  family: 0 | 1,
  choice: Choice,
  more: number,
  into: Uint32Array,
  from: number,
): number {
  const { hot, state } = table;
  const base = hot.routeBackends[route]!;
  const tier = hot.planTierIds[hot.planTiers[choice.plan]! + choice.tier]!;
  const slot = choice.slotHash >>> (32 - hot.tierSlotBits[tier]!);
  const share = mixSigned(choice.slotHash) >>> 16;
  let count = from;
  let bound = Number.POSITIVE_INFINITY; // scores are taken downwards
  for (let round = 0; round < more; round++) {
    let best = -1;
    let bestScore = -1;
    for (let m = hot.tierMembers[tier]!; m < hot.tierMembers[tier + 1]!; m++) {
      const backend = base + hot.memberBackend[m]!;
      const row = backend * 2 + family;
      if (backend === choice.backend || state.standing[row] !== choice.mode) continue;
      if (state.keep[row] !== FULL && share >= state.keep[row]!) continue;
      const score = rendezvousScore(slot, hot.memberHash[m]!, hot.memberWeight[m]!);
      if (score > bestScore && score < bound) {
        best = backend;
        bestScore = score;
      }
    }
    if (best < 0) return count;
    bound = bestScore;
    count = addressesOf(table, best, family, choice.slotHash, hot.routeAnswers[route]!, into, count);
  }
  return count;
}

/** The addresses of best standing, starting at one that depends on the slot. */
function addressesOf(
  table: RoutingTable,
  backend: number,
  family: 0 | 1,
  slotHash: number,
  answers: number,
  into: Uint32Array,
  from: number,
): number {
  const { hot, state } = table;
  const start = hot.backendAddresses[backend * 2 + family]!;
  const total = hot.backendAddresses[backend * 2 + family + 1]! - start;
  const first = total > answers ? (mixSigned(slotHash) >>> 0) % total : 0;
  const usable = addressesOfStanding(state.addressStanding, start, total, first, Standing.Usable, answers, into, from);
  if (usable > from) return usable;
  let best: number = Standing.Absent;
  for (let i = 0; i < total; i++) {
    const standing = state.addressStanding[start + i]!;
    if (standing < best) best = standing;
  }
  return addressesOfStanding(state.addressStanding, start, total, first, best, answers, into, from);
}

function addressesOfStanding(
  addressStanding: Uint8Array,
  start: number,
  total: number,
  first: number,
  wanted: number,
  answers: number,
  into: Uint32Array,
  from: number,
): number {
  let count = from;
  let at = first;
  for (let i = 0; i < total && count < from + answers; i++) {
    if (addressStanding[start + at] === wanted) into[count++] = start + at;
    at = at + 1 === total ? 0 : at + 1;
  }
  return count;
}

/**
 * Seconds for which a choice holds: until the earliest event that could alter it, within the route's bounds; the lower bound while the
 * answer is not an ordinary one.
 *
 * @param now milliseconds since the epoch
 */
export function choiceTtl(table: RoutingTable, route: number, choice: Choice, now: number): number {
  const { hot, state } = table;
  const ttls = route * RouteRow.Length;
  const min = hot.routeRows[ttls + RouteRow.TtlMin]!;
  const row = choice.backend * 2 + choice.family;
  if (choice.mode !== Mode.Usable || state.keep[row] !== FULL) return min;
  const max = hot.routeRows[ttls + RouteRow.TtlMax]!;
  const left = Math.min(state.worsensAt[row]!, state.returnsAt[route]!) - now;
  if (left >= 1000 * max) return max;
  return left > 1000 * min ? (left / 1000) | 0 : min;
}
