/**
 * Owns what every route remembers and keeps the live half of the present table true: health, operators' acts and time come in, standings
 * are written, events and metrics go out. The rules are `evaluateRoute`'s.
 */
import type { EndpointHealth, EndpointKey } from "../model/health.ts";
import { endpointKey } from "../model/health.ts";
import { type Backend, type Inventory, type Route, type RouteKey, routeKey } from "../model/inventory.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { EventKind, Timeline } from "../observe/timeline.ts";
import { evaluateRoute, NEW_ROUTE, type RouteEvaluation, type RouteMemory, type UnitChange } from "../routing/evaluate-route.ts";
import { writeRoute } from "../routing/live-state.ts";
import { type Crowd, commonestMove, crowdOf, type Serving, sampleServing } from "../routing/moves.ts";
import { ordersDue, ordersOf } from "../routing/orders.ts";
import { type RoutingTable, Standing } from "../routing/table.ts";

export interface FailoverRecord {
  readonly from: string;
  readonly to: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly reason: string;
}

export interface StandingsPorts {
  readonly health: (key: EndpointKey) => EndpointHealth;
  /** Country → people, to tell which of several moves is the large one. */
  readonly population: ReadonlyMap<string, number>;
  readonly timeline: Timeline;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Something was written that should survive the process. */
  readonly onMemory: () => void;
}

export interface Standings {
  /**
   * Takes over a table before it is published: evaluates every route into it. What routes of the same name remember is kept.
   */
  adopt(inventory: Inventory, table: RoutingTable): void;
  /** The verdict on an endpoint changed. */
  endpointChanged(key: EndpointKey): void;
  /** One more probe was seen: only deadlines moved. */
  endpointObserved(key: EndpointKey): void;
  /** Does what time alone brings: failbacks, ramps, overrides that begin or end. @returns the next instant to call it, ms since the epoch */
  tick(): number;
  memory(): Readonly<Record<RouteKey, RouteMemory>>;
  restore(memory: Readonly<Record<RouteKey, RouteMemory>>): void;
  evaluation(route: RouteKey): RouteEvaluation | undefined;
  lastFailover(route: RouteKey): FailoverRecord | null;
  /** True while some clients of any route are answered by fail-open or a hold. */
  isDesperate(): boolean;
  /** True while the withdrawal budget holds any backend in service. */
  holdsWithdrawals(): boolean;
}

interface Entry {
  readonly index: number;
  readonly route: Route;
  readonly keys: ReadonlyMap<string, EndpointKey>;
  readonly warmUntil: number;
  memory: RouteMemory;
  evaluation: RouteEvaluation;
  desperate: number;
}

/** Plans sampled for a report when all routes flip at once. */
const SAMPLED_PLANS = 1 << 16;

/** Key of the probe of one address of a route. */
export const keyOf = (route: Route, address: string): EndpointKey => endpointKey(address, route.health.probe, route.health);

const EVENT_OF: Readonly<Record<Standing, EventKind>> = {
  [Standing.Usable]: "BackendReturned",
  [Standing.Pending]: "FailbackPending",
  [Standing.Unknown]: "BackendWithdrawn",
  [Standing.Unhealthy]: "BackendWithdrawn",
  [Standing.Draining]: "BackendWithdrawn",
  [Standing.Excluded]: "BackendWithdrawn",
  [Standing.Absent]: "BackendWithdrawn",
};

