/** URLs and names of resources. Pure. */
import type { Resource } from "./kube-object.ts";

/** `/apis/networking.k8s.io/v1/namespaces/web/ingresses/shop`; without a namespace all of them, without a name the collection. */
export function resourcePath(resource: Resource, namespace?: string, name?: string, subresource?: string): string {
  const root =
    resource.group === ""
      ? `/api/${resource.version}`
      : `/apis/${encodeURIComponent(resource.group)}/${encodeURIComponent(resource.version)}`;
  const inside = resource.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  const tail = [name, subresource].filter((part) => part !== undefined).map((part) => `/${encodeURIComponent(part)}`);
  return `${root}${inside}/${resource.plural}${tail.join("")}`;
}

/** As RBAC and kubectl name it: `ingresses.networking.k8s.io`, `services`. */
export const resourceTitle = ({ group, plural }: Pick<Resource, "group" | "plural">): string =>
  group === "" ? plural : `${plural}.${group}`;

/** `?a=1&b=2` of what is defined, or nothing. */
export function queryString(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}
