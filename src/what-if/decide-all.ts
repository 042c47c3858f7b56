/**
 * All decisions of one route, before and after, by the code that answers queries. The result is by spot: how much weight went from which
 * answer to which.
 *
 * A sticky route's client has one slot, which its address gives. Any other draws a slot a query, so that all slots count alike: they are
 * gone through once for each pair of plans, not once a client. Both sides are asked with the same slot: nobody seems to move by chance.
 */
import { type Choice, choose, chooseBySlot, Mode, newChoice, placeClientV4, placeClientV6 } from "../routing/choose.ts";
import { mixSigned } from "../routing/hash.ts";
import { FULL, NO_SLOTS, ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA, ROUTE_STICKY, RouteRow, type RoutingTable } from "../routing/table.ts";
import { type Answer, openAnswerBook } from "./answer-book.ts";
import { type Clients, isV6 } from "./clients.ts";
import type { Spots } from "./spots.ts";
import { newTally, type Sum } from "./tally.ts";

/** Weight that went from one answer to another, at one spot. */
export interface Flow {
  readonly spot: number;
  readonly before: Answer;
  readonly after: Answer;
  readonly weight: number;
}

/** A route in a compiled table; absent where a side does not have the route. */
export interface RouteAt {
  readonly table: RoutingTable;
  readonly route: number;
  readonly family: 0 | 1;
}

/** What a side answers that does not have the route. */
const NO_ROUTE: Answer = { mode: "NotOffered", clusters: [], identity: "", ttl: 0 };

/** Weights by spot and classes of plans, for each pair of partitions: routes that tell clients apart alike share them. */
export type PlacedClients = Map<string, readonly Sum[]>;

/**
 * @param placed what earlier calls for the same clients left, by which this one is quicker
 * @param now    of the standings in the tables, ms since the epoch
 */
export function decideAll(
  clients: Clients,
  spots: Spots,
  before: RouteAt | undefined,
  after: RouteAt | undefined,
  now: number,
  placed: PlacedClients = new Map(),
): readonly Flow[] {
  const from = newDecider(before, now);
  const to = newDecider(after, now);
  const tally = newTally();
  if (from.isSticky || to.isSticky) {
    for (let client = 0; client < clients.count; client++) {
      from.place(clients, client);
      to.place(clients, client);
      const dice = mixSigned(Math.imul(client + 1, 0x9e37_79b1));
      tally.add(spots.ofClient[client]!, from.decide(dice), to.decide(dice), clients.weight[client]!);
    }
  } else {
    const partitions = `${from.partition} ${to.partition}`;
    const sums = placed.get(partitions) ?? placeAll(clients, spots, from, to);
    placed.set(partitions, sums);
    const shares = new Map<string, readonly Sum[]>();
    for (const { spot, from: cls, to: other, weight } of sums) {
      const key = `${cls} ${other}`;
      const known = shares.get(key) ?? overSlots(from, cls, to, other);
      shares.set(key, known);
      for (const share of known) tally.add(spot, share.from, share.to, weight * share.weight);
    }
  }
  return tally.sums().map(({ spot, from: a, to: b, weight }) => ({ spot, before: from.answers[a]!, after: to.answers[b]!, weight }));
}

function placeAll(clients: Clients, spots: Spots, from: Decider, to: Decider): readonly Sum[] {
  const tally = newTally();
  for (let client = 0; client < clients.count; client++)
    tally.add(spots.ofClient[client]!, from.place(clients, client), to.place(clients, client), clients.weight[client]!);
  return tally.sums();
}

interface Decider {
  readonly isSticky: boolean;
  /** Of its table; -1 for none. */
  readonly partition: number;
  readonly answers: readonly Answer[];
  /** @returns the client's class in the partition, for which {@link Decider.decide} decides next */
  readonly place: (clients: Clients, client: number) => number;
  /** @returns number of the answer */
  readonly decide: (dice: number) => number;
  /** Of a class, whatever the client. */
  readonly decideSlot: (cls: number, slotHash: number) => number;
  /** 0 when the slot makes no difference. */
  readonly slotBits: (cls: number) => number;
}

const absent: Decider = {
  ...{ isSticky: false, partition: -1, answers: [NO_ROUTE] },
  ...{ place: () => 0, decide: () => 0, decideSlot: () => 0, slotBits: () => 0 },
};

function newDecider(at: RouteAt | undefined, now: number): Decider {
  if (at === undefined) return absent;
  const { table, route, family } = at;
  const { hot } = table;
  const book = openAnswerBook(table, route, family, now);
  const choice = newChoice();
  const policy = hot.routePolicy[route]!;
  const plans = hot.policyPlans[policy]!;
  // Where every tier is of one backend, which keeps all of its clients, all slots are answered alike.
  const givesAway = hot.routeRows[route * RouteRow.Length + RouteRow.FlagsAndTrickle]! >>> 16 !== 0 || !keepsAll(table, route);
  const isOffered = (hot.routeFlags[route]! & (family === 0 ? ROUTE_OFFERS_A : ROUTE_OFFERS_AAAA)) !== 0;
  const number = (): number => {
    if (!isOffered) notOffered(choice);
    return book.numberOf(choice);
  };
  return {
    isSticky: (hot.routeFlags[route]! & ROUTE_STICKY) !== 0,
    partition: hot.policyPartition[policy]!,
    answers: book.answers,
    place(clients, client) {
      if (isV6(clients, client)) placeClientV6(table, route, clients.v6, 16 * client, 128, choice);
      else placeClientV4(table, route, clients.v4[client]!, 32, choice);
      return choice.plan - plans;
    },
    decide(dice) {
      choose(table, route, family, dice, choice);
      return number();
    },
    decideSlot(cls, slotHash) {
      choice.plan = plans + cls;
      choice.slotHash = slotHash;
      chooseBySlot(table, route, family, choice);
      return number();
    },
    slotBits(cls) {
      let bits = givesAway ? 12 : 0;
      for (let t = hot.planTiers[plans + cls]!; t < hot.planTiers[plans + cls + 1]!; t++) {
        const tier = hot.planTierIds[t]!;
        if (hot.tierSlots[tier] !== NO_SLOTS) bits = Math.max(bits, hot.tierSlotBits[tier]!);
      }
      return bits;
    },
  };
}

const keepsAll = ({ hot, state }: RoutingTable, route: number): boolean =>
  state.keep.subarray(2 * hot.routeBackends[route]!, 2 * hot.routeBackends[route + 1]!).every((share) => share === FULL);

function notOffered(choice: Choice): void {
  choice.backend = -1;
  choice.mode = Mode.NotOffered;
}

/** @returns shares of the slots, as weights that add up to 1 */
function overSlots(from: Decider, cls: number, to: Decider, other: number): readonly Sum[] {
  const bits = Math.max(from.slotBits(cls), to.slotBits(other));
  const tally = newTally();
  for (let slot = 0; slot < 2 ** bits; slot++) {
    const slotHash = (slot << (32 - bits)) | (1 << (31 - bits)); // the middle of the slot
    tally.add(0, from.decideSlot(cls, slotHash), to.decideSlot(other, slotHash), 2 ** -bits);
  }
  return tally.sums();
}
