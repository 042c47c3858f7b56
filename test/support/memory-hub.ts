/**
 * A hub's API in memory, for tests in simulated time: it keeps objects, versions and generations, refuses stale writes and those of another epoch,
 * and can fail. The store of its watch lags behind by as much as a test says.
 */
import type { ApplyOptions, DeleteOptions, KubeApi, WriteOptions } from "../../controller/kube/kube-api.ts";
import { KubeError } from "../../controller/kube/kube-error.ts";
import { type KubeObject, objectKey, type Resource } from "../../controller/kube/kube-object.ts";
import { EPOCH_ANNOTATION } from "../../controller/kube/writer-fence.ts";
import type { HubStore } from "../../controller/status/own-writes.ts";

export type MemoryApi = Pick<KubeApi, "get" | "list" | "create" | "apply" | "mergePatch" | "delete" | "replace">;

export interface MemoryHub {
  readonly api: MemoryApi;
  readonly store: HubStore;
  /** Writes as a user would: no fence, generation and version move on. @returns what is there now */
  put(resource: Resource, object: KubeObject): KubeObject;
  remove(resource: Resource, key: string): void;
  get(resource: Resource, key: string): KubeObject | undefined;
  all(resource: Resource): readonly KubeObject[];
  /** Every write that came, in order, whether or not it was refused. */
  readonly writes: readonly MemoryWrite[];
  /** The next write that matches is answered so. */
  fail(error: KubeError, matches?: (write: MemoryWrite) => boolean): void;
  /** The watch tells nothing until it is let go. */
  holdWatch(): () => void;
  /** The epoch of the Lease as the admission policy sees it; undefined = no fence. */
  epoch: number | undefined;
  /** Milliseconds that a write takes. */
  latency: number;
}

export interface MemoryWrite {
  readonly verb: "create" | "apply" | "status" | "patch" | "delete" | "replace";
  readonly kind: string;
  readonly key: string;
  readonly body: unknown;
  readonly at: number;
  answer: "pending" | "ok" | number;
}

