/**
 * What Envoys at each place are to have, made anew from routes only as far as those have changed: when one route's standing changes, one load
 * assignment is encoded, and all else is the objects that were there before.
 */
import { createHash } from "node:crypto";
import type { ClientClass } from "../client-classes.ts";
import { encode, type MessageName } from "./api/codec.ts";
import type { EnvoyMessages } from "./api/envoy-api.ts";
import { clusterOf } from "./cluster.ts";
import { clusterName, type EdgeGroup, type EdgeRoute, groupsOf, type PlaceName } from "./edge-route.ts";
import { type EdgeListener, LISTENER_NAME, listenerOf } from "./listener.ts";
import { loadAssignment } from "./load-assignment.ts";
import { type EncodedResource, NO_RESOURCES, type ResourceSet, resourceSet, type Snapshot } from "./resource-set.ts";
import { type Retired, retire, withRetired } from "./retired.ts";
import { ROUTES_NAME, routeConfiguration } from "./route-configuration.ts";
import { encodeTags } from "./tag-networks.ts";

export interface Snapshots {
  readonly routes: readonly EdgeRoute[];
  readonly byPlace: ReadonlyMap<PlaceName, Snapshot>;
  readonly classes: readonly ClientClass[];
  /** Of the route configuration that goes with them. */
  readonly routesName: string;
  readonly listener: EdgeListener | undefined;
  readonly listeners: readonly EncodedResource[];
  readonly retired: ReadonlyMap<PlaceName, readonly Retired[]>;
}

/** Before the first update. */
export const NO_SNAPSHOTS: Snapshots = {
  ...{ routes: [], byPlace: new Map(), classes: [], routesName: ROUTES_NAME },
  ...{ listener: undefined, listeners: [], retired: new Map() },
};

/**
 * @param before what this gave the last time
 * @param routes all of them; one that has not changed is the same object, or at least its settings, hosts and plans are
 * @param classes that groups of routes name; the same list, if they have not changed: there may be a hundred thousand networks
 * @returns one snapshot for each place that any route has a plan for; one in which nothing changed is the same object
 */
export function nextSnapshots(
  before: Snapshots,
  routes: readonly EdgeRoute[],
  listener: EdgeListener | undefined,
  classes: readonly ClientClass[] = before.classes,
): Snapshots {
  // Listeners that are not ours do not tell which class a client is in: all would be among those of no class.
  if (listener === undefined && routes.some(({ groups }) => groups !== undefined))
    return nextSnapshots(before, routes.map(withoutGroups), listener, NO_SNAPSHOTS.classes);
  const old = new Map(before.routes.map((route) => [route.key, route]));
  // The last route's end is told; a place that merely nobody plans for any more keeps what it has.
  const places = routes.length === 0 ? [...before.byPlace.keys()] : [...new Set(routes.flatMap(({ plans }) => [...plans.keys()]))];
  const shared = sharedResources(old);
  const isSameListener = before.classes === classes && JSON.stringify(before.listener) === JSON.stringify(listener);
  const routesName = isSameListener ? before.routesName : routesNameOf(listener, classes);
  const listeners = isSameListener ? before.listeners : encodedListeners(listener, classes, routesName);
  const isAnother = routesName !== before.routesName;
  const retired = new Map<PlaceName, readonly Retired[]>();
  const snapshotOf = (place: PlaceName): Snapshot => {
    const last = before.byPlace.get(place);
    const here = routes.every(({ plans }) => plans.has(place)) ? routes : routes.filter(({ plans }) => plans.has(place));
    const wasHere = before.routes.filter(({ plans }) => plans.has(place));
    const cluster = here.flatMap((route) => groupsOf(route).map((group) => shared.cluster(route, group, place, last?.cluster)));
    const loadAssignment = here.flatMap((route) => assignmentsAt(place, route, old.get(route.key), last?.loadAssignment));
    const known = before.retired.get(place) ?? [];
    const still = isAnother && last !== undefined ? retire(known, last, { cluster, loadAssignment, routesName }) : known;
    retired.set(place, still);
    return unlessSame(last, {
      cluster: advance(last?.cluster, withRetired(cluster, still, "cluster")),
      loadAssignment: advance(last?.loadAssignment, withRetired(loadAssignment, still, "loadAssignment")),
      listener: advance(last?.listener, listeners),
      routes:
        last !== undefined && !isAnother && sayTheSame(here, wasHere)
          ? last.routes
          : advance(last?.routes, [shared.routes(here, routesName), ...still.map((one) => one.routes)]),
    });
  };
  const byPlace = new Map(places.map((place) => [place, snapshotOf(place)]));
  return { routes, byPlace, classes, routesName, listener, listeners, retired };
}

