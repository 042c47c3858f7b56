/** The objects of the hub that everything else is made of, kept up to date. */
import type { ClusterObjects, HubObjects } from "./clusters/cluster-objects.ts";
import type { KubeApi } from "./kube/kube-api.ts";
import type { KubeObject, Resource } from "./kube/kube-object.ts";
import type { KubePorts } from "./kube/kube-ports.ts";
import { type ResourceWatch, type ResourceWatchOptions, watchResource } from "./kube/resource-watch.ts";
import {
  DNS_ZONES,
  ENDPOINT_SLICES,
  GLOBAL_ROUTES,
  MEMBER_CLUSTERS,
  NAMESPACES,
  PROXY_FLEETS,
  SECRETS,
  TRAFFIC_OVERRIDES,
} from "./kube/resources.ts";
import { createLostKind, type LostKind } from "./lost-kind.ts";

export interface HubWatch {
  /** Unchanged parts keep their identity. */
  objects(): HubObjects;
  /** As watches have them: live. A resource that is not followed has none. */
  stored(resource: Resource): ReadonlyMap<string, KubeObject>;
  /** Of the controller's namespace. */
  secrets(): readonly KubeObject[];
  /** Of the headless Service of the replicas; empty without one. */
  replicas(): readonly KubeObject[];
  /** True once everything has been read; replicas are not waited for. */
  isSynced(): boolean;
  /** Kinds of ours that the API server does not know (any more): CustomResourceDefinitions that are missing. */
  missing(): readonly string[];
  /** Objects of ours that vanished with their kind, and are kept until they are there again or {@link HubWatch.confirm}. */
  held(): number;
  /** Lets them go. @returns how many they were */
  confirm(): number;
  /** Since when the hub could not be asked, monotonic ms; undefined while it can. */
  failingSince(): number | undefined;
  /** Why the first reading is not there yet, in a sentence. */
  hindrance(): string | undefined;
  close(): void;
}

export interface HubWatchOptions {
  readonly api: KubeApi;
  /** Where the controller runs. */
  readonly namespace: string;
  /** Name of the headless Service of the replicas. */
  readonly peerService?: string;
  readonly ports: KubePorts;
  readonly onChange: (what: "objects" | "secrets" | "replicas") => void;
  readonly onError: (error: unknown) => void;
}

