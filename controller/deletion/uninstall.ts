/**
 * Leaving a cluster: whatever this program has put there goes, what people have written stays. First the writer's Lease is taken, and it is
 * held to the end, so that controllers which still run write nothing more (the admission policy refuses them at once, the Lease within
 * seconds).
 */
import { count } from "../../src/model/count.ts";
import type { KubeApi } from "../kube/kube-api.ts";
import { KubeError } from "../kube/kube-error.ts";
import { type KubeObject, objectKey, type Resource } from "../kube/kube-object.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import { MAX_DURATION } from "../kube/lease.ts";
import { microTime } from "../kube/micro-time.ts";
import { pause } from "../kube/pause.ts";
import { DNS_ZONES, GLOBAL_ROUTES, LEASES, MEMBER_CLUSTERS } from "../kube/resources.ts";
import { FIELD_MANAGER, WRITER_LEASE } from "../kube/writer-fence.ts";
import { GENERATED_LABEL } from "../reconcile/generated-label.ts";
import { DELETION_ORDER, type DeletableKind, FINALIZER } from "./deletion-order.ts";

export interface UninstallOptions {
  readonly api: Pick<KubeApi, "create" | "delete" | "get" | "list" | "mergePatch" | "replace" | "server">;
  /** Where the controller is. */
  readonly namespace: string;
  /**
   * Deployment whose pods still run: the Lease stays held for a minute more, and goes together with it. Absent = nothing runs any more, and the
   * Lease goes now.
   */
  readonly deployment?: string;
  /** Tells what would be done. */
  readonly dryRun: boolean;
  readonly ports: Pick<KubePorts, "setTimer" | "wallClock">;
  /** One sentence for each thing that is done. */
  readonly tell: (line: string) => void;
}

const RESOURCE_OF: Readonly<Record<DeletableKind, Resource>> = {
  GlobalRoute: GLOBAL_ROUTES,
  DNSZone: DNS_ZONES,
  MemberCluster: MEMBER_CLUSTERS,
};
const DEPLOYMENTS: Resource = { group: "apps", version: "v1", kind: "Deployment", plural: "deployments", namespaced: true };
const admission = (kind: string, plural: string): Resource => ({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind,
  plural,
  namespaced: false,
});
const POLICIES = admission("ValidatingAdmissionPolicy", "validatingadmissionpolicies");
const BINDINGS = admission("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings");

/** Milliseconds between renewals: several may fail before anybody else takes the Lease. */
const RENEWAL = 5_000;
const HOLDER = "globalroute-uninstall";

/**
 * Doing it again goes on where it was left.
 *
 * @returns undefined when it is done, else why nothing was changed, with the remedy; rejects with a `KubeError`
 */
export async function uninstall(options: UninstallOptions): Promise<{ readonly refusal: string } | undefined> {
  const { api, namespace, deployment } = options;
  const owner = deployment === undefined ? undefined : await api.get(DEPLOYMENTS, namespace, deployment);
  if (deployment !== undefined && owner === undefined) {
    const refusal =
      `there is no Deployment ${deployment} in namespace ${namespace} of ${api.server}. ` +
      "Give its name and its namespace, or leave out --deployment when no controller runs any more.";
    return { refusal };
  }
  await holdingLease(options, owner, () => removeOurs(options));
  if (owner !== undefined) return undefined; // Helm has the policy, and Kubernetes lets the Lease go with the Deployment
  await deleteFence(options);
  await remove(options, LEASES, namespace, WRITER_LEASE);
  return undefined;
}

async function removeOurs(options: UninstallOptions): Promise<void> {
  for (const kind of DELETION_ORDER) {
    const resource = RESOURCE_OF[kind];
    for (const object of await listed(options.api, resource)) await release(options, resource, object);
  }
  for (const resource of [GLOBAL_ROUTES, MEMBER_CLUSTERS]) await deleteGenerated(options, resource);
}

/** Takes our finalizer off, whatever providers hold. @returns false when it has none */
export async function release(
  { api, dryRun, tell }: Pick<UninstallOptions, "api" | "dryRun" | "tell">,
  resource: Resource,
  object: KubeObject,
): Promise<boolean> {
  const { namespace, name, uid, resourceVersion, finalizers = [] } = object.metadata;
  if (!finalizers.includes(FINALIZER)) return false;
  tell(`Releasing ${resource.kind} ${objectKey(object)}; records at its provider stay`);
  const patch = { metadata: { uid, resourceVersion, finalizers: finalizers.filter((one) => one !== FINALIZER) } };
  if (!dryRun) await api.mergePatch(resource, namespace, name, patch, { fieldManager: FIELD_MANAGER });
  return true;
}

