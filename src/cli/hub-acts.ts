/** Operators' acts on Kubernetes: each is one `TrafficOverride`, which the API server checks, keeps and audits. */
import { type KubeObject, objectKey } from "../../controller/kube/kube-object.ts";
import { GLOBAL_ROUTES, MEMBER_CLUSTERS, TRAFFIC_OVERRIDES } from "../../controller/kube/resources.ts";
import { parseDuration } from "../model/duration.ts";
import { readStatus } from "../model/read-status.ts";
import type { BackendStatus } from "../model/status.ts";
import { type Act, formatTarget, overrideName, overrideObject, sameTarget, type Target } from "./act.ts";
import type { Hub } from "./hub.ts";
import { CommandError } from "./io.ts";
import { missingTarget } from "./override-file.ts";

/** Who writes, for `managedFields`. */
const FIELD_MANAGER = "globalroute-cli";

/** What of a route tells what an act means for it. */
export interface HubRoute {
  readonly namespace: string;
  readonly name: string;
  readonly backends: readonly Pick<BackendStatus, "name" | "cluster" | "health" | "failback">[];
  readonly ttl: { readonly max: number };
}

/** What acts can be aimed at: the routes of the target's namespace, or all and the clusters. */
export interface HubWorld {
  readonly clusters: readonly { readonly name: string }[];
  readonly routes: readonly HubRoute[];
}

/**
 * Reads what the target could be.
 *
 * @throws CommandError (exit 2) that names what there is, when it is not there
 */
export async function requireHubTarget({ api }: Hub, target: Target): Promise<HubWorld> {
  const [routes, clusters] = await Promise.all([
    api.list(GLOBAL_ROUTES, target.kind === "GlobalRoute" ? { namespace: target.namespace } : {}),
    target.kind === "MemberCluster" ? api.list(MEMBER_CLUSTERS) : { items: [] },
  ]);
  const world = { clusters: clusters.items.map(({ metadata: { name } }) => ({ name })), routes: routes.items.map(routeOf) };
  const missing = missingTarget(world, target);
  if (missing !== undefined) throw new CommandError(2, missing);
  return world;
}

/** Backends as the controller sees them; before it has looked, as the spec lists them. */
function routeOf(object: KubeObject): HubRoute {
  const { namespace = "", name } = object.metadata;
  const seen = readStatus("GlobalRoute", object.status)?.backends ?? [];
  const listed = listedBackends(object.spec).filter((backend) => !seen.some((one) => one.name === backend.name));
  return { namespace, name, backends: [...seen, ...listed], ttl: { max: maxTtl(object.spec) } };
}

function listedBackends(spec: unknown): HubRoute["backends"] {
  const list: unknown = isFields(spec) ? spec.backends : undefined;
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown) =>
    isFields(entry) && typeof entry.name === "string" && typeof entry.cluster === "string"
      ? [{ name: entry.name, cluster: entry.cluster, health: "Unknown" as const }]
      : [],
  );
}

/** Of `spec.ttl.max`, seconds. */
function maxTtl(spec: unknown): number {
  const ttl: unknown = isFields(spec) ? spec.ttl : undefined;
  const parsed = isFields(ttl) && typeof ttl.max === "string" ? parseDuration(ttl.max) : undefined;
  return parsed === undefined || "fault" in parsed ? DEFAULT_MAX_TTL : parsed.value / 1000;
}

const DEFAULT_MAX_TTL = 60;

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const namespaceOf = (target: Target, hub: Hub): string => (target.kind === "GlobalRoute" ? target.namespace : hub.namespace);

/**
 * Writes an act, or replaces what the same act on the same target wrote before. The server checks it first, with whatever admission it has.
 *
 * @param dryRun checks only
 * @returns `TrafficOverride namespace/name`
 */