export function createHubWatch({ api, namespace, peerService, ports, onChange, onError }: HubWatchOptions): HubWatch {
  const watches: ResourceWatch[] = [];
  const lost: LostKind[] = [];
  function follow(resource: Resource, options: ResourceWatchOptions, told: "objects" | "secrets" | "replicas", kind?: LostKind): Followed {
    let list: readonly KubeObject[] = [];
    const refresh = (): void => {
      list = [...watch.objects().values(), ...(kind?.kept() ?? [])];
      onChange(told);
    };
    const watch = watchResource(api, resource, options, ports, {
      onChange({ changed, vanished }) {
        kind?.changed(changed);
        kind?.vanished(vanished);
        refresh();
      },
      onState(state) {
        kind?.served(state.served);
        onChange(told);
      },
      onError,
    });
    watches.push(watch);
    return { list: () => list, watch, refresh };
  }
  /** Kinds of ours: their objects outlive them. */
  function followOurs(resource: Resource): Followed {
    const kind = createLostKind({ api, resource, ports, onChange: () => followed.refresh() });
    lost.push(kind);
    const followed: Followed = follow(resource, {}, "objects", kind);
    return followed;
  }
  const [routes, clusters, zones, overrides] = [
    followOurs(GLOBAL_ROUTES),
    followOurs(MEMBER_CLUSTERS),
    followOurs(DNS_ZONES),
    followOurs(TRAFFIC_OVERRIDES),
  ];
  const ours = [routes, clusters, zones, overrides];
  const fleets = followOurs(PROXY_FLEETS);
  const namespaces = follow(NAMESPACES, { keep: onlyLabels }, "objects");
  const secrets = follow(SECRETS, { namespace }, "secrets");
  const replicas =
    peerService === undefined
      ? undefined
      : follow(ENDPOINT_SLICES, { namespace, labelSelector: `kubernetes.io/service-name=${peerService}` }, "replicas");
  /** A cluster whose CustomResourceDefinitions are older has no fleets, and nothing waits for them. */
  const areFleetsThere = (): boolean => fleets.watch.state().served && !fleets.watch.state().forbidden;
  const needed = [...ours, namespaces, secrets];

  let labels: { readonly of: readonly KubeObject[]; readonly isHolding: boolean; readonly map: HubObjects["namespaces"] } = {
    of: [],
    isHolding: false,
    map: new Map(),
  };
  let made: HubObjects | undefined;

  function namespaceLabels(): HubObjects["namespaces"] {
    const list = namespaces.list();
    const isHolding = isAnyMissing() || held() > 0;
    if (labels.of === list && labels.isHolding === isHolding) return labels.map;
    const own = list.map(({ metadata }) => [metadata.name, metadata.labels ?? {}] as const);
    // A store that has lost our kinds has lost its namespaces, too.
    labels = { of: list, isHolding, map: new Map(isHolding ? [...labels.map, ...own] : own) };
    return labels.map;
  }

  const held = (): number => lost.reduce((sum, kind) => sum + kind.held(), 0);
  const isAnyMissing = (): boolean => ours.some(({ watch }) => !watch.state().served);

  return {
    objects() {
      const next: HubObjects = {
        routes: routes.list(),
        clusters: clusters.list(),
        zones: zones.list(),
        overrides: overrides.list(),
        fleets: fleets.list(),
        namespaces: namespaceLabels(),
        controllerNamespace: namespace,
      };
      const same =
        made !== undefined &&
        made.routes === next.routes &&
        made.clusters === next.clusters &&
        made.zones === next.zones &&
        made.overrides === next.overrides &&
        made.fleets === next.fleets &&
        made.namespaces === next.namespaces;
      if (!same) made = next;
      return made ?? next;
    },
    stored: (resource) => watches.find((watch) => watch.resource.kind === resource.kind)?.objects() ?? new Map(),
    secrets: secrets.list,
    replicas: () => replicas?.list() ?? [],
    isSynced: () => [...needed, ...(areFleetsThere() ? [fleets] : [])].every(({ watch }) => watch.state().synced),
    missing: () => ours.filter(({ watch }) => !watch.state().served).map(({ watch }) => watch.resource.kind),
    held,
    confirm: () => lost.reduce((sum, kind) => sum + kind.confirm(), 0),
    failingSince() {
      const since = needed.flatMap(({ watch }) => watch.state().failingSince ?? []);
      return since.length === 0 ? undefined : Math.min(...since);
    },
    hindrance() {
      const waiting = needed.find(({ watch }) => !watch.state().synced);
      if (waiting === undefined) return undefined;
      const error = waiting.watch.state().error;
      const kind = waiting.watch.resource.kind;
      if (error === undefined) return `${api.server} has not told its ${kind}s yet`;
      return error.isNotFound
        ? `${api.server} does not know the kind ${kind}. Install the CustomResourceDefinitions of the chart`
        : `${kind}s cannot be read: ${error.message}`;
    },
    close() {
      for (const watch of watches) watch.close();
      for (const kind of lost) kind.close();
    },
  };
}

interface Followed {
  readonly list: () => readonly KubeObject[];
  readonly watch: ResourceWatch;
  /** Makes the list anew, and tells. */
  readonly refresh: () => void;
}

/** Of a namespace nothing else is asked. */
const onlyLabels = ({ apiVersion, kind, metadata }: KubeObject): KubeObject => ({
  apiVersion,
  kind,
  metadata: {
    name: metadata.name,
    ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
    ...(metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
    ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
  },
});

/**
 * Sources that the hub reads itself, and those that vantages report of clusters to which it has no access; its own reading counts first, also
 * when a vantage in a cluster that the hub reads reports it under another name.
 */
export function mergeClusters(own: readonly ClusterObjects[], reported: readonly ClusterObjects[]): readonly ClusterObjects[] {
  if (reported.length === 0) return own;
  const known = new Set(own.map(({ cluster }) => cluster));
  const uids = new Set(own.flatMap(({ uid }) => uid ?? []));
  const more = reported.filter(({ cluster, uid }) => !known.has(cluster) && (uid === undefined || !uids.has(uid)));
  return more.length === 0 ? own : [...own, ...more];
}
