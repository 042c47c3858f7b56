/**
 * Who serves the clients of a plan now, and in which shares: a plan brought together with health by the same ladder as for one client
 * (docs/decisions.md §7). Pure.
 */
import { chooseBySlot, Mode, newChoice } from "../../src/routing/choose.ts";
import { modeName } from "../../src/routing/decide.ts";
import { FULL, RouteRow, type RoutingTable, Standing } from "../../src/routing/table.ts";

export type Pool =
  | { readonly kind: "Answers"; readonly members: readonly PoolMember[] }
  /** Nothing may be answered: SERVFAIL. */
  | { readonly kind: "Nothing" }
  /** No backend that the plan allows was made with this family: NODATA. */
  | { readonly kind: "NotOffered" };

/** A backend that serves. */
export interface PoolMember {
  /** Of the backend within its route. */
  readonly position: number;
  /** A whole number above 0; the shares of a pool are in proportion to them. */
  readonly weight: number;
  /** Stable for its cluster, 32 bits. */
  readonly hash: number;
}

/** Equal for routes of one policy whose plans have equal pools: names all that {@link poolOf} looks at. */
export function poolsKey({ hot, state }: RoutingTable, route: number, family: 0 | 1): string {
  const [from, to] = [2 * hot.routeBackends[route]!, 2 * hot.routeBackends[route + 1]!];
  const flags = hot.routeRows[route * RouteRow.Length + RouteRow.FlagsAndTrickle]!;
  const states = [state.standing, state.keep, state.lastUsable].map((column) => column.subarray(from, to).join());
  return [hot.routePolicy[route], family, flags, ...states].join(" ");
}

/** @param plan of the route's policy */
export function poolOf(table: RoutingTable, route: number, family: 0 | 1, plan: number): Pool {
  const choice = newChoice();
  choice.plan = plan;
  chooseBySlot(table, route, family, choice);
  if (choice.mode === Mode.Nothing || choice.mode === Mode.NotOffered) return { kind: modeName(choice.mode) as "Nothing" | "NotOffered" };
  const base = table.hot.routeBackends[route]!;
  const found = membersOf(table, plan);
  const isSteady =
    trickleOf(table, route) === 0 && found.every(({ position }) => table.state.keep[2 * (base + position) + family] === FULL);
  // Configured weights where they are all that matters: a member that leaves then moves nobody but its own clients.
  const shares =
    isSteady && choice.mode !== Mode.Held
      ? found
          .filter(({ position, tier }) => tier === choice.tier && table.state.standing[2 * (base + position) + family] === choice.mode)
          .map(({ position, weight }) => [position, weight] as const)
      : countSlots(table, route, family, plan);
  const divisor = shares.reduce((common, [, weight]) => greatestCommonDivisor(common, weight), 0);
  const hashes = new Map(found.map(({ position, hash }) => [position, hash]));
  return {
    kind: "Answers",
    members: shares.map(([position, weight]) => ({ position, weight: weight / divisor, hash: hashes.get(position)! })),
  };
}

interface Member {
  /** Of the backend within its route. */
  readonly position: number;
  /** Of the tier within its plan. */
  readonly tier: number;
  readonly weight: number;
  readonly hash: number;
}

function membersOf({ hot }: RoutingTable, plan: number): readonly Member[] {
  const tiers = [...hot.planTierIds.subarray(hot.planTiers[plan], hot.planTiers[plan + 1])];
  return tiers.flatMap((id, tier) =>
    Array.from({ length: hot.tierMembers[id + 1]! - hot.tierMembers[id]! }, (_, i) => {
      const row = hot.tierMembers[id]! + i;
      return { position: hot.memberBackend[row]!, tier, weight: Math.round(hot.memberWeight[row]!), hash: hot.memberHash[row]! };
    }),
  );
}

const trickleOf = ({ hot }: RoutingTable, route: number): number =>
  hot.routeRows[route * RouteRow.Length + RouteRow.FlagsAndTrickle]! >>> 16;

/** While something ramps, is shed, trickles or is held: slots by backend, as choosing gives them away. */
function countSlots(table: RoutingTable, route: number, family: 0 | 1, plan: number): readonly (readonly [number, number])[] {
  const { hot } = table;
  const tiers = hot.planTierIds.subarray(hot.planTiers[plan], hot.planTiers[plan + 1]);
  const slots = 1 << tiers.reduce((bits, tier) => Math.max(bits, hot.tierSlotBits[tier]!), 12);
  const choice = newChoice();
  choice.plan = plan;
  const counts = new Map<number, number>();
  for (let slot = 0; slot < slots; slot++) {
    choice.slotHash = (((slot + 0.5) / slots) * 0x1_0000_0000) | 0;
    chooseBySlot(table, route, family, choice);
    const position = choice.backend - hot.routeBackends[route]!;
    counts.set(position, (counts.get(position) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => a - b);
}

/** @param position of a backend in its route @returns canonical, never empty for a member of a pool: those of the best standing that any of them has */
export function bestAddresses({ hot, state, names }: RoutingTable, route: number, family: 0 | 1, position: number): readonly string[] {
  const backend = hot.routeBackends[route]! + position;
  const from = hot.backendAddresses[2 * backend + family]!;
  const standings = state.addressStanding.subarray(from, hot.backendAddresses[2 * backend + family + 1]!);
  const best = standings.reduce((least, one) => Math.min(least, one), Standing.Absent as number);
  return Array.from(standings, (standing, i) => (standing === best ? [names.addresses[from + i]!] : [])).flat();
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));
