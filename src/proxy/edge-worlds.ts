/**
 * What the proxies of every fleet are to be told, kept true with as little work as a change asks for: a route that is touched is planned anew, and
 * what comes out as it was is the very object that was there before. Pure but for what it remembers.
 */
import type { GeoTable } from "../geo/geo-table.ts";
import { type Inventory, type ProxyFleet, type Route, type RouteKey, routeKey } from "../model/inventory.ts";
import type { Measures } from "../routing/measure.ts";
import { type Policy, policyOf } from "../routing/policy.ts";
import { FULL, type RoutingTable } from "../routing/table.ts";
import { type ClientClass, type ClientClasses, NO_CLASSES, type Questions, questionsOf } from "./client-classes.ts";
import { planClients, unseenWarning } from "./client-groups.ts";
import { type EdgePlan, type EdgePlanInput, placeOfLocation } from "./edge-plan.ts";
import { edgeSettingsOf } from "./edge-settings.ts";
import type { EdgeGroup, EdgeRoute } from "./envoy/edge-route.ts";
import { createKnownClasses, type WorkOutClasses } from "./known-classes.ts";

export interface EdgeWorld {
  readonly table: RoutingTable;
  /** Of the table; its routes in the table's order. */
  readonly inventory: Inventory;
  readonly measures: Pick<Measures, "distance" | "latency">;
}

/** A route as one fleet is told of it, and the object that it comes from. */
export interface FleetRoute {
  readonly route: Route;
  readonly edge: EdgeRoute;
}

export interface EdgeWorlds {
  /**
   * Has worked out elsewhere whom the rules of a world tell apart, so that it is adopted quickly; until then the one before goes on. Rejects when
   * that fails: then {@link EdgeWorlds.adopt} does it itself.
   */
  prepare(world: Pick<EdgeWorld, "table" | "inventory">, workOut: WorkOutClasses): Promise<void>;
  /** From now on this world counts. Nothing is planned yet: whatever it has is due. */
  adopt(world: EdgeWorld): void;
  /** Health, or an operator, has changed something about a route. */
  touch(route: RouteKey): void;
  touchAll(): void;
  /** Of backends that ramp up, or shed, shares change with time alone. */
  touchRamping(): void;
  /**
   * Plans what is due, touched routes first.
   *
   * @param most routes at one time
   * @returns isNews: what can be told now should be, as no touched route is left, or nothing at all; isDone: nothing is due any more
   */
  work(most: number): { readonly isNews: boolean; readonly isDone: boolean };
  /** Whether every route of some world has been planned once: before, what could be told is a part. */
  isWhole(): boolean;
  /** Of a fleet, in the inventory's order; the same list while nothing in it changes. */
  routes(fleet: string): readonly FleetRoute[];
  /** Of clients that groups of routes name; the same list while they do not change. What is told together goes together: there is no news between. */
  classes(): readonly ClientClass[];
  /** Sentences about Require rules that proxies of a fleet cannot see, of the world that was adopted last. */
  unseen(fleet: string): readonly string[];
}

