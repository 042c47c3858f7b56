/** Finding one's way in a zod schema by field path. */
import { z } from "zod";
import type { FieldPath } from "./manifest-object.ts";

/** What {@link schemaAt} finds: the schema without its wrappers, and the metadata of all of them. */
export interface SchemaNode {
  readonly schema: z.ZodType;
  readonly meta: Readonly<Record<string, unknown>>;
}

/** Takes off optional, default and decoding wrappers; outer metadata wins. */
export function unwrapped(schema: z.core.$ZodType): SchemaNode | undefined {
  let meta: Record<string, unknown> = {};
  let inner = schema;
  for (;;) {
    if (!(inner instanceof z.ZodType)) return undefined;
    meta = { ...inner.meta(), ...meta };
    if (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) inner = inner.unwrap();
    else if (inner instanceof z.ZodPipe) inner = inner.in;
    else return { schema: inner, meta };
  }
}

/** @returns undefined when the path leads out of the schema */
export function schemaAt(root: z.ZodType, path: FieldPath): SchemaNode | undefined {
  let node = unwrapped(root);
  for (const step of path) {
    if (node === undefined) return undefined;
    const child = childOf(node.schema, step);
    node = child === undefined ? undefined : unwrapped(child);
  }
  return node;
}

function childOf(schema: z.ZodType, step: string | number): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject) return Object.hasOwn(schema.shape, step) ? schema.shape[step] : undefined;
  if (schema instanceof z.ZodArray) return schema.element;
  return schema instanceof z.ZodRecord ? schema.valueType : undefined;
}

/** The names of the described fields of an object schema: those that people write. None for other schemas. */
export function fieldNames(node: SchemaNode | undefined): readonly string[] {
  if (!(node?.schema instanceof z.ZodObject)) return [];
  return Object.entries(node.schema.shape).flatMap(([name, field]) => (unwrapped(field)?.meta.description === undefined ? [] : [name]));
}

/** Paths of all fields called `name`, as text; `[]` stands for any entry of a list. */
export function pathsOf(name: string, root: z.core.$ZodType, at = ""): readonly string[] {
  const schema = unwrapped(root)?.schema;
  if (schema instanceof z.ZodArray) return pathsOf(name, schema.element, `${at}[]`);
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([field, child]) => {
    const path = at === "" ? field : `${at}.${field}`;
    return [...(field === name ? [path] : []), ...pathsOf(name, child, path)];
  });
}
