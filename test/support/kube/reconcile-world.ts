/** A small world for tests of reconciling: a hub, member clusters with a few objects each, passes one after the other. */
import { type ClusterObjects, type HubObjects, SOURCE_KINDS, type SourceKind } from "../../../controller/clusters/cluster-objects.ts";
import type { KubeObject } from "../../../controller/kube/kube-object.ts";
import { createReconciler } from "../../../controller/reconcile/reconcile.ts";
import type { Reconciled } from "../../../controller/reconcile/reconciled.ts";
import type { Route } from "../../../src/model/inventory.ts";
import type { Network } from "../../../src/model/ip.ts";
import type { RegionTable } from "../../../src/model/region-table.ts";
import { dnsZone, memberCluster } from "./source-objects.ts";

const dublin = { city: "Dublin", country: "IE", continent: "EU", latitude: 53.35, longitude: -6.26 };
/** Knows `aws eu-west-1`. */
export const oneRegion: RegionTable = {
  find: (cloud, region) => (cloud === "aws" && region === "eu-west-1" ? dublin : undefined),
  suggest: () => undefined,
};

export interface WorldInput {
  readonly routes?: readonly KubeObject[];
  /** Those of `clusters`, without anything special, unless given. */
  readonly memberClusters?: readonly KubeObject[];
  /** `example.org`, open to everybody, unless given. */
  readonly zones?: readonly KubeObject[];
  readonly overrides?: readonly KubeObject[];
  readonly fleets?: readonly KubeObject[];
  readonly namespaces?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Name of the cluster → its objects; kinds come from the objects. */
  readonly clusters?: Readonly<Record<string, readonly KubeObject[]>>;
  /** Cluster → kinds of it that have not been read. */
  readonly unread?: Readonly<Record<string, readonly SourceKind[] | "all">>;
  /** Clusters whose API servers cannot be asked now. */
  readonly cutOff?: readonly string[];
}

export function hubOf({
  routes = [],
  memberClusters,
  zones,
  overrides = [],
  fleets = [],
  namespaces,
  clusters = {},
}: WorldInput): HubObjects {
  return {
    routes,
    clusters: memberClusters ?? Object.keys(clusters).map((name) => memberCluster(name)),
    zones: zones ?? [dnsZone("example.org", [{}])],
    overrides,
    fleets,
    namespaces: new Map(Object.entries(namespaces ?? { web: { team: "web" }, "globalroute-system": {} })),
    controllerNamespace: "globalroute-system",
  };
}

export const clustersOf = ({ clusters = {}, unread = {}, cutOff = [] }: WorldInput): readonly ClusterObjects[] =>
  Object.entries(clusters).map(([cluster, all]) => {
    const hidden = unread[cluster] ?? [];
    const kinds = hidden === "all" ? [] : SOURCE_KINDS.filter((kind) => !hidden.includes(kind));
    const objects = Object.fromEntries(kinds.map((kind) => [kind, all.filter((object) => object.kind === kind)]));
    return { cluster, objects, isCurrent: !cutOff.includes(cluster) };
  });

export interface TestHub {
  /** One pass over the input; what was before is handed on. */
  pass(input: WorldInput, asIfUnread?: boolean): Reconciled;
  readonly last: () => Reconciled | undefined;
}

export function startHub(previous?: Reconciled, allow: readonly Network[] = []): TestHub {
  const reconciler = createReconciler({ regions: oneRegion, allow });
  let last = previous;
  return {
    pass(input, asIfUnread = false) {
      last = reconciler.reconcile({ hub: hubOf(input), clusters: clustersOf(input), previous: last, asIfUnread });
      return last;
    },
    last: () => last,
  };
}

/** `web/shop shop.example.org: eu 192.0.2.1 | us 192.0.2.2*50`: what is served, a line for each route. Weights only where they are not 100. */
export const served = ({ inventory }: Reconciled): readonly string[] => inventory.routes.map(routeLine);

export const routeLine = ({ namespace, name, hosts, backends }: Route): string =>
  `${namespace}/${name} ${hosts.join()}: ${backends.map((backend) => `${backend.name} ${backend.addresses.join()}${backend.weight === 100 ? "" : `*${backend.weight}`}`).join(" | ")}`;

/** `HostNotAllowed Ingress web/shop`, a line for each warning. */
export const told = ({ warnings }: Reconciled): readonly string[] =>
  warnings.map(({ reason, object }) => `${reason} ${object.kind} ${object.metadata.namespace}/${object.metadata.name}`);

/** `Invalid` or `Accepted`, of one of our objects. */
export const judged = ({ reports }: Reconciled, kind: string, name: string): string | undefined =>
  reports.find((report) => report.kind === kind && (report.namespace === "" ? report.name : `${report.namespace}/${report.name}`) === name)
    ?.accepted.reason;
