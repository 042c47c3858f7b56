/**
 * Owns what every route remembers and keeps the live half of the present table true: health, operators' acts and time come in, standings
 * are written, events and metrics go out. The rules are `evaluateRoute`'s.
 */
import { resume } from "../../health/failback.ts";
import { type EndpointHealth, type EndpointKey, NOT_PROBED } from "../model/health.ts";
import { type Inventory, type Route, type RouteKey, routeKey } from "../model/inventory.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Timeline } from "../observe/timeline.ts";
import {
  evaluateRoute,
  NEW_ROUTE,
  type RouteEvaluation,
  type RouteMemory,
  type RouteOrders,
  unitDeadlines,
} from "../routing/evaluate-route.ts";
import { copyRoutes, type Run, writeDeadlines, writeMemory, writeRoute } from "../routing/live-state.ts";
import { type Crowd, crowdOf, peopleOf, type Serving, sampleServing } from "../routing/moves.ts";
import { NO_ORDERS, ordersAt, ordersDue, ordersOf } from "../routing/orders.ts";
import { type RoutingTable, Standing } from "../routing/table.ts";
import { createEndpointUsers, type Use } from "./endpoint-users.ts";
import { type EndpointIndex, indexEndpoints, type RouteEndpoints } from "./endpoints.ts";
import type { FailoverNotice } from "./failover-notice.ts";
import { orderEnds } from "./order-end.ts";
import { createRouteReports, type FailoverRecord } from "./route-reports.ts";

export interface StandingsPorts {
  readonly health: (key: EndpointKey) => EndpointHealth;
  /** Takes in what the member cluster itself says of a backend (`ReadinessBook.apply`). */
  readonly readiness?: (route: RouteKey, backend: string, seen: EndpointHealth) => EndpointHealth;
  /** Country → people, to tell which of several moves is the large one. */
  readonly population: ReadonlyMap<string, number>;
  readonly timeline: Timeline;
  readonly metrics: Metrics;
  /** Told of each failover once it is written; must not throw. */
  readonly onFailover?: (notice: FailoverNotice) => void;
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
  /** What a member cluster says of a backend of this route changed. */
  routeChanged(route: RouteKey): void;
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
  /** Of an address of a backend, with what its cluster says of the backend taken in. */
  endpointHealth(route: RouteKey, backend: string, address: string): EndpointHealth;
  lastFailover(route: RouteKey): FailoverRecord | null;
  /** The route of the table that was adopted last, and whether some of its clients are answered by fail-open or a hold. */
  route(route: RouteKey): { readonly route: Route; readonly isDesperate: boolean; readonly memory: RouteMemory } | undefined;
  /** Calls back when anything of a route changed that its status tells; with `all` for other orders and where none stayed as it was. @returns ends it */
  watch(listener: (route: RouteKey | "all") => void): () => void;
  /** True while some clients of any route are answered by fail-open or a hold. */
  isDesperate(): boolean;
  /** True while the withdrawal budget holds any backend in service. */
  holdsWithdrawals(): boolean;
}

interface Entry extends RouteEndpoints {
  /** In the present table. */
  index: number;
  readonly key: RouteKey;
  readonly route: Route;
  orders: RouteOrders;
  /** Those of its newest evaluation. */
  obeyed: RouteOrders | undefined;
  warmUntil: number;
  memory: RouteMemory;
  evaluation: RouteEvaluation;
  /** When each unit can return, in the table's order of rows; the earliest is the route's. */
  readonly returns: Float64Array;
  /** Some clients are answered by fail-open or a hold. */
  isDesperate: boolean;
  /** The withdrawal budget holds a backend in service. */
  holds: boolean;
  /** Some backend is not usable: somebody may need fail-open. */
  hasUnusable: boolean;
  due: number;
  /** The newest table that it is of. */
  adoption: number;
}

/** Plans sampled for a report when all routes flip at once. */
const SAMPLED_PLANS = 1 << 16;
/** Milliseconds of work in one {@link Standings.tick}: answers and probes wait for it. */
const SLICE = 15;

/** Ticks and probes never lie further apart, unless the process was stopped or its clock was set forward, ms. */
const LONGEST_GAP = 10_000;

/** How long the first verdicts of a new route may take, ms. */
const warmth = ({ health }: Route): number => health.interval + health.timeout + 1000;

