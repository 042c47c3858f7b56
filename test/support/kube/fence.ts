/** The admission policy that lets the writer of today write and none of yesterday, as the chart's `writer-fence.yaml` puts it into a hub. */
import { EPOCH_ANNOTATION } from "../../../controller/kube/writer-fence.ts";
import { API_GROUP } from "../../../src/model/kinds.ts";
import { at, type Json, type JsonObject, textAt } from "./json.ts";
import type { ServedKind } from "./kinds.ts";
import { forbidden } from "./status-error.ts";
import type { Store } from "./store.ts";

export interface FenceOptions {
  /** Whose writes are checked, such as `system:serviceaccount:globalroute-system:globalroute`. */
  readonly user: string;
  readonly leaseNamespace: string;
  readonly leaseName: string;
  /** Name of the policy and of its binding, in messages. */
  readonly policy?: string;
}

/**
 * Checks an object that is about to be written, or deleted: then it is the one that stands there.
 *
 * @throws StatusError 403 when its epoch is not that of the Lease; without a Lease nobody is shut out
 */
export function checkFence(
  fence: FenceOptions,
  store: Store,
  user: string,
  kind: ServedKind,
  subresource: "" | "status",
  object: JsonObject,
): void {
  const isOurs = kind.group === API_GROUP || kind.group === "events.k8s.io";
  const lease = store.get("coordination.k8s.io/leases", `${fence.leaseNamespace}/${fence.leaseName}`);
  if (user !== fence.user || !isOurs || lease === undefined) return;
  const written = subresource === "status" ? at(object, "status", "writerEpoch") : at(object, "metadata", "annotations", EPOCH_ANNOTATION);
  const [epoch, current] = [shown(written, "none"), shown(at(lease, "spec", "leaseTransitions"), "unknown")];
  if (epoch === current) return;
  const policy = fence.policy ?? "globalroute-writer-fence";
  const why =
    `ValidatingAdmissionPolicy '${policy}' with binding '${policy}' denied request: globalroute writer fence: this write has epoch ${epoch}, ` +
    `and the Lease ${fence.leaseNamespace}/${fence.leaseName} has ${current}. Only the controller that holds the Lease may write; it marks what ` +
    "it writes.";
  throw forbidden(kind, textAt(object, "metadata", "name"), why);
}

const shown = (value: Json | undefined, none: string): string => (value === undefined ? none : String(value));
