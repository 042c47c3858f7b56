/**
 * What a route answers to a client from nowhere, whole: the addresses of all backends that serve it, not one client's choice of them. Pure.
 * A copy of the zone cannot tell clients apart, so it gives every one this. Rules hold: what a Require rule takes from clients of unknown
 * place is not in it.
 */
import { ROUTE_HOLD_LAST, ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA, type RoutingTable, Standing } from "../../routing/table.ts";

export type PlacelessRouting = Pick<RoutingTable, "hot" | "names" | "partitions" | "state">;

/** Place 0 of every geo table is the unknown place. */
const NOWHERE = 0;

/**
 * The addresses by the same ladder as for one client (docs/decisions.md §7), of every backend on its step in the serving tier.
 *
 * @param family 0 = IPv4, 1 = IPv6
 * @param isAllowed whether a backend, counted over all routes, may be among them; the ladder is climbed by those that may
 * @returns numbers of addresses, ascending; empty when nothing may be answered; undefined when the family is not offered
 */
export function placelessAddresses(
  routing: PlacelessRouting,
  route: number,
  family: 0 | 1,
  isAllowed: (backend: number) => boolean = () => true,
): readonly number[] | undefined {
  const { hot, state } = routing;
  if ((hot.routeFlags[route]! & (family === 0 ? ROUTE_OFFERS_A : ROUTE_OFFERS_AAAA)) === 0) return undefined;
  const tiers = tiersOf(routing, route).map((tier) => tier.filter(isAllowed));
  const standing = (backend: number): number => state.standing[2 * backend + family]!;
  const all = tiers.flat();
  if (all.length > 0 && all.every((backend) => standing(backend) === Standing.Absent)) return undefined;
  const serving = servingBackends(routing, route, family, tiers);
  return serving.flatMap((backend) => bestAddresses(routing, backend, family)).sort((a, b) => a - b);
}

/** Backends of each tier of the plan for a client of unknown place. */
function tiersOf({ hot, partitions }: PlacelessRouting, route: number): readonly (readonly number[])[] {
  const policy = hot.routePolicy[route]!;
  const plan = hot.policyPlans[policy]! + partitions[hot.policyPartition[policy]!]!.classOfPlace[NOWHERE]!;
  const base = hot.routeBackends[route]!;
  const tiers = hot.planTierIds.subarray(hot.planTiers[plan]!, hot.planTiers[plan + 1]!);
  return Array.from(tiers, (tier) =>
    Array.from(hot.memberBackend.subarray(hot.tierMembers[tier]!, hot.tierMembers[tier + 1]!), (position) => base + position),
  );
}

function servingBackends(
  { hot, state }: PlacelessRouting,
  route: number,
  family: 0 | 1,
  tiers: readonly (readonly number[])[],
): readonly number[] {
  const row = (backend: number): number => 2 * backend + family;
  const ofStanding = (wanted: number): readonly number[] =>
    tiers.map((tier) => tier.filter((backend) => state.standing[row(backend)] === wanted)).find((found) => found.length > 0) ?? [];
  /** Those that stopped being usable last, up to a standing. */
  const held = (worst: number): readonly number[] => {
    const kept = tiers.map((tier) =>
      tier.filter((backend) => state.standing[row(backend)]! <= worst && state.lastUsable[row(backend)]! > 0),
    );
    const latest = Math.max(...kept.flat().map((backend) => state.lastUsable[row(backend)]!));
    const last = kept.map((tier) => tier.filter((backend) => state.lastUsable[row(backend)] === latest));
    return last.find((found) => found.length > 0) ?? [];
  };
  const steps: readonly (() => readonly number[])[] = [
    () => ofStanding(Standing.Usable),
    () => ofStanding(Standing.Pending),
    () => ((hot.routeFlags[route]! & ROUTE_HOLD_LAST) === 0 ? [] : held(Standing.Draining)),
    () => ofStanding(Standing.Unknown),
    () => ofStanding(Standing.Unhealthy),
    () => ofStanding(Standing.Draining),
    () => held(Standing.Excluded),
  ];
  for (const step of steps) {
    const found = step();
    if (found.length > 0) return found;
  }
  return [];
}

/** A backend's addresses, by number, of the best standing that any of them has. @param backend counted over all routes */
export function bestAddresses({ hot, state }: Pick<PlacelessRouting, "hot" | "state">, backend: number, family: 0 | 1): readonly number[] {
  const from = hot.backendAddresses[2 * backend + family]!;
  const standings = state.addressStanding.subarray(from, hot.backendAddresses[2 * backend + family + 1]!);
  const best = standings.reduce((least, one) => Math.min(least, one), Standing.Absent as number);
  return Array.from(standings, (standing, i) => (standing === best ? [from + i] : [])).flat();
}
