/** JSON merge patch (RFC 7386) and JSON patch (RFC 6902). */
import { at, equal, isArray, isObject, type Json, type JsonObject } from "./json.ts";

/** RFC 7386 §2. */
export function mergePatch(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const out: Record<string, Json> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete out[name];
    else out[name] = mergePatch(out[name] ?? null, value);
  }
  return out;
}

/** RFC 6902. @returns undefined when an operation cannot be done, a failed `test` among them */
export function jsonPatch(target: JsonObject, operations: Json): JsonObject | undefined {
  if (!isArray(operations)) return undefined;
  let result: Json | undefined = target;
  for (const operation of operations) {
    result = result === undefined ? undefined : operate(result, operation);
  }
  return isObject(result) ? result : undefined;
}

function operate(target: Json, operation: Json): Json | undefined {
  const path = pointer(at(operation, "path"));
  const from = pointer(at(operation, "from"));
  const value = at(operation, "value");
  if (path === undefined) return undefined;
  switch (at(operation, "op")) {
    case "test":
      return equal(lookUp(target, path), value) ? target : undefined;
    case "add":
      return value === undefined ? undefined : change(target, path, value, "add");
    case "replace":
      return value === undefined ? undefined : change(target, path, value, "replace");
    case "remove":
      return change(target, path, undefined, "remove");
    case "copy":
    case "move": {
      const moved = from === undefined ? undefined : lookUp(target, from);
      if (moved === undefined || from === undefined) return undefined;
      const rest = at(operation, "op") === "copy" ? target : change(target, from, undefined, "remove");
      return rest === undefined ? undefined : change(rest, path, moved, "add");
    }
    default:
      return undefined;
  }
}

/** RFC 6901 §4. */
function pointer(text: Json | undefined): readonly string[] | undefined {
  if (text === "") return [];
  if (typeof text !== "string" || !text.startsWith("/")) return undefined;
  return text
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function lookUp(target: Json, [head, ...rest]: readonly string[]): Json | undefined {
  if (head === undefined) return target;
  const inner = isArray(target) ? target[Number(head)] : isObject(target) && Object.hasOwn(target, head) ? target[head] : undefined;
  return inner === undefined ? undefined : lookUp(inner, rest);
}

type Change = "add" | "replace" | "remove";

function change(target: Json, [head, ...rest]: readonly string[], value: Json | undefined, kind: Change): Json | undefined {
  if (head === undefined) return value;
  if (isArray(target)) return changeItem(target, head, rest, value, kind);
  if (!isObject(target)) return undefined;
  const inner = Object.hasOwn(target, head) ? target[head] : undefined;
  if (rest.length > 0) {
    const changed = inner === undefined ? undefined : change(inner, rest, value, kind);
    return changed === undefined ? undefined : { ...target, [head]: changed };
  }
  if (kind !== "add" && inner === undefined) return undefined;
  const { [head]: _gone, ...others } = target;
  return value === undefined ? others : { ...target, [head]: value };
}

function changeItem(list: readonly Json[], head: string, rest: readonly string[], value: Json | undefined, kind: Change): Json | undefined {
  const index = head === "-" ? list.length : Number(head);
  if (!Number.isInteger(index) || index < 0) return undefined;
  if (rest.length > 0) {
    const inner = list[index];
    const changed = inner === undefined ? undefined : change(inner, rest, value, kind);
    return changed === undefined ? undefined : list.toSpliced(index, 1, changed);
  }
  if (kind === "add") return value === undefined || index > list.length ? undefined : list.toSpliced(index, 0, value);
  if (index >= list.length) return undefined;
  return value === undefined ? list.toSpliced(index, 1) : list.toSpliced(index, 1, value);
}
