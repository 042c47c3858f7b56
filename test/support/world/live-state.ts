/** Puts tables into chosen states, and tells the oracle of decisions about them. */
import type { Route } from "../../../src/model/inventory.ts";
import { type RoutingTable, Standing } from "../../../src/routing/table.ts";
import type { OracleAsk, OracleBackend } from "../oracle/decide.ts";
import type { OraclePlan } from "../oracle/plan.ts";
import { oracleHash } from "../oracle/slots.ts";
import type { UnitState } from "./routing-world.ts";

/**
 * Writes one state for each backend and family of a route, and one standing for each address.
 *
 * @param states in the order v4, v6 of the first backend, and so on; repeated when there are fewer
 */
export function setStates(table: RoutingTable, route: number, states: readonly UnitState[], addresses: readonly Standing[]): void {
  const { hot, state } = table;
  for (let row = 2 * hot.routeBackends[route]!, i = 0; row < 2 * hot.routeBackends[route + 1]!; row++, i++) {
    const { standing, keep, lastUsable } = states[i % states.length]!;
    const first = hot.backendAddresses[row]!;
    const end = hot.backendAddresses[row + 1]!;
    // A unit without addresses stays absent, and one that has some is not.
    if (first < end) state.standing[row] = standing === "Absent" ? Standing.Excluded : Standing[standing];
    state.keep[row] = keep;
    state.lastUsable[row] = lastUsable;
    for (let at = first; at < end; at++) state.addressStanding[at] = addresses[at % addresses.length]!;
  }
}

/** The same question for the oracle. */
export function askOf(table: RoutingTable, route: number, spec: Route, plan: OraclePlan, family: 0 | 1, slotHash: number): OracleAsk {
  const names = Object.keys(Standing) as (keyof typeof Standing)[];
  const nth = (position: number): number =>
    spec.backends.slice(0, position).filter(({ cluster }) => cluster === spec.backends[position]!.cluster).length;
  const backendAt = (position: number): OracleBackend => {
    const row = 2 * (table.hot.routeBackends[route]! + position) + family;
    return {
      position,
      weight: plan.weights[position]!,
      hash: oracleHash(`${spec.backends[position]!.cluster}#${nth(position)}`),
      standing: names.find((name) => Standing[name] === table.state.standing[row])!,
      keep: table.state.keep[row]!,
      lastUsable: table.state.lastUsable[row]!,
    };
  };
  return {
    tiers: plan.tiers.map((tier) => tier.map(backendAt)),
    slotHash,
    trickle: Math.round((spec.failover.tricklePercent / 100) * 65_535),
    holdLast: spec.failover.whenAllUnhealthy === "HoldLast",
  };
}
