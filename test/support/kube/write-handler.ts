/** Requests that write, each to what does it. */
import { deleteObject } from "./delete-object.ts";
import { at, isObject, type Json, type JsonObject, objectAt, textAt } from "./json.ts";
import { apiVersionOf, storageOf } from "./kinds.ts";
import { type Answer, pageNotFound, presented, type ResourceRequest, type ResourceWorld, scopeOf, selectorOf } from "./resource-request.ts";
import { badRequest, invalid, required, StatusError } from "./status-error.ts";
import { beginTermination } from "./terminating.ts";
import type { WriteRequest, Written } from "./write-request.ts";
import { applyObject, createObject, patchObject, replaceObject } from "./writes.ts";

/** @throws StatusError for what is refused */
export function handleWrite(world: ResourceWorld, request: ResourceRequest): Answer {
  switch (request.verb) {
    case "create":
      return answer(request, createObject(world, writeRequest(request), bodyObject(request)));
    case "update":
      return answer(request, replaceObject(world, writeRequest(request), bodyObject(request)));
    case "patch":
      return patch(world, request);
    case "delete":
      return remove(world, request);
    case "deletecollection":
      return removeAll(world, request);
    default:
      throw new StatusError(405, "the server does not allow this method on the requested resource");
  }
}

const answer = ({ kind }: ResourceRequest, { code, object, warnings }: Written): Answer => ({
  code,
  body: presented(kind, object),
  warnings,
});

function bodyObject({ body, kind }: ResourceRequest): JsonObject {
  if (isObject(body)) return body;
  throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): couldn't get version/kind`);
}

function writeRequest(request: ResourceRequest, options: "Create" | "Update" | "Patch" = "Create"): WriteRequest {
  const { query, route, kind, user, userAgent, verb } = request;
  const dryRun = query.getAll("dryRun");
  if (dryRun.some((value) => value !== "All")) {
    const cause = {
      reason: "FieldValueNotSupported",
      message: `Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`,
      field: "dryRun",
    };
    throw invalid({ group: "meta.k8s.io", kind: `${options}Options` }, "", [cause]);
  }
  if (kind.namespaced && route.namespace === undefined) throw pageNotFound();
  if (verb !== "create" && route.name === undefined) throw badRequest("name must be provided");
  return {
    kind,
    namespace: route.namespace,
    ...(route.name === undefined ? {} : { name: route.name }),
    subresource: route.subresource === "status" ? "status" : "",
    user,
    manager: query.get("fieldManager") ?? userAgent.split("/")[0] ?? "unknown",
    dryRun: dryRun.length > 0,
    strict: query.get("fieldValidation") === "Strict",
  };
}

const PATCH_TYPES = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"];
const STRATEGIC = "application/strategic-merge-patch+json";

function patch(world: ResourceWorld, request: ResourceRequest): Answer {
  const { kind, contentType, query, body } = request;
  const accepted = kind.isCustom ? PATCH_TYPES : [...PATCH_TYPES.slice(0, 2), STRATEGIC, PATCH_TYPES[2] ?? ""];
  if (!accepted.includes(contentType)) {
    throw new StatusError(415, `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`);
  }
  if (contentType === STRATEGIC) throw new StatusError(415, "the fake API server does no strategic merge patches; use a merge patch");
  checkPatchOptions(query, contentType === "application/apply-patch+yaml");
  const write = writeRequest(request, "Patch");
  if (contentType === "application/apply-patch+yaml") {
    return answer(request, applyObject(world, write, bodyObject(request), query.get("force") === "true"));
  }
  return answer(request, patchObject(world, write, contentType === "application/merge-patch+json" ? "merge" : "json", body));
}

function checkPatchOptions(query: URLSearchParams, isApply: boolean): void {
  const options = { group: "meta.k8s.io", kind: "PatchOptions" };
  const manager = query.get("fieldManager") ?? "";
  if (isApply && manager === "") throw invalid(options, "", [required("fieldManager", "is required for apply patch")]);
  if (manager.length > 128) {
    throw invalid(options, "", [
      { reason: "FieldValueTooLong", message: "Too long: may not be more than 128 bytes", field: "fieldManager" },
    ]);
  }
  if (!isApply && query.has("force")) {
    const message = "Forbidden: may not be specified for non-apply patch";
    throw invalid(options, "", [{ reason: "FieldValueForbidden", message, field: "force" }]);
  }
}

function remove(world: ResourceWorld, request: ResourceRequest): Answer {
  const { kind, body, query, user } = request;
  const { name = "", namespace, dryRun } = writeRequest(request);
  const { uid, resourceVersion } = objectAt(body, "preconditions");
  const propagation = textAt(body, "propagationPolicy") || (query.get("propagationPolicy") ?? "");
  const container = world.store.get(storageOf(kind), name);
  if (["Namespace", "CustomResourceDefinition"].includes(kind.kind) && container !== undefined && !dryRun) {
    return { code: 200, body: presented(kind, beginTermination(world, world.registry, container)) };
  }
  const gone = deleteObject(world, {
    kind,
    namespace,
    name,
    user,
    dryRun: dryRun || arrayHas(at(body, "dryRun"), "All"),
    ...(typeof uid === "string" ? { uid } : {}),
    ...(typeof resourceVersion === "string" ? { resourceVersion } : {}),
    propagation,
  });
  return { code: 200, body: gone };
}

const arrayHas = (value: Json | undefined, wanted: string): boolean => Array.isArray(value) && value.includes(wanted);

function removeAll(world: ResourceWorld, request: ResourceRequest): Answer {
  const { kind } = request;
  const doomed = world.store.list(storageOf(kind), scopeOf(request)).filter(selectorOf(request).selector);
  const dryRun = request.query.has("dryRun");
  for (const object of doomed) {
    const namespace = textAt(object, "metadata", "namespace");
    const name = textAt(object, "metadata", "name");
    deleteObject(world, { kind, namespace: namespace === "" ? undefined : namespace, name, dryRun, user: request.user });
  }
  const metadata = { resourceVersion: `${world.store.version()}` };
  const items = doomed.map((object) => presented(kind, object));
  return { code: 200, body: { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata, items } };
}
