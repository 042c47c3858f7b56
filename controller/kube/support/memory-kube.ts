/** An API server in memory, for tests on simulated time: objects, versions, watches, and the ways in which they fail. */
import type { KubeApi, WatchEvent } from "../kube-api.ts";
import { KubeError } from "../kube-error.ts";
import { apiVersionOf, type KubeObject, objectKey, type Resource } from "../kube-object.ts";
import { field, textField } from "../kube-status.ts";
import { NAMESPACES } from "../resources.ts";

interface Watcher {
  readonly from: number;
  readonly plural: string;
  readonly onEvent: (event: WatchEvent) => void;
  readonly end: (error?: KubeError) => void;
}

export interface MemoryKube {
  /** A connection of its own; closing it fails its requests. */
  open(): KubeApi;
  /** Creates or replaces. @returns as stored, with a new version */
  put(
    resource: Resource,
    object: { readonly metadata: Partial<KubeObject["metadata"]> & { name: string }; readonly [field: string]: unknown },
  ): KubeObject;
  remove(resource: Resource, key: string): void;
  get(resource: Resource, key: string): KubeObject | undefined;
  /** Sends a bookmark of today's version, or of another. */
  bookmark(version?: number): void;
  /** Forgets history: older versions are gone. */
  compact(): void;
  /** Ends all watches, as servers do; with an error as networks do. */
  cut(error?: KubeError): void;
  /** Everything fails like this until undefined is given. */
  fail(error: KubeError | undefined): void;
  /** Requests for this kind (`plural`) fail so, until undefined is given. */
  failKind(plural: string, error: KubeError | undefined): void;
  /** Groups whose versions are served, as `gateway.networking.k8s.io` → version → plurals. */
  readonly served: Map<string, Map<string, readonly string[]>>;
  /** Answers of POST, by path. */
  readonly answers: Map<string, (body: unknown) => unknown>;
  readonly counts: { lists: number; watches: number; open: number };
  /** Today's version. */
  version(): number;
  /** All is as it was when the function was called that this returns, versions included: a backup. */
  backup(): () => void;
}

export const unreachable = (server = "https://memory"): KubeError =>
  new KubeError(`${server}: GET /: the connection was refused. See that the API server runs.`, { status: 0, reason: "Refused" });

