/** What `globalroute join` makes in a member cluster: an identity that can read the sources, and renew itself. Pure. */
import type { KubeObject, Resource } from "../kube/kube-object.ts";
import { apiVersionOf } from "../kube/kube-object.ts";
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, NAMESPACES, ROLE_BINDINGS, ROLES, SERVICE_ACCOUNTS } from "../kube/resources.ts";
import type { SourceKind } from "./cluster-objects.ts";
import { sourceResources } from "./source-resources.ts";

/** Of the ServiceAccount and its roles; not the controller's own name, as the hub may be a member of itself. */
export const MEMBER_ACCOUNT = "globalroute-member";

export interface MemberObject {
  readonly resource: Resource;
  readonly object: KubeObject;
}

/** In the order in which they are made. The namespace is the first. */
export function memberObjects(namespace: string, sources: readonly SourceKind[]): readonly MemberObject[] {
  const labels = { "app.kubernetes.io/name": "globalroute", "app.kubernetes.io/component": "member" };
  const make = (resource: Resource, name: string, rest: Readonly<Record<string, unknown>> = {}): MemberObject => ({
    resource,
    object: {
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      metadata: { name, ...(resource.namespaced ? { namespace } : {}), labels },
      ...rest,
    },
  });
  const subjects = [{ kind: "ServiceAccount", name: MEMBER_ACCOUNT, namespace }];
  const roleRef = (kind: string) => ({ apiGroup: "rbac.authorization.k8s.io", kind, name: MEMBER_ACCOUNT });
  const identity = { apiGroups: [""], resources: ["namespaces"], resourceNames: ["kube-system"], verbs: ["get"] };
  const renewal = { apiGroups: [""], resources: ["serviceaccounts/token"], resourceNames: [MEMBER_ACCOUNT], verbs: ["create"] };
  return [
    make(NAMESPACES, namespace),
    make(SERVICE_ACCOUNTS, MEMBER_ACCOUNT),
    make(CLUSTER_ROLES, MEMBER_ACCOUNT, { rules: [...readRules(sources), identity] }),
    make(CLUSTER_ROLE_BINDINGS, MEMBER_ACCOUNT, { roleRef: roleRef("ClusterRole"), subjects }),
    make(ROLES, MEMBER_ACCOUNT, { rules: [renewal] }),
    make(ROLE_BINDINGS, MEMBER_ACCOUNT, { roleRef: roleRef("Role"), subjects }),
  ];
}

/** One rule for each group of kinds. */
function readRules(sources: readonly SourceKind[]): readonly unknown[] {
  const byGroup = Map.groupBy(
    sources.map((kind) => sourceResources[kind]),
    ({ group }) => group,
  );
  return [...byGroup].map(([group, resources]) => ({
    apiGroups: [group],
    resources: resources.map(({ plural }) => plural),
    verbs: ["get", "list", "watch"],
  }));
}
