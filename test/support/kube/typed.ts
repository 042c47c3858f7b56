/** Objects as server-side apply sees them: which of their parts are fields of their own, and how two objects are compared and merged. */
import { type FieldSet, fieldNode, isMember, NO_FIELDS } from "./field-set.ts";
import { equal, isArray, isObject, type Json, type JsonObject } from "./json.ts";
import { extraSchema, type Schema } from "./schema.ts";
import { identityOf } from "./validate.ts";

/** Where the schema is silent, maps are taken apart and lists are not. */
const UNKNOWN: Schema = {};

const METADATA: Schema = {
  type: "object",
  properties: {
    labels: { additionalProperties: UNKNOWN },
    annotations: { additionalProperties: UNKNOWN },
    finalizers: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
    ownerReferences: { type: "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["uid"], items: UNKNOWN },
  },
};

/** The schema of a kind with what every object has besides. */
export const typedSchema = (schema: Schema | undefined): Schema => ({
  ...(schema ?? UNKNOWN),
  properties: { ...schema?.properties, metadata: METADATA },
});

/** What belongs to the server, and therefore to no manager. */
export function withoutServerFields(object: JsonObject): JsonObject {
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = object;
  const fields = Object.entries(isObject(metadata) ? metadata : {}).filter(([name]) => !SERVER_METADATA.has(name));
  return fields.length === 0 ? rest : { ...rest, metadata: Object.fromEntries(fields) };
}

const SERVER_METADATA: ReadonlySet<string> = new Set([
  "name",
  "namespace",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "managedFields",
  "selfLink",
]);

const isKeyed = (schema: Schema): boolean => ["set", "map"].includes(schema["x-kubernetes-list-type"] ?? "atomic");
const isAtomicMap = (schema: Schema): boolean => schema["x-kubernetes-map-type"] === "atomic";
const fieldSchema = (schema: Schema, name: string): Schema => schema.properties?.[name] ?? extraSchema(schema) ?? UNKNOWN;

interface Part {
  readonly step: string;
  readonly value: Json;
  readonly schema: Schema;
  /** A key of a map that the schema leaves open counts as a field besides what is below it. */
  readonly isOwn: boolean;
}

/** The parts that can be owned one by one; undefined for what is owned as a whole. */
function partsOf(value: Json, schema: Schema): readonly Part[] | undefined {
  if (isObject(value) && !isAtomicMap(schema)) {
    return Object.entries(value).map(([name, inner]) => ({
      step: `f:${name}`,
      value: inner,
      schema: fieldSchema(schema, name),
      isOwn: schema.properties?.[name] === undefined,
    }));
  }
  if (!isArray(value) || !isKeyed(schema)) return undefined;
  return value.map((item) => ({ step: itemStep(item, schema), value: item, schema: schema.items ?? UNKNOWN, isOwn: true }));
}

const itemStep = (item: Json, schema: Schema): string =>
  `${schema["x-kubernetes-list-type"] === "set" ? "v" : "k"}:${JSON.stringify(identityOf(item, schema))}`;

/** The fields that an applied object names. */
export function fieldsOf(value: Json, schema: Schema): FieldSet {
  const steps: Record<string, FieldSet> = {};
  for (const part of partsOf(value, schema) ?? []) {
    const inner = partsOf(part.value, part.schema);
    const below = inner === undefined ? NO_FIELDS : fieldsOf(part.value, part.schema);
    const isEmptyMap = isObject(part.value) && inner?.length === 0;
    const node = fieldNode(inner === undefined || part.isOwn || isEmptyMap, below);
    if (node !== undefined) steps[part.step] = node;
  }
  return steps;
}

/** Every step of a value that came or went. */
function everything(value: Json, schema: Schema): FieldSet {
  const steps: Record<string, FieldSet> = {};
  for (const part of partsOf(value, schema) ?? []) steps[part.step] = everything(part.value, part.schema);
  return fieldNode(true, steps) ?? NO_FIELDS;
}

/** Null stands for one of which nothing is left. */
const isContainer = ({ value, schema }: Part): boolean => value === null || partsOf(value, schema) !== undefined;

export interface Difference {
  /** Added or modified. */
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

/** What a write did to the fields of an object. */
export function compareFields(before: Json, after: Json, schema: Schema): Difference {
  const changed: Record<string, FieldSet> = {};
  const removed: Record<string, FieldSet> = {};
  const old = new Map(partsOf(before, schema)?.map((part) => [part.step, part]));
  for (const part of partsOf(after, schema) ?? []) {
    const was = old.get(part.step);
    old.delete(part.step);
    if (was === undefined) changed[part.step] = everything(part.value, part.schema);
    else if (!isContainer(part) || !isContainer(was)) {
      if (!equal(was.value, part.value)) changed[part.step] = NO_FIELDS;
    } else {
      const inner = compareFields(was.value, part.value, part.schema);
      if (Object.keys(inner.changed).length > 0) changed[part.step] = inner.changed;
      if (Object.keys(inner.removed).length > 0) removed[part.step] = inner.removed;
    }
  }
  for (const [step, part] of old) removed[step] = everything(part.value, part.schema);
  return { changed, removed };
}

/** What stands there, with what is applied laid over it. */
export function mergeApplied(live: Json | undefined, applied: Json, schema: Schema): Json {
  if (isObject(applied) && isObject(live) && !isAtomicMap(schema)) {
    const out: Record<string, Json> = { ...live };
    for (const [name, value] of Object.entries(applied)) out[name] = mergeApplied(live[name], value, fieldSchema(schema, name));
    return out;
  }
  return isArray(applied) && isArray(live) && isKeyed(schema) ? mergeItems(live, applied, schema) : applied;
}

/** Items of both in the order of the applied list; items that it does not name stay before the one they stood before. */
function mergeItems(live: readonly Json[], applied: readonly Json[], schema: Schema): readonly Json[] {
  const step = (item: Json): string => itemStep(item, schema);
  const liveByStep = new Map(live.map((item) => [step(item), item]));
  const named = new Set(applied.map(step));
  const shared = applied.map(step).filter((one) => liveByStep.has(one));
  const out: Json[] = [];
  let left = 0;
  let nextShared = 0;
  for (const item of applied) {
    const isShared = shared[nextShared] === step(item);
    for (; left < live.length; left++) {
      const standing = live[left];
      if (standing === undefined || (named.has(step(standing)) && step(standing) === shared[nextShared])) break;
      if (!named.has(step(standing))) out.push(standing);
    }
    if (isShared) {
      nextShared++;
      if (left < live.length) left++;
    }
    out.push(mergeApplied(liveByStep.get(step(item)), item, schema.items ?? UNKNOWN));
  }
  return [...out, ...live.slice(left).filter((item) => !named.has(step(item)))];
}

/** An item that stays keeps its keys, whoever owned them. */
function withKeys({ step, value }: Pick<Part, "step" | "value">): Json {
  if (!step.startsWith("k:") || (value !== null && !isObject(value))) return value;
  const keys: Json = JSON.parse(step.slice(2));
  return { ...(isObject(keys) ? keys : {}), ...value };
}

/**
 * Takes fields out of a value. `owned` = by others, or by the manager still. A map of which somebody owns a field stays, an item of a list
 * only if somebody owns the item itself. A map or list that is left empty goes with what was in it, or becomes null if it is owned as such.
 */
export function removeFields(value: Json, schema: Schema, gone: FieldSet, owned: FieldSet): Json {
  const keeps = ({ step }: Part): boolean => !isMember(gone[step]) || (step.startsWith("f:") && owned[step] !== undefined);
  const shrink = ({ step, value: inner, schema: innerSchema }: Part): Json =>
    gone[step] === undefined || partsOf(inner, innerSchema) === undefined
      ? inner
      : removeFields(inner, innerSchema, gone[step], owned[step] ?? NO_FIELDS);
  const kept = (partsOf(value, schema) ?? [])
    .filter(keeps)
    .map((part) => ({ step: part.step, value: shrink(part) }))
    .filter((part) => part.value !== null || isMember(owned[part.step]));
  if (kept.length === 0) return null;
  if (isArray(value)) return kept.map((part) => withKeys(part));
  return Object.fromEntries(kept.map((part) => [part.step.slice(2), part.value]));
}
