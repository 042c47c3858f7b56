/** The sources of one member cluster, read when they are asked for, and again only when the objects behind them have changed. */
import type { Network } from "../../src/model/ip.ts";
import { printable } from "../../src/model/printable.ts";
import type { ClusterObjects, SourceKind } from "../clusters/cluster-objects.ts";
import { type KubeObject, objectKey } from "../kube/kube-object.ts";
import { readGateway } from "./read-gateway.ts";
import { parentGateways, readGatewayRoute } from "./read-gateway-route.ts";
import { readIngress } from "./read-ingress.ts";
import { readService } from "./read-service.ts";
import { indexSlices, readinessOf, type SliceIndex } from "./service-readiness.ts";
import { ADDRESSED_KINDS, type AddressedKind, type Readiness, type SourceFacts, type SourceReading } from "./source-reading.ts";

/** Annotations that are ours. */
const PREFIX = "globalroute.dev/";
/** Of what was thrown, in characters: it may quote the object. */
const LONGEST_REASON = 200;

export interface ClusterSources {
  readonly cluster: string;
  /** False while its API server cannot be asked: what is here was seen last. */
  readonly isCurrent: boolean;
  /** Whether the objects of a kind have ever been read: if not, that one is absent means nothing. */
  isRead(kind: SourceKind): boolean;
  find(kind: AddressedKind, namespace: string, name: string): SourceReading | undefined;
  /** Those with an annotation of ours, kind by kind, in the order of the objects. */
  readonly annotated: readonly SourceReading[];
  /** What the cluster says of the Services behind a source; undefined when nothing is known, or not of now. */
  readiness(source: SourceReading): Readiness | undefined;
  /** All that readiness follows from, besides the source; undefined when nothing can be said of any. */
  readonly slices: SliceIndex | undefined;
}

export interface ClusterReader {
  /** The same result (===) for the same objects. */
  read(objects: ClusterObjects): ClusterSources;
}

interface CachedReading {
  readonly gateways: readonly (KubeObject | undefined)[];
  readonly reading: SourceReading;
}

/**
 * One for each cluster, since what it remembers of objects is by their identity.
 *
 * @param allow networks whose addresses are used although they are special (`--probe-allow`)
 */
export function createClusterReader(allow: readonly Network[]): ClusterReader {
  const readings = new WeakMap<KubeObject, CachedReading>();
  const byList = new WeakMap<readonly KubeObject[], ReadonlyMap<string, KubeObject>>();
  const slices = new WeakMap<readonly KubeObject[], SliceIndex>();
  const marked = new WeakMap<readonly KubeObject[], readonly KubeObject[]>();
  let last: { readonly objects: ClusterObjects; readonly sources: ClusterSources } | undefined;

  function sourcesOf({ cluster, objects, isCurrent }: ClusterObjects): ClusterSources {
    const keyed = (kind: SourceKind): ReadonlyMap<string, KubeObject> | undefined =>
      objects[kind] && memo(byList, objects[kind], (list) => new Map(list.map((object) => [objectKey(object), object])));
    const gateways = keyed("Gateway");

    function read(kind: AddressedKind, object: KubeObject): SourceReading {
      const parents = guarded(() => parentsOf(kind, object, gateways), none);
      const known = readings.get(object);
      if (known !== undefined && known.reading.cluster === cluster && sameEntries(known.gateways, parents)) return known.reading;
      const facts = guarded(() => factsOf(kind, object, gateways, allow), unreadable);
      const reading = toReading(cluster, kind, object, facts);
      readings.set(object, { gateways: parents, reading });
      return reading;
    }

    const index = isCurrent ? objects.EndpointSlice && memo(slices, objects.EndpointSlice, indexSlices) : undefined;
    return {
      cluster,
      isCurrent,
      isRead: (kind) => objects[kind] !== undefined,
      find(kind, namespace, name) {
        const object = keyed(kind)?.get(`${namespace}/${name}`);
        return object && read(kind, object);
      },
      annotated: ADDRESSED_KINDS.flatMap((kind) =>
        memo(marked, objects[kind] ?? [], (list) => list.filter(isMarked)).map((object) => read(kind, object)),
      ),
      readiness: (source) => (index === undefined ? undefined : readinessOf(source.services, index)),
      slices: index,
    };
  }

  return {
    read(objects) {
      if (last === undefined || !sameObjects(last.objects, objects)) last = { objects, sources: sourcesOf(objects) };
      return last.sources;
    },
  };
}

const parentsOf = (
  kind: AddressedKind,
  object: KubeObject,
  gateways: ReadonlyMap<string, KubeObject> | undefined,
): readonly (KubeObject | undefined)[] => (isGatewayRoute(kind) ? parentGateways(object).map((key) => gateways?.get(key)) : []);

const isGatewayRoute = (kind: AddressedKind): boolean => kind === "HTTPRoute" || kind === "GRPCRoute" || kind === "TLSRoute";

function isMarked({ metadata }: KubeObject): boolean {
  for (const name in metadata.annotations) if (name.startsWith(PREFIX)) return true;
  return false;
}

function factsOf(
  kind: AddressedKind,
  object: KubeObject,
  gateways: ReadonlyMap<string, KubeObject> | undefined,
  allow: readonly Network[],
): SourceFacts {
  switch (kind) {
    case "Ingress":
      return readIngress(object, allow);
    case "Service":
      return readService(object, allow);
    case "Gateway":
      return readGateway(object, allow);
    case "HTTPRoute":
    case "GRPCRoute":
    case "TLSRoute":
      return readGatewayRoute(object, gateways, allow);
  }
}

/** One object of a form that nobody thought of must not stop the reading of all others. */
function guarded<T>(read: () => T, otherwise: (error: unknown) => T): T {
  try {
    return read();
  } catch (error) {
    return otherwise(error);
  }
}

const none = (): readonly never[] => [];

function unreadable(error: unknown): SourceFacts {
  const why = error instanceof Error ? printable(error.message).slice(0, LONGEST_REASON) : "no reason given";
  const message = `cannot be read: ${why}. Correct what in it is no valid Kubernetes object; if there is nothing, this is a bug: report it.`;
  return { hosts: [], addresses: [], services: [], problems: [{ reason: "SourceUnreadable", message }] };
}

function toReading(cluster: string, kind: AddressedKind, object: KubeObject, facts: SourceFacts): SourceReading {
  const { metadata, apiVersion } = object;
  const { name, namespace = "", uid = "", creationTimestamp: created = "", annotations = {} } = metadata;
  return {
    ...facts,
    cluster,
    kind,
    namespace,
    name,
    uid,
    created,
    annotations,
    deleting: metadata.deletionTimestamp !== undefined,
    object: { apiVersion, kind, metadata },
  };
}

function memo<K extends object, V>(cache: WeakMap<K, V>, key: K, make: (key: K) => V): V {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make(key);
  cache.set(key, made);
  return made;
}

const sameEntries = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((entry, i) => entry === b[i]);

function sameObjects(a: ClusterObjects, b: ClusterObjects): boolean {
  if (a === b) return true;
  if (a.cluster !== b.cluster || a.isCurrent !== b.isCurrent) return false;
  const kinds: readonly SourceKind[] = [...ADDRESSED_KINDS, "EndpointSlice"];
  return kinds.every((kind) => a.objects[kind] === b.objects[kind]);
}
