/**
 * Makes, keeps and removes the objects that are this program's own: GlobalRoutes generated of annotations, and MemberClusters of secrets that
 * were found. What is served does not wait for them. Nothing without the label is ever written or deleted, whatever its name.
 */
import { createHash } from "node:crypto";
import type { KubeApi } from "../kube/kube-api.ts";
import { apiVersionOf, type KubeObject, objectKey, type Resource } from "../kube/kube-object.ts";
import { GLOBAL_ROUTES, MEMBER_CLUSTERS } from "../kube/resources.ts";
import type { WorkResult } from "../kube/work-queue.ts";
import { EPOCH_ANNOTATION } from "../kube/writer-fence.ts";
import { GENERATED_LABEL } from "../reconcile/generated-label.ts";
import type { Sent } from "./fenced-send.ts";
import { createOwnWrites, type HubStore } from "./own-writes.ts";
import { PRIORITY, retry, type TermLane, type Writing } from "./write-lane.ts";

export interface WantedObjects {
  /** Whole but for what the API server adds. Whatever else has the label is to go. */
  readonly routes: readonly KubeObject[];
  /** Made when there is none of the name; never changed or deleted afterwards: whoever found them may be wrong later. */
  readonly clusters: readonly KubeObject[];
}

export interface ObjectWriterOptions {
  readonly api: Pick<KubeApi, "create" | "delete" | "mergePatch">;
  readonly store: HubStore;
  /** True while too much vanished at once (docs/safety.md, rule 11): then nothing is deleted. */
  readonly holdsDeletes: () => boolean;
  readonly onRefused: (key: string, error: Error) => void;
}

export interface ObjectWriter extends Writing {
  /** The newest that is wanted; kept whether or not this is the writer. */
  offer(wanted: WantedObjects): void;
  /** Deletes may be held no longer. */
  deletesReleased(): void;
}

/** Of what was wanted when it was written last: a field that is wanted no longer cannot be told from a default otherwise. */
const HASH_ANNOTATION = "globalroute.dev/generated-hash";
const REFUSED_PAUSE = 60_000;

type Step =
  | { readonly kind: "Create" | "Mark" | "Delete"; readonly object: KubeObject }
  | { readonly kind: "Change"; readonly object: KubeObject; readonly patch: Readonly<Record<string, unknown>> };

export function createObjectWriter({ api, store, holdsDeletes, onRefused }: ObjectWriterOptions): ObjectWriter {
  const own = createOwnWrites(store);
  let wanted: ReadonlyMap<string, KubeObject> = new Map();
  /** Thousands of objects are the same ones, offer after offer. */
  const ready = new WeakMap<KubeObject, KubeObject>();
  const hashes = new WeakMap<KubeObject, string>();
  /** Stored object → the wanted one that it was found to be right for. */
  const right = new WeakMap<KubeObject, KubeObject>();
  let lane: TermLane | undefined;

  function noteAll(): void {
    if (lane === undefined) return;
    const { epoch } = lane.term;
    const labelled = [...store.objects(GLOBAL_ROUTES).values()].filter(isOurs).map((object) => idOf(GLOBAL_ROUTES, object));
    for (const id of new Set([...wanted.keys(), ...labelled])) if (stepOf(id, epoch) !== undefined) lane.add(id, PRIORITY.object);
  }

  /** Undefined when all is as it should be, or not ours to change. */
  function stepOf(id: string, epoch: number): Step | undefined {
    const { resource, key } = parseId(id);
    const object = wanted.get(id);
    const stored = own.current(resource, key);
    if (stored === undefined) return object === undefined ? undefined : { kind: "Create", object: marked(object, epoch) };
    if (!isOurs(stored) || stored.metadata.deletionTimestamp !== undefined) return undefined;
    if (object !== undefined) {
      return resource === MEMBER_CLUSTERS || isRight(stored, object)
        ? undefined
        : { kind: "Change", object: stored, patch: patchTo(marked(object, epoch), stored) };
    }
    if (resource !== GLOBAL_ROUTES || holdsDeletes()) return undefined;
    const isMarked = stored.metadata.annotations?.[EPOCH_ANNOTATION] === String(epoch);
    return { kind: isMarked ? "Delete" : "Mark", object: stored };
  }

  function isRight(stored: KubeObject, object: KubeObject): boolean {
    if (right.get(stored) === object) return true;
    const hash = memo(hashes, object, hashOf);
    if (stored.metadata.annotations?.[HASH_ANNOTATION] !== hash || !holds(stored.spec, object.spec)) return false;
    right.set(stored, object);
    return true;
  }

  async function write(id: string, { send, term }: TermLane): Promise<WorkResult> {
    const { resource, key } = parseId(id);
    const step = stepOf(id, term.epoch);
    if (step === undefined) return "Done";
    const { object } = step;
    const { namespace, name, uid, resourceVersion } = object.metadata;
    const sent = await send<KubeObject | undefined>(async (options) => {
      switch (step.kind) {
        case "Create":
          return api.create(resource, object, options);
        case "Change":
          return api.mergePatch(resource, namespace, name, step.patch, options);
        case "Mark":
          // A DELETE carries no epoch: the object that it hits does, in exactly this version.
          return api.mergePatch(
            resource,
            namespace,
            name,
            { metadata: { uid, resourceVersion, annotations: epochMark(term.epoch) } },
            options,
          );
        case "Delete":
          await api.delete(resource, namespace, name, {
            ...options,
            ...(uid === undefined ? {} : { uid }),
            ...(resourceVersion === undefined ? {} : { resourceVersion }),
          });
          return undefined;
      }
    });
    if (sent.kind === "Done") own.wrote(resource, key, sent.value, object);
    return resultOf(id, step, sent);
  }

  function resultOf(id: string, step: Step, sent: Sent<unknown>): WorkResult {
    switch (sent.kind) {
      case "Done":
        if (step.kind === "Mark") lane?.add(id, PRIORITY.object); // and now the delete
        return "Done";
      case "Conflict":
        return "Retry"; // the watch brings the newer one meanwhile
      case "Missing":
        return step.kind === "Create" ? { retryAfter: REFUSED_PAUSE } : "Done"; // its namespace is gone, or going
      case "Later":
        return retry(sent);
      case "Refused":
        onRefused(id, sent.error);
        return { retryAfter: REFUSED_PAUSE };
    }
  }

  return {
    name: "object",
    offer({ routes, clusters }) {
      const all = [
        ...routes.map((object) => [GLOBAL_ROUTES, object] as const),
        ...clusters.map((object) => [MEMBER_CLUSTERS, object] as const),
      ];
      wanted = new Map(all.map(([resource, object]) => [idOf(resource, object), memo(ready, object, labelled)]));
      own.sweep((resource, key) => wanted.has(`${resource.plural} ${key}`));
      noteAll();
    },
    deletesReleased: noteAll,
    begin(next) {
      lane = next;
      noteAll();
    },
    write,
    end() {
      lane = undefined;
      own.clear();
    },
  };
}

