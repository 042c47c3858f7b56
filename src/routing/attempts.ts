/** Where one request may be tried, one place after the other: what a proxy can do and an answer of DNS cannot. Pure. */
import type { Choice } from "./choose.ts";
import { rendezvousScore } from "./hash.ts";
import { NO_SLOTS, RouteRow, type RoutingTable, Standing } from "./table.ts";

/**
 * The backends for a client, best first: the chosen one, then whoever would be chosen if those before were out of service. All stand as
 * well as the chosen one does, and none is outside the client's plan (docs/safety.md, rule 9).
 *
 * @param choice as `choose` has filled it
 * @param into   backends counted over all routes; its length bounds how many there are
 * @returns how many were written; 0 when nothing may be tried
 */
export function attempts(table: RoutingTable, route: number, choice: Readonly<Choice>, into: Uint32Array): number {
  const { hot } = table;
  if (choice.backend < 0 || into.length === 0) return 0;
  into[0] = choice.backend;
  if (choice.mode > Standing.Draining) return 1; // what is held is the last resort by itself
  const base = hot.routeRows[route * RouteRow.Length + RouteRow.Backends]!;
  let count = 1;
  for (let t = hot.planTiers[choice.plan]!; t < hot.planTiers[choice.plan + 1]!; t++) {
    const tier = hot.planTierIds[t]!;
    for (const backend of membersOf(table, base, tier, choice)) {
      if (count === into.length) return count;
      into[count++] = backend;
    }
  }
  return count;
}

/** Those of a tier that stand as the chosen backend does, without itself: the slot's owner, then the others in the slot's rendezvous order. */
function membersOf({ hot, state }: RoutingTable, base: number, tier: number, choice: Readonly<Choice>): readonly number[] {
  const first = hot.tierMembers[tier]!;
  const slots = hot.tierSlots[tier]!;
  const slot = choice.slotHash >>> (32 - hot.tierSlotBits[tier]!);
  const owner = slots === NO_SLOTS ? first : first + hot.slotOwner[slots + slot]!;
  const scored: { readonly backend: number; readonly score: number }[] = [];
  for (let m = first; m < hot.tierMembers[tier + 1]!; m++) {
    const backend = base + hot.memberBackend[m]!;
    if (backend === choice.backend || state.standing[backend * 2 + choice.family] !== choice.mode) continue;
    const score = m === owner ? Number.POSITIVE_INFINITY : rendezvousScore(slot, hot.memberHash[m]!, hot.memberWeight[m]!);
    scored.push({ backend, score });
  }
  return scored.sort((a, b) => b.score - a.score).map(({ backend }) => backend);
}
