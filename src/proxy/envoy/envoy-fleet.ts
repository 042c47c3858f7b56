/** The control plane of an Envoy fleet: routes in, and Envoys that do what DNS answers; who of them has taken what. */
import type { RouteKey } from "../../model/inventory.ts";
import type { ListenAddress } from "../../model/listen-address.ts";
import type { ClientClass } from "../client-classes.ts";
import { type AdsServerOptions, type AdsStream, type AdsTotals, createAdsServer } from "./ads-server.ts";
import type { TypeState } from "./ads-state.ts";
import type { EnvoyNode } from "./discovery-service.ts";
import { type EdgeRoute, type PlaceName, routeOfCluster } from "./edge-route.ts";
import type { FleetTls } from "./fleet-tls.ts";
import type { EdgeListener } from "./listener.ts";
import { RESOURCE_TYPES, type ResourceType, type Snapshot } from "./resource-set.ts";
import { NO_SNAPSHOTS, nextSnapshots } from "./snapshot.ts";

export interface EnvoyFleetOptions extends Pick<AdsServerOptions, "listen" | "flag" | "tls" | "wallClock"> {
  /** Where an Envoy is, by what it says of itself; undefined = it is told nothing. */
  readonly placeOf: (node: EnvoyNode) => PlaceName | undefined;
  /** Undefined: Envoys have listeners of their own, which take the route configuration `globalroute` from here. */
  readonly listener: EdgeListener | undefined;
}

export interface EnvoyFleet {
  /** @throws ListenError */
  start(): Promise<ListenAddress>;
  /**
   * @param routes  all of them; those that have not changed should be the same objects
   * @param classes of clients that groups of routes name; the same list as before, if it has not changed
   */
  update(routes: readonly EdgeRoute[], classes?: readonly ClientClass[]): void;
  nodes(): readonly NodeStatus[];
  rejections(): readonly NodeRejection[];
  totals(): AdsTotals;
  /** Other certificates for handshakes from now on; connections that stand go on. @throws when they cannot be used: the old ones stay */
  renew(tls: FleetTls): void;
  close(): Promise<void>;
}

export interface NodeStatus extends EnvoyNode {
  readonly place: PlaceName | undefined;
  readonly variant: "StateOfTheWorld" | "Delta";
  /** Milliseconds since the epoch. */
  readonly connectedSince: number;
  /** Unasked = it has not asked for it; Pending = it has not answered the newest yet; Current = it has taken all there is. */
  readonly types: Readonly<Record<ResourceType, "Unasked" | "Pending" | "Rejected" | "Current">>;
}

/** What a node did not take: it goes on with what it had. */
export interface NodeRejection {
  readonly node: string;
  readonly type: ResourceType;
  /** Envoy's words. */
  readonly message: string;
  /** Whom the words speak of; empty = nobody can tell, it may be any. */
  readonly routes: readonly RouteKey[];
}

export function createEnvoyFleet(options: EnvoyFleetOptions): EnvoyFleet {
  let snapshots = NO_SNAPSHOTS;
  const snapshotFor = (node: EnvoyNode): Snapshot | undefined => {
    const place = options.placeOf(node);
    return place === undefined ? undefined : snapshots.byPlace.get(place);
  };
  const server = createAdsServer({ ...options, snapshotFor });
  return {
    start: () => server.start(),
    update(routes, classes = snapshots.classes) {
      snapshots = nextSnapshots(snapshots, routes, options.listener, classes);
      server.refresh();
      server.look();
    },
    nodes: () => server.streams().map((stream) => nodeStatus(stream, options.placeOf(stream.node), snapshotFor(stream.node))),
    rejections: () => server.streams().flatMap((stream) => rejectionsOf(stream, snapshots.routes)),
    totals: () => server.totals(),
    renew: (tls) => server.renew(tls),
    close: () => server.close(),
  };
}

export function nodeStatus({ node, since, state }: AdsStream, place: PlaceName | undefined, snapshot: Snapshot | undefined): NodeStatus {
  const types = RESOURCE_TYPES.map((type) => [type, standingOf(state.types[type], snapshot?.[type])] as const);
  return { ...node, place, variant: state.variant, connectedSince: since, types: Object.fromEntries(types) as NodeStatus["types"] };
}

function standingOf(
  { subscription, inFlight, rejection, sent }: TypeState,
  set: Snapshot[ResourceType] | undefined,
): NodeStatus["types"][ResourceType] {
  if (subscription === undefined) return "Unasked";
  if (rejection !== undefined) return "Rejected";
  return inFlight === undefined && (set === undefined || sent === set) ? "Current" : "Pending";
}

export const rejectionsOf = ({ node, state }: AdsStream, routes: readonly EdgeRoute[]): readonly NodeRejection[] =>
  RESOURCE_TYPES.flatMap((type) => {
    const { rejection } = state.types[type];
    if (rejection === undefined) return [];
    const { message, resources } = rejection;
    return [
      {
        node: node.id,
        type,
        message,
        routes: spokenOf(message, type, [...new Set(resources.map(({ name }) => routeOfCluster(name)))], routes),
      },
    ];
  });

/** Envoy's words quote names of clusters or hosts; a response of one resource needs none. */
function spokenOf(message: string, type: ResourceType, names: readonly string[], routes: readonly EdgeRoute[]): readonly RouteKey[] {
  if (type === "listener") return [];
  if (type !== "routes" && names.length === 1) return names;
  const words = new Set(message.split(/[\s'",;:()[\]]+/).map((word) => routeOfCluster(word).replace(/\.$/, "")));
  const candidates = type === "routes" ? routes : routes.filter(({ key }) => names.includes(key));
  return candidates.filter(({ key, hosts }) => words.has(key) || hosts.some((host) => words.has(host))).map(({ key }) => key);
}