/** What `createMemoryHub` needs of a clock. */
interface Clock {
  readonly now: () => number;
  readonly setTimer: (delay: number, callback: () => void) => () => void;
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** RFC 7386. */
function merge(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch;
  const result: Record<string, unknown> = isFields(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merge(result[name], value);
  }
  return result;
}

export function createMemoryHub(clock: Clock): MemoryHub {
  const server = new Map<string, Map<string, KubeObject>>();
  const seen = new Map<string, Map<string, KubeObject>>();
  const writes: MemoryWrite[] = [];
  const failures: { readonly error: KubeError; readonly matches: (write: MemoryWrite) => boolean }[] = [];
  let version = 100;
  let isHeld = false;

  const mapOf = (all: Map<string, Map<string, KubeObject>>, { plural }: Resource): Map<string, KubeObject> => {
    const known = all.get(plural) ?? new Map<string, KubeObject>();
    all.set(plural, known);
    return known;
  };
  const tell = (): void => {
    if (isHeld) return;
    for (const [plural, objects] of server) seen.set(plural, new Map(objects));
  };
  const keep = (resource: Resource, object: KubeObject, isSpec: boolean): KubeObject => {
    const objects = mapOf(server, resource);
    const key = objectKey(object);
    const old = objects.get(key);
    const isNew = old === undefined;
    const isOtherSpec = isSpec && JSON.stringify(old?.spec) !== JSON.stringify(object.spec);
    const next: KubeObject = {
      ...object,
      kind: resource.kind,
      metadata: {
        ...object.metadata,
        uid: old?.metadata.uid ?? `uid-${version}`,
        resourceVersion: String(++version),
        generation: isNew ? 1 : (old.metadata.generation ?? 1) + (isOtherSpec ? 1 : 0),
      },
    };
    objects.set(key, next);
    tell();
    return next;
  };

  async function write<T>(entry: Omit<MemoryWrite, "at" | "answer">, options: WriteOptions | undefined, run: () => T): Promise<T> {
    const noted: MemoryWrite = { ...entry, at: clock.now(), answer: "pending" };
    writes.push(noted);
    const refuse = (status: number, reason: string, message: string): never => {
      throw new KubeError(message, { status, reason });
    };
    try {
      await new Promise<void>((resolve, reject) => {
        const cancel = clock.setTimer(hub.latency, resolve);
        options?.signal?.addEventListener("abort", () => {
          cancel();
          reject(new KubeError(`${entry.verb} ${entry.key}: no answer in time`, { status: 0, reason: "" }));
        });
      });
      const failure = failures.findIndex(({ matches }) => matches(noted));
      if (failure >= 0) throw failures.splice(failure, 1)[0]!.error;
      if (hub.epoch !== undefined && epochOf(entry) !== String(hub.epoch))
        refuse(
          403,
          "Forbidden",
          `ValidatingAdmissionPolicy 'gr-writer-fence' denied request: globalroute writer fence: epoch ${epochOf(entry)}`,
        );
      const result = run();
      noted.answer = "ok";
      return result;
    } catch (error) {
      if (error instanceof KubeError) noted.answer = error.status;
      throw error;
    }
  }

  function epochOf({ verb, key, kind, body }: Omit<MemoryWrite, "at" | "answer">): string {
    const stored = [...server.values()]
      .flatMap((objects) => [...objects.values()])
      .find((one) => one.kind === kind && objectKey(one) === key);
    const object = verb === "delete" ? stored : body;
    if (!isFields(object)) return "none";
    if (verb === "status") return isFields(object.status) ? String(object.status.writerEpoch) : "none";
    const annotations = isFields(object.metadata) && isFields(object.metadata.annotations) ? object.metadata.annotations : {};
    return String(annotations[EPOCH_ANNOTATION] ?? "none");
  }

  function demand(resource: Resource, key: string, wanted: { readonly uid?: unknown; readonly resourceVersion?: unknown }): KubeObject {
    const stored = mapOf(server, resource).get(key);
    if (stored === undefined) throw new KubeError(`${key} not found`, { status: 404, reason: "NotFound" });
    const isOther =
      (wanted.uid !== undefined && wanted.uid !== stored.metadata.uid) ||
      (wanted.resourceVersion !== undefined && wanted.resourceVersion !== stored.metadata.resourceVersion);
    if (isOther) throw new KubeError(`${key} has changed`, { status: 409, reason: "Conflict" });
    return stored;
  }

  const keyFor = (namespace: string | undefined, name: string): string => (namespace === undefined ? name : `${namespace}/${name}`);

  const api: MemoryApi = {
    get: async (resource, namespace, name) => mapOf(server, resource).get(keyFor(namespace, name)),
    list: async (resource) => ({ items: [...mapOf(server, resource).values()], resourceVersion: String(version) }),
    create: (resource, object, options) =>
      write({ verb: "create", kind: resource.kind, key: objectKey(object), body: object }, options, () => {
        if (mapOf(server, resource).has(objectKey(object))) throw new KubeError("exists", { status: 409, reason: "AlreadyExists" });
        return options?.dryRun === true ? object : keep(resource, object, true);
      }),
    apply: (resource, object, options: ApplyOptions) => {
      const key = objectKey(object);
      const verb = options.subresource === "status" ? "status" : "apply";
      return write({ verb, kind: resource.kind, key, body: object }, options, () => {
        if (verb === "status") return keep(resource, { ...demand(resource, key, object.metadata), status: object.status }, false);
        const { uid, resourceVersion } = object.metadata;
        const stored = uid === undefined ? mapOf(server, resource).get(key) : demand(resource, key, { uid, resourceVersion });
        return keep(resource, { ...stored, ...object, metadata: { ...stored?.metadata, ...object.metadata } }, true);
      });
    },
    mergePatch: (resource, namespace, name, patch, options) => {
      const key = keyFor(namespace, name);
      return write({ verb: "patch", kind: resource.kind, key, body: patch }, options, () => {
        const metadata = isFields(patch.metadata) ? patch.metadata : {};
        const merged = merge(demand(resource, key, metadata), patch);
        if (!isObject(merged)) throw new Error("no object is left");
        return keep(resource, merged, true);
      });
    },
    replace: (resource, object, options) =>
      write({ verb: "replace", kind: resource.kind, key: objectKey(object), body: object }, options, () => {
        demand(resource, objectKey(object), object.metadata);
        return keep(resource, object, true);
      }),
    delete: (resource, namespace, name, options?: DeleteOptions) => {
      const key = keyFor(namespace, name);
      return write({ verb: "delete", kind: resource.kind, key, body: undefined }, options, () => {
        demand(resource, key, options ?? {});
        if (options?.dryRun !== true) hub.remove(resource, key);
        return true;
      }).catch((error: unknown) => {
        if (error instanceof KubeError && error.isNotFound) return false;
        throw error;
      });
    },
  };

  const hub: MemoryHub = {
    api,
    store: { objects: (resource) => mapOf(seen, resource) },
    put: (resource, object) => keep(resource, object, true),
    remove(resource, key) {
      mapOf(server, resource).delete(key);
      tell();
    },
    get: (resource, key) => mapOf(server, resource).get(key),
    all: (resource) => [...mapOf(server, resource).values()],
    writes,
    fail: (error, matches = () => true) => void failures.push({ error, matches }),
    holdWatch() {
      isHeld = true;
      return () => {
        isHeld = false;
        tell();
      };
    },
    epoch: undefined,
    latency: 5,
  };
  return hub;
}

const isObject = (value: unknown): value is KubeObject =>
  isFields(value) && "kind" in value && "metadata" in value && "apiVersion" in value;
