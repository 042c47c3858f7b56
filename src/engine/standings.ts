/**
 * Owns what every route remembers and keeps the live half of the present table true: health, operators' acts and time come in, standings
 * are written, events and metrics go out. The rules are `evaluateRoute`'s.
 */
import { resume } from "../../health/failback.ts";
import type { EndpointHealth, EndpointKey } from "../model/health.ts";
import { type Backend, type Inventory, type Route, type RouteKey, routeKey } from "../model/inventory.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { EventKind, Timeline } from "../observe/timeline.ts";
import {
  evaluateRoute,
  NEW_ROUTE,
  type RouteEvaluation,
  type RouteMemory,
  type RouteOrders,
  type UnitChange,
  type UnitSpec,
  unitDeadlines,
} from "../routing/evaluate-route.ts";
import { writeDeadlines, writeMemory, writeRoute } from "../routing/live-state.ts";
import { type Crowd, commonestMove, crowdOf, type Serving, sampleServing } from "../routing/moves.ts";
import { ordersDue, ordersOf } from "../routing/orders.ts";
import { type RoutingTable, Standing } from "../routing/table.ts";
import { type EndpointIndex, indexEndpoints, type RouteEndpoints } from "./endpoints.ts";

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
   * Takes over a table before it is published: evaluates every route into it. What routes of the same name remember is kept. The same
   * table with the same routes again means other orders: they are obeyed by the next {@link Standings.tick}s, which is to be called now.
   *
   * @param endpoints of this inventory, if somebody has made the index already
   */
  adopt(inventory: Inventory, table: RoutingTable, endpoints?: EndpointIndex): void;
  /** The verdict on an endpoint changed. */
  endpointChanged(key: EndpointKey): void;
  /** One more probe was seen: only deadlines moved. */
  endpointObserved(key: EndpointKey): void;
  /**
   * Does what time alone brings: failbacks, ramps, overrides that begin or end. When there is much to do it does a part of it.
   *
   * @returns the next instant to call it, ms since the epoch; not later than now when something is left to do
   */
  tick(): number;
  memory(): ReadonlyMap<RouteKey, RouteMemory>;
  /** What routes remembered in an earlier process, until an instant in ms since the epoch; for the first table that is adopted. */
  restore(memory: ReadonlyMap<RouteKey, RouteMemory>, until: number): void;
  evaluation(route: RouteKey): RouteEvaluation | undefined;
  /** Address → key of its probe. */
  endpointKeys(route: RouteKey): ReadonlyMap<string, EndpointKey>;
  lastFailover(route: RouteKey): FailoverRecord | null;
  /** True while some clients of any route are answered by fail-open or a hold. */
  isDesperate(): boolean;
  /** True while the withdrawal budget holds any backend in service. */
  holdsWithdrawals(): boolean;
}

interface Entry extends RouteEndpoints {
  readonly index: number;
  readonly key: RouteKey;
  readonly route: Route;
  orders: RouteOrders;
  warmUntil: number;
  memory: RouteMemory;
  evaluation: RouteEvaluation;
  /** When each unit can return, in the table's order of rows; the earliest is the route's. */
  readonly returns: Float64Array;
  desperate: number;
  holds: boolean;
  due: number;
}

/** An endpoint in a route. */
interface Use {
  readonly entry: Entry;
  /** Backend position × 2 + family. */
  readonly row: number;
  readonly spec: UnitSpec;
}

/** Plans sampled for a report when all routes flip at once. */
const SAMPLED_PLANS = 1 << 16;
/** Milliseconds of work in one {@link Standings.tick}: answers and probes wait for it. */
const SLICE = 15;

