/** Our own objects on the hub, read; those whose spec has not changed are not read again. */
import type { Kind } from "../../src/model/kinds.ts";
import type { ManifestObject, ObjectOf } from "../../src/model/manifest-object.ts";
import type { Problem } from "../../src/model/problem.ts";
import { readApiObject } from "../../src/model/read-api-object.ts";
import { type KubeObject, objectKey } from "../kube/kube-object.ts";
import { GENERATED_LABEL } from "./generated-label.ts";

export interface HubObject<K extends Kind> {
  readonly kind: K;
  /** `namespace/name`, or `name`. */
  readonly key: string;
  /** Empty for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
  readonly raw: KubeObject;
  readonly reading: Reading<K>;
}

/** What does not change while the spec stays. */
export interface Reading<K extends Kind> {
  /** Absent when it has errors. */
  readonly object: ObjectOf<K> | undefined;
  readonly problems: readonly Problem[];
  /** Present when a field has a value that this version does not know. */
  readonly unsupported: string | undefined;
}

export interface HubReader<K extends Kind> {
  /** Sorted by key, each key once (the newest resourceVersion cannot be told: the first counts). The same list for the same list. */
  read(objects: readonly KubeObject[]): readonly HubObject<K>[];
}

/** @param narrow tells an object of the kind from others */
export function createHubReader<K extends Kind>(kind: K, narrow: (object: ManifestObject) => ObjectOf<K> | undefined): HubReader<K> {
  let known = new Map<string, HubObject<K>>();
  let last: { readonly objects: readonly KubeObject[]; readonly read: readonly HubObject<K>[] } | undefined;

  function readOne(raw: KubeObject, key: string): HubObject<K> {
    const before = known.get(key);
    if (before?.raw === raw) return before;
    const { namespace = "", name } = raw.metadata;
    const reading = before !== undefined && hasSameSpec(before.raw, raw) ? before.reading : readSpec(raw);
    return { kind, key, namespace, name, raw, reading };
  }

  function readSpec(raw: KubeObject): Reading<K> {
    const { object, problems, unsupported } = readApiObject(raw);
    return { object: object && narrow(object), problems, unsupported };
  }

  return {
    read(objects) {
      if (last?.objects === objects) return last.read;
      const next = new Map<string, HubObject<K>>();
      for (const raw of objects) {
        const key = objectKey(raw);
        if (!next.has(key)) next.set(key, readOne(raw, key));
      }
      known = next;
      last = { objects, read: [...next.values()].sort((a, b) => compareTexts(a.key, b.key)) };
      return last.read;
    },
  };
}

/** Their text is compared, not the generation: an API server that was restored from a backup counts the same numbers again. */
function hasSameSpec(a: KubeObject, b: KubeObject): boolean {
  return sameTexts(a.metadata.labels, b.metadata.labels) && (a.spec === b.spec || JSON.stringify(a.spec) === JSON.stringify(b.spec));
}

export const isGenerated = ({ raw }: HubObject<"GlobalRoute">): boolean => raw.metadata.labels?.[GENERATED_LABEL] === "true";

type Texts = Readonly<Record<string, string>>;

/** Whether two mappings of texts are equal; absent = empty. */
export function sameTexts(a: Texts = {}, b: Texts = {}): boolean {
  if (a === b) return true;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && a[name] === b[name]);
}

/** By code units: the same on every machine. */
export const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