export function createStandings({ health, population, timeline, metrics, now, onMemory, ...ports }: StandingsPorts): Standings {
  const readiness = ports.readiness ?? ((_route, _backend, seen) => seen);
  let table: RoutingTable | undefined;
  let inventory: Inventory | undefined;
  let remembered: ReadonlyMap<RouteKey, RouteMemory> = new Map();
  /** When that was. */
  let rememberedAt = 0;
  let overridesDue = Number.POSITIVE_INFINITY;
  /** When the orders in force came into force here. */
  let orderedAt = 0;
  let entries: readonly Entry[] = [];
  let byKey = new Map<RouteKey, Entry>();
  /** Counts tables. */
  let adoption = 0;
  const users = createEndpointUsers<Entry>();
  const reports = createRouteReports(timeline, metrics, ports.onFailover ?? (() => undefined));
  const crowds = new Map<number, Crowd>();
  /** By place of the present geo data. */
  let people: Float64Array | undefined;
  let desperateRoutes = 0;
  let holdingRoutes = 0;
  /** No route is due before. */
  let earliest = Number.POSITIVE_INFINITY;
  /** Where the next tick goes on: those behind it have waited longest. */
  let cursor = 0;
  let lastLook = Number.NaN;
  const listeners = new Set<(route: RouteKey | "all") => void>();

  function tell(route: RouteKey | "all"): void {
    for (const listener of listeners) listener(route);
  }

  /** Of the route's partition; fewer plans are looked at the more routes there are, so that a flip of them all stays quick. */
  function crowdFor(route: number): Crowd {
    const { hot } = table!;
    const partition = hot.policyPartition[hot.routePolicy[route]!]!;
    const known = crowds.get(partition);
    if (known !== undefined) return known;
    people ??= peopleOf(table!.geo, population);
    const crowd = crowdOf(table!, partition, people, Math.min(256, Math.max(8, Math.floor(SAMPLED_PLANS / inventory!.routes.length))));
    crowds.set(partition, crowd);
    return crowd;
  }

  const sample = (entry: Entry): Serving => sampleServing(table!, entry.index, crowdFor(entry.index));

  const healthIn = (entry: Entry, backend: string, address: string): EndpointHealth =>
    readiness(entry.key, backend, health(entry.keys.get(address)!));

  function evaluate(entry: Entry, at: number): RouteEvaluation {
    return evaluateRoute({
      route: entry.route,
      units: entry.units,
      memory: entry.memory,
      orders: entry.orders,
      health: (address, backend) => healthIn(entry, backend, address),
      warming: at < entry.warmUntil && [...entry.keys.values()].some((key) => health(key).health === "Unknown"),
      now: at,
    });
  }

  /** @param isNew nothing of this route has been written to the table yet */
  function refresh(entry: Entry, at: number, isNew = false): void {
    const evaluation = evaluate(entry, at);
    const { changes, memory } = evaluation;
    const ended = orderEnds(entry.obeyed, entry.orders);
    entry.obeyed = entry.orders;
    if (isNew && changes.length > 0) writeMemory(table!, entry.index, entry.units, entry.memory);
    const before = changes.length > 0 ? sample(entry) : undefined;
    const isOther = memory.units !== entry.memory.units;
    if (isNew || isOther) setHolds(entry, isHolding(memory));
    if (evaluation.drills.length > 0) reports.drills(entry.route, evaluation.drills, entry.evaluation.drills);
    entry.memory = memory;
    entry.evaluation = evaluation;
    entry.hasUnusable = !isAllUsable(evaluation);
    evaluation.backends.forEach(({ returnsAt }, position) => {
      entry.returns.set(returnsAt, 2 * position);
    });
    entry.due = Math.min(evaluation.due, at < entry.warmUntil ? entry.warmUntil : Number.POSITIVE_INFINITY);
    earliest = Math.min(earliest, entry.due);
    writeRoute(table!, entry.index, evaluation);
    const writtenAt = before === undefined ? at : now();
    if (before === undefined && !isNew) {
      if (isOther) tell(entry.key);
      return;
    }
    const after = before === undefined && !entry.hasUnusable ? undefined : sample(entry);
    if (before !== undefined && after !== undefined) {
      const { route, index } = entry;
      reports.changed({ route, table: table!, index, changes, ended, before, after, orderedAt, writtenAt });
    }
    setDesperate(entry, after !== undefined && after.desperate > 0);
    if (before !== undefined) onMemory();
    if (!isNew) tell(entry.key);
  }

  function setHolds(entry: Entry, holds: boolean): void {
    holdingRoutes += Number(holds) - Number(entry.holds);
    entry.holds = holds;
  }

  function setDesperate(entry: Entry, isDesperate: boolean): void {
    if (isDesperate === entry.isDesperate) return;
    desperateRoutes += Number(isDesperate) - Number(entry.isDesperate);
    entry.isDesperate = isDesperate;
    reports.desperate(entry.route, isDesperate);
  }

  function newEntry(index: number, known: Entry | undefined, endpoints: RouteEndpoints, orders: RouteOrders, at: number): Entry {
    const route = inventory!.routes[index]!;
    const key = routeKey(route);
    const memory = known?.memory ?? remembered.get(key) ?? NEW_ROUTE;
    return {
      ...endpoints,
      index,
      key,
      route,
      orders,
      obeyed: known === undefined && remembered.has(key) ? ordersOf(route, inventory!, rememberedAt) : known?.obeyed,
      warmUntil: known?.warmUntil ?? (memory === NEW_ROUTE ? at + warmth(route) : 0),
      memory,
      evaluation: { backends: [], returnsAt: 0, memory, changes: [], drills: [], due: 0 },
      returns: new Float64Array(2 * route.backends.length),
      isDesperate: known?.isDesperate ?? false,
      holds: false,
      hasUnusable: false,
      due: 0,
      adoption,
    };
  }

  /** Other orders: every route looks at them in one of the next ticks. */
  function reorder(at: number): void {
    orderedAt = Math.min(at, overridesDue); // an act that was given beforehand begins at its time
    overridesDue = ordersDue(inventory!.overrides, at);
    const orders = ordersAt(inventory!, at);
    for (const entry of entries) {
      entry.orders = orders(entry.route);
      entry.due = at;
    }
    earliest = at;
    tell("all");
  }

  /** Every call from outside begins with it: a clock that was set, or a process that was stopped, makes void what was noted before. */
  function look(): number {
    const at = now();
    const gap = at - lastLook; // NaN at first
    lastLook = at;
    if (gap < 0) {
      for (const entry of entries) entry.warmUntil = Math.min(entry.warmUntil, at + warmth(entry.route));
      reorder(at);
    } else if (gap > LONGEST_GAP) {
      for (const entry of entries) entry.memory = resumed(entry.memory, gap);
      reorder(at);
    }
    return at;
  }

  /** @param seen health of the endpoint that was observed */
  function moveDeadlines({ entry, row, spec }: Use<Entry>, seen: readonly EndpointHealth[], now: number): void {
    const state = entry.memory.units[spec.key];
    if (state === undefined) return;
    const { route, key, returns } = entry;
    const backend = spec.backend.name;
    const addresses =
      spec.addresses.length === 1
        ? seen.map((one) => readiness(key, backend, one))
        : spec.addresses.map((address) => healthIn(entry, backend, address));
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
      const at = look();
      const before = table;
      const hasSameClusters = inventory?.clusters === nextInventory.clusters;
      const isSame = before === nextTable && inventory?.routes === nextInventory.routes && hasSameClusters;
      inventory = nextInventory;
      table = nextTable;
      if (isSame) {
        reorder(at);
        return;
      }
      const index = endpoints ?? indexEndpoints(inventory);
      orderedAt = at;
      const orders = ordersAt(inventory, at);
      const old = entries;
      const areSameRoutes = haveSameKeys(old, nextInventory.routes);
      const find = (route: Route, i: number) => (areSameRoutes ? old[i] : byKey.get(routeKey(route)));
      const fresh: Entry[] = [];
      adoption++;
      const runs: GrowingRun[] = [];
      entries = nextInventory.routes.map((route, i) => {
        const known = find(route, i);
        const ordered = orders(route);
        if (known?.route !== route || !hasSameClusters || ordered !== NO_ORDERS || !isQuiet(known, at)) {
          const entry = newEntry(i, known, index.routes[i]!, ordered, at);
          fresh.push(entry);
          return entry;
        }
        addToRuns(runs, known.index, i);
        known.index = i;
        known.adoption = adoption;
        return known;
      });
      for (const run of runs) copyRoutes(before!, nextTable, run);
      if (areSameRoutes) for (const entry of fresh) byKey.set(entry.key, entry);
      else byKey = new Map(entries.map((entry) => [entry.key, entry]));
      remembered = new Map();
      overridesDue = ordersDue(inventory.overrides, at);
      earliest = Number.POSITIVE_INFINITY;
      cursor = 0;
      users.forget(old.filter((entry) => entry.adoption !== adoption));
      crowds.clear();
      if (before?.geo !== nextTable.geo) people = undefined;
      desperateRoutes = entries.reduce((sum, { isDesperate }) => sum + Number(isDesperate), 0);
      holdingRoutes = entries.reduce((sum, { holds }) => sum + Number(holds), 0);
      for (const entry of entries) {
        if (entry.due > 0) earliest = Math.min(earliest, entry.due); // those that are new add theirs below
        if (entry.hasUnusable) setDesperate(entry, sample(entry).desperate > 0); // others may be nearest now
      }
      for (const entry of fresh) {
        users.note(entry);
        refresh(entry, at, true);
      }
      if (!areSameRoutes) reports.keepOnly(byKey);
      if (fresh.length === entries.length) tell("all");
      else for (const entry of fresh) tell(entry.key);
    },
    endpointChanged(key) {
      const at = look();
      let last: Entry | undefined;
      for (const { entry } of users.of(key)) {
        if (entry !== last) {
          refresh(entry, at);
          tell(entry.key); // one of several addresses: the standing may have stayed
        }
        last = entry;
      }
    },
    routeChanged(key) {
      const entry = byKey.get(key);
      if (entry === undefined) return;
      refresh(entry, look());
      tell(key);
    },
    endpointObserved(key) {
      const at = look();
      const seen = health(key);
      for (const use of users.of(key)) {
        const { route, holds, evaluation } = use.entry;
        const isSeen = seen.votes > 0 && evaluation.backends[use.row >> 1]?.presumed[use.row % 2 === 0 ? 0 : 1] === true;
        // Load sheds clients with each probe, what is held may be let go by another site's vote, and what was presumed is seen now.
        if (route.shed !== undefined || holds || isSeen) refresh(use.entry, at);
        else moveDeadlines(use, [seen], at);
      }
    },
    tick() {
      const at = look();
      if (at >= overridesDue) reorder(at);
      if (at >= earliest) refreshDue(at);
      return Math.min(overridesDue, earliest);
    },
    memory: () => new Map(entries.map(({ key, memory }) => [key, memory])),
    restore(memory, until) {
      const gap = now() - until;
      rememberedAt = until;
      remembered = new Map([...memory].map(([key, route]) => [key, resumed(route, gap)]));
    },
    evaluation: (route) => byKey.get(route)?.evaluation,
    endpointKeys: (route) => byKey.get(route)?.keys ?? new Map(),
    endpointHealth(route, backend, address) {
      const entry = byKey.get(route);
      const key = entry?.keys.get(address);
      return entry === undefined || key === undefined ? NOT_PROBED : readiness(route, backend, health(key));
    },
    lastFailover: reports.lastFailover,
    route: (route) => byKey.get(route),
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    isDesperate: () => desperateRoutes > 0,
    holdsWithdrawals: () => holdingRoutes > 0,
  };
}