/** How long the first verdicts of a new route may take, ms. */
const warmth = ({ health }: Route): number => health.interval + health.timeout + 1000;

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
  let remembered: ReadonlyMap<RouteKey, RouteMemory> = new Map();
  let overridesDue = Number.POSITIVE_INFINITY;
  let entries: readonly Entry[] = [];
  let byKey: ReadonlyMap<RouteKey, Entry> = new Map();
  const users = new Map<EndpointKey, Use[]>();
  const failovers = new Map<RouteKey, FailoverRecord>();
  const crowds = new Map<number, Crowd>();
  let desperateRoutes = 0;
  let holdingRoutes = 0;
  /** No route is due before. */
  let earliest = Number.POSITIVE_INFINITY;
  /** Where the next tick goes on: those behind it have waited longest. */
  let cursor = 0;
  let lastTick = Number.NEGATIVE_INFINITY;

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

  const sample = (entry: Entry): Serving => sampleServing(table!, entry.index, crowdFor(entry.index));

  function evaluate(entry: Entry, at: number): RouteEvaluation {
    return evaluateRoute({
      route: entry.route,
      units: entry.units,
      memory: entry.memory,
      orders: entry.orders,
      health: (address) => health(entry.keys.get(address)!),
      warming: at < entry.warmUntil && [...entry.keys.values()].some((key) => health(key).health === "Unknown"),
      now: at,
    });
  }

  /** @param isNew nothing of this route has been written to the table yet */
  function refresh(entry: Entry, at: number, isNew = false): void {
    const evaluation = evaluate(entry, at);
    const { changes, memory } = evaluation;
    if (isNew && changes.length > 0) writeMemory(table!, entry.index, entry.units, entry.memory);
    const before = changes.length > 0 ? sample(entry) : undefined;
    if (isNew || memory.units !== entry.memory.units)
      setHolds(
        entry,
        Object.values(memory.units).some(({ held }) => held),
      );
    entry.memory = memory;
    entry.evaluation = evaluation;
    evaluation.backends.forEach(({ returnsAt }, position) => {
      entry.returns.set(returnsAt, 2 * position);
    });
    entry.due = Math.min(evaluation.due, at < entry.warmUntil ? entry.warmUntil : Number.POSITIVE_INFINITY);
    earliest = Math.min(earliest, entry.due);
    writeRoute(table!, entry.index, evaluation);
    if (before === undefined && !isNew) return;
    if (before === undefined && isAllUsable(evaluation)) {
      reportDesperation(entry, 0);
      return;
    }
    const after = sample(entry);
    if (before !== undefined) report(entry, before, after, changes);
    reportDesperation(entry, after.desperate);
    if (before !== undefined) onMemory();
  }

  function setHolds(entry: Entry, holds: boolean): void {
    holdingRoutes += Number(holds) - Number(entry.holds);
    entry.holds = holds;
  }

  function report(entry: Entry, before: Serving, after: Serving, changes: readonly UnitChange[]): void {
    const object = `GlobalRoute ${entry.key}`;
    for (const change of changes) reportChange(entry, object, change);
    for (const backend of new Set(changes.map((change) => change.backend))) {
      const change = changes.find((one) => one.backend === backend)!;
      reportMove(entry, object, before, after, change);
    }
  }

  function reportDesperation(entry: Entry, desperate: number): void {
    const object = `GlobalRoute ${entry.key}`;
    desperateRoutes += Number(desperate > 0) - Number(entry.desperate > 0);
    if (desperate > 0 && entry.desperate === 0) {
      timeline.add({
        kind: "FailOpen",
        object,
        message: "some clients have no healthy backend that rules allow: answering as if all were healthy",
        details: {},
      });
    } else if (desperate === 0 && entry.desperate > 0) {
      timeline.add({ kind: "FailOpenEnded", object, message: "every client has a usable backend again", details: {} });
    }
    entry.desperate = desperate;
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

  function reportMove(entry: Entry, object: string, before: Serving, after: Serving, change: UnitChange): void {
    if (change.from === Standing.Unknown || change.held) return;
    const { names } = table!;
    const move = commonestMove(before, after, names.clusters.indexOf(clusterOf(entry.route, change.backend)));
    if (move === undefined) return;
    const [from, to] = [names.clusters[move.from]!, names.clusters[move.to]!];
    const at = now(); // it has been written
    const back = change.to === Standing.Usable;
    const reason = back ? "failback" : change.reason;
    const seconds = back || change.firstSign === 0 ? undefined : Math.max(0, (at - change.firstSign) / 1000);
    failovers.set(entry.key, { from, to, at, reason });
    metrics.failover({ route: entry.key, from, to, reason, ...(seconds === undefined ? {} : { seconds }) });
    timeline.add({
      kind: "Failover",
      object,
      message: back ? `clients went back from ${from} to ${to}` : `clients moved from ${from} to ${to}: ${reason}`,
      details: { from, to, reason, ...(seconds === undefined ? {} : { seconds }) },
      at,
    });
  }

  function newEntry(index: number, known: Entry | undefined, endpoints: RouteEndpoints, at: number): Entry {
    const route = inventory!.routes[index]!;
    const key = routeKey(route);
    const memory = known?.memory ?? remembered.get(key) ?? NEW_ROUTE;
    return {
      ...endpoints,
      index,
      key,
      route,
      orders: ordersOf(route, inventory!, at),
      warmUntil: known?.warmUntil ?? (memory === NEW_ROUTE ? at + warmth(route) : 0),
      memory,
      evaluation: { backends: [], returnsAt: 0, memory, changes: [], due: 0, presumes: false },
      returns: new Float64Array(2 * route.backends.length),
      desperate: known?.desperate ?? 0,
      holds: false,
      due: 0,
    };
  }

  /** Other orders: every route looks at them in one of the next ticks. */
  function reorder(at: number): void {
    overridesDue = ordersDue(inventory!.overrides, at);
    for (const entry of entries) {
      entry.orders = ordersOf(entry.route, inventory!, at);
      entry.due = at;
    }
    earliest = at;
  }

  /** Instants that were noted before the clock was set back are void. */
  function restartClock(at: number): void {
    for (const entry of entries) entry.warmUntil = Math.min(entry.warmUntil, at + warmth(entry.route));
    reorder(at);
  }

  function noteUses(entry: Entry): void {
    entry.units.forEach((pair, position) => {
      pair.forEach((spec, family) => {
        for (const address of spec.addresses) {
          const key = entry.keys.get(address)!;
          const use = { entry, row: 2 * position + family, spec };
          const known = users.get(key);
          if (known === undefined) users.set(key, [use]);
          else known.push(use);
        }
      });
    });
  }

  /** @param seen health of the endpoint that was observed */
  function moveDeadlines({ entry, row, spec }: Use, seen: readonly EndpointHealth[], now: number): void {
    const state = entry.memory.units[spec.key];
    if (state === undefined) return;
    const { route, keys, returns } = entry;
    const addresses = spec.addresses.length === 1 ? seen : spec.addresses.map((address) => health(keys.get(address)!));
    const { worsensAt, returnsAt } = unitDeadlines({ route, now }, addresses, state);
    returns[row] = returnsAt;
    let first = returnsAt;
    for (let i = 0; i < returns.length; i++) if (returns[i]! < first) first = returns[i]!;
    writeDeadlines(table!, entry.index, row, { worsensAt, returnsAt: first });
  }

  /** As many of those that are due as fit into a slice. */
  function refreshDue(at: number): void {
    earliest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[(cursor + i) % entries.length]!;
      if (at < entry.due) {
        earliest = Math.min(earliest, entry.due);
      } else if (now() - at < SLICE) {
        refresh(entry, at);
      } else {
        cursor = (cursor + i) % entries.length;
        earliest = at;
        return;
      }
    }
  }

  return {
    adopt(nextInventory, nextTable, endpoints) {
      const at = now();
      const isSame = table === nextTable && inventory?.routes === nextInventory.routes && inventory.clusters === nextInventory.clusters;
      inventory = nextInventory;
      table = nextTable;
      if (isSame) {
        reorder(at);
        return;
      }
      const index = endpoints ?? indexEndpoints(inventory);
      const old = byKey;
      entries = index.routes.map((route, i) => newEntry(i, old.get(routeKey(nextInventory.routes[i]!)), route, at));
      byKey = new Map(entries.map((entry) => [entry.key, entry]));
      remembered = new Map();
      overridesDue = ordersDue(inventory.overrides, at);
      desperateRoutes = entries.filter(({ desperate }) => desperate > 0).length;
      holdingRoutes = 0;
      earliest = Number.POSITIVE_INFINITY;
      cursor = 0;
      users.clear();
      crowds.clear();
      for (const entry of entries) {
        noteUses(entry);
        refresh(entry, at, true);
      }
      for (const key of failovers.keys()) if (!byKey.has(key)) failovers.delete(key);
    },
    endpointChanged(key) {
      const at = now();
      let last: Entry | undefined;
      for (const { entry } of users.get(key) ?? []) {
        if (entry !== last) refresh(entry, at);
        last = entry;
      }
    },
    endpointObserved(key) {
      const at = now();
      const seen = [health(key)];
      for (const use of users.get(key) ?? []) {
        const { route, holds, evaluation } = use.entry;
        // Load sheds clients with each probe, what is held may be let go by another site's vote, and what was presumed is seen now.
        if (route.shed !== undefined || holds || evaluation.presumes) refresh(use.entry, at);
        else moveDeadlines(use, seen, at);
      }
    },
    tick() {
      const at = now();
      if (at < lastTick) restartClock(at);
      else if (at >= overridesDue) reorder(at);
      lastTick = at;
      if (at >= earliest) refreshDue(at);
      return Math.min(overridesDue, earliest);
    },
    memory: () => new Map(entries.map(({ key, memory }) => [key, memory])),
    restore(memory, until) {
      const gap = now() - until;
      remembered = new Map([...memory].map(([key, route]) => [key, resumed(route, gap)]));
    },
    evaluation: (route) => byKey.get(route)?.evaluation,
    endpointKeys: (route) => byKey.get(route)?.keys ?? new Map(),
    lastFailover: (route) => failovers.get(route) ?? null,
    isDesperate: () => desperateRoutes > 0,
    holdsWithdrawals: () => holdingRoutes > 0,
  };
}

/** Nobody needs fail-open then. */
const isAllUsable = ({ backends }: RouteEvaluation): boolean =>
  backends.every(({ standing }) => standing.every((one) => one === Standing.Usable || one === Standing.Absent));

function resumed({ units, withdrawals }: RouteMemory, gap: number): RouteMemory {
  const entries = Object.entries(units).map(([key, unit]) => [key, { ...unit, failback: resume(unit.failback, gap) }] as const);
  return { units: Object.fromEntries(entries), withdrawals };
}

const clusterOf = (route: Route, backend: string): string => (route.backends.find(({ name }) => name === backend) as Backend).cluster;
