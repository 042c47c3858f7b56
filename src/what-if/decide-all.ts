/**
 * All decisions of one route, before and after, by the code that answers queries. The result is by spot: how much weight went from which
 * answer to which.
 *
 * A sticky route's client has one slot, which its address gives. Any other draws a slot a query, so that all slots count alike: they are
 * gone through once for each pair of plans, not once a client. Both sides are asked with the same slot: nobody seems to move by chance.
 */
import { type Choice, choose, chooseBySlot, Mode, newChoice, placeClientV4, placeClientV6 } from "../routing/choose.ts";
import { mixSigned } from "../routing/hash.ts";
import { ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA, ROUTE_STICKY, type RoutingTable } from "../routing/table.ts";
import { type Answer, openAnswerBook } from "./answer-book.ts";
import { type Clients, isV6 } from "./clients.ts";
import type { Spots } from "./spots.ts";

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

/** @param now of the standings in the tables, ms since the epoch */
export function decideAll(
  clients: Clients,
  spots: Spots,
  before: RouteAt | undefined,
  after: RouteAt | undefined,
  now: number,
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
    const pairs = newTally();
    for (let client = 0; client < clients.count; client++)
      pairs.add(spots.ofClient[client]!, from.place(clients, client), to.place(clients, client), clients.weight[client]!);
    const shares = new Map<string, readonly Sum[]>();
    for (const { spot, from: plan, to: other, weight } of pairs.sums()) {
      const key = `${plan} ${other}`;
      const known = shares.get(key) ?? overSlots(from, plan, to, other);
      shares.set(key, known);
      for (const share of known) tally.add(spot, share.from, share.to, weight * share.weight);
    }
  }
  return tally.sums().map(({ spot, from: a, to: b, weight }) => ({ spot, before: from.answers[a]!, after: to.answers[b]!, weight }));
}

interface Decider {
  readonly isSticky: boolean;
  readonly answers: readonly Answer[];
  /** @returns the client's plan, for which {@link Decider.decide} decides next */
  readonly place: (clients: Clients, client: number) => number;
  /** @returns number of the answer */
  readonly decide: (dice: number) => number;
  /** Of a plan, whatever the client. */
  readonly decideSlot: (plan: number, slotHash: number) => number;
  readonly slotBits: (plan: number) => number;
}

const absent: Decider = { isSticky: false, answers: [NO_ROUTE], place: () => 0, decide: () => 0, decideSlot: () => 0, slotBits: () => 0 };

function newDecider(at: RouteAt | undefined, now: number): Decider {
  if (at === undefined) return absent;
  const { table, route, family } = at;
  const { hot } = table;
  const book = openAnswerBook(table, route, family, now);
  const choice = newChoice();
  const isOffered = (hot.routeFlags[route]! & (family === 0 ? ROUTE_OFFERS_A : ROUTE_OFFERS_AAAA)) !== 0;
  const number = (): number => {
    if (!isOffered) notOffered(choice);
    return book.numberOf(choice);
  };
  return {
    isSticky: (hot.routeFlags[route]! & ROUTE_STICKY) !== 0,
    answers: book.answers,
    place(clients, client) {
      if (isV6(clients, client)) placeClientV6(table, route, clients.v6, 16 * client, 128, choice);
      else placeClientV4(table, route, clients.v4[client]!, 32, choice);
      return choice.plan;
    },
    decide(dice) {
      choose(table, route, family, dice, choice);
      return number();
    },
    decideSlot(plan, slotHash) {
      choice.plan = plan;
      choice.slotHash = slotHash;
      chooseBySlot(table, route, family, choice);
      return number();
    },
    slotBits(plan) {
      let bits = 12; // also those of what is given away
      for (let t = hot.planTiers[plan]!; t < hot.planTiers[plan + 1]!; t++) bits = Math.max(bits, hot.tierSlotBits[hot.planTierIds[t]!]!);
      return bits;
    },
  };
}

function notOffered(choice: Choice): void {
  choice.backend = -1;
  choice.mode = Mode.NotOffered;
}

/** @returns shares of the slots, as weights that add up to 1 */
function overSlots(from: Decider, plan: number, to: Decider, other: number): readonly Sum[] {
  const bits = Math.max(from.slotBits(plan), to.slotBits(other));
  const tally = newTally();
  for (let slot = 0; slot < 2 ** bits; slot++) {
    const slotHash = (slot << (32 - bits)) | (1 << (31 - bits)); // the middle of the slot
    tally.add(0, from.decideSlot(plan, slotHash), to.decideSlot(other, slotHash), 2 ** -bits);
  }
  return tally.sums();
}

interface Sum {
  readonly spot: number;
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}

/** Sums weights by (spot, number, number). Neighbours in a list of clients are often of one sum: it is found without a look-up. */
function newTally() {
  const pairs = new Map<number, number>();
  const index = new Map<number, number>();
  const keys: Omit<Sum, "weight">[] = [];
  const weights: number[] = [];
  let last = -1;
  const numberOf = (spot: number, from: number, to: number): number => {
    const pair = intern(pairs, from * 2 ** 26 + to);
    const at = intern(index, pair * 2 ** 26 + spot);
    if (at === weights.length) {
      keys.push({ spot, from, to });
      weights.push(0);
    }
    return at;
  };
  return {
    add(spot: number, from: number, to: number, weight: number): void {
      const key = keys[last];
      if (key === undefined || key.spot !== spot || key.from !== from || key.to !== to) last = numberOf(spot, from, to);
      weights[last]! += weight;
    },
    sums: (): readonly Sum[] => keys.map((key, i) => ({ ...key, weight: weights[i]! })),
  };
}

function intern(numbers: Map<number, number>, key: number): number {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  numbers.set(key, numbers.size);
  return numbers.size - 1;
}