export async function applyAct(hub: Hub, act: Act, dryRun: boolean): Promise<string> {
  const object = overrideObject(act, namespaceOf(act.target, hub));
  const { namespace, name } = object.metadata;
  const known = await hub.api.get(TRAFFIC_OVERRIDES, namespace, name);
  if (known !== undefined && !isAimedAt(known, act.target))
    throw new CommandError(1, `TrafficOverride ${objectKey(known)} is aimed at something else. Delete it, or write the override by hand.`);
  const options = { fieldManager: FIELD_MANAGER, force: true };
  await hub.api.apply(TRAFFIC_OVERRIDES, object, { ...options, dryRun: true });
  if (!dryRun) {
    // An act on a rollout counts by when its object was made, and a drill that was given up is over for good.
    const isOnce = act.verb === "promote" || act.verb === "abort" || act.verb === "drill";
    if (known?.metadata.uid !== undefined && isOnce) await hub.api.delete(TRAFFIC_OVERRIDES, namespace, name, { uid: known.metadata.uid });
    await hub.api.apply(TRAFFIC_OVERRIDES, object, options);
  }
  return `TrafficOverride ${objectKey({ metadata: { name, ...(namespace === undefined ? {} : { namespace }) } })}`;
}

/** Deletes what {@link applyAct} wrote. @returns false when it was not there */
export async function removeAct(hub: Hub, verb: Act["verb"], target: Target): Promise<boolean> {
  const namespace = namespaceOf(target, hub);
  const known = await hub.api.get(TRAFFIC_OVERRIDES, namespace, overrideName({ verb, target }));
  if (known === undefined || !isAimedAt(known, target)) return false;
  return hub.api.delete(
    TRAFFIC_OVERRIDES,
    namespace,
    known.metadata.name,
    known.metadata.uid === undefined ? {} : { uid: known.metadata.uid },
  );
}

/** Names of the drains of the target that {@link applyAct} did not write. */
export async function drainsOf(hub: Hub, target: Target): Promise<readonly string[]> {
  const { items } = await hub.api.list(TRAFFIC_OVERRIDES, { namespace: namespaceOf(target, hub) });
  const own = overrideName({ verb: "drain", target });
  const drains = items.filter((object) => isFields(object.spec) && object.spec.action === "Drain" && isAimedAt(object, target));
  return drains.filter(({ metadata }) => metadata.name !== own).map((object) => `TrafficOverride ${objectKey(object)}`);
}

function isAimedAt({ metadata, spec }: KubeObject, target: Target): boolean {
  const ref: unknown = isFields(spec) ? spec.targetRef : undefined;
  if (!isFields(ref) || typeof ref.name !== "string") return false;
  const backend = typeof ref.backend === "string" ? { backend: ref.backend } : {};
  const other: Target =
    ref.kind === "GlobalRoute"
      ? { kind: "GlobalRoute", namespace: metadata.namespace ?? "", name: ref.name, ...backend }
      : { kind: "MemberCluster", name: ref.name };
  return sameTarget(other, target);
}

/** The target's backends that are out of service because of their health; `failback` tells how they return. */
export const backendsOut = ({ routes }: HubWorld, target: Target & { readonly kind: "GlobalRoute" }): HubRoute["backends"] =>
  routes
    .filter(({ namespace, name }) => namespace === target.namespace && name === target.name)
    .flatMap(({ backends }) => backends)
    .filter(({ name }) => target.backend === undefined || target.backend === name)
    .filter(({ health, failback }) => health === "Unhealthy" || (failback !== undefined && failback.phase !== "Returned"));

/** As a flag that undoes an act needs it. */
export const undoCommand = (
  target: Target,
  flags: { readonly kubeconfig?: string; readonly context?: string; readonly namespace?: string },
): string =>
  [
    `globalroute undrain ${formatTarget(target)}`,
    ...(flags.kubeconfig === undefined ? [] : [`--kubeconfig ${flags.kubeconfig}`]),
    ...(flags.context === undefined ? [] : [`--context ${flags.context}`]),
    ...(flags.namespace === undefined ? [] : [`--namespace ${flags.namespace}`]),
  ].join(" ");
