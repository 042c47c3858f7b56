/** Creating, replacing, patching and applying, each in the order in which kube-apiserver checks things. */
import { randomBytes, randomUUID } from "node:crypto";
import { admit, checkNamespace } from "./admit.ts";
import { decodeObject } from "./decode-object.ts";
import { arrayAt, at, equal, isObject, type Json, type JsonObject, objectAt, textAt, withFields, withMetadata } from "./json.ts";
import { apiVersionOf, storageOf } from "./kinds.ts";
import { afterUpdate, apply, endpointPart, untypable } from "./managed-fields.ts";
import { jsonPatch, mergePatch } from "./patch.ts";
import { alreadyExists, badRequest, conflict, internal, invalid, invalidValue, MODIFIED, notFound, StatusError } from "./status-error.ts";
import { keyOf } from "./store.ts";
import { typedSchema } from "./typed.ts";
import {
  checkEnvelope,
  keyName,
  liveOf,
  placed,
  timestamp,
  type WriteRequest,
  type WriterWorld,
  type Written,
  withManagers,
  writerOf,
} from "./write-request.ts";

/** A POST. */
export function createObject(world: WriterWorld, request: WriteRequest, body: JsonObject): Written {
  const { kind } = request;
  checkEnvelope(request, body);
  const named = withName(body);
  if (textAt(named, "metadata", "resourceVersion") !== "") throw internal("resourceVersion should not be set on objects to be created");
  const { object, warnings } = decodeObject(request, placed(request, named), "whole");
  const fresh = withMetadata(kind.hasStatus && kind.isCustom ? withFields(object, { status: undefined }) : object, {
    uid: randomUUID(),
    creationTimestamp: timestamp(world.now),
    generation: kind.hasGeneration ? 1 : undefined,
    deletionTimestamp: undefined,
    deletionGracePeriodSeconds: undefined,
    managedFields: undefined,
  });
  checkNamespace(world, request, keyName(fresh));
  admit(world, request, fresh, undefined);
  const managedFields = afterUpdate(undefined, fresh, typedSchema(kind.schema), writerOf(world, request, "Update"));
  return { ...keepNew(world, request, fresh, managedFields), warnings };
}

/** A PUT. */
export function replaceObject(world: WriterWorld, request: WriteRequest, body: JsonObject): Written {
  checkEnvelope(request, body);
  if (textAt(body, "metadata", "name") === "") {
    throw badRequest(`the name of the object (${request.name} based on URL) was undeterminable: name must be provided`);
  }
  const live = liveOf(world, request);
  if (live === undefined) throw notFound(request.kind, request.name ?? "");
  const version = textAt(body, "metadata", "resourceVersion");
  if (version === "" && !request.kind.allowsUnconditional) {
    throw invalid({ ...request.kind, kind: request.kind.plural }, request.name ?? "", [
      invalidValue("metadata.resourceVersion", "0", "must be specified for an update"),
    ]);
  }
  const uid = textAt(body, "metadata", "uid");
  const liveUid = textAt(live, "metadata", "uid");
  if (uid !== "" && uid !== liveUid) {
    const key = `/registry/${storageOf(request.kind)}/${keyOf(live)}`;
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${liveUid}`;
    throw conflict(
      request.kind,
      request.name ?? "",
      `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`,
    );
  }
  return update(world, request, live, placed(request, body));
}

/** A merge patch or JSON patch. */
export function patchObject(world: WriterWorld, request: WriteRequest, type: "merge" | "json", body: Json): Written {
  const live = liveOf(world, request);
  if (live === undefined) throw notFound(request.kind, request.name ?? "");
  const shown = { ...live, apiVersion: apiVersionOf(request.kind), kind: request.kind.kind };
  const patched = type === "merge" ? mergePatch(shown, body) : jsonPatch(shown, body);
  if (!isObject(patched)) throw new StatusError(422, "the server rejected our request due to an error in our request", { details: {} });
  checkEnvelope(request, patched);
  return update(world, request, live, patched, true);
}

/** Server-side apply. */
export function applyObject(world: WriterWorld, request: WriteRequest, body: JsonObject, force: boolean): Written {
  const { kind, name = "" } = request;
  if (Array.isArray(at(body, "metadata", "managedFields"))) throw badRequest("metadata.managedFields must be nil");
  checkEnvelope(request, body);
  const live = liveOf(world, request);
  if (live === undefined && request.subresource === "status") throw notFound(kind, name);
  const fault = untypable(withFields(body, { metadata: undefined, apiVersion: undefined, kind: undefined }), kind.schema ?? {});
  if (fault !== undefined) {
    const key = `${textAt(body, "metadata", "namespace")}/${textAt(body, "metadata", "name")}`;
    throw internal(`failed to create typed patch object (${key}; ${apiVersionOf(kind)}, Kind=${kind.kind}): ${fault}`);
  }
  const author = writerOf(world, request, "Apply");
  const applied = endpointPart(body, request.subresource, kind.hasStatus && kind.isCustom);
  if (live === undefined) {
    const uid = textAt(body, "metadata", "uid");
    if (uid !== "") {
      throw conflict(kind, name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`);
    }
    const { managedFields } = apply({}, applied, typedSchema(kind.schema), author, force);
    const unversioned = withMetadata(applied, { resourceVersion: undefined });
    const made = createObject(world, { ...request, dryRun: true }, unversioned);
    return { ...keepNew(world, request, made.object, managedFields), warnings: made.warnings };
  }
  const { uid, resourceVersion } = objectAt(body, "metadata");
  const stamps = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  const { object, managedFields } = apply(live, applied, typedSchema(kind.schema), author, force);
  return update(world, request, live, withMetadata(object, stamps), true, managedFields);
}

