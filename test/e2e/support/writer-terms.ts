/** Who writes, by the Lease; and who was let write, by the audit log of the API server: the judge of safety rule 5. */
import type { AuditEntry } from "./audit.ts";
import { CONTROLLER, NAMESPACE } from "./install.ts";
import type { KubeCluster } from "./kube-cluster.ts";

export interface Holder {
  readonly identity: string;
  readonly epoch: number;
}

const lease = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/globalroute-writer`;

/** @returns undefined while nobody holds the Lease */
export async function leaseHolder({ api }: KubeCluster): Promise<Holder | undefined> {
  const { status, body } = await api.request("GET", lease);
  if (status !== 200) return undefined;
  const identity = textOf(at(body, "spec", "holderIdentity"));
  return identity === "" ? undefined : { identity, epoch: Number(at(body, "spec", "leaseTransitions") ?? 0) };
}

export interface TermWrite extends AuditEntry {
  /** Of the user agent: what the process took its term for. */
  readonly epoch: number;
  /** That the object carries; undefined where it carries none, or the log holds no objects of its kind. */
  readonly marked: number | undefined;
  readonly isAccepted: boolean;
}

/** What the controller's account has tried to write, in the order in which it was answered, but for Leases and questions about rights. */
export const termWrites = (hub: KubeCluster): readonly TermWrite[] =>
  hub.audit().flatMap((entry) => {
    const { user, verb, resource, userAgent, object, status } = entry;
    const isOurs = user === `system:serviceaccount:${NAMESPACE}:${CONTROLLER}`;
    if (!isOurs || ["get", "list", "watch"].includes(verb) || resource === "leases" || resource.endsWith("reviews")) return [];
    const epoch = Number(/writer epoch (\d+)/.exec(userAgent)?.[1] ?? Number.NaN);
    return [{ ...entry, epoch, marked: markOf(object), isAccepted: status >= 200 && status < 300 }];
  });

function markOf(object: unknown): number | undefined {
  const mark = at(object, "status", "writerEpoch") ?? at(object, "metadata", "annotations", "globalroute.dev/writer-epoch");
  return mark === undefined ? undefined : Number(mark);
}

/** Writes that were accepted although one of a later term had been accepted before: there must be none. */
export function lateWrites(writes: readonly TermWrite[]): readonly TermWrite[] {
  let newest = 0;
  return writes.filter(({ isAccepted, epoch, marked }) => {
    if (!isAccepted) return false;
    const oldest = Math.min(epoch, marked ?? epoch);
    newest = Math.max(newest, epoch, marked ?? epoch);
    return oldest < newest;
  });
}

/** For messages. */
export const tellWrite = ({ epoch, marked, verb, uri, status, message }: TermWrite): string =>
  `epoch ${epoch} (object ${marked ?? "unmarked"}): ${verb} ${uri.split("?")[0]} ${status} ${message}`;

const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((found, key) => (typeof found === "object" && found !== null ? Reflect.get(found, key) : undefined), value);
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
