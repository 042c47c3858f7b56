/** Annotated sources: what each asks for, and which of its hosts it may have here. */
import { parseAnnotations, RESIDENCY_LABEL, type SourceAnnotations } from "../../src/model/annotations.ts";
import { zoneOf } from "../../src/model/host-zones.ts";
import { type ZoneGrant, zoneGrant } from "../../src/model/zone-grants.ts";
import type { ClusterSources } from "../sources/read-cluster.ts";
import { type SourceReading, sourceId } from "../sources/source-reading.ts";
import { type ByNamespace, byNamespace, keepGroups } from "./by-namespace.ts";
import type { Environment } from "./environment.ts";
import { sameList } from "./keep-previous.ts";
import type { SourceWarning } from "./reconciled.ts";

export interface JoiningSource {
  /** `eu-west/web/Ingress/shop` */
  readonly id: string;
  /** Sorts before those of younger sources; those whose age is not known come last. */
  readonly age: string;
  readonly reading: SourceReading;
  readonly wishes: SourceAnnotations;
  /** An annotation cannot be read: the source keeps what it had, and gets nothing new. */
  readonly isInvalid: boolean;
  /** Those that their zones allow to its namespace, from its cluster. */
  readonly hosts: readonly string[];
}

interface Judged {
  readonly environment: Environment;
  /** Undefined when it asks for nothing. */
  readonly joining: JoiningSource | undefined;
  readonly warnings: readonly SourceWarning[];
}

export interface Joining {
  /** The same lists (===) for as long as their entries are. */
  readonly byNamespace: ByNamespace<JoiningSource>;
  readonly warnings: readonly SourceWarning[];
}

export interface JoinReader {
  /** The same entries (===) for the same readings in the same environment. */
  read(sources: ReadonlyMap<string, ClusterSources>, environment: Environment): Joining;
}

interface JoiningOfCluster extends Joining {
  readonly annotated: readonly SourceReading[];
  readonly environment: Environment;
}

export function createJoinReader(): JoinReader {
  const known = new WeakMap<SourceReading, Judged>();
  let clusters: ReadonlyMap<string, JoiningOfCluster> = new Map();
  let last: Joining = { byNamespace: new Map(), warnings: [] };

  function judged(reading: SourceReading, environment: Environment): Judged {
    const before = known.get(reading);
    if (before?.environment === environment) return before;
    const next = { environment, ...judge(reading, environment) };
    known.set(reading, next);
    return next;
  }

  function readCluster(cluster: string, annotated: readonly SourceReading[], environment: Environment): JoiningOfCluster {
    const before = clusters.get(cluster);
    if (before?.annotated === annotated && before.environment === environment) return before;
    const joining: JoiningSource[] = [];
    const warnings: SourceWarning[] = [];
    for (const reading of annotated) {
      const found = judged(reading, environment);
      if (found.joining !== undefined) joining.push(found.joining);
      if (found.warnings.length > 0) warnings.push(...found.warnings);
    }
    const groups = keepGroups(
      before?.byNamespace,
      byNamespace(joining, ({ reading }) => reading.namespace),
    );
    return { annotated, environment, byNamespace: groups, warnings };
  }

  return {
    read(sources, environment) {
      const next = new Map<string, JoiningOfCluster>();
      for (const [cluster, { annotated }] of sources) {
        // What others say has no place to go.
        if (environment.clusters.byName.has(cluster)) next.set(cluster, readCluster(cluster, annotated, environment));
      }
      const all = [...next.values()];
      if (!sameList([...clusters.values()], all)) {
        last = {
          byNamespace: regroup(last.byNamespace, all, changedNamespaces(clusters, next)),
          warnings: all.flatMap(({ warnings }) => warnings),
        };
      }
      clusters = next;
      return last;
    },
  };
}

/** Namespaces whose sources in some cluster are not those of before; all, where other clusters are read, or in another order. */
function changedNamespaces(
  before: ReadonlyMap<string, JoiningOfCluster>,
  next: ReadonlyMap<string, JoiningOfCluster>,
): ReadonlySet<string> {
  const isSameOrder = sameList([...before.keys()], [...next.keys()]);
  const changed = new Set<string>();
  for (const [cluster, { byNamespace: groups }] of [...before, ...next]) {
    const [old, now] = [before.get(cluster)?.byNamespace, next.get(cluster)?.byNamespace];
    if (isSameOrder && old === now) continue;
    for (const namespace of groups.keys()) if (!isSameOrder || old?.get(namespace) !== now?.get(namespace)) changed.add(namespace);
  }
  return changed;
}