/** @param mayConnect whether a proxy may be sent to an address and port: the same rules as for probes */
export function createEdgeWorlds(mayConnect: (address: string, port: number) => boolean): EdgeWorlds {
  let world: KnownWorld | undefined;
  const known = createKnownClasses();
  let asked: Asked | undefined;
  /** Some routes go with other classes of clients than the rest, or are not planned for a newcomer yet: nothing is told of until all are alike. */
  let isMixed = false;
  /** Fleet → route → what it is told. */
  let planned = new Map<string, Map<RouteKey, FleetRoute>>();
  const lists = new Map<string, readonly FleetRoute[]>();
  const touched = new Set<RouteKey>();
  const due = new Set<RouteKey>();
  const ramping = new Set<RouteKey>();
  let whole = false;
  /** A world without a route is news, too. */
  let isNew = false;

  /** Most changes leave rules alone. @returns undefined when no proxy sees its clients, or no rule speaks of any */
  function questionsIn({
    table: { geo },
    inventory: { fleets = [], routes },
  }: Pick<EdgeWorld, "table" | "inventory">): Questions | undefined {
    if (!fleets.some(seesClients)) return undefined;
    const ruled = routes.filter(({ rules }) => rules.length > 0);
    if (asked?.geo !== geo || asked.ruled.length !== ruled.length || ruled.some((route, i) => route !== asked!.ruled[i]))
      asked = { geo, ruled, questions: questionsOf(ruled, numbersOf(geo.subnets)) };
    return ruled.length === 0 ? undefined : asked.questions;
  }

  function plan(key: RouteKey): void {
    if (world === undefined) return;
    const { table, inventory, measures, index, clusters, subnets } = world;
    const number = index.get(key);
    const route = number === undefined ? undefined : inventory.routes[number];
    let policy: Policy | undefined;
    for (const fleet of inventory.fleets ?? []) {
      const told = planned.get(fleet.name)!;
      const before = told.get(key);
      if (route === undefined || number === undefined || !isToldTo(route, fleet)) {
        if (told.delete(key)) lists.delete(fleet.name);
        continue;
      }
      policy ??= policyOf(route, inventory, clusters, subnets);
      const own = policy;
      const { port } = route.health.probe;
      const inputs = fleet.places.map(({ name, location }): readonly [string, EdgePlanInput] => [
        name,
        { table, route, index: number, policy: own, measures, place: placeOfLocation(location) },
      ]);
      const allowed = (plans: EdgeRoute["plans"], last: EdgeRoute["plans"] | undefined): EdgeRoute["plans"] =>
        new Map(
          [...plans].map(([name, made]) => [
            name,
            keep(
              last?.get(name),
              withoutForbidden(made, (address) => mayConnect(address, port)),
            ),
          ]),
        );
      const { plans, groups } = planClients(own, new Map(inputs), seenBy(fleet, world.classes));
      const kept = groups?.map(
        ({ name, classes, plans: made }): EdgeGroup => ({
          ...{ name, classes },
          plans: allowed(made, before?.edge.groups?.find((group) => group.name === name)?.plans),
        }),
      );
      const settings = keep(before?.edge.settings, edgeSettingsOf(route, fleet.endpointCaFile));
      const edge = keepEdge(before?.edge, {
        ...{ key, hosts: route.hosts, settings, plans: allowed(plans, before?.edge.plans) },
        ...(kept === undefined ? {} : { groups: kept }),
      });
      if (edge === before?.edge && route === before.route) continue;
      told.set(key, { route, edge });
      if (edge !== before?.edge) lists.delete(fleet.name);
    }
  }

  return {
    async prepare(next, workOut) {
      const questions = questionsIn(next);
      if (questions !== undefined) await known.prepare(next.table.geo, questions, workOut);
    },
    adopt(next) {
      const fleets = next.inventory.fleets ?? [];
      planned = new Map(fleets.map(({ name }) => [name, planned.get(name) ?? new Map()]));
      const index = new Map(next.inventory.routes.map((route, i) => [routeKey(route), i]));
      const clusters = new Map(next.inventory.clusters.map(({ name }, i) => [name, i]));
      const subnets = numbersOf(next.table.geo.subnets);
      const questions = questionsIn(next);
      const classes = questions === undefined ? NO_CLASSES : known.of(next.table.geo, questions);
      const before = new Map(world?.inventory.fleets?.map((fleet) => [fleet.name, fleet]));
      isMixed ||= (world !== undefined && world.classes !== classes) || fleets.some((fleet) => isNewcomer(fleet, before.get(fleet.name)));
      world = { ...next, index, clusters, subnets, classes };
      isNew = true;
      lists.clear();
      touched.clear();
      for (const key of index.keys()) due.add(key);
      for (const told of planned.values()) for (const key of told.keys()) due.add(key);
    },
    touch: (route) => void touched.add(route),
    touchAll() {
      for (const key of world?.index.keys() ?? []) due.add(key);
    },
    touchRamping() {
      if (world === undefined) return;
      const { hot, state } = world.table;
      for (const [key, i] of world.index) {
        const [first, end] = [2 * hot.routeBackends[i]!, 2 * hot.routeBackends[i + 1]!];
        const isRamping = state.keep.subarray(first, end).some((keep) => keep < FULL);
        if (isRamping || ramping.has(key)) touched.add(key);
        if (isRamping) ramping.add(key);
        else ramping.delete(key);
      }
    },
    work(most) {
      const wasTouched = touched.size > 0;
      const wasDue = wasTouched || due.size > 0 || isNew;
      isNew = false;
      let left = most;
      for (const keys of [touched, due]) {
        for (const key of keys) {
          if (left-- === 0) return { isNews: wasTouched && touched.size === 0 && !isMixed, isDone: false };
          touched.delete(key);
          due.delete(key);
          plan(key);
        }
      }
      whole ||= world !== undefined;
      isMixed = false;
      return { isNews: wasDue, isDone: true };
    },
    isWhole: () => whole,
    routes(fleet) {
      const told = planned.get(fleet);
      const list = lists.get(fleet) ?? (world?.inventory.routes ?? []).flatMap((route) => told?.get(routeKey(route)) ?? []);
      lists.set(fleet, list);
      return list;
    },
    classes: () => world?.classes.classes ?? NO_CLASSES.classes,
    unseen(name) {
      const fleet = world?.inventory.fleets?.find((one) => one.name === name);
      if (world === undefined || fleet === undefined) return [];
      const classes = seenBy(fleet, world.classes);
      return world.inventory.routes.filter((route) => isToldTo(route, fleet)).flatMap((route) => unseenWarning(route, classes) ?? []);
    },
  };
}

