/** Structural schemas of CustomResourceDefinitions: what they drop and what they fill in. */
import { isArray, isObject, type Json, type JsonObject } from "./json.ts";

export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

/** The parts of a schema that the fake obeys. */
export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly nullable?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly Json[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly default?: Json;
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: "atomic" | "granular";
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-validations"?: readonly ValidationRule[];
}

/** True for what stands under `openAPIV3Schema`; what is inside is taken on trust. */
export const isSchema = (value: unknown): value is Schema => typeof value === "object" && value !== null && !Array.isArray(value);

/** Schema of a property that is not declared but allowed by `additionalProperties`, if any. */
export const extraSchema = ({ additionalProperties }: Schema): Schema | undefined =>
  isSchema(additionalProperties) ? additionalProperties : undefined;

const keepsUnknown = (schema: Schema): boolean =>
  schema["x-kubernetes-preserve-unknown-fields"] === true || schema.additionalProperties === true || schema.type === undefined;

/** Fields at the top of every object, whatever its schema says. */
const ENVELOPE: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

/**
 * Drops fields that the schema does not know.
 *
 * @param dropped gets the path of each, as `spec.ports[0].z`
 */
export function prune(object: JsonObject, schema: Schema, dropped: string[]): JsonObject {
  const rest = pruneValue(object, { ...schema, properties: { ...schema.properties, ...ENVELOPE_SCHEMA } }, "", dropped);
  return isObject(rest) ? rest : object;
}

const ANYTHING: Schema = { "x-kubernetes-preserve-unknown-fields": true };
const ENVELOPE_SCHEMA: Readonly<Record<string, Schema>> = Object.fromEntries([...ENVELOPE].map((name) => [name, ANYTHING]));

function pruneValue(value: Json, schema: Schema, path: string, dropped: string[]): Json {
  if (isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((one, index) => pruneValue(one, items, `${path}[${index}]`, dropped));
  }
  if (!isObject(value)) return value;
  const extra = extraSchema(schema);
  const out: Record<string, Json> = {};
  for (const [name, inner] of Object.entries(value)) {
    const here = path === "" ? name : `${path}.${name}`;
    const known = schema.properties?.[name] ?? extra;
    if (known !== undefined) out[name] = pruneValue(inner, known, here, dropped);
    else if (keepsUnknown(schema)) out[name] = inner;
    else dropped.push(here);
  }
  return out;
}

/**
 * Fills in defaults. Where the schema takes no null, a null counts as absent if there is a default, or if `nulls` are to be dropped: those of
 * a request are, those that server-side apply has left behind are not.
 */
export function fillDefaults(object: JsonObject, schema: Schema, nulls: "drop" | "keep"): JsonObject {
  const filled = fill(object, schema, nulls);
  return isObject(filled) ? filled : object;
}

function fill(value: Json, schema: Schema, nulls: "drop" | "keep"): Json {
  if (isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((one) => fill(one, items, nulls));
  }
  if (!isObject(value)) return value;
  const out: Record<string, Json> = {};
  const extra = extraSchema(schema);
  for (const [name, inner] of Object.entries(value)) {
    const known = schema.properties?.[name] ?? extra;
    const takesNone = known !== undefined && known.nullable !== true && known.type !== undefined;
    if (inner === null && takesNone && (nulls === "drop" || known.default !== undefined)) continue;
    out[name] = known === undefined ? inner : fill(inner, known, nulls);
  }
  for (const [name, known] of Object.entries(schema.properties ?? {})) {
    if (known.default !== undefined && !Object.hasOwn(out, name)) out[name] = fill(known.default, known, nulls);
  }
  return out;
}