/** Of the route configuration that goes with classes of clients, and with no others. */
const routesNameOf = (listener: EdgeListener | undefined, classes: readonly ClientClass[]): string =>
  listener === undefined || classes.length === 0 ? ROUTES_NAME : `${ROUTES_NAME}-${hash(encodeTags(classes))}`;

const withoutGroups = ({ groups: _, ...route }: EdgeRoute): EdgeRoute => route;

const encodedListeners = (
  listener: EdgeListener | undefined,
  classes: readonly ClientClass[],
  routesName: string,
): readonly EncodedResource[] =>
  listener === undefined ? [] : [encoded(LISTENER_NAME, "envoy.config.listener.v3.Listener", listenerOf(listener, classes, routesName))];

/** Resources that do not depend on the place are made once for all places. */
function sharedResources(old: ReadonlyMap<string, EdgeRoute>) {
  const clusters = new Map<string, EncodedResource>();
  const configurations = new Map<readonly EdgeRoute[], EncodedResource>();
  return {
    cluster: ({ key, settings }: EdgeRoute, group: EdgeGroup, place: PlaceName, last: ResourceSet | undefined): EncodedResource => {
      const name = clusterName(key, group);
      const was = old.get(key);
      // One that is merely kept for connections of before is as its route was then.
      const isOfNow = was?.settings === settings && groupsOf(was).some((one) => one.name === group.name && one.plans.has(place));
      const known = clusters.get(name) ?? (isOfNow ? last?.byName.get(name) : undefined);
      const cluster = known ?? encoded(name, "envoy.config.cluster.v3.Cluster", clusterOf({ key: name, settings }));
      clusters.set(name, cluster);
      return cluster;
    },
    routes: (list: readonly EdgeRoute[], name: string): EncodedResource => {
      const known = configurations.get(list) ?? encoded(name, "envoy.config.route.v3.RouteConfiguration", routeConfiguration(list, name));
      configurations.set(list, known);
      return known;
    },
  };
}

function assignmentsAt(
  place: PlaceName,
  route: EdgeRoute,
  old: EdgeRoute | undefined,
  last: ResourceSet | undefined,
): readonly EncodedResource[] {
  const before = old?.settings.port === route.settings.port ? groupsOf(old) : [];
  return groupsOf(route).map((group) => {
    const name = clusterName(route.key, group);
    const plan = group.plans.get(place)!;
    const known = last?.byName.get(name);
    if (known !== undefined && before.find((was) => was.name === group.name)?.plans.get(place) === plan) return known;
    return encoded(name, "envoy.config.endpoint.v3.ClusterLoadAssignment", loadAssignment(name, plan, route.settings.port));
  });
}

const sayTheSame = (here: readonly EdgeRoute[], wasHere: readonly EdgeRoute[]): boolean =>
  here.length === wasHere.length &&
  here.every(({ key, hosts, settings, groups }, i) => {
    const was = wasHere[i]!;
    const isSameHosts = was.hosts === hosts || was.hosts.join() === hosts.join();
    return was.key === key && was.settings === settings && isSameHosts && haveSameClients(was.groups, groups);
  });

const haveSameClients = (before: EdgeRoute["groups"] = [], groups: EdgeRoute["groups"] = []): boolean =>
  before.length === groups.length &&
  groups.every(({ name, classes }, i) => {
    const was = before[i]!;
    return was.name === name && (was.classes === classes || was.classes?.join() === classes?.join());
  });

/** @returns the last set when it holds the same: whoever compares by identity then finds that nothing changed */
function advance(last: ResourceSet = NO_RESOURCES, list: readonly EncodedResource[]): ResourceSet {
  const kept = list.map((resource) => {
    const known = last.byName.get(resource.name);
    return known?.version === resource.version ? known : resource;
  });
  return kept.length === last.list.length && kept.every((resource, i) => resource === last.list[i]) ? last : resourceSet(kept, hash, last);
}

const unlessSame = (last: Snapshot | undefined, next: Snapshot): Snapshot =>
  last !== undefined && (Object.keys(next) as (keyof Snapshot)[]).every((type) => next[type] === last[type]) ? last : next;

function encoded<N extends MessageName>(name: string, type: N, message: EnvoyMessages[N]): EncodedResource {
  const bytes = encode(type, message);
  return { name, version: hash(bytes), bytes };
}

const hash = (of: string | Uint8Array): string => createHash("sha256").update(of).digest("base64url").slice(0, 16);
