/** What a URL of the Kubernetes API means. */

export interface Route {
  readonly group: string;
  readonly version: string;
  readonly namespace?: string;
  readonly plural: string;
  readonly name?: string;
  readonly subresource?: string;
}

const SUBRESOURCES_OF_NAMESPACES: ReadonlySet<string> = new Set(["status", "finalize"]);

/** @returns undefined for a path that is of no resource */
export function parseRoute(path: string): Route | undefined {
  const parts = path.split("/").slice(1).map(decodeURIComponent);
  const [root] = parts;
  const [group, version, rest] =
    root === "api" ? ["", parts[1], parts.slice(2)] : root === "apis" ? [parts[1], parts[2], parts.slice(3)] : [undefined, undefined, []];
  if (group === undefined || version === undefined || rest.length === 0) return undefined;
  const [first = "", second, third, ...more] = rest;
  const isScope = first === "namespaces" && second !== undefined && third !== undefined && !SUBRESOURCES_OF_NAMESPACES.has(third);
  const [plural, name, subresource] = isScope ? [third, ...more] : [first, second, third];
  return {
    group,
    version,
    plural: plural ?? "",
    ...(isScope ? { namespace: second } : {}),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

const VERBS: Readonly<Record<string, string>> = { POST: "create", PUT: "update", PATCH: "patch" };

/** The verb that permissions name. */
export function verbOf(method: string, { name }: Route, query: URLSearchParams): string {
  if (method === "GET") {
    if (["1", "true"].includes(query.get("watch") ?? "")) return "watch";
    return name === undefined ? "list" : "get";
  }
  if (method === "DELETE") return name === undefined ? "deletecollection" : "delete";
  return VERBS[method] ?? method.toLowerCase();
}
