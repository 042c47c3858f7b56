/** What statuses are made of, gathered: the newest result of reconciling, connections, and what is asked for when it is needed. */
import { programmedKey } from "../../src/engine/source.ts";
import type { FleetStatus, HealthFeed } from "../../src/engine/view.ts";
import type { Cluster } from "../../src/model/inventory.ts";
import { type Kind, kindNames } from "../../src/model/kinds.ts";
import { readStatus } from "../../src/model/read-status.ts";
import type { RolloutStatus, StatusOf } from "../../src/model/status.ts";
import type { ClusterConnection } from "../clusters/cluster-objects.ts";
import { type KubeObject, objectKey, type Resource } from "../kube/kube-object.ts";
import { DNS_ZONES, GLOBAL_ROUTES, MEMBER_CLUSTERS, PROXY_FLEETS, TRAFFIC_OVERRIDES } from "../kube/resources.ts";
import type { ObjectReport, Reconciled } from "../reconcile/reconciled.ts";
import type { RolloutEvent } from "../rollout/advance-rollout.ts";
import { clusterStatus } from "./cluster-status.ts";
import type { Accepted, ProgrammedReport } from "./conditions.ts";
import { fleetStatus } from "./fleet-status.ts";
import { overrideDue, overrideStatus } from "./override-status.ts";
import { routeStatus } from "./route-status.ts";
import { type ZoneUse, zoneStatus, zoneUses } from "./zone-status.ts";

/** What the status writer is told, whole each time. */
export interface WriterFacts {
  readonly reconciled: Reconciled;
  readonly connections: readonly ClusterConnection[];
  /** Of member clusters, by name: UID of kube-system, where it was read. */
  readonly uids: ReadonlyMap<string, string>;
}

export interface StatusSources {
  readonly health: Pick<HealthFeed, "route" | "clusters" | "drillAbort">;
  /** Of an object's generation ({@link programmedKey}). */
  readonly programmed: (key: string, generation: number) => ProgrammedReport;
  /** Of a DNSZone that is being deleted: how far that is. */
  readonly deletion?: (zone: string) => Accepted | undefined;
  /** Of a ProxyFleet; undefined while no table has it. */
  readonly fleet?: (name: string) => FleetStatus | undefined;
  /** Of a route: what a proxy of a ProxyFleet has not taken of it, in its words. @param route `namespace/name` */
  readonly refusal?: (route: string) => string | undefined;
  /** Of an accepted route whose spec has one: how far it should have come by now. */
  readonly rollout: (stored: KubeObject) => RolloutState | undefined;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
}

export interface RolloutState {
  readonly status: RolloutStatus;
  /** What has happened to it since the status that it goes on from. */
  readonly events: readonly RolloutEvent[];
  /** The next instant at which time alone changes it, ms since the epoch; Infinity when there is none. */
  readonly due: number;
}

/** The status that an object should have. */
export interface DueStatus {
  readonly status: AnyStatus;
  /** To be told once it is written. */
  readonly events: readonly RolloutEvent[];
  /** The next instant at which time alone changes it, ms since the epoch; Infinity when there is none. */
  readonly due: number;
}

export const RESOURCES: Readonly<Record<Kind, Resource>> = {
  GlobalRoute: GLOBAL_ROUTES,
  MemberCluster: MEMBER_CLUSTERS,
  DNSZone: DNS_ZONES,
  TrafficOverride: TRAFFIC_OVERRIDES,
  ProxyFleet: PROXY_FLEETS,
};

/** `GlobalRoute web/shop`: identity of an object of ours, whose parts {@link parseStatusKey} gives back. */
export const statusKey = ({ kind, namespace, name }: Pick<ObjectReport, "kind" | "namespace" | "name">): string =>
  `${kind} ${objectKey({ metadata: namespace === "" ? { name } : { namespace, name } })}`;

export function parseStatusKey(key: string): { readonly kind: Kind; readonly object: string } {
  const kind = kindNames.find((name) => key.startsWith(`${name} `));
  if (kind === undefined) throw new Error(`${JSON.stringify(key)} is no key of a status`);
  return { kind, object: key.slice(kind.length + 1) };
}

