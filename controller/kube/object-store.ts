/** What is known of the objects of one resource, and what each news of them changes. */
import { isDeepStrictEqual } from "node:util";
import type { WatchEvent } from "./kube-api.ts";
import { type KubeObject, objectKey } from "./kube-object.ts";

export interface StoreChange {
  readonly changed: readonly KubeObject[];
  /** As they were last. */
  readonly vanished: readonly KubeObject[];
}

export interface ObjectStore {
  readonly objects: ReadonlyMap<string, KubeObject>;
  /** Takes a whole list. Objects that are as they were keep their identity. */
  replaceAll(items: readonly KubeObject[]): StoreChange;
  /** @returns undefined when it changes nothing */
  take(event: Exclude<WatchEvent, { type: "BOOKMARK" }>): StoreChange | undefined;
}

/** @param keep what of an object is kept; undefined leaves it out */
export function createObjectStore(keep: (object: KubeObject) => KubeObject | undefined): ObjectStore {
  const objects = new Map<string, KubeObject>();
  return {
    objects,

    replaceAll: (items) => {
      const changed: KubeObject[] = [];
      const seen = new Set<string>();
      for (const object of items) {
        const key = objectKey(object);
        seen.add(key);
        // The same version is not proof enough: a server restored from a backup counts its versions again.
        if (isDeepStrictEqual(objects.get(key), object)) continue;
        objects.set(key, object);
        changed.push(object);
      }
      const vanished = [...objects].filter(([key]) => !seen.has(key));
      for (const [key] of vanished) objects.delete(key);
      return { changed, vanished: vanished.map(([, object]) => object) };
    },

    take: ({ type, object }) => {
      const key = objectKey(object);
      const before = objects.get(key);
      const kept = type === "DELETED" ? undefined : keep(object);
      if (kept !== undefined) {
        if (isDeepStrictEqual(before, kept)) return undefined;
        objects.set(key, kept);
        return { changed: [kept], vanished: [] };
      }
      if (before === undefined) return undefined;
      objects.delete(key);
      return { changed: [], vanished: [before] };
    },
  };
}
