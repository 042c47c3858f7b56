/**
 * What Envoys at each place are to have, made anew from routes only as far as those have changed: when one route's standing changes, one load
 * assignment is encoded, and all else is the objects that were there before.
 */
import { createHash } from "node:crypto";
import { encode, type MessageName } from "./api/codec.ts";
import type { EnvoyMessages } from "./api/envoy-api.ts";
import { clusterOf } from "./cluster.ts";
import type { EdgeRoute, PlaceName } from "./edge-route.ts";
import { type EdgeListener, LISTENER_NAME, listenerOf } from "./listener.ts";
import { loadAssignment } from "./load-assignment.ts";
import { type EncodedResource, NO_RESOURCES, type ResourceSet, resourceSet, type Snapshot } from "./resource-set.ts";
import { ROUTES_NAME, routeConfiguration } from "./route-configuration.ts";

export interface Snapshots {
  readonly routes: readonly EdgeRoute[];
  readonly byPlace: ReadonlyMap<PlaceName, Snapshot>;
}

/** Before the first update. */
export const NO_SNAPSHOTS: Snapshots = { routes: [], byPlace: new Map() };

/**
 * @param before what this gave the last time, for the same listener
 * @param routes all of them; one that has not changed is the same object, or at least its settings, hosts and plans are
 * @returns one snapshot for each place that any route has a plan for; one in which nothing changed is the same object
 */
export function nextSnapshots(before: Snapshots, routes: readonly EdgeRoute[], listener: EdgeListener | undefined): Snapshots {
  const old = new Map(before.routes.map((route) => [route.key, route]));
  // The last route's end is told; a place that merely nobody plans for any more keeps what it has.
  const places = routes.length === 0 ? [...before.byPlace.keys()] : [...new Set(routes.flatMap(({ plans }) => [...plans.keys()]))];
  const shared = sharedResources(old);
  const listeners = listener === undefined ? [] : [encoded(LISTENER_NAME, "envoy.config.listener.v3.Listener", listenerOf(listener))];
  const snapshotOf = (place: PlaceName): Snapshot => {
    const last = before.byPlace.get(place);
    const here = routes.every(({ plans }) => plans.has(place)) ? routes : routes.filter(({ plans }) => plans.has(place));
    const wasHere = before.routes.filter(({ plans }) => plans.has(place));
    return unlessSame(last, {
      cluster: advance(
        last?.cluster,
        here.map((route) => shared.cluster(route, last?.cluster)),
      ),
      loadAssignment: advance(
        last?.loadAssignment,
        here.map((route) => assignmentAt(place, route, old.get(route.key), last?.loadAssignment)),
      ),
      listener: advance(last?.listener, listeners),
      routes: haveSameHosts(here, wasHere) && last !== undefined ? last.routes : advance(last?.routes, [shared.routes(here)]),
    });
  };
  return { routes, byPlace: new Map(places.map((place) => [place, snapshotOf(place)])) };
}

/** Resources that do not depend on the place are made once for all places. */
function sharedResources(old: ReadonlyMap<string, EdgeRoute>) {
  const clusters = new Map<string, EncodedResource>();
  const configurations = new Map<readonly EdgeRoute[], EncodedResource>();
  return {
    cluster: (route: EdgeRoute, last: ResourceSet | undefined): EncodedResource => {
      const known = clusters.get(route.key) ?? (old.get(route.key)?.settings === route.settings ? last?.byName.get(route.key) : undefined);
      const cluster = known ?? encoded(route.key, "envoy.config.cluster.v3.Cluster", clusterOf(route));
      clusters.set(route.key, cluster);
      return cluster;
    },
    routes: (list: readonly EdgeRoute[]): EncodedResource => {
      const known = configurations.get(list) ?? encoded(ROUTES_NAME, "envoy.config.route.v3.RouteConfiguration", routeConfiguration(list));
      configurations.set(list, known);
      return known;
    },
  };
}

function assignmentAt(place: PlaceName, route: EdgeRoute, old: EdgeRoute | undefined, last: ResourceSet | undefined): EncodedResource {
  const plan = route.plans.get(place)!;
  const known = last?.byName.get(route.key);
  if (known !== undefined && old?.plans.get(place) === plan && old.settings.port === route.settings.port) return known;
  const assignment = loadAssignment(route.key, plan, route.settings.port);
  return encoded(route.key, "envoy.config.endpoint.v3.ClusterLoadAssignment", assignment);
}

const haveSameHosts = (here: readonly EdgeRoute[], wasHere: readonly EdgeRoute[]): boolean =>
  here.length === wasHere.length &&
  here.every(({ key, hosts, settings }, i) => {
    const was = wasHere[i]!;
    return was.key === key && was.settings === settings && (was.hosts === hosts || was.hosts.join() === hosts.join());
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
