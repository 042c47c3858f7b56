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
  /**
   * Forgets what the watch has told of by now, and what is neither stored nor wanted any more: nobody may ask for it again. Cheap when called
   * often, as few writes are that new.
   */
  sweep(isWanted: (resource: Resource, key: string) => boolean): void;
  clear(): void;
}

/**
 * What was written counts until the store has anything else than it had then: by then the watch has told of the write, or of one that came before
 * it, and the next write with the stale version is refused and tried again.
 */
export function createOwnWrites(store: HubStore): OwnWrites {
  const written = new Map<string, Written>();
  const idOf = (resource: Resource, key: string): string => `${resource.plural} ${key}`;
  const seenOf = ({ resource, key }: Pick<Written, "resource" | "key">): KubeObject | undefined => store.objects(resource).get(key);
  return {
    current(resource, key) {
      const seen = seenOf({ resource, key });
      const own = written.get(idOf(resource, key));
      if (own === undefined) return seen;
      if (own.seenVersion === seen?.metadata.resourceVersion) return own.result;
      written.delete(idOf(resource, key));
      return seen;
    },
    wrote: (resource, key, result, before) => {
      const seen = seenOf({ resource, key });
      const id = idOf(resource, key);
      // A watch can be quicker than the answer, and tell of a later change already.
      if (seen !== undefined && isLater(seen, result, before)) written.delete(id);
      else written.set(id, { resource, key, seenVersion: seen?.metadata.resourceVersion, result });
    },
    sweep(isWanted) {
      for (const [id, own] of written) {
        const seen = seenOf(own);
        const isTold = own.seenVersion !== seen?.metadata.resourceVersion;
        if (isTold || (seen === undefined && !isWanted(own.resource, own.key))) written.delete(id);
      }
    },
    clear: () => written.clear(),
  };
}

interface Written {
  readonly resource: Resource;
  readonly key: string;
  /** The store's resourceVersion when it was written; undefined when it had none. */
  readonly seenVersion: string | undefined;
  /** Undefined when it was deleted. */
  readonly result: KubeObject | undefined;
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
