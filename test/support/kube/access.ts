/** Who may do what: bearer tokens, tokens of ServiceAccounts, rules of tests, and RBAC objects. */
import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { arrayAt, at, type Json, type JsonObject, textAt } from "./json.ts";
import type { Store } from "./store.ts";

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

/** What a test allows a token; absent groups and namespaces = all. */
export interface AccessRule {
  readonly verbs: readonly string[];
  readonly groups?: readonly string[];
  /** With the subresource, such as `globalroutes/status`; `*` = all. */
  readonly resources: readonly string[];
  readonly namespaces?: readonly string[];
}

/** A request, as rules see it. */
export interface Attributes {
  readonly verb: string;
  readonly group: string;
  /** With the subresource. */
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
}

export interface Access {
  /** @returns undefined for a token that is not known or has expired */
  authenticate(authorization: string | undefined): User | undefined;
  mayAccess(user: User, attributes: Attributes): boolean;
  mayRead(user: User, path: string): boolean;
  grant(token: string, user: User, rules: readonly AccessRule[]): void;
  revoke(token: string): void;
  /** A token for a ServiceAccount. */
  issue(account: JsonObject, seconds: number, audiences: readonly Json[]): string;
}

const ANONYMOUS: User = { name: "system:anonymous", groups: ["system:unauthenticated"] };
const RBAC = "rbac.authorization.k8s.io";
const PUBLIC_PATHS = /^\/(healthz|livez|readyz|version)(\/|$)/;
const DISCOVERY_PATHS = /^\/(api|apis|openapi)(\/|$)/;
const ISSUER = "https://kubernetes.default.svc";

/** @param now milliseconds since the epoch */
export function createAccess(store: Store, adminToken: string, now: () => number): Access {
  const key = randomBytes(32);
  const known = new Map<string, { readonly user: User; readonly rules: readonly AccessRule[] }>();
  known.set(adminToken, { user: { name: "admin", groups: ["system:masters", "system:authenticated"] }, rules: [] });

  const sign = (text: string): string => createHmac("sha256", key).update(text).digest("base64url");
  const accountOf = (token: string): User | undefined => {
    const [header, payload, signature] = token.split(".");
    if (signature === undefined || signature !== sign(`${header}.${payload}`)) return undefined;
    const claims: Json = JSON.parse(Buffer.from(payload ?? "", "base64url").toString());
    const expires = at(claims, "exp");
    const [namespace, name] = [textAt(claims, "kubernetes.io", "namespace"), textAt(claims, "kubernetes.io", "serviceaccount", "name")];
    const account = store.get("/serviceaccounts", `${namespace}/${name}`);
    const isSame = textAt(account, "metadata", "uid") === textAt(claims, "kubernetes.io", "serviceaccount", "uid");
    if (account === undefined || !isSame || typeof expires !== "number" || expires * 1000 <= now()) return undefined;
    return {
      name: textAt(claims, "sub"),
      groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
    };
  };

  return {
    authenticate(authorization) {
      if (authorization === undefined) return ANONYMOUS;
      const token = authorization.replace(/^Bearer /i, "");
      return known.get(token)?.user ?? accountOf(token);
    },
    mayAccess(user, attributes) {
      if (user.groups.includes("system:masters")) return true;
      const own = [...known.values()].filter((one) => one.user.name === user.name).flatMap(({ rules }) => rules);
      return (
        own.some((rule) => allows(rule, attributes)) || rbacRules(store, user, attributes).some((rule) => rbacAllows(rule, attributes))
      );
    },
    mayRead: (user, path) =>
      user.groups.includes("system:masters") ||
      PUBLIC_PATHS.test(path) ||
      (user.groups.includes("system:authenticated") && DISCOVERY_PATHS.test(path)),
    grant(token, user, rules) {
      known.set(token, { user, rules });
    },
    revoke(token) {
      known.delete(token);
    },
    issue(account, seconds, audiences) {
      const [namespace, name] = [textAt(account, "metadata", "namespace"), textAt(account, "metadata", "name")];
      const issued = Math.floor(now() / 1000);
      const claims = {
        aud: audiences,
        exp: issued + seconds,
        iat: issued,
        iss: ISSUER,
        jti: randomUUID(),
        "kubernetes.io": { namespace, serviceaccount: { name, uid: textAt(account, "metadata", "uid") } },
        nbf: issued,
        sub: `system:serviceaccount:${namespace}:${name}`,
      };
      const encoded = [{ alg: "RS256", kid: "fake" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
      return [...encoded, sign(encoded.join("."))].join(".");
    },
  };
}

const holds = (list: readonly (Json | undefined)[], value: string): boolean => list.includes("*") || list.includes(value);

const allows = ({ verbs, groups, resources, namespaces }: AccessRule, { verb, group, resource, namespace }: Attributes): boolean =>
  holds(verbs, verb) &&
  (groups === undefined || holds(groups, group)) &&
  holds(resources, resource) &&
  (namespaces === undefined || (namespace !== undefined && holds(namespaces, namespace)));

/** The rules of all roles that are bound to a user where the request goes. */
function rbacRules(store: Store, user: User, { namespace }: Attributes): readonly Json[] {
  const isBound = (binding: JsonObject): boolean => arrayAt(binding, "subjects").some((subject) => isSubject(subject, user));
  const ofClusterRole = (name: string): readonly Json[] => arrayAt(store.get(`${RBAC}/clusterroles`, name), "rules");
  const everywhere = store.list(`${RBAC}/clusterrolebindings`).filter(isBound);
  const here = namespace === undefined ? [] : store.list(`${RBAC}/rolebindings`, namespace).filter(isBound);
  return [
    ...everywhere.flatMap((binding) => ofClusterRole(textAt(binding, "roleRef", "name"))),
    ...here.flatMap((binding) => {
      const name = textAt(binding, "roleRef", "name");
      if (textAt(binding, "roleRef", "kind") === "ClusterRole") return ofClusterRole(name);
      return arrayAt(store.get(`${RBAC}/roles`, `${namespace}/${name}`), "rules");
    }),
  ];
}

function isSubject(subject: Json, user: User): boolean {
  const name = textAt(subject, "name");
  switch (textAt(subject, "kind")) {
    case "User":
      return name === user.name;
    case "Group":
      return user.groups.includes(name);
    default:
      return user.name === `system:serviceaccount:${textAt(subject, "namespace")}:${name}`;
  }
}

function rbacAllows(rule: Json, { verb, group, resource, name }: Attributes): boolean {
  const names = arrayAt(rule, "resourceNames");
  return (
    holds(arrayAt(rule, "verbs"), verb) &&
    holds(arrayAt(rule, "apiGroups"), group) &&
    holds(arrayAt(rule, "resources"), resource) &&
    (names.length === 0 || (name !== undefined && names.includes(name)))
  );
}
