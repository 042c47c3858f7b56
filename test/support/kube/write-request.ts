/** What every kind of write has: who writes what where, and the checks of it that do not depend on what stands there. */
import type { User } from "./access.ts";
import type { FenceOptions } from "./fence.ts";
import { type Json, type JsonObject, textAt, withMetadata } from "./json.ts";
import { apiVersionOf, type ServedKind, storageOf } from "./kinds.ts";
import type { Writer } from "./managed-fields.ts";
import { badRequest, invalid, invalidValue } from "./status-error.ts";
import type { Store } from "./store.ts";

/** A write, apart from its body. */
export interface WriteRequest {
  readonly kind: ServedKind;
  readonly namespace: string | undefined;
  /** Absent when creating. */
  readonly name?: string;
  readonly subresource: "" | "status";
  readonly user: User;
  readonly manager: string;
  readonly dryRun: boolean;
  /** Unknown fields are refused instead of told of. */
  readonly strict: boolean;
}

export interface Written {
  readonly code: 200 | 201;
  readonly object: JsonObject;
  readonly warnings: readonly string[];
}

export interface WriterWorld {
  readonly store: Store;
  readonly now: () => number;
  readonly fence?: FenceOptions;
}

/** RFC 3339 without fractions, as in metadata. */
export const timestamp = (now: () => number): string => `${new Date(now()).toISOString().slice(0, 19)}Z`;

export const withManagers = (object: JsonObject, managedFields: readonly Json[]): JsonObject =>
  withMetadata(object, { managedFields: managedFields.length === 0 ? undefined : managedFields });

export const keyName = (object: JsonObject): string => textAt(object, "metadata", "name");

export const liveOf = (
  world: WriterWorld,
  { kind, namespace, name }: Pick<WriteRequest, "kind" | "namespace"> & { readonly name?: string },
) => world.store.get(storageOf(kind), kind.namespaced ? `${namespace}/${name}` : (name ?? ""));

export const writerOf = (world: WriterWorld, request: WriteRequest, operation: "Update" | "Apply"): Writer => ({
  manager: request.manager,
  operation,
  apiVersion: apiVersionOf(request.kind),
  subresource: request.subresource,
  time: timestamp(world.now),
});

/** What does not depend on what stands there. */
export function checkEnvelope({ kind, namespace, name }: WriteRequest, body: JsonObject): void {
  if (body.kind !== undefined && body.kind !== kind.kind) {
    const of = { group: kind.group, kind: String(body.kind) };
    throw invalid(of, textAt(body, "metadata", "name"), [invalidValue("kind", JSON.stringify(body.kind), `must be ${kind.kind}`)]);
  }
  if (body.apiVersion !== undefined && body.apiVersion !== apiVersionOf(kind)) {
    const expected = `the API version in the data (${String(body.apiVersion)}) does not match the expected API version (${apiVersionOf(kind)})`;
    throw badRequest(expected);
  }
  const own = textAt(body, "metadata", "name");
  if (name !== undefined && own !== "" && own !== name) {
    throw badRequest(`the name of the object (${own}) does not match the name on the URL (${name})`);
  }
  const place = textAt(body, "metadata", "namespace");
  if (kind.namespaced && place !== "" && place !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
}

/** With the name and namespace of the URL. */
export function placed({ kind, namespace, name }: WriteRequest, body: JsonObject): JsonObject {
  const fields = { ...(name === undefined ? {} : { name }), namespace: kind.namespaced ? namespace : undefined };
  return withMetadata({ ...body, apiVersion: apiVersionOf(kind), kind: kind.kind }, fields);
}
