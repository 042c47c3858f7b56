/** Plans: for one place under one policy, the ordered tiers of backends. Pure, and the same code for the table and for `explain`. */
import type { Place } from "../geo/geo-table.ts";
import { matchRule, type Policy, type PolicyRule } from "./policy.ts";

export interface Plan {
  /** Backend positions by tier; the first tier with a usable backend serves. Empty when Require rules leave nothing. */
  readonly tiers: readonly (readonly number[])[];
  /** The Require rules that bound it, then the Prefer rule that ordered it. */
  readonly applied: readonly { readonly rule: PolicyRule; readonly byUnknownPlace: boolean }[];
}

/** What an order ranks by, before bias; undefined when it cannot be known for this place. */
export type Measure = (place: Place, cluster: number) => number | undefined;

/** Negative bias makes a backend look farther, positive nearer: d·(1−b/100) above 0, d/(1+b/100) below (Route 53 geoproximity). */
export const biased = (value: number, bias: number): number => (bias >= 0 ? value * (1 - bias / 100) : value / (1 + bias / 100));

/**
 * 1. All matching Require rules intersect, wherever they stand, and bound everything. 2. The first matching Prefer rule puts its
 * clusters before the others. 3. Within that, priorities. 4. Within a priority, tiers by order and tolerance, then one tier of standbys.
 */
export function planPlace(policy: Policy, place: Place, measure: Measure): Plan {
  const { ranks, applied } = rankMembers(policy, place);
  const tiers = ranks.flatMap(({ weighted, standby }) => [
    ...orderTiers(policy, place, weighted, measure),
    ...(standby.length > 0 ? [standby] : []),
  ]);
  return { tiers, applied };
}

/** Members that rules and priorities put on one step, before an order makes tiers of them; positions, ascending. */
export interface Rank {
  readonly weighted: readonly number[];
  /** Those of weight 0. */
  readonly standby: readonly number[];
}

/** Steps 1 to 3 of {@link planPlace}: what does not depend on where anything is. */
export function rankMembers(policy: Policy, place: Place): { readonly ranks: readonly Rank[]; readonly applied: Plan["applied"] } {
  const matching = policy.rules.flatMap((rule) => {
    const match = matchRule(rule, place);
    const byUnknownPlace = match === "unknown" && rule.unknownPlace === "Apply";
    return match === "yes" || byUnknownPlace ? [{ rule, byUnknownPlace }] : [];
  });
  const required = matching.filter(({ rule }) => rule.mode === "Require");
  const prefer = matching.find(({ rule }) => rule.mode === "Prefer");
  const allowed = policy.members
    .map((_, position) => position)
    .filter((position) => required.every(({ rule }) => rule.to.includes(policy.members[position]!.cluster)));
  const preferred = (position: number) => prefer?.rule.to.includes(policy.members[position]!.cluster) ?? false;
  const groups = prefer === undefined ? [allowed] : [allowed.filter(preferred), allowed.filter((position) => !preferred(position))];
  const ranks = groups.flatMap((group) =>
    byPriority(policy, group).map((same) => ({
      weighted: same.filter((position) => policy.members[position]!.weight > 0),
      standby: same.filter((position) => policy.members[position]!.weight === 0),
    })),
  );
  return { ranks, applied: prefer === undefined ? required : [...required, prefer] };
}

function byPriority(policy: Policy, positions: readonly number[]): number[][] {
  const priorities = [...new Set(positions.map((position) => policy.members[position]!.priority))].sort((a, b) => a - b);
  return priorities.map((priority) => positions.filter((position) => policy.members[position]!.priority === priority));
}

function orderTiers(policy: Policy, place: Place, positions: readonly number[], measure: Measure): readonly (readonly number[])[] {
  if (positions.length === 0) return [];
  if (policy.order === "Weighted") return [[...positions]];
  if (policy.order === "Priority") return positions.map((position) => [position]);
  const ranked: { position: number; value: number }[] = [];
  for (const position of positions) {
    const member = policy.members[position]!;
    const value = measure(place, member.cluster);
    if (value === undefined) return [[...positions]]; // a client from nowhere: shared by weight, rather than all to one
    ranked.push({ position, value: biased(value, member.bias) });
  }
  ranked.sort((a, b) => a.value - b.value || a.position - b.position);
  const tiers: number[][] = [];
  for (let start = 0; start < ranked.length; ) {
    const limit = ranked[start]!.value + policy.tolerance;
    let end = start + 1;
    while (end < ranked.length && ranked[end]!.value <= limit) end++;
    tiers.push(
      ranked
        .slice(start, end)
        .map(({ position }) => position)
        .sort((a, b) => a - b), // one tier is a set: equal sets must be equal plans
    );
    start = end;
  }
  return tiers;
}