export function createStandings({ health, population, timeline, metrics, now, onMemory }: StandingsPorts): Standings {
  let table: RoutingTable | undefined;
  let inventory: Inventory | undefined;
  let remembered: Readonly<Record<RouteKey, RouteMemory>> = {};
  let overridesDue = Number.POSITIVE_INFINITY;
  const entries = new Map<RouteKey, Entry>();
  const users = new Map<EndpointKey, Entry[]>();
  const failovers = new Map<RouteKey, FailoverRecord>();
  const due = new Map<RouteKey, number>();
  const crowds = new Map<number, Crowd>();

  /** Of the route's partition; fewer plans are looked at the more routes there are, so that a flip of them all stays quick. */
  function crowdFor(route: number): Crowd {
    const { hot } = table!;
    const partition = hot.policyPartition[hot.routePolicy[route]!]!;
    const known = crowds.get(partition);
    if (known !== undefined) return known;
    const crowd = crowdOf(table!, partition, population, Math.min(256, Math.max(8, Math.floor(SAMPLED_PLANS / inventory!.routes.length))));
    crowds.set(partition, crowd);
    return crowd;
  }

  function evaluate(entry: Entry, at: number): RouteEvaluation {
    return evaluateRoute({
      route: entry.route,
      memory: entry.memory,
      orders: ordersOf(entry.route, inventory!, at),
      health: (address) => health(entry.keys.get(address)!),
      warming: at < entry.warmUntil && [...entry.keys.values()].some((key) => health(key).health === "Unknown"),
      now: at,
    });
  }

  function refresh(entry: Entry, at: number): void {
    const key = routeKey(entry.route);
    const evaluation = evaluate(entry, at);
    const changed = evaluation.changes.length > 0;
    const before = changed ? sampleServing(table!, entry.index, crowdFor(entry.index)) : undefined;
    entry.memory = evaluation.memory;
    entry.evaluation = evaluation;
    due.set(key, Math.min(evaluation.due, at < entry.warmUntil ? entry.warmUntil : Number.POSITIVE_INFINITY));
    writeRoute(table!, entry.index, evaluation);
    if (before === undefined) return;
    report(entry, before, evaluation.changes, at);
    onMemory();
  }

  function report(entry: Entry, before: Serving, changes: readonly UnitChange[], at: number): void {
    const after = sampleServing(table!, entry.index, crowdFor(entry.index));
    const object = `GlobalRoute ${routeKey(entry.route)}`;
    for (const change of changes) reportChange(entry, object, change);
    for (const backend of new Set(changes.map((change) => change.backend))) {
      const change = changes.find((one) => one.backend === backend)!;
      reportMove(entry, object, before, after, change, at);
    }
    if (after.desperate > 0 && entry.desperate === 0) {
      timeline.add({
        kind: "FailOpen",
        object,
        message: "some clients have no healthy backend that rules allow: answering as if all were healthy",
        details: {},
      });
    } else if (after.desperate === 0 && entry.desperate > 0) {
      timeline.add({ kind: "FailOpenEnded", object, message: "every client has a usable backend again", details: {} });
    }
    entry.desperate = after.desperate;
  }

  function reportChange(entry: Entry, object: string, change: UnitChange): void {
    const cluster = clusterOf(entry.route, change.backend);
    const details = { cluster, backend: change.backend, family: change.family, reason: change.reason };
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
    timeline.add({
      kind: EVENT_OF[change.to],
      object,
      message: `${change.backend} (IPv${change.family}) ${verb}: ${change.reason}`,
      details,
    });
  }

  function reportMove(entry: Entry, object: string, before: Serving, after: Serving, change: UnitChange, at: number): void {
    if (change.from === Standing.Unknown || change.held) return;
    const { names } = table!;
    const move = commonestMove(before, after, names.clusters.indexOf(clusterOf(entry.route, change.backend)));
    if (move === undefined) return;
    const [from, to] = [names.clusters[move.from]!, names.clusters[move.to]!];
    const back = change.to === Standing.Usable;
    const reason = back ? "failback" : change.reason;
    const seconds = back || change.firstSign === 0 ? undefined : Math.max(0, (at - change.firstSign) / 1000);
    failovers.set(routeKey(entry.route), { from, to, at, reason });
    metrics.failover({ route: routeKey(entry.route), from, to, reason, ...(seconds === undefined ? {} : { seconds }) });
    timeline.add({
      kind: "Failover",
      object,
      message: back ? `clients went back from ${from} to ${to}` : `clients moved from ${from} to ${to}: ${reason}`,
      details: { from, to, reason, ...(seconds === undefined ? {} : { seconds }) },
      at,
    });
  }

  return {
    adopt(nextInventory, nextTable) {
      const at = now();
      const old = new Map(entries);
      entries.clear();
      users.clear();
      due.clear();
      crowds.clear();
      inventory = nextInventory;
      table = nextTable;
      overridesDue = ordersDue(inventory.overrides, at);
      inventory.routes.forEach((route, index) => {
        const key = routeKey(route);
        const known = old.get(key);
        const memory = known?.memory ?? remembered[key] ?? NEW_ROUTE;
        const keys = new Map(
          route.backends.flatMap((backend) => backend.addresses.map((address) => [address, keyOf(route, address)] as const)),
        );
        const warmUntil = known?.warmUntil ?? (memory === NEW_ROUTE ? at + route.health.interval + route.health.timeout + 1000 : 0);
        const blank: RouteEvaluation = { backends: [], returnsAt: 0, memory, changes: [], due: 0 };
        const entry: Entry = { index, route, keys, warmUntil, memory, evaluation: blank, desperate: known?.desperate ?? 0 };
        entries.set(key, entry);
        for (const endpoint of new Set(keys.values())) users.set(endpoint, [...(users.get(endpoint) ?? []), entry]);
        refresh(entry, at);
      });
      for (const key of failovers.keys()) if (!entries.has(key)) failovers.delete(key);
    },
    endpointChanged(key) {
      const at = now();
      for (const entry of users.get(key) ?? []) refresh(entry, at);
    },
    endpointObserved(key) {
      if (table === undefined) return;
      for (const entry of users.get(key) ?? []) {
        const evaluation = evaluate(entry, now());
        if (evaluation.changes.length > 0) continue; // its own call follows
        entry.evaluation = evaluation;
        writeRoute(table, entry.index, evaluation);
      }
    },
    tick() {
      const at = now();
      if (inventory === undefined) return Number.POSITIVE_INFINITY;
      if (at >= overridesDue) {
        overridesDue = ordersDue(inventory.overrides, at);
        for (const entry of entries.values()) refresh(entry, at);
      }
      for (const [key, when] of due) if (at >= when) refresh(entries.get(key)!, at);
      return Math.min(overridesDue, ...due.values(), Number.POSITIVE_INFINITY);
    },
    memory: () => ({ ...remembered, ...Object.fromEntries([...entries].map(([key, entry]) => [key, entry.memory])) }),
    restore(memory) {
      remembered = memory;
    },
    evaluation: (route) => entries.get(route)?.evaluation,
    lastFailover: (route) => failovers.get(route) ?? null,
    isDesperate: () => [...entries.values()].some((entry) => entry.desperate > 0),
    holdsWithdrawals: () => [...entries.values()].some((entry) => Object.values(entry.memory.units).some((unit) => unit.held)),
  };
}

const clusterOf = (route: Route, backend: string): string => (route.backends.find(({ name }) => name === backend) as Backend).cluster;
