/** `globalroute join` on real API servers: what it leaves in the member and in the hub, and what the credential can do. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { requireComponent } from "../support/component.ts";
import { type Finished, globalroute } from "../support/demo.ts";
import { type AdminApi, bearerApi } from "./support/admin-api.ts";
import { installCrds } from "./support/crds.ts";
import { type Etcd, startEtcd } from "./support/etcd.ts";
import { NAMESPACE } from "./support/install.ts";
import { type KubeCluster, startKubeCluster } from "./support/kube-cluster.ts";

const isHere = requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "kubectl");
const memberPath = "/apis/globalroute.dev/v1alpha1/memberclusters/eu-west";
const DAY_S = 86_400;

describe.skipIf(!isHere)("globalroute join", () => {
  let etcd: Etcd;
  let hub: KubeCluster;
  let member: KubeCluster;
  const join = (...more: readonly string[]): Promise<Finished> =>
    globalroute(
      ...["join", "eu-west", "--kubeconfig", member.kubeconfig, "--hub-kubeconfig", hub.kubeconfig, "--namespace", NAMESPACE],
      ...["--cloud", "aws", "--region", "eu-west-1", "--sources", "Ingress,Service", ...more],
    );
  const writes = (cluster: KubeCluster): number =>
    cluster.adminAudit().filter(({ userAgent, verb }) => userAgent.startsWith("globalroute") && !["get", "list", "watch"].includes(verb))
      .length;

  /** As the kubeconfig in the hub's Secret says. */
  async function credential(): Promise<{ readonly api: AdminApi; readonly token: string }> {
    const { spec } = (await hub.api.get(memberPath)) as unknown as { spec: { access: { secretRef: { name: string; key?: string } } } };
    const { name, key = "kubeconfig" } = spec.access.secretRef;
    const { data } = (await hub.api.get(`/api/v1/namespaces/${NAMESPACE}/secrets/${name}`)) as unknown as { data: Record<string, string> };
    const kubeconfig: unknown = parse(Buffer.from(data[key] ?? "", "base64").toString());
    const { users } = kubeconfig as { users: { user: { token: string } }[] };
    const token = users[0]?.user.token ?? "";
    return { api: bearerApi(member.url, member.pki.ca, token), token };
  }

  beforeAll(async () => {
    etcd = await startEtcd();
    [hub, member] = (await Promise.all(
      ["hub", "eu-west"].map((name, i) => startKubeCluster({ name, etcd, address: `198.18.${i}.10`, port: 6443 })),
    )) as [KubeCluster, KubeCluster];
    await installCrds(hub);
    await hub.api.create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
  });
  afterAll(async () => {
    await Promise.all([hub?.stop(), member?.stop()]);
    await etcd?.stop();
  });

  test("--dry-run prints what it would make and writes nothing", async () => {
    const { code, stdout } = await join("--dry-run");
    expect(code).toBe(0);
    for (const kind of ["ServiceAccount", "ClusterRole", "ClusterRoleBinding"]) expect(stdout).toContain(`kind: ${kind}\n`);
    expect([writes(hub), writes(member)]).toEqual([0, 0]);
  });

  test("makes a credential that reads the enabled kinds and nothing else", async () => {
    const { code, stderr } = await join();
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    const { api } = await credential();
    const status = async (path: string): Promise<number> => (await api.request("GET", path)).status;
    expect(await status("/apis/networking.k8s.io/v1/ingresses")).toBe(200);
    expect(await status("/api/v1/services")).toBe(200);
    expect(await status("/api/v1/namespaces/kube-system")).toBe(200);
    expect(await status("/api/v1/namespaces/default")).toBe(403);
    expect(await status("/api/v1/secrets")).toBe(403);
    expect(await status("/apis/gateway.networking.k8s.io/v1/gateways")).toBe(403);
    const ingress = {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: "x" },
      spec: { defaultBackend: { service: { name: "x", port: { number: 1 } } } },
    };
    expect((await api.request("POST", "/apis/networking.k8s.io/v1/namespaces/default/ingresses", ingress)).status).toBe(403);
    await api.close();
  });

  test("the credential ends within a day, and renews itself and no other", async () => {
    const { api, token } = await credential();
    const { exp, iat, sub } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as {
      exp: number;
      iat: number;
      sub: string;
    };
    expect(exp - iat).toBeLessThanOrEqual(DAY_S);
    const [, , namespace = "", account = ""] = sub.split(":");
    const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3600 } };
    expect((await api.request("POST", `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`, request)).status).toBe(201);
    await member.api.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "other" },
    });
    expect((await api.request("POST", `/api/v1/namespaces/${namespace}/serviceaccounts/other/token`, request)).status).toBe(403);
    await api.close();
  });

  test("a second time changes nothing that people see", async () => {
    const before = await hub.api.get(memberPath);
    expect((await join()).code).toBe(0);
    const after = await hub.api.get(memberPath);
    expect({ uid: after.metadata.uid, spec: after.spec }).toEqual({ uid: before.metadata.uid, spec: before.spec });
    const { api } = await credential();
    expect((await api.request("GET", "/apis/networking.k8s.io/v1/ingresses")).status).toBe(200);
    await api.close();
  });
});
