/** The store of a watch, ahead by what this process has written itself: a watch tells of a write a moment after it was answered. */
import { isOlderVersion, type KubeObject, type Resource } from "../kube/kube-object.ts";

/** What watches have seen last, of a resource of the hub. */
export interface HubStore {
  objects(resource: Resource): ReadonlyMap<string, KubeObject>;
}

export interface OwnWrites {
  /** The newest that is known of an object. @param key `namespace/name` */
  current(resource: Resource, key: string): KubeObject | undefined;
  /**
   * @param result what the server answered; undefined when it was deleted
   * @param before what was written over or deleted
   */
  wrote(resource: Resource, key: string, result: KubeObject | undefined, before?: KubeObject): void;
  clear(): void;
}

/**
 * What was written counts until the store has anything else than it had then: by then the watch has told of the write, or of one that came before
 * it, and the next write with the stale version is refused and tried again.
 */
export function createOwnWrites(store: HubStore): OwnWrites {
  const written = new Map<string, { readonly seen: KubeObject | undefined; readonly result: KubeObject | undefined }>();
  const idOf = (resource: Resource, key: string): string => `${resource.plural} ${key}`;
  return {
    current(resource, key) {
      const seen = store.objects(resource).get(key);
      const own = written.get(idOf(resource, key));
      if (own === undefined) return seen;
      if (own.seen?.metadata.resourceVersion === seen?.metadata.resourceVersion) return own.result;
      written.delete(idOf(resource, key));
      return seen;
    },
    wrote: (resource, key, result, before) => {
      const seen = store.objects(resource).get(key);
      const id = idOf(resource, key);
      // A watch can be quicker than the answer, and tell of a later change already.
      if (seen !== undefined && isLater(seen, result, before)) written.delete(id);
      else written.set(id, { seen, result });
    },
    clear: () => written.clear(),
  };
}

function isLater(seen: KubeObject, result: KubeObject | undefined, before: KubeObject | undefined): boolean {
  if (result === undefined) return before !== undefined && seen.metadata.uid !== before.metadata.uid;
  return isOlderVersion(result.metadata.resourceVersion ?? "", seen.metadata.resourceVersion ?? "");
}

/** Name and version of exactly this object, for a write that must not hit another or a later one. */
export const preconditions = ({
  metadata,
}: KubeObject): Pick<KubeObject["metadata"], "name" | "namespace" | "uid" | "resourceVersion"> => ({
  name: metadata.name,
  ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
  ...(metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
});
