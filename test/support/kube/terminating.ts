/**
 * Ends namespaces and CustomResourceDefinitions: first what is in them goes, then they do. A real cluster has controllers for it; the fake
 * does it at once, but for objects that finalizers hold.
 */

import { deleteObject } from "./delete-object.ts";
import { arrayAt, at, type JsonObject, objectAt, textAt, withFields, withMetadata } from "./json.ts";
import { type ServedKind, storageOf } from "./kinds.ts";
import { CRD_STORAGE, type Registry } from "./registry.ts";
import { keyOf, type Store } from "./store.ts";
import { timestamp, type WriterWorld } from "./write-request.ts";

const NAMESPACES = "/namespaces";

interface Content {
  readonly kind: ServedKind;
  readonly object: JsonObject;
}

const contentOf = (store: Store, registry: Registry, container: JsonObject, isNamespace: boolean): readonly Content[] => {
  const name = textAt(container, "metadata", "name");
  const seen = new Set<string>();
  return registry.kinds().flatMap((kind) => {
    const isInside = isNamespace ? kind.namespaced : `${kind.plural}.${kind.group}` === name;
    if (!isInside || seen.has(storageOf(kind))) return [];
    seen.add(storageOf(kind));
    return store.list(storageOf(kind), isNamespace ? name : undefined).map((object) => ({ kind, object }));
  });
};

/** Deletes a namespace or CustomResourceDefinition. @returns it, as it stands while what is in it goes */
export function beginTermination(world: WriterWorld, registry: Registry, container: JsonObject): JsonObject {
  const { store, now } = world;
  const isNamespace = container.kind === "Namespace";
  const storage = isNamespace ? NAMESPACES : CRD_STORAGE;
  const marked = store.put(
    storage,
    withMetadata(isNamespace ? withFields(container, { status: { phase: "Terminating" } }) : container, {
      deletionTimestamp: timestamp(now),
    }),
  );
  for (const { kind, object } of contentOf(store, registry, marked, isNamespace)) {
    const { namespace, name } = objectAt(object, "metadata");
    deleteObject(world, { kind, namespace: typeof namespace === "string" ? namespace : undefined, name: String(name), dryRun: false });
  }
  finishTermination(store, registry);
  return marked;
}

/** Removes namespaces and CustomResourceDefinitions that are being deleted and hold nothing any more. */
export function finishTermination(store: Store, registry: Registry): void {
  for (const storage of [NAMESPACES, CRD_STORAGE]) {
    for (const container of store.list(storage)) {
      const isEnding =
        at(container, "metadata", "deletionTimestamp") !== undefined && arrayAt(container, "metadata", "finalizers").length === 0;
      if (isEnding && contentOf(store, registry, container, storage === NAMESPACES).length === 0) store.remove(storage, keyOf(container));
    }
  }
}
