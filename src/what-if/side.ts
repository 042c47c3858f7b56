/** One side of a comparison: a compiled world with the standings that a scenario gives it, by the rules that a running server goes by. Pure. */
import { earliestChange, presume } from "../../health/judge.ts";
import { fastInterval } from "../../health/scheduler.ts";
import type { LatencyMap } from "../geo/latency-model.ts";
import type { EndpointHealth } from "../model/health.ts";
import { type Inventory, type Route, routeKey } from "../model/inventory.ts";
import { evaluateRoute, NEW_ROUTE, type RouteMemory, type RouteOrders } from "../routing/evaluate-route.ts";
import { writeRoute } from "../routing/live-state.ts";
import { ordersAt } from "../routing/orders.ts";
import { type LiveState, type RoutingTable, Standing } from "../routing/table.ts";

export interface World {
  readonly inventory: Inventory;
  /** Nothing is written to it. */
  readonly table: RoutingTable;
  readonly latency: LatencyMap;
}

export interface Outage {
  /** Clusters whose probes all fail, for good. */
  readonly down: readonly string[];
  /** Clusters that an operator drains. */
  readonly drain: readonly string[];
}

export interface Side extends World {
  /** By route: backends that the withdrawal budget holds while only time-outs speak against them. */
  readonly heldByGuard: readonly (readonly string[])[];
  /** By route: backends that stay usable although they are down or drained, as an operator's act has it so. */
  readonly keptByOrder: readonly (readonly string[])[];
}

/** Operators' acts that are in force count, and so does the memory of a server that has seen everything healthy until now. */
export function makeSide(world: World, outage: Outage, sick: ReadonlySet<string>, now: number): Side {
  const { inventory, table } = world;
  const own: RoutingTable = { ...table, state: copyState(table.state) };
  const orders = ordersAt(inventory, now);
  const heldByGuard: (readonly string[])[] = [];
  const keptByOrder: (readonly string[])[] = [];
  inventory.routes.forEach((route, index) => {
    const given = orders(route);
    const hit = backendsIn(route, outage.down);
    const drained = backendsIn(route, outage.drain);
    const health = (backend: string, isDown: boolean): EndpointHealth =>
      isDown || sick.has(`${routeKey(route)}/${backend}`) ? silent(now) : well(route, now);
    const evaluate = (memory: RouteMemory, acts: RouteOrders, down: ReadonlySet<string>) =>
      evaluateRoute({ route, memory, orders: acts, health: (_, backend) => health(backend, down.has(backend)), warming: false, now });
    const usual = evaluate(NEW_ROUTE, given, new Set());
    if (hit.size === 0 && drained.size === 0) {
      writeRoute(own, index, usual);
      heldByGuard.push([]);
      keptByOrder.push([]);
      return;
    }
    const draining = new Set([...given.draining, ...drained]);
    const guarded = evaluate(usual.memory, { ...given, draining }, hit);
    const passed = evaluate(usual.memory, { ...given, draining, confirmed: new Set([...given.confirmed, ...hit]) }, hit);
    writeRoute(own, index, passed);
    heldByGuard.push(route.backends.flatMap(({ name }) => (isHeld(guarded.memory, name) ? [name] : [])));
    keptByOrder.push(
      passed.backends.flatMap(({ backend, standing }) =>
        (hit.has(backend) || drained.has(backend)) && standing.includes(Standing.Usable) ? [backend] : [],
      ),
    );
  });
  return { ...world, table: own, heldByGuard, keptByOrder };
}

const backendsIn = ({ backends }: Route, clusters: readonly string[]): ReadonlySet<string> =>
  new Set(backends.filter(({ cluster }) => clusters.includes(cluster)).map(({ name }) => name));

const isHeld = ({ units }: RouteMemory, backend: string): boolean => [4, 6].some((family) => units[`${backend}/${family}`]?.held === true);

/** As a vantage sees an endpoint that has just answered its probe: the next one is an interval away. */
function well({ health }: Route, now: number): EndpointHealth {
  const nextChange = earliestChange(presume("Healthy", now, now, health), now + health.interval, fastInterval(health), health);
  return { health: "Healthy", since: now, reason: "ok", proven: false, votes: 1, firstSign: now, nextChange };
}

/** Time-outs, seen by one vantage: the least that takes an endpoint out. */
const silent = (now: number): EndpointHealth => ({
  health: "Unhealthy",
  since: now,
  reason: "timeout",
  proven: false,
  votes: 1,
  firstSign: now,
  nextChange: now,
});

const copyState = (state: LiveState): LiveState => ({
  standing: state.standing.slice(),
  addressStanding: state.addressStanding.slice(),
  keep: state.keep.slice(),
  lastUsable: state.lastUsable.slice(),
  worsensAt: state.worsensAt.slice(),
  returnsAt: state.returnsAt.slice(),
  meter: state.meter.slice(),
  sequence: state.sequence.slice(),
});