interface KnownWorld extends EdgeWorld {
  readonly index: ReadonlyMap<RouteKey, number>;
  readonly clusters: ReadonlyMap<string, number>;
  /** CIDR → number in the geo table. */
  readonly subnets: ReadonlyMap<string, number>;
  readonly classes: ClientClasses;
}

/** What the rules of a world's routes ask of clients, by its geo data. */
interface Asked {
  readonly geo: GeoTable;
  /** Those routes that have rules. */
  readonly ruled: readonly Route[];
  readonly questions: Questions;
}

/** CIDR → number in the geo table. */
const numbersOf = (subnets: readonly string[]): ReadonlyMap<string, number> => new Map(subnets.map((subnet, i) => [subnet, i]));

/** Only listeners of ours tell which class a client is in; those of HAProxies always are. */
const seesClients = (fleet: ProxyFleet): boolean => fleet.type === "HAProxy" || fleet.listener !== undefined;

const seenBy = (fleet: ProxyFleet, classes: ClientClasses): ClientClasses => (seesClients(fleet) ? classes : NO_CLASSES);

/** Whether routes that were planned before are no part of what it, or a place of it, is to be told. */
const isNewcomer = (fleet: ProxyFleet, before: ProxyFleet | undefined): boolean =>
  before === undefined ||
  seesClients(before) !== seesClients(fleet) ||
  fleet.places.some(({ name }) => before.places.every((place) => place.name !== name));

export const isToldTo = ({ fleets }: Route, { name }: ProxyFleet): boolean => fleets === undefined || fleets.includes(name);

function withoutForbidden(plan: EdgePlan, mayConnect: (address: string) => boolean): EdgePlan {
  if (plan.tiers.every((tier) => tier.every(({ endpoints }) => endpoints.every(({ address }) => mayConnect(address))))) return plan;
  const tiers = plan.tiers.map((tier) =>
    tier
      .map((backend) => ({ ...backend, endpoints: backend.endpoints.filter(({ address }) => mayConnect(address)) }))
      .filter(({ endpoints }) => endpoints.length > 0),
  );
  return { ...plan, tiers: tiers.filter((tier) => tier.length > 0) };
}

const keep = <T>(before: T | undefined, next: T): T =>
  before !== undefined && JSON.stringify(before) === JSON.stringify(next) ? before : next;

function keepEdge(before: EdgeRoute | undefined, next: EdgeRoute): EdgeRoute {
  const isSame =
    before !== undefined &&
    before.settings === next.settings &&
    before.hosts.join() === next.hosts.join() &&
    isSamePlans(before.plans, next.plans) &&
    before.groups?.length === next.groups?.length &&
    (next.groups ?? []).every(({ name, classes, plans }, i) => {
      const was = before.groups![i]!;
      return was.name === name && was.classes?.join() === classes?.join() && isSamePlans(was.plans, plans);
    });
  return isSame ? before : next;
}

const isSamePlans = (before: EdgeRoute["plans"], next: EdgeRoute["plans"]): boolean =>
  before.size === next.size && [...next].every(([place, plan]) => before.get(place) === plan);
