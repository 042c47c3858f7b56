/**
 * What was made of a route, kept until something that decides it changes: a health flip touches few routes, and what a zone of thousands should
 * have is asked for after each. No IO.
 */
import type { PlacelessRouting } from "../src/dns/transfer/placeless.ts";
import type { Route } from "../src/model/inventory.ts";
import type { LiveState, RoutingTable } from "../src/routing/table.ts";

type Routing = Pick<PlacelessRouting, "hot"> & { readonly state: StateOfBackends };
/** Of the table what can change in place, and decides who is answered with what. */
type StateOfBackends = Pick<LiveState, "standing" | "addressStanding" | "keep" | "lastUsable">;

export interface RouteMemory<T> {
  /**
   * @param index  of the route in the table
   * @param things whatever else decides it, compared by identity
   * @returns what `make` returned for this route, the same object while all of it is as it was
   */
  recall(routing: Routing, index: number, route: Route, things: readonly unknown[], make: () => T): T;
}

interface Remembered<T> {
  readonly hot: RoutingTable["hot"];
  readonly things: readonly unknown[];
  readonly seen: number[];
  readonly value: T;
}

/** @param isLasting false: made anew each time */
export function createRouteMemory<T>(isLasting: (value: T) => boolean = () => true): RouteMemory<T> {
  const known = new WeakMap<Route, Remembered<T>>();
  return {
    recall(routing, index, route, things, make) {
      const was = known.get(route);
      const seen = was?.seen ?? [];
      const isAsSeen = look(routing, index, seen);
      if (was !== undefined && isAsSeen && was.hot === routing.hot && things.every((thing, i) => thing === was.things[i])) return was.value;
      const value = make();
      if (isLasting(value)) known.set(route, { hot: routing.hot, things, seen, value });
      else known.delete(route);
      return value;
    },
  };
}

/** Notes the state of a route's backends. @returns whether it was noted so already */
function look({ hot, state }: Routing, index: number, seen: number[]): boolean {
  const { standing, keep, lastUsable, addressStanding } = state;
  const first = 2 * hot.routeBackends[index]!;
  const end = 2 * hot.routeBackends[index + 1]!;
  let at = 0;
  let isSame = true;
  const note = (value: number): void => {
    isSame &&= seen[at] === value;
    seen[at++] = value;
  };
  for (let row = first; row < end; row++) {
    note(standing[row]!);
    note(keep[row]!);
    note(lastUsable[row]!);
  }
  for (let address = hot.backendAddresses[first]!; address < hot.backendAddresses[end]!; address++) note(addressStanding[address]!);
  isSame &&= seen.length === at;
  seen.length = at;
  return isSame;
}
