/** What an API server and its etcd remember: objects, versions, and what happened for those who watch. */
import { type JsonObject, objectAt, textAt, withMetadata } from "./json.ts";

export type ChangeType = "ADDED" | "MODIFIED" | "DELETED";

export interface Change {
  readonly version: number;
  readonly type: ChangeType;
  readonly object: JsonObject;
  /** Before it. */
  readonly previous?: JsonObject;
}

export interface StoreSnapshot {
  readonly objects: ReadonlyMap<string, ReadonlyMap<string, JsonObject>>;
}

export interface Store {
  /** The newest resourceVersion: one counter for all kinds. */
  version(): number;
  /** @param key `namespace/name`, or `name` */
  get(storage: string, key: string): JsonObject | undefined;
  /** In the order of keys. */
  list(storage: string, namespace?: string): readonly JsonObject[];
  /** Keeps an object under a new resourceVersion. @returns it, with that */
  put(storage: string, object: JsonObject): JsonObject;
  /** @returns the object as it was last, under a new resourceVersion */
  remove(storage: string, key: string): JsonObject | undefined;
  /** What happened after a version; undefined when that is no longer known. */
  changesSince(storage: string, version: number): readonly Change[] | undefined;
  /** The oldest version from which a kind can be watched. */
  floor(storage: string): number;
  /** Calls back at each change of a kind. @returns what ends it */
  onChange(storage: string, listener: (change: Change) => void): () => void;
  /** Forgets what happened up to now. */
  compact(): void;
  /** A number that grows with each {@link compact}: pages of older lists are gone. */
  compactions(): number;
  /** Begins a kind afresh: nothing before now is known of it. */
  begin(storage: string): void;
  snapshot(): StoreSnapshot;
  /** Makes the objects those of a snapshot, without events, as a restored etcd does. Watches must be cut by the caller. */
  restore(snapshot: StoreSnapshot): void;
}

/** `namespace/name`, or `name` for cluster-scoped objects. */
export const keyOf = (object: JsonObject): string => {
  const { namespace, name } = objectAt(object, "metadata");
  return namespace === undefined ? String(name) : `${String(namespace)}/${String(name)}`;
};

/** @param historyLimit changes of a kind that are remembered at most */
export function createStore(historyLimit: number): Store {
  const objects = new Map<string, Map<string, JsonObject>>();
  const histories = new Map<string, Change[]>();
  const floors = new Map<string, number>();
  const listeners = new Map<string, Set<(change: Change) => void>>();
  let version = 1;
  let floorOfAll = 1;
  let compactions = 0;

  const kept = (storage: string): Map<string, JsonObject> => {
    const found = objects.get(storage) ?? new Map<string, JsonObject>();
    objects.set(storage, found);
    return found;
  };
  const record = (storage: string, change: Change): void => {
    const history = histories.get(storage) ?? [];
    histories.set(storage, history);
    history.push(change);
    if (history.length > historyLimit) {
      const gone = history.splice(0, Math.ceil(historyLimit / 2));
      floors.set(storage, gone.at(-1)?.version ?? 0);
    }
    for (const listener of listeners.get(storage) ?? []) listener(change);
  };
  const floor = (storage: string): number => Math.max(floorOfAll, floors.get(storage) ?? 0);
  const stamped = (object: JsonObject): JsonObject => withMetadata(object, { resourceVersion: `${++version}` });

  return {
    version: () => version,
    get: (storage, key) => objects.get(storage)?.get(key),
    list(storage, namespace) {
      const all = [...(objects.get(storage) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
      return namespace === undefined ? all : all.filter((object) => textAt(object, "metadata", "namespace") === namespace);
    },
    put(storage, object) {
      const key = keyOf(object);
      const previous = kept(storage).get(key);
      const next = stamped(object);
      kept(storage).set(key, next);
      record(
        storage,
        previous === undefined ? { version, type: "ADDED", object: next } : { version, type: "MODIFIED", object: next, previous },
      );
      return next;
    },
    remove(storage, key) {
      const previous = kept(storage).get(key);
      if (previous === undefined) return undefined;
      kept(storage).delete(key);
      const last = stamped(previous);
      record(storage, { version, type: "DELETED", object: last, previous });
      return last;
    },
    changesSince(storage, since) {
      if (since < floor(storage)) return undefined;
      const history = histories.get(storage) ?? [];
      const first = history.findLastIndex((change) => change.version <= since);
      return history.slice(first + 1);
    },
    floor,
    onChange(storage, listener) {
      const all = listeners.get(storage) ?? new Set();
      listeners.set(storage, all);
      all.add(listener);
      return () => all.delete(listener);
    },
    compact() {
      floorOfAll = version;
      compactions++;
      histories.clear();
    },
    compactions: () => compactions,
    begin: (storage) => {
      floors.set(storage, version);
      histories.delete(storage);
    },
    snapshot: () => ({ objects: new Map([...objects].map(([storage, all]) => [storage, new Map(all)])) }),
    restore(snapshot) {
      objects.clear();
      for (const [storage, all] of snapshot.objects) objects.set(storage, new Map(all));
      floorOfAll = ++version;
      compactions++;
      histories.clear();
    },
  };
}
