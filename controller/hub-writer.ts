/** Everything that is written to the hub, by whichever replica holds the writer's Lease; the others only know what they would write. */
import type { HealthFeed } from "../src/engine/view.ts";
import type { Timeline } from "../src/observe/timeline.ts";
import type { ClusterManager } from "./clusters/cluster-manager.ts";
import { clusterObject } from "./clusters/cluster-object.ts";
import { createZoneFinalizers, type RecordRemoval } from "./deletion/zone-finalizers.ts";
import type { HubWatch } from "./hub-watch.ts";
import type { KubeApi } from "./kube/kube-api.ts";
import type { KubePorts } from "./kube/kube-ports.ts";
import { startElection, type WriterElection } from "./kube/lease.ts";
import type { WriterTerm } from "./kube/writer-fence.ts";
import type { Reconciled } from "./reconcile/reconciled.ts";
import type { ProgrammedReport } from "./status/conditions.ts";
import { createCredentialWriter } from "./status/credential-writer.ts";
import { createEventWriter } from "./status/event-writer.ts";
import { createObjectWriter } from "./status/object-writer.ts";
import type { StatusSources } from "./status/status-facts.ts";
import { createStatusWriter } from "./status/status-writer.ts";
import { createWriteLane } from "./status/write-lane.ts";

export interface HubWriterOptions {
  /** Its user agent tells the epoch. */
  readonly api: KubeApi;
  readonly namespace: string;
  /** Of this process, and of no other one ever. */
  readonly identity: string;
  /** Of the pod, for Events. */
  readonly instance: string;
  readonly hub: HubWatch;
  readonly clusters: ClusterManager;
  readonly health: HealthFeed;
  readonly timeline: Pick<Timeline, "subscribe">;
  /** Of an object's generation, by `programmedKey`. */
  readonly programmed: (key: string, generation: number) => ProgrammedReport;
  /** True while too much vanished at once (docs/safety.md, rule 11): then nothing is deleted. */
  readonly holdsDeletes: () => boolean;
  /** Removes all of our records in a zone that is kept elsewhere. Never rejects. */
  readonly removeRecords: (zone: string) => Promise<RecordRemoval>;
  /** How the proxies of ProxyFleets follow, as this process finds it. */
  readonly fleets: Required<Pick<StatusSources, "fleet" | "refusal">>;
  readonly ports: KubePorts;
  /** A term began or, with undefined, ended. */
  readonly onTerm: (term: WriterTerm | undefined) => void;
  readonly onRefused: (key: string, error: Error) => void;
  readonly onError: (what: string, error: unknown) => void;
}

export interface HubWriter {
  /** The newest result of reconciling. */
  offer(reconciled: Reconciled): void;
  /** Connections of member clusters, or what Secrets announce, may have changed. */
  clustersChanged(): void;
  /** Replicas serve other tables. */
  programmedChanged(): void;
  /** @see StatusWriter.fleetsChanged */
  fleetsChanged(routes: Iterable<string>): void;
  /** What held deletes may be over. */
  deletesReleased(): void;
  readonly election: WriterElection;
  /** Gives the Lease away, after what is under way. */
  close(): Promise<void>;
}

export function createHubWriter(options: HubWriterOptions): HubWriter {
  const { api, hub, clusters, ports, onRefused } = options;
  const store = { objects: hub.stored };
  const objects = createObjectWriter({ api, store, holdsDeletes: options.holdsDeletes, onRefused });
  const events = createEventWriter({
    api,
    store,
    timeline: options.timeline,
    ports,
    instance: options.instance,
    hasNamespace: (namespace) => hub.objects().namespaces.has(namespace),
    onRefused,
  });
  const finalizers = createZoneFinalizers({
    ...{ api, store, ports, onRefused },
    ...{ holdsDeletes: options.holdsDeletes, removeRecords: options.removeRecords },
    onChange(zone) {
      statuses.deletionChanged(zone);
      offerEvents();
    },
  });
  const statuses = createStatusWriter({
    api,
    store,
    health: options.health,
    ports,
    programmed: options.programmed,
    deletion: finalizers.progress,
    ...options.fleets,
    onRefused,
    onRollout: events.tell,
  });
  const credentials = createCredentialWriter({ api, clusters, ports, onRefused });
  const lane = createWriteLane({
    writings: [finalizers, objects, statuses, events, credentials],
    ports,
    onError: options.onError,
    onLater: options.onError,
  });
  let reconciled: Reconciled | undefined;

  function offerStatuses(): void {
    if (reconciled === undefined) return;
    const uids = clusters.objects().flatMap(({ cluster, uid }) => (uid === undefined ? [] : [[cluster, uid] as const]));
    statuses.offer({ reconciled, connections: clusters.connections(), uids: new Map(uids) });
  }

  const offerEvents = (): void => events.offer([...(reconciled?.warnings ?? []), ...finalizers.warnings()]);

  function offerObjects(): void {
    if (reconciled === undefined) return;
    objects.offer({ routes: reconciled.generated, clusters: clusters.discovered().map(clusterObject) });
  }

  const election = startElection(
    {
      api,
      namespace: options.namespace,
      identity: options.identity,
      async onTerm(term) {
        options.onTerm(term);
        await lane.lead(term);
        options.onTerm(undefined);
      },
      onError: (error) => options.onError("writer's Lease", error),
    },
    ports,
  );

  return {
    election,
    offer(next) {
      reconciled = next;
      offerObjects();
      offerStatuses();
      finalizers.offer(next.inventory.zones);
      offerEvents();
    },
    clustersChanged() {
      offerObjects();
      offerStatuses();
    },
    programmedChanged: statuses.programmedChanged,
    fleetsChanged: statuses.fleetsChanged,
    deletesReleased() {
      finalizers.deletesReleased();
      objects.deletesReleased();
    },
    async close() {
      await election.close();
      statuses.close();
      events.close();
    },
  };
}
