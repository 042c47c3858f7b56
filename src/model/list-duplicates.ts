/** Equal entries in lists that are sets, and equal keys in lists that are maps: what an API server refuses by the lists' types. */
import { z } from "zod";
import type { FieldFault } from "./describe-issue.ts";
import type { FieldPath } from "./manifest-object.ts";
import { type SchemaNode, unwrapped } from "./schema-walk.ts";

type Check = (value: unknown, path: FieldPath) => readonly FieldFault[];

/**
 * Makes the check for a schema.
 *
 * @returns takes a value, decoded or not, and its path; what does not have the schema's shape is passed over
 */
export const duplicateCheck = (schema: z.core.$ZodType): Check => makeCheck(schema) ?? (() => []);

/** @returns undefined for a schema without such lists, so that its values are not walked at all */
function makeCheck(schema: z.core.$ZodType): Check | undefined {
  const node = unwrapped(schema);
  if (node?.schema instanceof z.ZodObject) return checkFields(Object.entries(node.schema.shape));
  if (!(node?.schema instanceof z.ZodArray)) return undefined;
  const own = listCheck(node.meta);
  const inner = makeCheck(node.schema.element);
  if (own === undefined && inner === undefined) return undefined;
  return (value, path) => {
    if (!Array.isArray(value)) return [];
    const faults = own?.(value, path) ?? [];
    return inner === undefined ? faults : [...faults, ...value.flatMap((entry, i) => inner(entry, [...path, i]))];
  };
}

function checkFields(shape: readonly (readonly [string, z.core.$ZodType])[]): Check | undefined {
  const checks = shape.flatMap(([field, schema]) => {
    const check = makeCheck(schema);
    return check === undefined ? [] : [{ field, check }];
  });
  if (checks.length === 0) return undefined;
  return (value, path) => {
    if (typeof value !== "object" || value === null) return [];
    return checks.flatMap(({ field, check }) => (Object.hasOwn(value, field) ? check(Reflect.get(value, field), [...path, field]) : []));
  };
}

type ListCheck = (list: readonly unknown[], path: FieldPath) => readonly FieldFault[];

function listCheck(meta: SchemaNode["meta"]): ListCheck | undefined {
  const keyNames = meta["x-kubernetes-list-map-keys"];
  const keys = Array.isArray(keyNames) ? keyNames.map(String) : undefined;
  if (keys === undefined && meta["x-kubernetes-list-type"] !== "set") return undefined;
  const identify = (entry: unknown): string =>
    keys === undefined ? JSON.stringify(entry) : keys.map((key) => keyOf(entry, key)).join(" ");
  return (list, path) => {
    if (list.length < 2) return [];
    const seen = new Map<string, number>();
    const faults: FieldFault[] = [];
    list.forEach((entry, i) => {
      const identity = identify(entry);
      const first = seen.get(identity);
      if (first === undefined) seen.set(identity, i);
      else faults.push(keys === undefined ? equalEntry(identity, [...path, i], first) : equalKey(keys, identity, [...path, i], first));
    });
    return faults;
  };
}

const keyOf = (entry: unknown, key: string): string =>
  typeof entry === "object" && entry !== null && Object.hasOwn(entry, key) ? String(Reflect.get(entry, key)) : "";

function equalEntry(identity: string, path: FieldPath, first: number): FieldFault {
  const message = `${identity} is listed already, as entry ${first}`;
  return { path, part: "value", fault: { code: "entry-duplicate", message, remedy: "Remove one of them." } };
}

function equalKey(keys: readonly string[], identity: string, path: FieldPath, first: number): FieldFault {
  const message = `${keys.join(" and ")} ${identity} is that of entry ${first} already`;
  return {
    path: [...path, keys[0] ?? ""],
    part: "value",
    fault: { code: "name-duplicate", message, remedy: "Rename one of them, or merge them." },
  };
}
