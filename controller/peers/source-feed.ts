/** What one stream is still to be told of the objects of a vantage's own cluster. */
import { type ClusterObjects, SOURCE_KINDS, type SourceKind } from "../clusters/cluster-objects.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import { MOST_ENTRIES, type Sources } from "./peer-messages.ts";

/** Text of the objects in one message, characters; an object that is longer goes alone. */
const PART = 256 << 10;

export interface SourceFeed {
  /** @returns the next message; undefined when everything has been told */
  take(cluster: ClusterObjects | undefined): Sources | undefined;
}

export function createSourceFeed(): SourceFeed {
  const told = new Map<SourceKind, { readonly objects: readonly KubeObject[]; readonly isCurrent: boolean }>();
  /** Of the list that is being told. */
  let part:
    | { readonly kind: SourceKind; readonly cluster: ClusterObjects; readonly objects: readonly KubeObject[]; next: number }
    | undefined;

  function begin(cluster: ClusterObjects): typeof part {
    for (const kind of SOURCE_KINDS) {
      const objects = cluster.objects[kind];
      const known = told.get(kind);
      if (objects === undefined || (known?.objects === objects && known.isCurrent === cluster.isCurrent)) continue;
      return { kind, cluster, objects, next: 0 };
    }
    return undefined;
  }

  return {
    take(cluster) {
      if (cluster === undefined) return undefined;
      part ??= begin(cluster);
      if (part === undefined) return undefined;
      const { kind, objects, next } = part;
      const isFirst = next === 0;
      const objectsOfPart: KubeObject[] = [];
      let length = 0;
      for (const object of objects.slice(next, next + MOST_ENTRIES)) {
        length += JSON.stringify(object).length;
        if (objectsOfPart.length > 0 && length > PART) break;
        objectsOfPart.push(object);
      }
      part.next += objectsOfPart.length;
      const isLast = part.next >= objects.length;
      const { uid, isCurrent } = part.cluster;
      if (isLast) {
        told.set(kind, { objects, isCurrent });
        part = undefined;
      }
      return { type: "sources", kind, ...(uid === undefined ? {} : { uid }), isCurrent, isFirst, isLast, objects: objectsOfPart };
    },
  };
}
