/** Where the addresses of a route's backends come from: its spec, the sources that it names, and annotated sources that join it. */
import type { BackendSpec } from "../../src/model/api-context.ts";
import { zoneOf } from "../../src/model/host-zones.ts";
import type { Backend } from "../../src/model/inventory.ts";
import type { ObjectOf } from "../../src/model/manifest-object.ts";
import { zoneGrant } from "../../src/model/zone-grants.ts";
import { hashText } from "../../src/routing/hash.ts";
import { applyAddressing } from "../sources/addressing.ts";
import type { ClusterSources } from "../sources/read-cluster.ts";
import type { AddressedKind, SourceReading } from "../sources/source-reading.ts";
import type { Environment } from "./environment.ts";
import { compareTexts } from "./hub-object.ts";
import type { JoiningSource } from "./joining-source.ts";
import type { BackendReport } from "./reconciled.ts";

export interface AssembledBackends {
  /** Each with its addresses; an annotated source that has none, and never had, stands there by reference. */
  readonly backends: readonly BackendSpec[];
  readonly reports: readonly BackendReport[];
  /** Name of the backend → the source that its addresses come from, where that can be looked at. */
  readonly sources: ReadonlyMap<string, SourceReading>;
}

/** What the backends of a route were, and where from. */
export interface ServedBackends {
  readonly backends: readonly Pick<Backend, "name" | "cluster" | "addresses" | "weight" | "priority">[];
  /** As far as is known. */
  readonly reports: readonly BackendReport[];
}

export interface BackendContext {
  readonly environment: Environment;
  /** By name of the cluster. */
  readonly sources: ReadonlyMap<string, ClusterSources>;
  readonly served: ServedBackends;
}

type Resolved = { readonly addresses: readonly string[]; readonly reason: string; readonly reading?: SourceReading };

/** @param joined annotated sources that may join, in any order */
export function assembleBackends(
  object: ObjectOf<"GlobalRoute">,
  joined: readonly JoiningSource[],
  context: BackendContext,
): AssembledBackends {
  const backends: BackendSpec[] = [];
  const reports: BackendReport[] = [];
  const sources = new Map<string, SourceReading>();
  const add = (backend: BackendSpec, { addresses, reason, reading }: Resolved, source: string, discovered: boolean) => {
    const { name, cluster } = backend;
    reports.push({ name, cluster, source, reason, discovered });
    if (addresses.length > 0) backends.push({ ...backend, addresses: [...addresses] });
    else if (discovered && reading !== undefined) backends.push({ ...backend, sourceRef: { kind: reading.kind, name: reading.name } });
    if (reading !== undefined) sources.set(name, reading);
  };

  const named = new Set<string>();
  for (const backend of object.spec.backends) {
    const { sourceRef, ...rest } = backend;
    if (sourceRef === undefined) {
      backends.push(backend);
      reports.push({ name: backend.name, cluster: backend.cluster, source: "", reason: "", discovered: false });
      continue;
    }
    named.add(`${backend.cluster} ${sourceTitle(object.namespace, sourceRef)}`);
    add(rest, resolveReference(object, backend.cluster, sourceRef, backend.name, context), sourceTitle(object.namespace, sourceRef), false);
  }

  const listed = new Set(object.spec.backends.map(({ name }) => name));
  const own = joined.filter(({ reading }) => !named.has(`${reading.cluster} ${titleOf(reading)}`));
  const found: { readonly backend: BackendSpec; readonly resolved: Resolved; readonly source: string }[] = [];
  for (const { name, source, resolved, before } of nameDiscovered(own, listed, context)) {
    if (source.isInvalid && before === undefined) continue; // a bad annotation gets nothing new
    const { weight, priority } = source.isInvalid && before !== undefined ? before : source.wishes;
    found.push({ backend: toSpec(name, source.reading.cluster, weight, priority), resolved, source: titleOf(source.reading) });
  }

  const present = new Set([...listed, ...found.map(({ backend }) => backend.name)]);
  const isDiscovering = object.spec.discovery === "SameNamespace" || object.spec.backends.length === 0;
  if (isDiscovering) {
    for (const backend of context.served.backends) {
      const report = context.served.reports.find(({ name, cluster }) => name === backend.name && cluster === backend.cluster);
      if (present.has(backend.name) || !isUnseen(backend.cluster, report, context)) continue;
      const { name, cluster, weight, priority, addresses } = backend;
      const resolved = { addresses, reason: "ClusterNotRead" };
      found.push({ backend: toSpec(name, cluster, weight, priority), resolved, source: report?.source ?? "" });
    }
  }
  for (const { backend, resolved, source } of found.sort((a, b) => compareTexts(a.backend.name, b.backend.name))) {
    add(backend, resolved, source, true);
  }
  return { backends, reports, sources };
}

/** `Ingress web/shop` */
export const titleOf = ({ kind, namespace, name }: Pick<SourceReading, "kind" | "namespace" | "name">): string =>
  `${kind} ${namespace}/${name}`;
const sourceTitle = (namespace: string, { kind, name }: { readonly kind: AddressedKind; readonly name: string }): string =>
  titleOf({ kind, namespace, name });

const toSpec = (name: string, cluster: string, weight = 100, priority = 0): BackendSpec => ({ name, cluster, weight, priority, bias: 0 });

