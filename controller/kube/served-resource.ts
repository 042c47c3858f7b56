/** Which version of a kind a server offers: CustomResourceDefinitions come, go and change their versions. */
import type { KubeApi } from "./kube-api.ts";
import { KubeError } from "./kube-error.ts";
import type { Resource } from "./kube-object.ts";
import { field, textField } from "./kube-status.ts";

/**
 * Asks for the versions of the resource's group.
 *
 * @returns the resource at the newest version that is served, or undefined when none is. Rejects with a KubeError
 */
export async function findServed(api: KubeApi, resource: Resource): Promise<Resource | undefined> {
  const group = await api.request("GET", `/apis/${resource.group}`).catch(ignoreNotFound);
  const versions = field(group, "versions");
  if (!Array.isArray(versions)) return undefined;
  const names: string[] = versions.map((one) => textField(one, "version")).filter((name) => name !== "");
  for (const version of names.sort(newerFirst)) {
    const list = await api.request("GET", `/apis/${resource.group}/${version}`).catch(ignoreNotFound);
    const resources = field(list, "resources");
    if (Array.isArray(resources) && resources.some((one) => textField(one, "name") === resource.plural)) return { ...resource, version };
  }
  return undefined;
}

/** Whether a kind is being deleted, or not there at all: until it is gone, it can be read and deleted, and nothing else. Rejects with a KubeError. */
export async function isKindGoing(api: Pick<KubeApi, "request">, resource: Resource, signal?: AbortSignal): Promise<boolean> {
  const path = `/apis/${resource.group}/${resource.version}`;
  const answer = await api.request("GET", path, undefined, signal === undefined ? {} : { signal }).catch(ignoreNotFound);
  const resources = field(answer, "resources");
  const own = Array.isArray(resources) ? resources.find((one) => textField(one, "name") === resource.plural) : undefined;
  const verbs = field(own, "verbs");
  return !(Array.isArray(verbs) && verbs.includes("create"));
}

function ignoreNotFound(error: unknown): undefined {
  if (error instanceof KubeError && error.isNotFound) return undefined;
  throw error;
}

/** Kubernetes' own order: `v2`, `v1`, `v2beta1`, `v1beta2`, `v1alpha1`; anything else last. */
function newerFirst(a: string, b: string): number {
  const [one, other] = [rank(a), rank(b)];
  for (let i = 0; i < 3; i++) if (one[i] !== other[i]) return other[i]! - one[i]!;
  return a < b ? -1 : 1;
}

function rank(version: string): readonly [number, number, number] {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return [0, 0, 0];
  const stability = match[2] === undefined ? 3 : match[2] === "beta" ? 2 : 1;
  return [stability, Number(match[1]), Number(match[3] ?? 0)];
}