/** Takes the Lease, and renews it until the work is done. */
async function holdingLease(options: UninstallOptions, owner: KubeObject | undefined, work: () => Promise<void>): Promise<void> {
  const { namespace, dryRun, tell } = options;
  tell(`Taking Lease ${namespace}/${WRITER_LEASE}: controllers that still run write nothing more`);
  if (dryRun) return work();
  const term = await writeLease(options, owner);
  const done = new AbortController();
  await Promise.all([work().finally(() => done.abort()), renewLease(options, owner, term, done.signal)]);
}

/** Renews until `done`, and once more then: only that one must succeed, and it tells whether the Lease was ours all the time. */
async function renewLease(options: UninstallOptions, owner: KubeObject | undefined, term: number, done: AbortSignal): Promise<void> {
  for (;;) {
    await pause(options.ports, RENEWAL, done);
    const isLast = done.aborted;
    try {
      if ((await writeLease(options, owner)) !== term) throw lostLease(options);
    } catch (error) {
      if (isLast) throw error;
    }
    if (isLast) return;
  }
}

const lostLease = ({ namespace }: UninstallOptions): KubeError =>
  new KubeError(
    `Lease ${namespace}/${WRITER_LEASE}: another had it meanwhile, who may have made again what was deleted. Uninstall again.`,
    {
      status: 409,
      reason: "Conflict",
    },
  );

/** Its holder renews it every 1.5 s: somebody else's change between reading and writing is the rule, not the exception. */
const TRIES = 10;

/** @returns the term, a new one when another held the Lease */
async function writeLease(options: UninstallOptions, owner: KubeObject | undefined): Promise<number> {
  for (let left = TRIES; ; left--) {
    try {
      return await tryLease(options, owner);
    } catch (error) {
      if (left <= 1 || !(error instanceof KubeError && error.isConflict)) throw error;
    }
  }
}

async function tryLease({ api, namespace, ports }: UninstallOptions, owner: KubeObject | undefined): Promise<number> {
  const known = await api.get(LEASES, namespace, WRITER_LEASE);
  const spec = isFields(known?.spec) ? known.spec : {};
  const isOurs = spec.holderIdentity === HOLDER;
  // Another term than any writer's: what they send is refused from here on.
  const term = (typeof spec.leaseTransitions === "number" ? spec.leaseTransitions : 0) + (isOurs ? 0 : 1);
  const time = microTime(ports.wallClock());
  const ownerReferences =
    owner === undefined ? [] : [{ apiVersion: "apps/v1", kind: "Deployment", name: owner.metadata.name, uid: owner.metadata.uid }];
  const next = {
    ...spec,
    holderIdentity: HOLDER,
    leaseDurationSeconds: MAX_DURATION / 1000,
    leaseTransitions: term,
    acquireTime: isOurs ? spec.acquireTime : time,
    renewTime: time,
  };
  const base = known ?? { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: WRITER_LEASE, namespace } };
  const lease: KubeObject = { ...base, metadata: { ...base.metadata, ownerReferences }, spec: next };
  if (known === undefined) await api.create(LEASES, lease, { fieldManager: FIELD_MANAGER });
  else await api.replace(LEASES, lease, { fieldManager: FIELD_MANAGER });
  return term;
}

async function deleteGenerated(options: UninstallOptions, resource: Resource): Promise<void> {
  const objects = (await listed(options.api, resource)).filter(({ metadata }) => metadata.labels?.[GENERATED_LABEL] === "true");
  if (objects.length > 0) options.tell(`Deleting ${count(objects.length, `generated ${resource.kind}`)}`);
  for (const { metadata } of objects) {
    const { namespace, name, uid, resourceVersion } = metadata;
    const only = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
    if (!options.dryRun) await options.api.delete(resource, namespace, name, only);
  }
}

/** Known by the Lease that it compares with, whatever it is called. */
async function deleteFence(options: UninstallOptions): Promise<void> {
  const bindings = await listed(options.api, BINDINGS);
  for (const { metadata, spec } of bindings) {
    const param: unknown = isFields(spec) ? spec.paramRef : undefined;
    if (!isFields(param) || param.name !== WRITER_LEASE || param.namespace !== options.namespace) continue;
    await remove(options, BINDINGS, undefined, metadata.name);
    if (isFields(spec) && typeof spec.policyName === "string") await remove(options, POLICIES, undefined, spec.policyName);
  }
}

async function remove(
  { api, dryRun, tell }: UninstallOptions,
  resource: Resource,
  namespace: string | undefined,
  name: string,
): Promise<void> {
  tell(`Deleting ${resource.kind} ${namespace === undefined ? name : `${namespace}/${name}`}`);
  if (!dryRun) await api.delete(resource, namespace, name);
}

/** Nothing when the server does not know the kind: our CRDs may be gone. */
async function listed(api: Pick<KubeApi, "list">, resource: Resource): Promise<readonly KubeObject[]> {
  try {
    return (await api.list(resource)).items;
  } catch (error) {
    if (error instanceof KubeError && error.isNotFound) return [];
    throw error;
  }
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
