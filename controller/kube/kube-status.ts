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
  return isObject(body) ? withTexts(body) : undefined;
}

const TEXT_MAPS = ["labels", "annotations"] as const;

/** Labels and annotations are texts by name, as every reader relies on; whatever else somebody sends there is left out. */
export function withTexts(object: KubeObject): KubeObject {
  const odd = TEXT_MAPS.filter((name) => !isTextMap(object.metadata[name]));
  if (odd.length === 0) return object;
  const texts = odd.map((name) => [name, textsOnly(object.metadata[name])]);
  return { ...object, metadata: { ...object.metadata, ...Object.fromEntries(texts) } };
}

function isTextMap(value: unknown): boolean {
  if (value === undefined) return true;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  for (const name in value) if (typeof Reflect.get(value, name) !== "string") return false;
  return true;
}

function textsOnly(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
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

/** A server that asks for more, by mistake or by malice, would not be asked again for days, ms. */
const LONGEST_RETRY = 60_000;

/**
 * Milliseconds to wait by a `Retry-After` header (RFC 9110 §10.2.3: seconds or a date), a minute at most.
 *
 * @param now milliseconds since the epoch
 */
export function readRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(0, wait), LONGEST_RETRY);
}