function regroup(
  before: ByNamespace<JoiningSource>,
  clusters: readonly JoiningOfCluster[],
  changed: ReadonlySet<string>,
): ByNamespace<JoiningSource> {
  const groups = new Map(before);
  for (const namespace of changed) {
    const group = clusters.flatMap((cluster) => cluster.byNamespace.get(namespace) ?? []);
    if (group.length === 0) groups.delete(namespace);
    else if (!sameList(before.get(namespace), group)) groups.set(namespace, group);
  }
  return groups;
}

function judge(reading: SourceReading, environment: Environment): Omit<Judged, "environment"> {
  const warnings: SourceWarning[] = [];
  const warn = (reason: string, message: string) => {
    warnings.push(warningOn(reading, reason, message));
  };
  const { values: wishes, faults, isBlocked } = parseAnnotations(reading.annotations);
  for (const { annotation, fault } of faults) {
    warn("AnnotationInvalid", `${annotation} ${JSON.stringify(reading.annotations[annotation] ?? "")} ${fault.message}. ${fault.remedy}`);
  }
  // What is unknown or idle has never had an effect, so it cannot have lost one either.
  const isInvalid = isBlocked || faults.some(({ fault: { code } }) => code !== "field-unknown" && code !== "field-unused");
  if (!wishes.joins && !isInvalid) return { joining: undefined, warnings };
  for (const { reason, message } of reading.problems) warn(reason, message);
  const isUnreadable = reading.problems.some(({ reason }) => reason === "SourceUnreadable");
  const hosts = isUnreadable ? [] : allowedHosts(reading, wishes, environment, warn);
  const id = sourceId(reading);
  const age = `${reading.created === "" ? "~" : reading.created} ${id}`;
  return { joining: { id, age, reading, wishes, isInvalid: isInvalid || isUnreadable, hosts }, warnings };
}

type Warn = (reason: string, message: string) => void;

function allowedHosts(reading: SourceReading, wishes: SourceAnnotations, environment: Environment, warn: Warn): readonly string[] {
  const { cluster, namespace, kind } = reading;
  const { clusters, zones, api } = environment;
  const clusterLabels = clusters.byName.get(cluster)?.labels;
  if (clusterLabels === undefined) return []; // its MemberCluster says what is wrong
  const namespaceLabels = api.namespaceLabels(namespace);
  if (namespaceLabels === undefined) {
    warn(
      "NamespaceMissing",
      `the hub has no namespace ${namespace}, and a source joins routes of its own namespace only. Create it on the hub.`,
    );
    return [];
  }
  const { residency } = wishes.policy;
  if (residency !== undefined && clusterLabels[RESIDENCY_LABEL] !== residency) {
    const message = `asks for residency ${residency}, and its own MemberCluster ${cluster} does not have the label ${RESIDENCY_LABEL}=${residency}. Label the cluster if it is true, or remove the annotation.`;
    warn("ResidencyRefused", message);
    return [];
  }
  if (reading.hosts.length === 0) {
    const remedy = kind === "Service" ? "Add the annotation external-dns.kubernetes.io/hostname" : "Add a host to its rules";
    warn("HostMissing", `names no host that could be served. ${remedy}, or list it as a sourceRef of a GlobalRoute.`);
  }
  const claimant = { namespaceLabels, clusterLabels };
  return reading.hosts.filter((host) => {
    const zone = zoneOf(host, zones.byDomain);
    if (zone === undefined) warn("HostWithoutZone", `no DNSZone holds ${host}. Add one for its domain, or remove the host.`);
    const grant = zone && zoneGrant(zones.allowedRoutes.get(zone.name), host, claimant);
    if (zone !== undefined && grant !== undefined && grant !== "Granted") {
      warn("HostNotAllowed", `DNSZone ${zone.name} ${refusal(grant, host, reading)}`);
    }
    return grant === "Granted";
  });
}

/** The rest of a sentence about the zone. */
function refusal(grant: Exclude<ZoneGrant, "Granted">, host: string, { namespace, cluster }: SourceReading): string {
  switch (grant) {
    case "Closed":
      return `allows no routes, so nobody may use ${host}. Add an entry for namespace ${namespace} to its allowedRoutes.`;
    case "Name":
      return `does not let routes use ${host}. Add the name to the suffixes of its allowedRoutes, or choose another host.`;
    case "Namespace":
      return `does not let namespace ${namespace} use ${host}. Its owner can select the namespace in allowedRoutes.`;
    case "Cluster":
      return `takes no sources of cluster ${cluster} for ${host}. Its owner can select the cluster in allowedRoutes, by labels of the MemberCluster.`;
  }
}

/** A warning for whoever owns a source. */
export const warningOn = ({ cluster, object, kind, namespace, name }: SourceReading, reason: string, message: string): SourceWarning => ({
  cluster,
  object,
  reason,
  message: `${kind} ${namespace}/${name} in cluster ${cluster}: ${message}`,
});
