/** Reads what API servers answer: `Status` objects of failures, lists, objects. Pure. */
import { printable } from "../../src/model/printable.ts";
import type { KubeObject, Resource } from "./kube-object.ts";
import { apiVersionOf } from "./kube-object.ts";

/** `Status` of the API, as far as we read it. */
export interface ApiStatus {
  readonly reason: string;
  readonly message: string;
  readonly code: number | undefined;
}

export const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
export const textField = (value: unknown, name: string): string => {
  const found = field(value, name);
  return typeof found === "string" ? found : "";
};

/** Longer messages of servers say nothing more. */
const MAX_MESSAGE = 600;

/** @returns empty texts for whatever is no `Status` */
export function readStatus(body: unknown): ApiStatus {
  const code = field(body, "code");
  return {
    reason: textField(body, "reason"),
    message: printable(textField(body, "message")).slice(0, MAX_MESSAGE),
    code: typeof code === "number" ? code : undefined,
  };
}

/** @returns undefined for what has no name: no object of the API */
export function readObject(body: unknown): KubeObject | undefined {
  return isObject(body) ? body : undefined;
}

function isObject(body: unknown): body is KubeObject {
  return (
    typeof field(body, "apiVersion") === "string" &&
    typeof field(body, "kind") === "string" &&
    typeof field(field(body, "metadata"), "name") === "string"
  );
}

/** Items of lists come without `apiVersion` and `kind`. @returns undefined for what has no name */
export function readItem(resource: Resource, item: unknown): KubeObject | undefined {
  if (typeof item !== "object" || item === null) return undefined;
  return readObject({ apiVersion: apiVersionOf(resource), kind: resource.kind, ...item });
}

/**
 * Milliseconds to wait by a `Retry-After` header (RFC 9110 §10.2.3: seconds or a date).
 *
 * @param now milliseconds since the epoch
 */
export function readRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
