/** Deleting, which finalizers can hold up. */
import type { User } from "./access.ts";
import { checkFence } from "./fence.ts";
import { type JsonObject, objectAt, withMetadata } from "./json.ts";
import { storageOf } from "./kinds.ts";
import { conflict, notFound } from "./status-error.ts";
import { keyOf } from "./store.ts";
import { liveOf, timestamp, type WriteRequest, type WriterWorld } from "./write-request.ts";

export interface DeleteRequest extends Pick<WriteRequest, "kind" | "namespace" | "dryRun"> {
  readonly name: string;
  /** Absent for the server itself. */
  readonly user?: User;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagation?: string;
}

/** @returns the object while finalizers hold it, else a `Status` */
export function deleteObject(world: WriterWorld, request: DeleteRequest): JsonObject {
  const { kind, name } = request;
  const live = liveOf(world, request);
  if (live === undefined) throw notFound(kind, name);
  const { uid, resourceVersion, finalizers, deletionTimestamp } = objectAt(live, "metadata");
  const inKind = { group: kind.group, kind: kind.kind, plural: kind.isCustom ? kind.kind : kind.plural };
  if (request.uid !== undefined && request.uid !== uid) {
    const why = `the UID in the precondition (${request.uid}) does not match the UID in record (${String(uid)}). The object might have been deleted and then recreated`;
    throw conflict(inKind, name, why);
  }
  if (request.resourceVersion !== undefined && request.resourceVersion !== resourceVersion) {
    const why = `the ResourceVersion in the precondition (${request.resourceVersion}) does not match the ResourceVersion in record (${String(resourceVersion)}). The object might have been modified`;
    throw conflict(inKind, name, why);
  }
  if (world.fence !== undefined && request.user !== undefined) checkFence(world.fence, world.store, request.user.name, kind, "", live);
  const holders = [
    ...(Array.isArray(finalizers) ? finalizers : []),
    ...(request.propagation === "Foreground" ? ["foregroundDeletion"] : []),
  ];
  if (holders.length === 0) {
    if (!request.dryRun) world.store.remove(storageOf(kind), keyOf(live));
    const details = { name, ...(kind.group === "" ? {} : { group: kind.group }), kind: kind.plural, uid: uid ?? "" };
    return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
  }
  if (deletionTimestamp !== undefined) return live;
  const { generation } = objectAt(live, "metadata");
  const marked = withMetadata(live, {
    deletionTimestamp: timestamp(world.now),
    deletionGracePeriodSeconds: 0,
    finalizers: holders,
    generation: typeof generation === "number" ? generation + 1 : undefined,
  });
  return request.dryRun ? marked : world.store.put(storageOf(kind), marked);
}