function update(
  world: WriterWorld,
  request: WriteRequest,
  live: JsonObject,
  proposed: JsonObject,
  isPatch = false,
  appliedFields?: readonly Json[],
): Written {
  const { kind, name = "" } = request;
  const { uid, resourceVersion, generation, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds } = objectAt(live, "metadata");
  const asked = objectAt(proposed, "metadata");
  if (asked.resourceVersion !== undefined && asked.resourceVersion !== "" && asked.resourceVersion !== resourceVersion) {
    throw conflict(kind, name, MODIFIED);
  }
  if (isPatch && asked.uid !== undefined && asked.uid !== uid) {
    throw invalid(kind, name, [invalidValue("metadata.uid", JSON.stringify(asked.uid), "field is immutable")]);
  }
  const { object, warnings } = decodeObject(request, proposed, appliedFields !== undefined ? "apply" : isPatch ? "patch" : "whole");
  const system = {
    uid,
    resourceVersion,
    generation,
    creationTimestamp,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    managedFields: undefined,
  };
  const parted = withMetadata(parts(request, live, object), system);
  const bare = withMetadata(live, { managedFields: undefined });
  const hasNewSpec = kind.hasGeneration && !equal(substance(parted), substance(bare));
  const next = hasNewSpec ? withMetadata(parted, { generation: Number(generation ?? 0) + 1 }) : parted;
  admit(world, request, next, live);
  const managedFields = appliedFields ?? afterUpdate(live, next, typedSchema(kind.schema), writerOf(world, request, "Update"));
  const whole = withManagers(next, managedFields);
  if (equal(whole, live)) return { code: 200, object: live, warnings };
  const isLast = deletionTimestamp !== undefined && arrayAt(whole, "metadata", "finalizers").length === 0;
  if (request.dryRun) return { code: 200, object: whole, warnings };
  if (isLast) {
    world.store.remove(storageOf(kind), keyOf(live));
    return { code: 200, object: whole, warnings };
  }
  return { code: 200, object: world.store.put(storageOf(kind), whole), warnings };
}

function keepNew(
  world: WriterWorld,
  request: WriteRequest,
  fresh: JsonObject,
  managedFields: readonly Json[],
): Pick<Written, "code" | "object"> {
  const { kind } = request;
  const storage = storageOf(kind);
  const object = withManagers(fresh, managedFields);
  const standing = world.store.get(storage, keyOf(object));
  if (standing !== undefined) throw alreadyExists(kind, keyName(object), at(standing, "metadata", "deletionTimestamp") !== undefined);
  if (request.dryRun) return { code: 201, object };
  return { code: 201, object: world.store.put(storage, object) };
}

/** What counts as a change of the spec. */
const substance = (object: JsonObject): JsonObject => withFields(object, { metadata: undefined, status: undefined, apiVersion: undefined });

/** Each endpoint changes its part alone. */
function parts({ kind, subresource }: WriteRequest, live: JsonObject, object: JsonObject): JsonObject {
  if (subresource === "status") return withFields(live, { status: object.status });
  return kind.hasStatus ? withFields(object, { status: live.status }) : object;
}

function withName(body: JsonObject): JsonObject {
  const { name, generateName } = objectAt(body, "metadata");
  if (typeof name === "string" || typeof generateName !== "string") return body;
  return withMetadata(body, { name: `${generateName}${randomBytes(3).toString("hex").slice(0, 5)}` });
}