export type AnyStatus = StatusOf<Kind>;

const NEVER = Number.POSITIVE_INFINITY;

export interface StatusFacts {
  readonly keys: () => Iterable<string>;
  report(key: string): ObjectReport | undefined;
  /** Of the MemberClusters. */
  clusterKeys(): readonly string[];
  /** @param stored the object, with the status to go on from */
  status(report: ObjectReport, stored: KubeObject, epoch: number): DueStatus;
}

/** Indexes made once for each result of reconciling. */
export function statusFacts({ reconciled, connections, uids }: WriterFacts, sources: StatusSources): StatusFacts {
  const { inventory, reports } = reconciled;
  const byKey = new Map(reports.map((report) => [statusKey(report), report]));
  const overrides = new Map(inventory.overrides.map((override) => [statusKey({ ...override, kind: "TrafficOverride" }), override]));
  const clusters = new Map(inventory.clusters.map((cluster): [string, Cluster] => [cluster.name, cluster]));
  const byCluster = new Map(connections.map((connection) => [connection.cluster, connection]));
  let uses: ReadonlyMap<string, ZoneUse> | undefined;

  function status(report: ObjectReport, stored: KubeObject, epoch: number): DueStatus {
    const now = sources.wallClock();
    const programmed = () => sources.programmed(programmedKey(report.kind, report.namespace, report.name), report.generation);
    switch (report.kind) {
      case "GlobalRoute": {
        const rollout = report.accepted.status === "True" ? sources.rollout(stored) : undefined;
        const facts = { report, health: sources.health.route(objectKey(stored)), programmed: programmed(), epoch, now };
        const before = readStatus("GlobalRoute", stored.status);
        const refusal = sources.refusal?.(objectKey(stored));
        return {
          status: routeStatus({
            ...{ ...facts, before },
            ...(rollout === undefined ? {} : { rollout: rollout.status }),
            ...(refusal === undefined ? {} : { refusal }),
          }),
          events: rollout?.events ?? [],
          due: rollout?.due ?? NEVER,
        };
      }
      case "MemberCluster": {
        const uid = uids.get(report.name);
        const location = clusters.get(report.name)?.location.label ?? "";
        const facts = {
          report,
          connection: byCluster.get(report.name),
          health: sources.health.clusters().get(report.name),
          location,
          epoch,
          now,
        };
        const before = readStatus("MemberCluster", stored.status);
        return { status: clusterStatus({ ...facts, before, ...(uid === undefined ? {} : { uid }) }), events: [], due: NEVER };
      }
      case "DNSZone": {
        uses ??= zoneUses(inventory);
        const use = uses.get(report.name) ?? { routes: 0, hosts: 0 };
        const before = readStatus("DNSZone", stored.status);
        const facts = { report, programmed: programmed(), use, deletion: sources.deletion?.(report.name), before, epoch, now };
        return { status: zoneStatus(facts), events: [], due: NEVER };
      }
      case "ProxyFleet": {
        const before = readStatus("ProxyFleet", stored.status);
        const facts = { report, programmed: programmed(), fleet: sources.fleet?.(report.name), before, epoch, now };
        return { status: fleetStatus(facts), events: [], due: NEVER };
      }
      case "TrafficOverride": {
        const override = report.accepted.status === "True" ? overrides.get(statusKey(report)) : undefined;
        const before = readStatus("TrafficOverride", stored.status);
        const aborted = override && (override.aborted ?? sources.health.drillAbort(objectKey(stored)));
        return {
          status: overrideStatus({ report, programmed: programmed(), override, aborted, inventory, before, epoch, now }),
          events: [],
          due: override === undefined ? NEVER : overrideDue(override, now),
        };
      }
    }
  }

  return {
    keys: () => byKey.keys(),
    report: (key) => byKey.get(key),
    clusterKeys: () => [...byKey].flatMap(([key, { kind }]) => (kind === "MemberCluster" ? [key] : [])),
    status,
  };
}