/** An evaluation would come to what stands already. */
const isQuiet = ({ orders, obeyed, holds, due }: Entry, at: number): boolean =>
  orders === NO_ORDERS && obeyed === NO_ORDERS && !holds && at < due;

/** Whether routes of the same names stand at the same places. */
const haveSameKeys = (entries: readonly Entry[], routes: readonly Route[]): boolean =>
  entries.length === routes.length &&
  entries.every(({ route }, i) => {
    const other = routes[i]!;
    return route === other || (route.name === other.name && route.namespace === other.namespace);
  });

type GrowingRun = Omit<Run, "length"> & { length: number };

function addToRuns(runs: GrowingRun[], from: number, to: number): void {
  const last = runs.at(-1);
  if (last !== undefined && last.from + last.length === from && last.to + last.length === to) last.length++;
  else runs.push({ from, to, length: 1 });
}

const isHolding = ({ units }: RouteMemory): boolean => Object.values(units).some(({ held }) => held);

/** Nobody needs fail-open then. */
const isAllUsable = ({ backends }: RouteEvaluation): boolean =>
  backends.every(({ standing }) => standing.every((one) => one === Standing.Usable || one === Standing.Absent));

/** Nobody looked for so long. */
function resumed({ units, withdrawals }: RouteMemory, gap: number): RouteMemory {
  const entries = Object.entries(units).map(([key, unit]) => [key, { ...unit, failback: resume(unit.failback, gap) }] as const);
  return { units: Object.fromEntries(entries), withdrawals };
}
