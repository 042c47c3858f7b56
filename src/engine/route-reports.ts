/** What is told of routes: events and metrics when standings change, and the last failover of each. */
import { type Backend, type Route, type RouteKey, routeKey } from "../model/inventory.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { EventKind, Timeline } from "../observe/timeline.ts";
import type { UnitChange } from "../routing/evaluate-route.ts";
import { commonestMove, type Serving } from "../routing/moves.ts";
import { Standing, type TableNames } from "../routing/table.ts";

export interface FailoverRecord {
  readonly from: string;
  readonly to: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly reason: string;
}

export interface RouteReports {
  /**
   * @param ended        backend → the operator's act whose end changed it, in words, if one did
   * @param before,after samples of the route's answers around the changes, which have been written
   */
  changed(
    route: Route,
    names: TableNames,
    changes: readonly UnitChange[],
    ended: (backend: string) => string | undefined,
    before: Serving,
    after: Serving,
  ): void;
  /** Some clients began to be answered by fail-open or a hold, or none is any more. */
  desperate(route: Route, isDesperate: boolean): void;
  lastFailover(route: RouteKey): FailoverRecord | null;
  /** Forgets all other routes. */
  keepOnly(routes: ReadonlyMap<RouteKey, unknown>): void;
}

const EVENT_OF: Readonly<Record<Standing, EventKind>> = {
  [Standing.Usable]: "BackendReturned",
  [Standing.Pending]: "FailbackPending",
  [Standing.Unknown]: "BackendWithdrawn",
  [Standing.Unhealthy]: "BackendWithdrawn",
  [Standing.Draining]: "BackendWithdrawn",
  [Standing.Excluded]: "BackendWithdrawn",
  [Standing.Absent]: "BackendWithdrawn",
};

/** @param now milliseconds since the epoch */
export function createRouteReports(timeline: Timeline, metrics: Metrics, now: () => number): RouteReports {
  const failovers = new Map<RouteKey, FailoverRecord>();

  function reportChange(route: Route, change: UnitChange, ended: string | undefined): void {
    const object = titleOf(route);
    const cluster = clusterOf(route, change.backend);
    const reason = ended ?? change.reason;
    const details = { cluster, backend: change.backend, family: change.family, reason };
    if (change.held) {
      metrics.guardHold("withdrawal-budget");
      const message = `${change.backend} (IPv${change.family}) fails its probes (${change.reason}) but stays in service: the withdrawal budget is spent. Confirm with a ConfirmWithdrawal override`;
      timeline.add({ kind: "WithdrawalHeld", object, message, details });
      return;
    }
    if (change.from === change.to) {
      timeline.add({ kind: "WithdrawalReleased", object, message: `${change.backend} (IPv${change.family}) is no longer held`, details });
      return;
    }
    if (change.from === Standing.Unknown && change.to === Standing.Usable) return; // the first verdict moves nobody
    if (change.from !== Standing.Usable && change.to !== Standing.Usable && change.to !== Standing.Pending) return;
    const verb =
      change.to === Standing.Usable
        ? "serves again"
        : change.to === Standing.Pending
          ? "is healthy again and waits for its failback"
          : "is out of service";
    const message = `${change.backend} (IPv${change.family}) ${verb}: ${reason}`;
    timeline.add({ kind: EVENT_OF[change.to], object, message, details });
  }

  function reportMove(
    route: Route,
    { clusters }: TableNames,
    change: UnitChange,
    ended: string | undefined,
    before: Serving,
    after: Serving,
  ): void {
    if (change.from === Standing.Unknown || change.held) return;
    const move = commonestMove(before, after, clusters.indexOf(clusterOf(route, change.backend)));
    if (move === undefined) return;
    const [from, to] = [clusters[move.from]!, clusters[move.to]!];
    const at = now();
    const back = change.to === Standing.Usable;
    const reason = ended ?? (back ? "failback" : change.reason);
    // No outage ended with it: what probes saw may be hours old.
    const seconds = back || ended !== undefined || change.firstSign === 0 ? undefined : Math.max(0, (at - change.firstSign) / 1000);
    failovers.set(routeKey(route), { from, to, at, reason });
    metrics.failover({ route: routeKey(route), from, to, reason, ...(seconds === undefined ? {} : { seconds }) });
    timeline.add({
      kind: "Failover",
      object: titleOf(route),
      message: `clients ${back ? "went back" : "moved"} from ${from} to ${to}${reason === "failback" ? "" : `: ${reason}`}`,
      details: { from, to, reason, ...(seconds === undefined ? {} : { seconds }) },
      at,
    });
  }

  return {
    changed(route, names, changes, ended, before, after) {
      for (const change of changes) reportChange(route, change, ended(change.backend));
      const told = new Set<string>();
      for (const change of changes) {
        if (!told.has(change.backend)) reportMove(route, names, change, ended(change.backend), before, after);
        told.add(change.backend); // both families of a backend are one move
      }
    },
    desperate(route, isDesperate) {
      const [kind, message] = isDesperate
        ? (["FailOpen", "some clients have no healthy backend that rules allow: answering as if all were healthy"] as const)
        : (["FailOpenEnded", "every client has a usable backend again"] as const);
      timeline.add({ kind, object: titleOf(route), message, details: {} });
    },
    lastFailover: (route) => failovers.get(route) ?? null,
    keepOnly(routes) {
      for (const key of failovers.keys()) if (!routes.has(key)) failovers.delete(key);
    },
  };
}

const titleOf = (route: Route): string => `GlobalRoute ${routeKey(route)}`;

const clusterOf = (route: Route, backend: string): string => (route.backends.find(({ name }) => name === backend) as Backend).cluster;
