/** Checks an object against a structural schema, with the messages of kube-apiserver 1.35. */
import { equal, isArray, isObject, type Json, type JsonObject } from "./json.ts";
import { extraSchema, type Schema } from "./schema.ts";
import { type Cause, invalidValue, required } from "./status-error.ts";

/** With one of these among the causes, CEL rules are not evaluated. */
const BLOCKING: ReadonlySet<string> = new Set([
  "FieldValueRequired",
  "FieldValueTypeInvalid",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueNotSupported",
]);

/** Says so itself, as the server does, besides what blocks. */
export const UNCHECKED: Cause = invalidValue(
  "<nil>",
  "null",
  "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
);

export const blocksRules = (causes: readonly Cause[]): boolean => causes.some(({ reason }) => BLOCKING.has(reason));

const DATE_TIME = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;
const isDateTime = (text: string): boolean => DATE_TIME.test(text) && !Number.isNaN(Date.parse(text));

/**
 * @param old what stood there before, if anything: what was not changed is not refused (ratcheting)
 * @returns why the object is refused, CEL rules apart
 */
export function validateSchema(object: JsonObject, old: JsonObject | undefined, schema: Schema): readonly Cause[] {
  const { apiVersion: _version, kind: _kind, metadata: _metadata, ...rest } = object;
  return validate(rest, old, schema, "");
}

/** The same of a value that is no whole object. */
export const validateValue = (value: Json, schema: Schema): readonly Cause[] => validate(value, undefined, schema, "");

