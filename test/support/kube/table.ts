/** Lists as tables, which is how `kubectl get` asks for them. */
import { at, isArray, isObject, type Json, type JsonObject, objectAt, textAt } from "./json.ts";
import type { PrinterColumn, ServedKind } from "./kinds.ts";

const NAME: PrinterColumn = { name: "Name", type: "string", jsonPath: ".metadata.name", priority: 0 };
const AGE: PrinterColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", priority: 0 };

/** @param now milliseconds since the epoch */
export function tableOf(kind: ServedKind, objects: readonly JsonObject[], metadata: JsonObject, now: number): JsonObject {
  const columns = [NAME, ...(kind.columns.length === 0 ? [AGE] : kind.columns)];
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions: columns.map(({ name, type, priority }) => ({
      name,
      type,
      format: name === "Name" ? "name" : "",
      description: "",
      priority,
    })),
    rows: objects.map((object) => ({
      cells: columns.map((column) => cell(column, object, now)),
      object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: objectAt(object, "metadata") },
    })),
  };
}

function cell({ type, jsonPath }: PrinterColumn, object: JsonObject, now: number): Json {
  const [value] = select(object, jsonPath);
  if (value === undefined) return null;
  if (type === "date") return typeof value === "string" ? age(now - Date.parse(value)) : "<unknown>";
  if (type !== "string") return value;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The JSONPath of printer columns: fields, `[*]`, `[0]`, and `[?(@.type=="Ready")]`. */
function select(object: JsonObject, path: string): readonly Json[] {
  const steps = [...path.matchAll(/\.([\w-]+)|\[\?\(@\.(\w+)==["']([^"']*)["']\)\]|\[(\*|\d+)\]/g)];
  return steps.reduce<readonly Json[]>(
    (found, [, field, key, wanted, index]) => {
      if (field !== undefined) return found.map((one) => at(one, field)).filter((one) => one !== undefined);
      const items = found.flatMap((one) => (isArray(one) ? one : []));
      if (key !== undefined) return items.filter((item) => isObject(item) && textAt(item, key) === wanted);
      return index === "*" ? items : items.slice(Number(index), Number(index) + 1);
    },
    [object],
  );
}

/** As kubectl tells it. */
function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
