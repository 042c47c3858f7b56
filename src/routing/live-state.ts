/** Writes an evaluation into the live half of a table. One byte a backend and family is all that a health flip touches. */
import type { Deadlines, RouteEvaluation, RouteMemory, UnitSpec } from "./evaluate-route.ts";
import { FULL, type RoutingTable } from "./table.ts";

/** @param route index in the table; `evaluation` is of the same route of the inventory that the table was compiled from */
export function writeRoute(table: RoutingTable, route: number, evaluation: RouteEvaluation): void {
  const { hot, state } = table;
  const base = hot.routeBackends[route]!;
  evaluation.backends.forEach((backend, position) => {
    const row = base + position;
    for (const family of [0, 1] as const) {
      const first = hot.backendAddresses[row * 2 + family]!;
      const count = hot.backendAddresses[row * 2 + family + 1]! - first;
      for (let i = 0; i < count; i++) state.addressStanding[first + i] = backend.addressStanding[family][i]!;
      state.lastUsable[row * 2 + family] = backend.lastUsable[family];
      state.keep[row * 2 + family] = Math.round(backend.keep[family] * FULL);
      state.worsensAt[row * 2 + family] = backend.worsensAt[family];
      state.standing[row * 2 + family] = backend.standing[family];
    }
  });
  state.returnsAt[route] = evaluation.returnsAt;
  Atomics.add(state.sequence, 0, 1);
}

/** Writes what a route remembers into a table that nothing has been written to: the standings as they were before an evaluation. */
export function writeMemory(table: RoutingTable, route: number, units: readonly (readonly UnitSpec[])[], memory: RouteMemory): void {
  const { hot, state } = table;
  const base = hot.routeBackends[route]!;
  units.forEach((pair, position) => {
    pair.forEach(({ key }, family) => {
      const known = memory.units[key];
      const row = (base + position) * 2 + family;
      if (known !== undefined) state.standing[row] = known.standing;
      if (known !== undefined) state.lastUsable[row] = known.lastUsable;
    });
  });
}

/** Routes that stand next to each other in two tables, in the same order. */
export interface Run {
  /** Index of the first one in the table of before. */
  readonly from: number;
  /** In the new one. */
  readonly to: number;
  readonly length: number;
}

/** Takes over what is written of routes that are the same in both tables. */
export function copyRoutes(before: RoutingTable, table: RoutingTable, { from, to, length }: Run): void {
  const [old, state] = [before.state, table.state];
  const [firstBackend, lastBackend] = [before.hot.routeBackends[from]!, before.hot.routeBackends[from + length]!];
  const [first, last] = [2 * firstBackend, 2 * lastBackend];
  const rows = 2 * table.hot.routeBackends[to]!;
  const addresses = table.hot.backendAddresses[rows]!;
  state.standing.set(old.standing.subarray(first, last), rows);
  state.keep.set(old.keep.subarray(first, last), rows);
  state.lastUsable.set(old.lastUsable.subarray(first, last), rows);
  state.worsensAt.set(old.worsensAt.subarray(first, last), rows);
  const oldAddresses = old.addressStanding.subarray(before.hot.backendAddresses[first]!, before.hot.backendAddresses[last]!);
  state.addressStanding.set(oldAddresses, addresses);
  state.returnsAt.set(old.returnsAt.subarray(from, from + length), to);
  Atomics.add(state.sequence, 0, 1);
}

/** @param row of the route's own: backend position × 2 + family; `returnsAt` is the whole route's */
export function writeDeadlines(table: RoutingTable, route: number, row: number, { worsensAt, returnsAt }: Deadlines): void {
  const { hot, state } = table;
  state.worsensAt[hot.routeBackends[route]! * 2 + row] = worsensAt;
  state.returnsAt[route] = returnsAt;
  Atomics.add(state.sequence, 0, 1);
}
