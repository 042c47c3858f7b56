/** The schemas of the kinds as structural OpenAPI schemas: what CRDs hold and the reference page is written from. */
import { z } from "zod";
import { type Kind, kinds } from "./kinds.ts";

/** The part of OpenAPI 3.0 that Kubernetes calls structural, as far as our schemas use it. */
export interface StructuralSchema {
  readonly description?: string;
  readonly type: "object" | "array" | "string" | "integer" | "boolean";
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly items?: StructuralSchema;
  readonly additionalProperties?: StructuralSchema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly "x-kubernetes-list-type"?: string;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-validations"?: readonly { readonly rule: string; readonly message: string }[];
  /** Ours, for the reference page: what holds without the field, where no plain default can say it. */
  readonly whenAbsent?: string;
  /** Ours, for the API server: what it says of a text that does not match the pattern. */
  readonly form?: string;
}

/** What zod emits and we pass on. The rest is dropped: it is either ours alone or not structural. */
const kept = [
  "description",
  "type",
  "format",
  "enum",
  "default",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "pattern",
  "minItems",
  "maxItems",
  "maxProperties",
  "items",
  "additionalProperties",
  "required",
  "properties",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-validations",
  "whenAbsent",
  "form",
] as const;

/** The schema of `spec`. */
export const specSchema = (kind: Kind): StructuralSchema => schemaOf(kinds[kind].spec, `${kind}.spec`);

/** The schema of `status`. */
export const statusSchema = (kind: Kind): StructuralSchema => schemaOf(kinds[kind].status, `${kind}.status`);

const schemaOf = (schema: z.ZodType, at: string): StructuralSchema =>
  structural(z.toJSONSchema(schema, { target: "openapi-3.0", io: "input" }), at);

function structural(schema: z.core.JSONSchema._JSONSchema, at: string): StructuralSchema {
  if (typeof schema === "boolean") throw new Error(`${at}: a schema that is true or false is not structural`);
  const { type } = schema;
  if (type !== "object" && type !== "array" && type !== "string" && type !== "integer" && type !== "boolean") {
    throw new Error(`${at}: type ${String(type)} is not structural`);
  }
  const out: Record<string, unknown> = {};
  for (const keyword of kept) if (schema[keyword] !== undefined) out[keyword] = schema[keyword];
  if (type === "integer") out.format = (schema.maximum ?? 0) > 0x7fff_ffff ? "int64" : "int32";
  if (schema.items !== undefined && !Array.isArray(schema.items)) out.items = structural(schema.items, `${at}[]`);
  // Strictness is the API server's own: it prunes what a schema does not name.
  if (typeof schema.additionalProperties === "object") out.additionalProperties = structural(schema.additionalProperties, `${at}.*`);
  else delete out.additionalProperties;
  if (schema.properties !== undefined) {
    out.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => [name, structural(property, `${at}.${name}`)]),
    );
  }
  return { ...out, type };
}
