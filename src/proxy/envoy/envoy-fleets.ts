/** One control plane for all fleets of Envoys: each fleet has routes, places and a listener of its own, and an Envoy says which fleet it is of. */
import type { ListenAddress } from "../../model/listen-address.ts";
import type { ClientClass } from "../client-classes.ts";
import { type AdsServerOptions, type AdsTotals, createAdsServer } from "./ads-server.ts";
import type { EnvoyNode } from "./discovery-service.ts";
import type { EdgeRoute, PlaceName } from "./edge-route.ts";
import { type NodeRejection, type NodeStatus, nodeStatus, rejectionsOf } from "./envoy-fleet.ts";
import type { FleetTls } from "./fleet-tls.ts";
import type { EdgeListener } from "./listener.ts";
import type { Snapshot } from "./resource-set.ts";
import { NO_SNAPSHOTS, nextSnapshots, type Snapshots } from "./snapshot.ts";

export type EnvoyFleetsOptions = Pick<AdsServerOptions, "listen" | "flag" | "tls" | "wallClock" | "onTurnedAway">;

export interface ToldFleet {
  /** `node.cluster` of its Envoys. */
  readonly name: string;
  /** `node.locality.region` of its Envoys is one of them. */
  readonly places: readonly PlaceName[];
  /** Undefined: Envoys have listeners of their own. */
  readonly listener: EdgeListener | undefined;
  /** All of them; those that have not changed are the same objects. */
  readonly routes: readonly EdgeRoute[];
  /** Of clients that groups of routes name; the same list while they have not changed. */
  readonly classes?: readonly ClientClass[];
}

export interface EnvoyFleets {
  /** @throws ListenError */
  start(): Promise<ListenAddress>;
  /** Envoys of a fleet that is not in it keep what they have. */
  update(fleets: readonly ToldFleet[]): void;
  /** Every second or so: an Envoy that does not answer keeps others waiting no longer. */
  look(): void;
  /** By fleet; those that are of no fleet here, or at no place of theirs, are told nothing and are in `strangers`. */
  nodes(): { readonly byFleet: ReadonlyMap<string, readonly FleetNode[]>; readonly strangers: readonly EnvoyNode[] };
  totals(): AdsTotals;
  /** Other certificates for handshakes from now on; connections that stand go on. @throws when they cannot be used: the old ones stay */
  renew(tls: FleetTls): void;
  close(): Promise<void>;
}

export interface FleetNode {
  readonly status: NodeStatus;
  /** Worked out when asked for: every route's hosts are looked for in Envoy's words. */
  readonly rejections: () => readonly NodeRejection[];
}

export function createEnvoyFleets(options: EnvoyFleetsOptions): EnvoyFleets {
  let known: ReadonlyMap<string, ToldFleet & { readonly snapshots: Snapshots }> = new Map();
  const placeOf = ({ cluster, region }: EnvoyNode): PlaceName | undefined => known.get(cluster)?.places.find((name) => name === region);
  const snapshotFor = (node: EnvoyNode): Snapshot | undefined => {
    const place = placeOf(node);
    return place === undefined ? undefined : known.get(node.cluster)?.snapshots.byPlace.get(place);
  };
  const server = createAdsServer({ ...options, snapshotFor });
  return {
    start: () => server.start(),
    update(fleets) {
      known = new Map(
        fleets.map((fleet) => {
          const before = known.get(fleet.name);
          const isSame =
            before?.routes === fleet.routes &&
            before.classes === fleet.classes &&
            JSON.stringify(before.listener) === JSON.stringify(fleet.listener);
          const snapshots = isSame
            ? before.snapshots
            : nextSnapshots(before?.snapshots ?? NO_SNAPSHOTS, fleet.routes, fleet.listener, fleet.classes);
          return [fleet.name, { ...fleet, snapshots }];
        }),
      );
      server.refresh();
    },
    look: () => server.look(),
    nodes() {
      const byFleet = new Map<string, FleetNode[]>([...known.keys()].map((name) => [name, []]));
      const strangers: EnvoyNode[] = [];
      for (const stream of server.streams()) {
        const { node } = stream;
        const place = placeOf(node);
        const routes = known.get(node.cluster)?.snapshots.routes ?? [];
        if (place === undefined) strangers.push(node);
        else
          byFleet
            .get(node.cluster)
            ?.push({ status: nodeStatus(stream, place, snapshotFor(node)), rejections: () => rejectionsOf(stream, routes) });
      }
      return { byFleet, strangers };
    },
    totals: () => server.totals(),
    renew: (tls) => server.renew(tls),
    close: () => server.close(),
  };
}