/** What is not there now, and was there before, stays: that somebody has deleted what a route still names is likelier a slip. */
function resolveReference(
  { namespace, spec }: ObjectOf<"GlobalRoute">,
  cluster: string,
  { kind, name }: { readonly kind: AddressedKind; readonly name: string },
  backend: string,
  context: BackendContext,
): Resolved {
  const { environment, sources, served } = context;
  if (isClusterRefused(spec.hosts, namespace, cluster, environment)) return { addresses: [], reason: "ClusterNotAllowed" };
  const before = served.backends.find((other) => other.name === backend && other.cluster === cluster)?.addresses ?? [];
  const reader = sources.get(cluster);
  const reading = reader?.find(kind, namespace, name);
  if (reading !== undefined) return resolve(reading, before, environment);
  const isKnown = reader?.isRead(kind) === true && reader.isCurrent;
  return { addresses: before, reason: isKnown ? "SourceMissing" : "ClusterNotRead" };
}

function resolve(reading: SourceReading, before: readonly string[], { addressing }: Environment): Resolved {
  if (!addressing.has(reading.cluster)) return { addresses: before, reason: "ClusterRejected", reading };
  const addresses = applyAddressing(reading.addresses, addressing.get(reading.cluster));
  if (addresses.length > 0) return { addresses, reason: reading.deleting ? "Deleting" : "", reading };
  return {
    addresses: before,
    reason: reading.problems.some(({ reason }) => reason === "NotAccepted") ? "NotAccepted" : "Pending",
    reading,
  };
}

/** Whether the zone of any host takes no sources of the cluster. */
function isClusterRefused(hosts: readonly string[], namespace: string, cluster: string, { clusters, zones, api }: Environment): boolean {
  const clusterLabels = clusters.byName.get(cluster)?.labels;
  if (clusterLabels === undefined) return false; // told as an error of the route
  const namespaceLabels = api.namespaceLabels(namespace);
  return hosts.some((host) => {
    const zone = zoneOf(host, zones.byDomain);
    return zone !== undefined && zoneGrant(zones.allowedRoutes.get(zone.name), host, { namespaceLabels, clusterLabels }) === "Cluster";
  });
}

interface Discovered {
  readonly name: string;
  readonly source: JoiningSource;
  readonly resolved: Resolved;
  /** As this source was served before. */
  readonly before: ServedBackends["backends"][number] | undefined;
}

/**
 * Names of discovered backends: the cluster's, `-2` and so on for further sources of the cluster. A source keeps the name that it has. Of
 * several sources of a cluster with the same addresses, such as the Ingresses of one host's paths, one stands for all.
 */
function nameDiscovered(joined: readonly JoiningSource[], listed: ReadonlySet<string>, context: BackendContext): readonly Discovered[] {
  const { served, environment } = context;
  const nameOf = new Map(
    served.reports.filter(({ discovered }) => discovered !== false).map(({ cluster, source, name }) => [`${cluster} ${source}`, name]),
  );
  const held = ({ reading }: JoiningSource): string | undefined => nameOf.get(`${reading.cluster} ${titleOf(reading)}`);
  const inOrder = [...joined].sort((a, b) => compareTexts(order(a, held(a)), order(b, held(b))));
  const used = new Set([...listed, ...inOrder.flatMap((source) => held(source) ?? [])]);
  const seen = new Set<string>();
  return inOrder.flatMap((source) => {
    const { cluster } = source.reading;
    const name = held(source) ?? freeName(cluster, used);
    // One that takes the place of a source that is gone also keeps its addresses until it has its own.
    const before = served.backends.find((backend) => backend.name === name && backend.cluster === cluster);
    const resolved = resolve(source.reading, before?.addresses ?? [], environment);
    const place = `${cluster} ${[...resolved.addresses].sort().join()}`;
    if (resolved.addresses.length > 0 && seen.has(place)) return [];
    seen.add(place);
    used.add(name);
    return [{ name, source, resolved, before: held(source) === undefined ? undefined : before }];
  });
}

/** Those that have a name first, then the oldest. */
const order = ({ reading, id }: JoiningSource, name: string | undefined): string =>
  name === undefined ? `1 ${reading.created === "" ? "~" : reading.created} ${id}` : `0 ${name}`;

function freeName(cluster: string, used: ReadonlySet<string>): string {
  const plain = cluster.replaceAll(".", "-");
  const base = plain.length <= 58 ? plain : `${plain.slice(0, 49)}-${hashText(cluster).toString(16).padStart(8, "0")}`;
  for (let i = 1; ; i++) {
    const name = i === 1 ? base : `${base}-${i}`;
    if (!used.has(name)) return name;
  }
}

/** Whether a backend of before, of which no source is seen now, may still have its source: absence from what nobody has read is no deletion. */
function isUnseen(cluster: string, report: BackendReport | undefined, { environment, sources }: BackendContext): boolean {
  if (!environment.clusters.byName.has(cluster)) return false;
  if (report?.discovered === false) return false; // the spec listed it, and does not any more
  const reader = sources.get(cluster);
  if (reader === undefined) return true;
  const kind = kindOf(report?.source ?? "");
  if (kind !== undefined) return !reader.isRead(kind);
  return !KINDS.every((one) => reader.isRead(one));
}

const KINDS = ["Ingress", "Gateway", "HTTPRoute", "GRPCRoute", "TLSRoute", "Service"] as const satisfies readonly AddressedKind[];
const kindOf = (title: string): AddressedKind | undefined => KINDS.find((kind) => title.startsWith(`${kind} `));