/** What JSON calls the type of a value. */
export const typeName = (value: Json): string => {
  if (value === null) return "null";
  if (isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
};

function validate(value: Json, old: Json | undefined, schema: Schema, path: string): readonly Cause[] {
  if (old !== undefined && path !== "" && equal(value, old)) return [];
  if (value === null && schema.nullable === true) return [];
  const type = typeName(value);
  if (!fits(value, type, schema)) return [wrongType(path, schema.type ?? "", type)];
  if (schema.enum !== undefined && !schema.enum.some((one) => equal(one, value))) return [unsupported(path, value, schema.enum)];
  if (typeof value === "string") return textCauses(value, schema, path);
  if (typeof value === "number") return numberCauses(value, schema, path);
  if (isArray(value)) return arrayCauses(value, old, schema, path);
  if (isObject(value)) return objectCauses(value, old, schema, path);
  return [];
}

function fits(value: Json, type: string, schema: Schema): boolean {
  if (schema["x-kubernetes-int-or-string"] === true) return type === "integer" || type === "string";
  if (schema.type === undefined) return true;
  return schema.type === type || (schema.type === "number" && typeof value === "number");
}

const wrongType = (field: string, wanted: string, type: string): Cause => ({
  reason: "FieldValueTypeInvalid",
  message: `Invalid value: "${type}": ${field} in body must be of type ${wanted}: "${type}"`,
  field,
});

const unsupported = (field: string, value: Json, allowed: readonly Json[]): Cause => ({
  reason: "FieldValueNotSupported",
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${allowed.map((one) => JSON.stringify(one)).join(", ")}`,
  field,
});

const tooMany = (field: string, count: number, most: number): Cause => ({
  reason: "FieldValueTooMany",
  message: `Too many: ${count}: must have at most ${most} items`,
  field,
});

/** The first thing that is wrong with a text: the server names no more than that. */
function textCauses(value: string, schema: Schema, field: string): readonly Cause[] {
  const shown = JSON.stringify(value);
  const length = [...value].length;
  if (schema.maxLength !== undefined && length > schema.maxLength) {
    return [{ reason: "FieldValueTooLong", message: `Too long: may not be more than ${schema.maxLength} bytes`, field }];
  }
  if (schema.minLength !== undefined && length < schema.minLength) {
    return [invalidValue(field, shown, `${field} in body should be at least ${schema.minLength} chars long`)];
  }
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) {
    return [invalidValue(field, shown, `${field} in body should match '${schema.pattern}'`)];
  }
  if (schema.format === "date-time" && !isDateTime(value)) {
    return [
      { reason: "FieldValueTypeInvalid", message: `Invalid value: ${shown}: ${field} in body must be of type date-time: ${shown}`, field },
    ];
  }
  return [];
}

function numberCauses(value: number, schema: Schema, field: string): readonly Cause[] {
  if (schema.minimum !== undefined && value < schema.minimum) {
    return [invalidValue(field, `${value}`, `${field} in body should be greater than or equal to ${schema.minimum}`)];
  }
  if (schema.maximum !== undefined && value > schema.maximum) {
    return [invalidValue(field, `${value}`, `${field} in body should be less than or equal to ${schema.maximum}`)];
  }
  return [];
}

function arrayCauses(value: readonly Json[], old: Json | undefined, schema: Schema, path: string): readonly Cause[] {
  const causes: Cause[] = [];
  if (schema.maxItems !== undefined && value.length > schema.maxItems) causes.push(tooMany(path, value.length, schema.maxItems));
  if (schema.minItems !== undefined && value.length < schema.minItems) {
    causes.push(invalidValue(path, `${value.length}`, `${path} in body should have at least ${schema.minItems} items`));
  }
  const { items } = schema;
  const before = oldItems(old, schema);
  const seen = new Map<string, number>();
  value.forEach((item, index) => {
    const here = `${path}[${index}]`;
    if (items !== undefined) causes.push(...validate(item, before(item), items, here));
    const identity = identityOf(item, schema);
    if (identity === undefined) return;
    const text = JSON.stringify(identity);
    const times = (seen.get(text) ?? 0) + 1;
    if (times === 2) causes.push({ reason: "FieldValueDuplicate", message: `Duplicate value: ${text}`, field: here });
    seen.set(text, times);
  });
  return causes;
}

/** What makes an item of a list the same as an earlier one; undefined in atomic lists. */
export function identityOf(item: Json, schema: Schema): Json | undefined {
  const type = schema["x-kubernetes-list-type"];
  if (type === "set") return item;
  if (type !== "map" || !isObject(item)) return undefined;
  const keys: Record<string, Json> = {};
  for (const key of [...(schema["x-kubernetes-list-map-keys"] ?? [])].sort()) {
    const value = item[key] ?? schema.items?.properties?.[key]?.default;
    if (value !== undefined) keys[key] = value;
  }
  return keys;
}

/** Finds the earlier value of a list's item: only lists with keys have one. */
export function oldItems(old: Json | undefined, schema: Schema): (item: Json) => Json | undefined {
  if (!isArray(old) || schema["x-kubernetes-list-type"] !== "map") return () => undefined;
  const byKey = new Map(old.map((item) => [JSON.stringify(identityOf(item, schema)), item]));
  return (item) => byKey.get(JSON.stringify(identityOf(item, schema)));
}

function objectCauses(value: JsonObject, old: Json | undefined, schema: Schema, path: string): readonly Cause[] {
  const causes: Cause[] = [];
  const inside = (name: string): string => (path === "" ? name : `${path}.${name}`);
  const count = Object.keys(value).length;
  if (schema.maxProperties !== undefined && count > schema.maxProperties) causes.push(tooMany(path, count, schema.maxProperties));
  if (schema.minProperties !== undefined && count < schema.minProperties) {
    causes.push(invalidValue(path, `${count}`, `${path} in body should have at least ${schema.minProperties} properties`));
  }
  for (const name of schema.required ?? []) if (!Object.hasOwn(value, name)) causes.push(required(inside(name)));
  const extra = extraSchema(schema);
  for (const [name, inner] of Object.entries(value)) {
    const known = schema.properties?.[name] ?? extra;
    if (known !== undefined) causes.push(...validate(inner, isObject(old) ? old[name] : undefined, known, inside(name)));
  }
  return causes;
}