export function createMemoryKube(options: { readonly uid?: string; readonly server?: string; readonly version?: string } = {}): MemoryKube {
  const server = options.server ?? "https://memory";
  const stores = new Map<string, Map<string, KubeObject>>();
  const watchers = new Set<Watcher>();
  const failing = new Map<string, KubeError>();
  const served = new Map<string, Map<string, readonly string[]>>();
  const answers = new Map<string, (body: unknown) => unknown>();
  const counts = { lists: 0, watches: 0, open: 0 };
  let history: { readonly version: number; readonly plural: string; readonly event: WatchEvent }[] = [];
  let compacted = 0;
  let version = 100;
  let down: KubeError | undefined;

  const storeOf = ({ plural }: Pick<Resource, "plural">): Map<string, KubeObject> => {
    const found = stores.get(plural) ?? new Map<string, KubeObject>();
    stores.set(plural, found);
    return found;
  };
  const failed = (status: number, reason: string, message = reason): KubeError =>
    new KubeError(`${server}: ${message}`, { status, reason });
  const check = async (plural: string): Promise<void> => {
    await Promise.resolve();
    const error = down ?? failing.get(plural);
    if (error !== undefined) throw error;
  };

  const publish = (plural: string, event: WatchEvent): void => {
    history.push({ version, plural, event });
    // A server sends nothing below the version that was asked for, even if its own is below.
    for (const watcher of [...watchers]) if (watcher.plural === plural && version > watcher.from) watcher.onEvent(event);
  };

  const put: MemoryKube["put"] = (resource, object) => {
    const key = objectKey(object);
    const before = storeOf(resource).get(key);
    version++;
    const stored: KubeObject = {
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      ...object,
      metadata: {
        ...object.metadata,
        uid: object.metadata.uid ?? before?.metadata.uid ?? `uid-${key}-${version}`,
        resourceVersion: String(version),
      },
    };
    storeOf(resource).set(key, stored);
    publish(resource.plural, { type: before === undefined ? "ADDED" : "MODIFIED", object: stored });
    return stored;
  };
  const remove: MemoryKube["remove"] = (resource, key) => {
    const before = storeOf(resource).get(key);
    if (before === undefined) return;
    storeOf(resource).delete(key);
    version++;
    publish(resource.plural, {
      type: "DELETED",
      object: { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } },
    });
  };
  if (options.uid !== undefined) put(NAMESPACES, { metadata: { name: "kube-system", uid: options.uid } });

  const discovery = (path: string): unknown => {
    const [, , group = "", wanted] = path.split("/");
    const versions = served.get(group);
    if (versions === undefined) throw failed(404, "NotFound");
    if (wanted === undefined) return { versions: [...versions.keys()].map((name) => ({ version: name })) };
    return { resources: (versions.get(wanted) ?? []).map((name) => ({ name })) };
  };

  function open(): KubeApi {
    const closing = new AbortController();
    const isClosed = (): void => {
      if (closing.signal.aborted) throw failed(0, "Closed", "the connection is closed");
    };
    return {
      server,
      get: async (resource, namespace, name) => {
        isClosed();
        await check(resource.plural);
        return storeOf(resource).get(namespace === undefined ? name : `${namespace}/${name}`);
      },
      list: async (resource, { keep } = {}) => {
        isClosed();
        counts.lists++;
        await check(resource.plural);
        const items = [...storeOf(resource).values()].flatMap((item) => (keep === undefined ? [item] : [keep(item) ?? []].flat()));
        return { items, resourceVersion: String(version) };
      },
      watch: async (resource, { resourceVersion, onOpen }, onEvent, signal) => {
        isClosed();
        counts.watches++;
        await check(resource.plural);
        const from = Number(resourceVersion);
        if (from < compacted) throw failed(410, "Expired");
        if (signal.aborted) return;
        await new Promise<void>((resolve, reject) => {
          const over = (error?: KubeError): void => {
            if (!watchers.delete(watcher)) return;
            counts.open--;
            if (error === undefined) resolve();
            else reject(error);
          };
          const watcher: Watcher = { from, plural: resource.plural, onEvent, end: over };
          watchers.add(watcher);
          counts.open++;
          signal.addEventListener("abort", () => over());
          closing.signal.addEventListener("abort", () => over(failed(0, "Closed", "the connection is closed")));
          onOpen?.();
          for (const { version: at, plural, event } of history) if (plural === resource.plural && at > from) onEvent(event);
        });
      },
      create: async (resource, object) => {
        isClosed();
        await check(resource.plural);
        if (storeOf(resource).has(objectKey(object))) throw failed(409, "AlreadyExists");
        return put(resource, object);
      },
      replace: async (resource, object) => {
        isClosed();
        await check(resource.plural);
        const before = storeOf(resource).get(objectKey(object));
        if (before === undefined) throw failed(404, "NotFound");
        if (before.metadata.resourceVersion !== object.metadata.resourceVersion) throw failed(409, "Conflict");
        return put(resource, object);
      },
      apply: async (resource, object) => {
        isClosed();
        await check(resource.plural);
        return put(resource, { ...storeOf(resource).get(objectKey(object)), ...object });
      },
      mergePatch: async (resource, namespace, name, patch) => {
        isClosed();
        await check(resource.plural);
        const before = storeOf(resource).get(namespace === undefined ? name : `${namespace}/${name}`);
        if (before === undefined) throw failed(404, "NotFound");
        const asked = textField(field(patch, "metadata"), "resourceVersion");
        if (asked !== "" && asked !== before.metadata.resourceVersion) throw failed(409, "Conflict");
        const merged = {
          ...before,
          ...patch,
          metadata: before.metadata,
          data: { ...objectOf(before.data), ...objectOf(field(patch, "data")) },
        };
        return put(resource, merged);
      },
      delete: async (resource, namespace, name) => {
        isClosed();
        await check(resource.plural);
        const key = namespace === undefined ? name : `${namespace}/${name}`;
        const had = storeOf(resource).has(key);
        remove(resource, key);
        return had;
      },
      request: async (method, path, body) => {
        isClosed();
        await check(path);
        if (method === "GET" && path === "/version") return { gitVersion: options.version ?? "v1.35.4" };
        if (method === "GET" && path.endsWith("?limit=1")) return { metadata: { resourceVersion: String(version) }, items: [] };
        if (method === "GET" && path.startsWith("/apis/")) return discovery(path);
        const answer = answers.get(path);
        if (answer === undefined) throw failed(404, "NotFound");
        return answer(body);
      },
      close: () => closing.abort(),
    };
  }

  const cut = (error?: KubeError): void => {
    for (const watcher of [...watchers]) watcher.end(error);
  };
  return {
    open,
    put,
    remove,
    get: (resource, key) => storeOf(resource).get(key),
    bookmark: (at = version) => {
      for (const watcher of [...watchers]) watcher.onEvent({ type: "BOOKMARK", resourceVersion: String(at) });
    },
    compact: () => {
      history = [];
      compacted = version;
    },
    cut,
    fail: (error) => {
      down = error;
      if (error !== undefined) cut(error);
    },
    failKind: (plural, error) => {
      if (error === undefined) failing.delete(plural);
      else failing.set(plural, error);
      for (const watcher of [...watchers]) if (error !== undefined && watcher.plural === plural) watcher.end(error);
    },
    served,
    answers,
    counts,
    version: () => version,
    backup: () => {
      const kept = { version, stores: new Map([...stores].map(([plural, store]) => [plural, new Map(store)])) };
      return () => {
        version = kept.version;
        stores.clear();
        for (const [plural, store] of kept.stores) stores.set(plural, new Map(store));
        history = [];
        compacted = 0;
      };
    },
  };
}

const objectOf = (value: unknown): object => (typeof value === "object" && value !== null ? value : {});
