/** ServiceAccounts of tests. */

import { bearerApi } from "./admin-api.ts";
import { eventually } from "./eventually.ts";
import type { KubeCluster } from "./kube-cluster.ts";

/** Makes the ServiceAccount default/admin, which may do everything. @returns a token for an hour, once it is accepted */
export async function createAdmin(cluster: KubeCluster): Promise<string> {
  const metadata = { name: "admin" };
  await cluster.api.create("/api/v1/namespaces/default/serviceaccounts", { apiVersion: "v1", kind: "ServiceAccount", metadata });
  await cluster.api.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata,
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "ServiceAccount", name: "admin", namespace: "default" }],
  });
  const token = await cluster.mintToken("default", "admin", 3600);
  const api = bearerApi(cluster.url, cluster.pki.ca, token);
  await eventually("the binding to count", async () => (await api.request("GET", "/api/v1/secrets")).status === 200);
  await api.close();
  return token;
}
