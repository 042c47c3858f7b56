/** What a server makes of an object before it looks at what it means. */
import { decodeBuiltIn } from "./built-in-checks.ts";
import { isObject, type JsonObject, objectAt, withFields } from "./json.ts";
import { fillDefaults, prune } from "./schema.ts";
import { badRequest, invalid, invalidValue } from "./status-error.ts";
import type { WriteRequest } from "./write-request.ts";

export interface Decoded {
  readonly object: JsonObject;
  /** One for each unknown field. */
  readonly warnings: readonly string[];
}

/**
 * Drops what the kind does not know, and fills in defaults.
 *
 * @throws StatusError when fields are unknown and the request is strict, or a value cannot be read
 */
export function decodeObject(request: WriteRequest, object: JsonObject, how: "whole" | "patch" | "apply"): Decoded {
  const { kind } = request;
  const tidy = withFields(object, { metadata: withoutEmpty(objectAt(object, "metadata")) });
  if (!kind.isCustom) return { object: decodeBuiltIn(kind, withoutNulls(tidy)), warnings: [] };
  const dropped: string[] = [];
  const pruned = fillDefaults(prune(tidy, kind.schema ?? {}, dropped), kind.schema ?? {}, how === "apply" ? "keep" : "drop");
  const unknown = dropped.sort().map((path) => `unknown field "${path}"`);
  if (request.strict && unknown.length > 0) {
    const why = `strict decoding error: ${unknown.join(", ")}`;
    if (how === "patch") throw invalid({ group: "", kind: "" }, "", [invalidValue("patch", JSON.stringify(JSON.stringify(tidy)), why)]);
    throw badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${why}`);
  }
  return { object: pruned, warnings: unknown };
}

/** Empty maps and lists of metadata are not kept. */
const withoutEmpty = (metadata: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(withoutNulls(metadata)).filter(
      ([, value]) => typeof value !== "object" || value === null || Object.keys(value).length > 0,
    ),
  );

const withoutNulls = (object: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(object)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, isObject(value) ? withoutNulls(value) : value]),
  );
