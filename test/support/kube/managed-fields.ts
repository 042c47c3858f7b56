/** `metadata.managedFields`: who owns which field, after updates and after server-side applies (as structured-merge-diff keeps it). */
import { difference, type FieldSet, fieldSetJson, fieldSetOf, intersection, isEmptySet, NO_FIELDS, pathsOf, union } from "./field-set.ts";
import { arrayAt, at, isObject, type Json, type JsonObject, objectAt, textAt } from "./json.ts";
import type { Schema } from "./schema.ts";
import { StatusError } from "./status-error.ts";
import { compareFields, fieldsOf, mergeApplied, removeFields, withoutServerFields } from "./typed.ts";

/** Who writes, through which endpoint, at which version, and when (RFC 3339). */
export interface Writer {
  readonly manager: string;
  readonly operation: "Update" | "Apply";
  readonly apiVersion: string;
  readonly subresource: "" | "status";
  readonly time: string;
}

interface Entry extends Writer {
  readonly fields: FieldSet;
}

/** An object as it will be, with its entries: they are put in when everything else was decided. */
export interface Merged {
  readonly object: JsonObject;
  readonly managedFields: readonly Json[];
}

function entriesOf(object: JsonObject | undefined): readonly Entry[] {
  return arrayAt(object, "metadata", "managedFields").map((entry) => ({
    manager: textAt(entry, "manager"),
    operation: textAt(entry, "operation") === "Apply" ? "Apply" : "Update",
    apiVersion: textAt(entry, "apiVersion"),
    subresource: textAt(entry, "subresource") === "status" ? "status" : "",
    time: textAt(entry, "time"),
    fields: fieldSetOf(at(entry, "fieldsV1")),
  }));
}

const isSame = (a: Writer, b: Writer): boolean =>
  a.manager === b.manager &&
  a.operation === b.operation &&
  a.subresource === b.subresource &&
  (a.operation === "Apply" || a.apiVersion === b.apiVersion);

/** Entries as JSON: applies first, then by time and name; who owns nothing is left out, unless it has just applied. */
function entriesJson(entries: readonly Entry[], before: readonly Entry[], applier?: Writer): readonly Json[] {
  return entries
    .filter((entry) => !isEmptySet(entry.fields) || (applier !== undefined && isSame(entry, applier)))
    .map((entry) => ({ entry, json: fieldSetJson(entry.fields) }))
    .map(({ entry, json }) => {
      const old = before.find((one) => isSame(one, entry));
      const isKept = old !== undefined && JSON.stringify(fieldSetJson(old.fields)) === JSON.stringify(json);
      return { ...entry, time: isKept ? old.time : entry.time, json };
    })
    .sort((a, b) => order(a).localeCompare(order(b)))
    .map(({ manager, operation, apiVersion, subresource, time, json }) => ({
      manager,
      operation,
      apiVersion,
      time,
      fieldsType: "FieldsV1",
      fieldsV1: json,
      ...(subresource === "" ? {} : { subresource }),
    }));
}

const order = ({ operation, time, manager, subresource }: Writer): string => `${operation} ${time} ${manager} ${subresource}`;

/** Every object has metadata: nobody brings it. */
const comparable = (object: JsonObject): JsonObject => ({ metadata: {}, ...withoutServerFields(object) });

/** @returns entries after a create, replace or patch: the writer owns what it changed, and nobody else does any more */
export function afterUpdate(live: JsonObject | undefined, next: JsonObject, schema: Schema, writer: Writer): readonly Json[] {
  const { changed, removed } = compareFields(comparable(live ?? {}), comparable(next), schema);
  const before = entriesOf(live);
  const touched = !isEmptySet(changed) || !isEmptySet(removed);
  const others = before
    .filter((entry) => !isSame(entry, writer))
    .map((entry) => (touched ? { ...entry, fields: difference(difference(entry.fields, changed), removed) } : entry));
  const own = before.find((entry) => isSame(entry, writer));
  const fields = union(difference(own?.fields ?? NO_FIELDS, removed), changed);
  return entriesJson([...others, { ...writer, time: touched || own === undefined ? writer.time : own.time, fields }], before);
}

/**
 * Server-side apply: lays the applied object over the live one, takes out what the manager applied before and no longer does, and what
 * nobody else owns.
 *
 * @param applied without what the endpoint ignores (the status, or all but the status)
 * @throws StatusError 409 naming the owners, when it changes fields of others and may not
 */
export function apply(live: JsonObject, applied: JsonObject, schema: Schema, writer: Writer, force: boolean): Merged {
  const mine = withoutServerFields(applied);
  const before = entriesOf(live);
  const others = before.filter((entry) => !isSame(entry, writer));
  const fields = fieldsOf(mine, schema);
  const last = before.find((entry) => isSame(entry, writer))?.fields ?? NO_FIELDS;
  const merged = mergeApplied(live, mine, schema);
  const owned = others.reduce((all, entry) => union(all, entry.fields), fields);
  const gone = difference(last, owned);
  const shrunk = isEmptySet(gone) ? merged : removeFields(merged, schema, gone, owned);
  const object = isObject(shrunk) ? shrunk : live;
  const { changed, removed } = compareFields(comparable(live), comparable(object), schema);
  const clashes = others
    .map((entry) => ({ entry, paths: pathsOf(intersection(entry.fields, changed)) }))
    .filter(({ paths }) => paths.length > 0);
  if (clashes.length > 0 && !force) throw conflicts(clashes);
  const kept = others.map((entry) => ({ ...entry, fields: difference(difference(entry.fields, changed), removed) }));
  return { object, managedFields: entriesJson([...kept, { ...writer, fields }], before, isEmptySet(fields) ? undefined : writer) };
}