function memo<K extends object, V>(known: WeakMap<K, V>, key: K, make: (key: K) => V): V {
  const before = known.get(key);
  if (before !== undefined) return before;
  const made = make(key);
  known.set(key, made);
  return made;
}

const idOf = (resource: Resource, object: KubeObject): string => `${resource.plural} ${objectKey(object)}`;

function parseId(id: string): { readonly resource: Resource; readonly key: string } {
  const [plural = "", key = ""] = id.split(" ");
  return { resource: plural === GLOBAL_ROUTES.plural ? GLOBAL_ROUTES : MEMBER_CLUSTERS, key };
}

const isOurs = ({ metadata }: KubeObject): boolean => metadata.labels?.[GENERATED_LABEL] === "true";

const labelled = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, labels: { ...object.metadata.labels, [GENERATED_LABEL]: "true" } },
});

const epochMark = (epoch: number): Readonly<Record<string, string>> => ({ [EPOCH_ANNOTATION]: String(epoch) });

/** As it is sent: with the epoch, and with what tells later whether it is still what is wanted. */
function marked(object: KubeObject, epoch: number): KubeObject {
  const annotations = { ...object.metadata.annotations, [HASH_ANNOTATION]: hashOf(object), ...epochMark(epoch) };
  const isCluster = object.kind === MEMBER_CLUSTERS.kind;
  return {
    ...object,
    apiVersion: apiVersionOf(isCluster ? MEMBER_CLUSTERS : GLOBAL_ROUTES),
    metadata: { ...object.metadata, annotations },
  };
}

/**
 * The merge patch (RFC 7386) that makes the spec what is wanted. Server-side apply would leave what is wanted no longer, as the create was
 * no apply. What others have noted in the metadata stays.
 */
const patchTo = ({ metadata: { labels, annotations }, spec }: KubeObject, stored: KubeObject): Readonly<Record<string, unknown>> => {
  const { uid, resourceVersion } = stored.metadata;
  return { metadata: { uid, resourceVersion, labels, annotations }, spec: withNulls(spec, stored.spec) };
};

/** What of `stored` is not in `wanted` is null; the API server puts its defaults there again. */
function withNulls(wanted: unknown, stored: unknown): unknown {
  if (!isFields(wanted) || !isFields(stored)) return wanted;
  const gone = Object.keys(stored).filter((name) => wanted[name] === undefined);
  return Object.fromEntries([
    ...Object.entries(wanted).map(([name, field]) => [name, withNulls(field, stored[name])]),
    ...gone.map((name) => [name, null]),
  ]);
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const hashOf = ({ metadata: { labels, annotations }, spec }: KubeObject): string =>
  createHash("sha256").update(stable({ labels, annotations, spec })).digest("hex").slice(0, 16);

/** JSON with sorted keys: equal values give equal texts. */
function stable(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stable).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${stable(field)}`)
    .join()}}`;
}

/** True when everything of `wanted` stands in `stored`, which has defaults besides: nobody has changed it by hand. */
function holds(stored: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted))
    return Array.isArray(stored) && stored.length === wanted.length && wanted.every((entry, i) => holds(stored[i], entry));
  if (typeof wanted !== "object" || wanted === null) return stored === wanted;
  if (typeof stored !== "object" || stored === null) return false;
  return Object.entries(wanted).every(([name, field]) => field === undefined || holds(Reflect.get(stored, name), field));
}
