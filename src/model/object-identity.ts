/** What an object is: its API version, kind, namespace and name. */
import { API_GROUP, API_VERSION, isKind, kindNames, kinds } from "./kinds.ts";
import type { Locate, RejectedObject } from "./manifest-object.ts";
import { didYouMean } from "./nearest-word.ts";
import type { Problem } from "./problem.ts";
import type { ProblemCode } from "./problem-codes.ts";

export type Identity = RejectedObject | { readonly problems: readonly Problem[] };

/** @returns problems when that cannot be told, and then nothing else can be said about the object */
export function identify(raw: unknown, locate: Locate): Identity {
  const refuse = (field: string, code: ProblemCode, message: string, remedy: string): Identity => ({
    problems: [{ severity: "error", code, ...locate(field === "" ? [] : [field]), path: field, message, remedy }],
  });
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    return refuse("", "yaml-object", "is not an object", "Write it as a mapping with apiVersion, kind, metadata and spec.");
  }
  const apiVersion = member(raw, "apiVersion");
  const kind = member(raw, "kind");
  if (kind === "List")
    return refuse("kind", "kind-unknown", "a List is not read", "Write its items as documents of their own, separated by ---.");
  if (typeof apiVersion !== "string" || apiVersion !== `${API_GROUP}/${API_VERSION}`) {
    const known = `Write apiVersion: ${API_GROUP}/${API_VERSION}.`;
    if (apiVersion === undefined) return refuse("apiVersion", "api-version", "is required, but missing", known);
    const ours = typeof apiVersion === "string" && (apiVersion.startsWith(`${API_GROUP}/`) || (typeof kind === "string" && isKind(kind)));
    const remedy = ours ? known : `${known} Keep objects of other systems in another folder.`;
    return refuse("apiVersion", "api-version", `${JSON.stringify(apiVersion)} is not an API version that GlobalRoute reads`, remedy);
  }
  if (kind === undefined) return refuse("kind", "kind-unknown", "is required, but missing", `Write one of ${kindNames.join(", ")}.`);
  if (typeof kind !== "string" || !isKind(kind)) {
    const near = typeof kind === "string" ? didYouMean(kind, kindNames) : "";
    return refuse(
      "kind",
      "kind-unknown",
      `${JSON.stringify(kind)} is not a kind of GlobalRoute`,
      `${near}Known are ${kindNames.join(", ")}.`,
    );
  }
  const name = member(member(raw, "metadata"), "name");
  const namespace = member(member(raw, "metadata"), "namespace");
  return {
    kind,
    namespace: kinds[kind].scope === "Cluster" ? "" : typeof namespace === "string" ? namespace : "default",
    name: typeof name === "string" ? name : "(unnamed)",
  };
}

/** True for an object of another system: neither its group nor its kind is ours. */
export function isForeign(raw: unknown): boolean {
  const [apiVersion, kind] = [member(raw, "apiVersion"), member(raw, "kind")];
  if (typeof apiVersion !== "string" || typeof kind !== "string") return false;
  return !apiVersion.startsWith(`${API_GROUP}/`) && !isKind(kind) && kind !== "List";
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}
