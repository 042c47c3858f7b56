/** What figures cannot say of a simulation, in sentences. Pure. */
import { routeKey } from "../model/inventory.ts";
import type { Side } from "./side.ts";
import type { RouteSimulation } from "./simulation.ts";
import type { RoutePair, SimulationInput } from "./simulation-input.ts";

export function notesOf(
  input: SimulationInput,
  routes: readonly RouteSimulation[],
  after: Side,
  pairs: readonly RoutePair[],
): readonly string[] {
  return [
    ...guardNotes(routes),
    ...orderNotes(after, pairs),
    ...latencyNotes(input),
    ...(routes.some(({ stale }) => stale.curve.length > 0)
      ? [
          "stale shares are of resolvers that keep an answer for its TTL; browsers and clients of their own may keep an address, or an open connection, for a minute and longer",
        ]
      : []),
    ...loadNotes(input, routes),
  ];
}

function guardNotes(routes: readonly RouteSimulation[]): readonly string[] {
  const byBackends = Map.groupBy(
    routes.filter(({ guardWouldHold }) => guardWouldHold.length > 0),
    ({ guardWouldHold }) => guardWouldHold.join(", "),
  );
  return [...byBackends].map(
    ([backends, held]) =>
      `if one vantage alone saw this, as time-outs, the withdrawal budget would keep ${backends} in service at ${held.map(({ route }) => route).join(", ")} at first; a second vantage, a proven failure or a ConfirmWithdrawal lets it go`,
  );
}

function orderNotes({ inventory, keptByOrder }: Side, pairs: readonly RoutePair[]): readonly string[] {
  return pairs.flatMap(({ after }) =>
    after === undefined || keptByOrder[after]!.length === 0
      ? []
      : [
          `${keptByOrder[after]!.join(", ")} of ${routeKey(inventory.routes[after]!)} stays in service: an override says so (ForceUp or Freeze)`,
        ],
  );
}

function latencyNotes({ before, after }: SimulationInput): readonly string[] {
  const count = before.latency.measured.length + after.latency.measured.length;
  return [
    count === 0
      ? "latencies are the model's (access line and distance), as no measured map is at hand"
      : "latencies are measured for clients within 300 km of a vantage, and the model's for all others",
  ];
}

function loadNotes({ load }: SimulationInput, routes: readonly RouteSimulation[]): readonly string[] {
  if (load === undefined) return [];
  const unnamed = routes.filter(({ route }) => load.every((row) => row.route !== route));
  if (unnamed.length < 2) return [];
  return [`the load file's rows without a route count for each of ${unnamed.map(({ route }) => route).join(", ")}`];
}
