/** Where clients would go if a cluster were drained, drawn by what draws the map, in slices: answers and probes have their turn between them. */
import { type RoutingTable, Standing } from "../routing/table.ts";
import type { Assignment, Assignments } from "./assignment.ts";
import type { IfDrained, MapMove } from "./view.ts";

export interface DrainPreviewInput {
  /** Who is served where by one route of a table; `memo` is the caller's own for each table. */
  readonly draw: (table: RoutingTable, route: number, memo: Map<string, Assignment>) => Assignment;
  readonly moves: Assignments["moves"];
  /** Of a country, by its position in assignments. */
  readonly people: (country: number) => number;
  /** Of all countries. */
  readonly everybody: number;
  /** Routes that are drawn; the others are only counted. */
  readonly mostRoutes: number;
  /** Called after each route: lets others have their turn when a slice is over. */
  readonly breathe: () => Promise<void>;
}

/**
 * Tells of the moment of the call, whatever is written to the table before the answer is there.
 *
 * @param cluster index in the table
 */
export async function ifDrained(live: RoutingTable, cluster: number, input: DrainPreviewInput): Promise<IfDrained> {
  const { draw, moves, people } = input;
  const { names } = live;
  const now = asItStands(live);
  const { touched, drained } = withDrained(now, cluster);
  const name = names.clusters[cluster]!;
  const [before, after] = [new Map<string, Assignment>(), new Map<string, Assignment>()];
  const total = input.everybody * Math.max(1, names.routes.length);
  const gains = new Map<string, number>();
  let stuckRoutes = 0;
  for (const route of touched.slice(0, input.mostRoutes)) {
    const moved = moves(draw(now, route, before), draw(drained, route, after), name);
    for (const { to, country, share } of moved) {
      if (to === name) continue;
      gains.set(to, (gains.get(to) ?? 0) + (share * people(country)) / total);
    }
    if (moved.some(({ to }) => to === name)) stuckRoutes++;
    await input.breathe();
  }
  const list: MapMove[] = [...gains].map(([to, population]) => ({ to, population })).sort((a, b) => b.population - a.population);
  return { routes: touched.length, moves: list, stuckRoutes };
}

/** A table that nobody writes to. */
const asItStands = (table: RoutingTable): RoutingTable => ({
  ...table,
  state: {
    ...table.state,
    standing: new Uint8Array(table.state.standing),
    keep: new Uint16Array(table.state.keep),
    lastUsable: new Float64Array(table.state.lastUsable),
  },
});

/** @returns the routes that have a backend in the cluster, and the table in which these backends drain */
function withDrained(table: RoutingTable, cluster: number) {
  const { hot, names, state } = table;
  const standing = new Uint8Array(state.standing);
  const touched: number[] = [];
  names.routes.forEach((_, route) => {
    let isTouched = false;
    for (let backend = hot.routeBackends[route]!; backend < hot.routeBackends[route + 1]!; backend++) {
      if (names.backends[backend]!.cluster !== cluster) continue;
      isTouched = true;
      for (const row of [backend * 2, backend * 2 + 1]) if (standing[row]! < Standing.Draining) standing[row] = Standing.Draining;
    }
    if (isTouched) touched.push(route);
  });
  return { touched, drained: { ...table, state: { ...state, standing } } };
}
