/** Objects of clusters that only a vantage can read, as it reported them. */
import type { ClusterObjects, SourceKind } from "../clusters/cluster-objects.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import type { Sources } from "./peer-messages.ts";

/** Objects that one vantage may report of one kind. */
const MOST_OBJECTS = 50_000;

export interface SourcesBook {
  /** Of every vantage that ever reported any; what it saw last stays while it is away. */
  clusters(): readonly ClusterObjects[];
  /**
   * @param vantage name of the vantage: it is the name of its cluster, whatever it says
   * @returns true when something changed; false also while parts are missing
   */
  hear(vantage: string, message: Sources): boolean;
  /** The stream ended: what is known is not of now any more. @returns true when something changed */
  lost(vantage: string): boolean;
  /** @returns true when something changed */
  forget(vantage: string): boolean;
}

interface Reported {
  cluster: ClusterObjects;
  /** Kind → parts that have come of a list that is not complete. */
  readonly parts: Map<SourceKind, KubeObject[]>;
}

export function createSourcesBook(): SourcesBook {
  const reported = new Map<string, Reported>();
  let list: readonly ClusterObjects[] = [];
  const renew = (): true => {
    list = [...reported.values()].map(({ cluster }) => cluster);
    return true;
  };
  return {
    clusters: () => list,
    hear(vantage, { kind, uid, isCurrent, isFirst, isLast, objects }) {
      const known = reported.get(vantage) ?? { cluster: { cluster: vantage, objects: {}, isCurrent: false }, parts: new Map() };
      reported.set(vantage, known);
      const parts = isFirst ? [] : known.parts.get(kind);
      if (parts === undefined) return false; // the rest of a list that is too long
      if (parts.length + objects.length > MOST_OBJECTS) {
        known.parts.delete(kind);
        return false;
      }
      parts.push(...objects);
      known.parts.set(kind, parts);
      if (!isLast) return false;
      known.parts.delete(kind);
      known.cluster = {
        ...known.cluster,
        ...(uid === undefined ? {} : { uid }),
        isCurrent,
        objects: { ...known.cluster.objects, [kind]: parts },
      };
      return renew();
    },
    lost(vantage) {
      const known = reported.get(vantage);
      if (known === undefined || !known.cluster.isCurrent) return false;
      known.cluster = { ...known.cluster, isCurrent: false };
      known.parts.clear();
      return renew();
    },
    forget: (vantage) => reported.delete(vantage) && renew(),
  };
}
