/** Which kinds are served now: the built-in ones and those of the CustomResourceDefinitions that stand in the store. */
import { at, type JsonObject } from "./json.ts";
import { BUILT_IN_KINDS, kindsOfCrd, type ServedKind, storageOf } from "./kinds.ts";
import type { Store } from "./store.ts";

export const CRD_STORAGE = "apiextensions.k8s.io/customresourcedefinitions";

export interface Registry {
  kinds(): readonly ServedKind[];
  find(group: string, version: string, plural: string): ServedKind | undefined;
  /** By `apiVersion` and `kind`, for seeds. */
  kindOf(object: JsonObject): ServedKind | undefined;
}

/** Follows the CustomResourceDefinitions of the store. */
export function createRegistry(store: Store): Registry {
  const read = new WeakMap<JsonObject, readonly ServedKind[]>();
  const kindsOf = (crd: JsonObject): readonly ServedKind[] => {
    const kinds = read.get(crd) ?? kindsOfCrd(crd);
    read.set(crd, kinds);
    return kinds;
  };
  store.onChange(CRD_STORAGE, ({ type, object }) => {
    const [first] = type === "ADDED" ? kindsOf(object) : [];
    if (first !== undefined) store.begin(storageOf(first));
  });
  const kinds = (): readonly ServedKind[] => [...BUILT_IN_KINDS, ...store.list(CRD_STORAGE).flatMap(kindsOf)];
  return {
    kinds,
    find: (group, version, plural) => kinds().find((kind) => kind.group === group && kind.version === version && kind.plural === plural),
    kindOf: (object) => kinds().find((kind) => kind.kind === object.kind && apiVersionMatches(kind, object)),
  };
}

const apiVersionMatches = ({ group, version }: ServedKind, object: JsonObject): boolean =>
  at(object, "apiVersion") === (group === "" ? version : `${group}/${version}`);
