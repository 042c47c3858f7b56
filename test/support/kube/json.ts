/** JSON values as the fake API server keeps them: never changed in place, so that old versions of an object can be kept and shared. */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [field: string]: Json;
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const isArray = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** A copy as pure JSON of whatever can be written as JSON. */
export const toJson = (value: unknown): Json => JSON.parse(JSON.stringify(value ?? null));

/** What lies at a path of field names, if all of it is there. */
export function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let found = value;
  for (const name of path) found = isObject(found) ? found[name] : undefined;
  return found;
}

/** The text at a path; empty when there is none. */
export const textAt = (value: Json | undefined, ...path: readonly string[]): string => {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
};

/** The object at a path; empty when there is none. */
export const objectAt = (value: Json | undefined, ...path: readonly string[]): JsonObject => {
  const found = at(value, ...path);
  return isObject(found) ? found : {};
};

/** The list at a path; empty when there is none. */
export const arrayAt = (value: Json | undefined, ...path: readonly string[]): readonly Json[] => {
  const found = at(value, ...path);
  return isArray(found) ? found : [];
};

/** A copy with some fields replaced; undefined removes one. */
export function withFields(object: JsonObject, fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  const out: Record<string, Json> = { ...object };
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) delete out[name];
    else out[name] = value;
  }
  return out;
}

/** A copy with some fields of its metadata replaced; undefined removes one. */
export const withMetadata = (object: JsonObject, fields: Readonly<Record<string, Json | undefined>>): JsonObject =>
  withFields(object, { metadata: withFields(objectAt(object, "metadata"), fields) });

/** Same value; the order of fields does not count. */
export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (isArray(a) && isArray(b)) return a.length === b.length && a.every((one, index) => equal(one, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && equal(a[name], b[name]));
}
