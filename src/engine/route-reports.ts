/** What is told of routes: events and metrics when standings change, and the last failover of each. */
import { type Backend, type Route, type RouteKey, routeKey } from "../model/inventory.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { EventKind, Timeline } from "../observe/timeline.ts";
import type { DrillVerdict, UnitChange } from "../routing/evaluate-route.ts";
import { clearestMove, commonestMove, type Serving } from "../routing/moves.ts";
import { type RoutingTable, Standing } from "../routing/table.ts";
import type { FailoverNotice, MovedSample } from "./failover-notice.ts";

export interface FailoverRecord {
  readonly from: string;
  readonly to: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly reason: string;
}

/** Changes of a route that have been written to the table. */
export interface WrittenChanges {
  readonly route: Route;
  readonly table: RoutingTable;
  /** Of the route, in the table. */
  readonly index: number;
  readonly changes: readonly UnitChange[];
  /** backend → the operator's act whose end changed it, in words, if one did. */
  readonly ended: (backend: string) => string | undefined;
  /** Samples of the route's answers around the changes. */
  readonly before: Serving;
  readonly after: Serving;
  /** When the orders of operators that are in force came into force, ms since the epoch. */
  readonly orderedAt: number;
  /** Ms since the epoch. */
  readonly writtenAt: number;
}

export interface RouteReports {
  changed(written: WrittenChanges): void;
  /** What becomes of drills, now and before: told where one may not have its way. */
  drills(route: Route, verdicts: readonly DrillVerdict[], before: readonly DrillVerdict[]): void;
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

/** @param onFailover told after the event has been written; must not throw */
export function createRouteReports(timeline: Timeline, metrics: Metrics, onFailover: (notice: FailoverNotice) => void): RouteReports {
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
    if (isUnseen(change, ended)) return;
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

  function reportMove(written: WrittenChanges, change: UnitChange, ended: string | undefined): void {
    if (isUnseen(change, ended) || change.held) return;
    const { route, before, after, writtenAt: at } = written;
    const { clusters } = written.table.names;
    const move = commonestMove(before, after, clusters.indexOf(clusterOf(route, change.backend)));
    if (move === undefined) return;
    const [from, to] = [clusters[move.from]!, clusters[move.to]!];
    const back = change.to === Standing.Usable;
    const cause = ended === undefined ? change.cause : "order";
    const reason = ended ?? (back && cause !== "order" ? "failback" : change.reason);
    const causedAt = ended !== undefined || (cause === "order" && change.causedAt === 0) ? written.orderedAt : change.causedAt;
    // No outage ended with a return or an act: what probes saw may be hours old.
    const firstSign = back || cause === "order" || change.firstSign === 0 ? undefined : change.firstSign;
    const legs = {
      ...(firstSign === undefined ? {} : { detectSeconds: secondsBetween(firstSign, causedAt) }),
      ...(causedAt === 0 ? {} : { decideSeconds: secondsBetween(causedAt, at) }),
    };
    const seconds = firstSign === undefined ? undefined : secondsBetween(firstSign, at);
    failovers.set(routeKey(route), { from, to, at, reason });
    const { id: event } = timeline.add({
      kind: "Failover",
      object: titleOf(route),
      message: `clients ${back ? "went back" : "moved"} from ${from} to ${to}${reason === "failback" ? "" : `: ${reason}`}`,
      details: { from, to, reason, cause, ...legs, ...(seconds === undefined ? {} : { seconds }) },
      at,
    });
    const pointer = { route: routeKey(route), event };
    metrics.failover({ ...pointer, from, to, reason, ...(seconds === undefined ? {} : { seconds }) });
    if (legs.detectSeconds !== undefined) metrics.failoverLeg("detect", "", legs.detectSeconds, pointer);
    if (legs.decideSeconds !== undefined) metrics.failoverLeg("decide", "", legs.decideSeconds, pointer);
    const sample = sampleOf(written, change, move.from);
    const serving = written.changes.filter((one) => one.backend === change.backend && one.to === Standing.Usable && one.from !== one.to);
    onFailover({
      ...{ event, route, from, to, cause, backend: change.backend, returned: back ? serving.map(({ family }) => family) : [] },
      ...{ writtenAt: at, beganAt: firstSign ?? (causedAt === 0 ? at : causedAt) },
      ...(sample === undefined ? {} : { sample }),
    });
  }

  return {
    changed(written) {
      const { route, changes, ended } = written;
      for (const change of changes) reportChange(route, change, ended(change.backend));
      const told = new Set<string>();
      const flapped = new Set<string>();
      for (const change of changes) {
        const { backend } = change;
        if (!told.has(backend)) reportMove(written, change, ended(backend));
        told.add(backend); // both families of a backend are one move
        if (change.isFlap && change.from === Standing.Usable && !change.held) flapped.add(clusterOf(route, backend));
      }
      for (const cluster of flapped) metrics.flap(cluster);
    },
    drills(route, verdicts, before) {
      for (const { backend, family, held } of verdicts) {
        const known = before.find((one) => one.backend === backend && one.family === family);
        if (held === undefined || known?.held === held) continue;
        const message = `the drill leaves ${backend} (IPv${family}) in service: ${held}`;
        const details = { cluster: clusterOf(route, backend), backend, family, reason: held };
        timeline.add({ kind: "DrillHeld", object: titleOf(route), message, details });
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

/**
 * Nobody has seen the backend healthy yet: neither its first verdict nor the end of the wait for one is an outage or a return. The end of
 * an operator's act is told, though: clients were sent there until then.
 */
const isUnseen = ({ from, to }: UnitChange, ended: string | undefined): boolean =>
  from === Standing.Unknown || (to === Standing.Unknown && ended === undefined);

/** Two instants of clocks that may have been set in between. */
const secondsBetween = (from: number, to: number): number => Math.max(0, (to - from) / 1000);

/** @param from index of the cluster that was left */
function sampleOf({ route, table, index, before, after }: WrittenChanges, change: UnitChange, from: number): MovedSample | undefined {
  const clearest = clearestMove(before, after, from);
  if (clearest === undefined) return undefined;
  const family = clearest.family === 0 ? 4 : 6;
  const isForAll = change.to !== Standing.Usable && change.family === family;
  const gone = route.backends.filter(({ name, cluster }) => (isForAll ? name === change.backend : cluster === table.names.clusters[from]));
  const addresses = gone.flatMap((backend) => backend.addresses.filter((address) => address.includes(":") === (family === 6)));
  return { table, route: index, class: clearest.class, family, gone: addresses, isForAll };
}

const titleOf = (route: Route): string => `GlobalRoute ${routeKey(route)}`;

const clusterOf = (route: Route, backend: string): string => (route.backends.find(({ name }) => name === backend) as Backend).cluster;
