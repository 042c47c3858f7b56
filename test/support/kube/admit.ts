/** Whether an object may be kept: validation first, and the writer's fence after it. */
import { builtInFaults, groupInMessages } from "./built-in-checks.ts";
import { checkRules } from "./cel-rules.ts";
import { checkFence } from "./fence.ts";
import { arrayAt, at, type JsonObject } from "./json.ts";
import { labelFaults, nameFaults } from "./metadata-checks.ts";
import { type Cause, forbidden, invalid, notFound } from "./status-error.ts";
import { blocksRules, UNCHECKED, validateSchema } from "./validate.ts";
import { keyName, type WriteRequest, type WriterWorld } from "./write-request.ts";

/** @throws StatusError when the namespace is not there, or is being deleted */
export function checkNamespace(world: WriterWorld, { kind, namespace }: WriteRequest, name: string): void {
  if (!kind.namespaced) return;
  const found = world.store.get("/namespaces", namespace ?? "");
  if (found === undefined) throw notFound({ group: "", kind: "Namespace", plural: "namespaces" }, namespace ?? "");
  if (at(found, "metadata", "deletionTimestamp") === undefined) return;
  throw forbidden(kind, name, `unable to create new content in namespace ${namespace} because it is being terminated`, {
    causes: [{ reason: "NamespaceTerminating", message: `namespace ${namespace} is being terminated`, field: "metadata.namespace" }],
  });
}

/** @throws StatusError for an object that must not be kept */
export function admit(world: WriterWorld, request: WriteRequest, next: JsonObject, live: JsonObject | undefined): void {
  const { kind } = request;
  const meta = [...nameFaults(next), ...labelFaults(next), ...newFinalizers(next, live)];
  const found = kind.isCustom ? validateSchema(next, live, kind.schema ?? {}) : builtInFaults(kind, next, live);
  const causes = [...meta, ...(request.subresource === "status" ? found.map(asOfStatus) : found)];
  const isBlocked = blocksRules(causes);
  if (kind.isCustom && isBlocked) causes.push(UNCHECKED);
  if (kind.isCustom && !isBlocked) causes.push(...checkRules(next, live, kind.schema ?? {}, kind.rules));
  if (causes.length > 0) throw invalid({ group: groupInMessages(kind), kind: kind.kind }, keyName(next), causes);
  if (world.fence !== undefined) checkFence(world.fence, world.store, request.user.name, kind, request.subresource, next);
}

/** Through the status endpoint, messages name fields as seen from the status; an empty one (`{}`) that was emptied is null, and has no name. */
const asOfStatus = (cause: Cause): Cause => ({ ...cause, message: cause.message.replace(/: status\.?([^ ]*) in body/, ": $1 in body") });

function newFinalizers(next: JsonObject, live: JsonObject | undefined): readonly Cause[] {
  if (at(live, "metadata", "deletionTimestamp") === undefined) return [];
  const before = arrayAt(live, "metadata", "finalizers");
  const added = arrayAt(next, "metadata", "finalizers").filter((one) => !before.includes(one));
  if (added.length === 0) return [];
  const list = added.map((one) => JSON.stringify(one)).join(", ");
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
  return [{ reason: "FieldValueForbidden", message: `Forbidden: ${why}`, field: "metadata.finalizers" }];
}