interface Clash {
  readonly entry: Entry;
  readonly paths: readonly string[];
}

function conflicts(clashes: readonly Clash[]): StatusError {
  const all = clashes.map(({ entry, paths }) => ({ name: shown(entry), paths })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const causes = all.flatMap(({ name, paths }) =>
    paths.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${name}`, field })),
  );
  const [only] = causes;
  const list =
    causes.length === 1 && only !== undefined
      ? `${only.message}: ${only.field}`
      : all.map(({ name, paths }) => [`conflicts with ${name}:`, ...paths.map((path) => `- ${path}`)].join("\n")).join("\n");
  const count = `${causes.length} conflict${causes.length === 1 ? "" : "s"}`;
  return new StatusError(409, `Apply failed with ${count}: ${list}`, { details: { causes } });
}

const shown = ({ manager, operation, apiVersion, subresource }: Writer): string =>
  JSON.stringify(manager) +
  (subresource === "" ? "" : ` with subresource ${JSON.stringify(subresource)}`) +
  (operation === "Update" ? ` using ${apiVersion}` : "");

/**
 * What apply refuses before anything else.
 *
 * @returns such as `.spec.bogus: field not declared in schema`
 */
export function untypable(value: Json, schema: Schema, path = ""): string | undefined {
  if (value === null) return undefined;
  if (isObject(value)) {
    if (schema.type !== undefined && schema.type !== "object") return `${path}: expected ${expected(schema)}, got map`;
    return firstOf(Object.entries(value), ([name, inner]) => {
      const known = schema.properties?.[name] ?? (isObjectSchema(schema.additionalProperties) ? schema.additionalProperties : undefined);
      if (known !== undefined) return untypable(inner, known, `${path}.${name}`);
      const isOpen =
        schema.type === undefined || schema["x-kubernetes-preserve-unknown-fields"] === true || schema.additionalProperties === true;
      return isOpen ? undefined : `${path}.${name}: field not declared in schema`;
    });
  }
  if (Array.isArray(value)) {
    if (schema.type !== undefined && schema.type !== "array") return `${path}: expected ${expected(schema)}, got list`;
    return listFault(value, schema, path);
  }
  const type = typeof value;
  if (schema.type === undefined || schema["x-kubernetes-int-or-string"] === true) return undefined;
  const fits = schema.type === type || (type === "number" && schema.type === "integer");
  return fits ? undefined : `${path}: expected ${expected(schema)}, got ${type === "number" ? "int" : type}`;
}

const isObjectSchema = (value: Schema | boolean | undefined): value is Schema => typeof value === "object";

const expected = ({ type }: Schema): string => {
  if (type === "object") return "map";
  if (type === "array") return "list";
  return type === "integer" || type === "number" ? "numeric (int or float)" : (type ?? "");
};

function listFault(list: readonly Json[], schema: Schema, path: string): string | undefined {
  const { items } = schema;
  const keys = schema["x-kubernetes-list-type"] === "map" ? (schema["x-kubernetes-list-map-keys"] ?? []) : [];
  const seen = new Set<string>();
  return firstOf([...list.entries()], ([index, item]) => {
    if (items === undefined) return undefined;
    const known = keys
      .map((key) => [key, at(item, key) ?? items.properties?.[key]?.default] as const)
      .filter(([, value]) => value !== undefined);
    if (keys.length > 0 && known.length === 0) {
      const names = JSON.stringify(keys).replaceAll(",", " ");
      return `${path}: element ${index}: associative list with keys has an element that omits all key fields ${names} (and doesn't have default values for any key fields)`;
    }
    const isSet = schema["x-kubernetes-list-type"] === "set";
    if (isSet || keys.length > 0) {
      const name = isSet ? `=${JSON.stringify(item)}` : known.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(",");
      if (seen.has(name)) return `${path}: duplicate entries for key [${name}]`;
      seen.add(name);
    }
    return untypable(item, items, isSet ? `${path}[=${JSON.stringify(item)}]` : `${path}[${index}]`);
  });
}

function firstOf<T>(items: readonly T[], find: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** An object without the fields of which an endpoint takes no notice. */
export const endpointPart = (object: JsonObject, subresource: "" | "status", hasStatus: boolean): JsonObject => {
  if (subresource === "status") {
    const { apiVersion, kind, metadata, status } = object;
    const name = objectAt({ metadata: metadata ?? {} }, "metadata").name;
    return { ...defined({ apiVersion, kind, status }), metadata: defined({ name }) };
  }
  if (!hasStatus) return object;
  const { status: _status, ...rest } = object;
  return rest;
};

const defined = (fields: Readonly<Record<string, Json | undefined>>): JsonObject => {
  const out: Record<string, Json> = {};
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) out[name] = value;
  return out;
};
