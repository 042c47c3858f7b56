/** What operators ask for at an instant: cluster states and overrides in force, by route. Pure. */
import type { Cluster, Inventory, Override, Route } from "../model/inventory.ts";
import type { RouteOrders } from "./evaluate-route.ts";

/** @param now milliseconds since the epoch */
export const isInForce = (override: Override, now: number): boolean =>
  override.aborted === undefined &&
  (override.start === undefined || override.start <= now) &&
  (override.until === undefined || now < override.until);

/** The next instant at which an override begins or ends; Infinity when none does. */
export function ordersDue(overrides: readonly Override[], now: number): number {
  const instants = overrides.flatMap(({ start, until }) => [start, until]).filter((at): at is number => at !== undefined && at > now);
  return Math.min(...instants, Number.POSITIVE_INFINITY);
}

/** The state of a cluster: the worse of its owner's wish and the overrides in force. */
export function clusterState(cluster: Cluster, overrides: readonly Override[], now: number): Cluster["state"] {
  const actions = overrides
    .filter((override) => override.target.kind === "MemberCluster" && override.target.name === cluster.name && isInForce(override, now))
    .map((override) => override.action);
  if (cluster.state === "Cordoned" || actions.includes("Cordon")) return "Cordoned";
  if (cluster.state === "Draining" || actions.includes("Drain") || actions.includes("Drill")) return "Draining";
  return "Active";
}

/** Nothing is asked of a route. One value, so that whoever compares by identity sees that nothing has changed. */
export const NO_ORDERS: RouteOrders = {
  draining: new Set(),
  cordoned: new Set(),
  forcedUp: new Set(),
  drilled: new Set(),
  approvedAt: new Map(),
  frozen: new Set(),
  confirmed: new Set(),
};

/**
 * The orders on routes. An override of a cluster reaches every backend in it; one of a route reaches its backends, or the named one.
 * Cordon is stronger than ForceUp, ForceUp than Drain (so that one backend can be kept in a draining cluster), Drain than Freeze (which
 * holds off probes, not operators). A Drill only asks: the guard lets it have its way or not.
 *
 * @param now milliseconds since the epoch
 * @returns the orders on a route, {@link NO_ORDERS} itself when there are none
 */
export function ordersAt({ overrides, clusters }: Pick<Inventory, "overrides" | "clusters">, now: number): (route: Route) => RouteOrders {
  const inForce = overrides.filter((override) => isInForce(override, now));
  const inState = (state: Cluster["state"]): ReadonlySet<string> =>
    new Set(clusters.filter((cluster) => cluster.state === state).map(({ name }) => name));
  const [draining, cordoned] = [inState("Draining"), inState("Cordoned")];
  if (inForce.length + draining.size + cordoned.size === 0) return () => NO_ORDERS;
  return (route) => {
    const own = inForce.filter((override) => route.backends.some((backend) => reaches(override, route, backend)));
    if (own.length === 0 && !route.backends.some(({ cluster }) => draining.has(cluster) || cordoned.has(cluster))) return NO_ORDERS;
    const on = (action: Override["action"]): string[] => {
      const ofAction = own.filter((override) => override.action === action);
      return route.backends.filter((backend) => ofAction.some((override) => reaches(override, route, backend))).map(({ name }) => name);
    };
    const within = (names: ReadonlySet<string>): string[] =>
      route.backends.filter(({ cluster }) => names.has(cluster)).map(({ name }) => name);
    const approvals = own.filter((override) => override.action === "ApproveFailback");
    return {
      draining: new Set([...on("Drain"), ...within(draining)]),
      cordoned: new Set([...on("Cordon"), ...within(cordoned)]),
      forcedUp: new Set(on("ForceUp")),
      drilled: new Set(on("Drill")),
      approvedAt: new Map(
        route.backends.flatMap((backend) => {
          const given = approvals.filter((override) => reaches(override, route, backend)).map((override) => override.start ?? now);
          return given.length === 0 ? [] : [[backend.name, Math.max(...given)] as const];
        }),
      ),
      frozen: new Set(on("Freeze")),
      confirmed: new Set(on("ConfirmWithdrawal")),
    };
  };
}

/** {@link ordersAt} for one route. */
export const ordersOf = (route: Route, inventory: Pick<Inventory, "overrides" | "clusters">, now: number): RouteOrders =>
  ordersAt(inventory, now)(route);

/** Whether an override is aimed at a backend of a route. */
export function reaches({ target }: Override, route: Route, backend: Route["backends"][number]): boolean {
  if (target.kind === "MemberCluster") return target.name === backend.cluster;
  return (
    target.namespace === route.namespace && target.name === route.name && (target.backend === undefined || target.backend === backend.name)
  );
}
