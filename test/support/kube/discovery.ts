/** What tells clients which kinds are served. */
import type { JsonObject } from "./json.ts";
import { apiVersionOf, type ServedKind, storageOf } from "./kinds.ts";
import type { Registry } from "./registry.ts";

export const VERSION: JsonObject = { major: "1", minor: "35", gitVersion: "v1.35.4", platform: "linux/amd64" };

const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/** @returns undefined for a path that is not of discovery */
export function discover(path: string, registry: Registry): JsonObject | undefined {
  if (path === "/version") return VERSION;
  if (path === "/api") return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] };
  if (path === "/apis") {
    return { kind: "APIGroupList", apiVersion: "v1", groups: groupsOf(registry).map((group) => groupOf(group, registry)) };
  }
  const [, root, group = "", version] = /^\/(api|apis)\/([^/]+)(?:\/([^/]+))?$/.exec(path) ?? [];
  if (root === "api") return version === undefined && group === "v1" ? resourceList("", "v1", registry) : undefined;
  if (root !== "apis" || !groupsOf(registry).includes(group)) return undefined;
  if (version !== undefined) return resourceList(group, version, registry);
  return { kind: "APIGroup", apiVersion: "v1", ...groupOf(group, registry) };
}

const REVIEWS: readonly { readonly group: string; readonly name: string; readonly kind: string }[] = [
  { group: "authorization.k8s.io", name: "selfsubjectaccessreviews", kind: "SelfSubjectAccessReview" },
  { group: "authentication.k8s.io", name: "selfsubjectreviews", kind: "SelfSubjectReview" },
];

const groupsOf = (registry: Registry): readonly string[] =>
  [...new Set([...registry.kinds().map(({ group }) => group), ...REVIEWS.map(({ group }) => group)])].filter((group) => group !== "");

function groupOf(group: string, registry: Registry): JsonObject {
  const served = registry.kinds().filter((kind) => kind.group === group);
  const versions = [...new Set(served.length === 0 ? ["v1"] : served.map(({ version }) => version))].sort(newestFirst);
  const named = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: named, preferredVersion: named[0] ?? {} };
}

/** v1 before v1beta1 before v1alpha2. */
const newestFirst = (a: string, b: string): number => rank(b) - rank(a);
const rank = (version: string): number => {
  const [, major = "0", stage, minor = "0"] = /^v(\d+)(alpha|beta)?(\d+)?$/.exec(version) ?? [];
  return (stage === undefined ? 2 : stage === "beta" ? 1 : 0) * 10_000 + Number(major) * 100 + Number(minor);
};

function resourceList(group: string, version: string, registry: Registry): JsonObject | undefined {
  const served = registry.kinds().filter((kind) => kind.group === group && kind.version === version);
  const reviews = REVIEWS.filter((review) => review.group === group && version === "v1");
  if (served.length === 0 && reviews.length === 0) return undefined;
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: group === "" ? version : `${group}/${version}`,
    resources: [
      ...served.flatMap(resourcesOf),
      ...reviews.map(({ name, kind }) => ({ name, singularName: "", namespaced: false, kind, verbs: ["create"] })),
    ],
  };
}

function resourcesOf(kind: ServedKind): readonly JsonObject[] {
  const { plural, singular, namespaced, shortNames, categories } = kind;
  const base = { singularName: "", namespaced, kind: kind.kind };
  const main = {
    ...base,
    name: plural,
    singularName: singular,
    verbs: VERBS,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
  };
  const status = { ...base, name: `${plural}/status`, verbs: ["get", "patch", "update"] };
  const token = {
    ...base,
    name: `${plural}/token`,
    group: "authentication.k8s.io",
    version: "v1",
    kind: "TokenRequest",
    verbs: ["create"],
  };
  return [main, ...(kind.hasStatus ? [status] : []), ...(plural === "serviceaccounts" ? [token] : [])];
}

/** OpenAPI v3, as kubectl reads it to explain kinds and to learn how it may apply. @returns undefined for another path */
export function openApi(path: string, registry: Registry): JsonObject | undefined {
  const groupVersions = [...new Set(registry.kinds().map(apiVersionOf))];
  const pathOf = (groupVersion: string): string => (groupVersion.includes("/") ? `apis/${groupVersion}` : `api/${groupVersion}`);
  if (path === "/openapi/v3") {
    const paths = groupVersions.map((one) => [pathOf(one), { serverRelativeURL: `/openapi/v3/${pathOf(one)}` }]);
    return { paths: Object.fromEntries(paths) };
  }
  const found = groupVersions.find((one) => path === `/openapi/v3/${pathOf(one)}`);
  if (found === undefined) return undefined;
  const kinds = registry.kinds().filter((kind) => apiVersionOf(kind) === found);
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "v1.35.4" },
    paths: Object.fromEntries(
      kinds.map((kind) => [
        `/${pathOf(found)}${kind.namespaced ? "/namespaces/{namespace}" : ""}/${kind.plural}/{name}`,
        operationsOf(kind),
      ]),
    ),
    components: { schemas: Object.fromEntries(kinds.map((kind) => [`${storageOf(kind)}.${kind.kind}`.replace("/", "."), schemaOf(kind)])) },
  };
}

const groupVersionKind = ({ group, version, kind }: ServedKind): JsonObject => ({ group, version, kind });

const operationsOf = (kind: ServedKind): JsonObject => {
  const about = { "x-kubernetes-group-version-kind": groupVersionKind(kind), responses: {} };
  const parameters = ["dryRun", "fieldManager", "fieldValidation", "force"].map((name) => ({
    name,
    in: "query",
    schema: { type: "string" },
  }));
  return {
    get: { ...about, "x-kubernetes-action": "get" },
    patch: { ...about, "x-kubernetes-action": "patch", parameters },
  };
};

const schemaOf = (kind: ServedKind): JsonObject => {
  const schema: JsonObject = JSON.parse(JSON.stringify(kind.schema ?? { type: "object" }));
  return { ...schema, "x-kubernetes-group-version-kind": [groupVersionKind(kind)] };
};
