/** What the other end-to-end tests stand on: real clusters, their clients' credentials, and the proxy that breaks things. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireComponent } from "../support/component.ts";
import { type AdminApi, bearerApi } from "./support/admin-api.ts";
import { type ApiProxy, isWatch, startApiProxy } from "./support/api-proxy.ts";
import { type Etcd, startEtcd } from "./support/etcd.ts";
import { eventually } from "./support/eventually.ts";
import { type KubeCluster, startKubeCluster } from "./support/kube-cluster.ts";

const isHere = requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubernetes", "etcd");
const START_LIMIT_MS = 40_000; // 6 s on two idle cores

const configMaps = "/api/v1/namespaces/default/configmaps";
const configMap = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });

describe.skipIf(!isHere)("the ground", () => {
  let etcd: Etcd;
  let clusters: readonly KubeCluster[] = [];
  let proxy: ApiProxy;
  let hub: KubeCluster;
  /** The ServiceAccount default/reader, which may read ConfigMaps. */
  let reader: AdminApi;
  let startedWithin = 0;

  beforeAll(async () => {
    const before = performance.now();
    etcd = await startEtcd();
    clusters = await Promise.all(
      ["hub", "eu", "us", "ap"].map((name, i) =>
        startKubeCluster({ name, etcd, address: `198.18.${i}.10`, port: 6443, controllerManager: i === 0 }),
      ),
    );
    startedWithin = performance.now() - before;
    hub = clusters[0]!;
    proxy = await startApiProxy(hub, "198.18.0.20");
    await hub.api.create("/api/v1/namespaces/default/serviceaccounts", {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "reader" },
    });
    await hub.api.create("/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: { name: "reader" },
      rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list", "watch"] }],
    });
    await hub.api.create("/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings", {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name: "reader" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
      subjects: [{ kind: "ServiceAccount", name: "reader", namespace: "default" }],
    });
    reader = bearerApi(proxy.url, hub.pki.ca, await hub.mintToken("default", "reader", 600));
  });
  afterAll(async () => {
    await reader?.close();
    await proxy?.close();
    await Promise.all(clusters.map((cluster) => cluster.stop()));
    await etcd?.stop();
  });

  test("four clusters start in time, each with a store and an identity of its own", async () => {
    expect(startedWithin).toBeLessThan(START_LIMIT_MS);
    const identities = await Promise.all(clusters.map(({ api }) => api.get("/api/v1/namespaces/kube-system")));
    expect(new Set(identities.map(({ metadata }) => metadata.uid)).size).toBe(4);
  });

  test("a ServiceAccount may do what its Role says and nothing else", async () => {
    await eventually("the Role to count", async () => (await reader.request("GET", configMaps)).status === 200);
    expect((await reader.request("POST", configMaps, configMap("refused"))).status).toBe(403);
  });

  test("a token that has expired is not accepted", async () => {
    const late = bearerApi(hub.url, hub.pki.ca, await hub.mintToken("default", "reader", -120));
    expect((await late.request("GET", configMaps)).status).toBe(401);
    await late.close();
  });

  test("the audit log tells who asked what with which user agent", async () => {
    await reader.request("GET", `${configMaps}?limit=7`, undefined, { "user-agent": "ground/1" });
    const entry = await eventually("the entry", () => hub.audit().find(({ uri }) => uri === `${configMaps}?limit=7`));
    expect(entry).toMatchObject({ user: "system:serviceaccount:default:reader", userAgent: "ground/1", verb: "list", status: 200 });
  });

  test("pages and watches from before a compaction are gone", async () => {
    for (const name of ["a", "b", "c"]) await hub.api.create(configMaps, configMap(name));
    const page = await reader.request("GET", `${configMaps}?limit=1`);
    const { metadata } = page.body as { metadata: { continue: string; resourceVersion: string } };
    await hub.api.delete(`${configMaps}/c`);
    await etcd.compact();
    await hub.stopServer();
    await hub.startServer();
    const next = await reader.request("GET", `${configMaps}?limit=1&continue=${encodeURIComponent(metadata.continue)}`);
    expect(next.status).toBe(410);
    const watch = await reader.request("GET", `${configMaps}?watch=true&timeoutSeconds=1&resourceVersion=${metadata.resourceVersion}`);
    expect(JSON.stringify(watch)).toContain("410");
  });

  test("the proxy answers in the server's place, rewrites, holds, cuts and refuses", async () => {
    const ask = async (): Promise<number> => (await reader.request("GET", configMaps)).status;
    const noAnswer = (): Promise<boolean> =>
      ask().then(
        () => false,
        () => true,
      );

    const endAnswer = proxy.answer(({ path }) => path === configMaps, 429, 1);
    expect(await ask()).toBe(429);
    endAnswer();
    const endRewrite = proxy.rewrite(
      (request) => !isWatch(request),
      (line) => line.replaceAll('"name":"a"', '"name":"z"'),
    );
    expect(JSON.stringify(await reader.request("GET", configMaps))).toContain('"name":"z"');
    endRewrite();
    const release = proxy.hold(() => true);
    const held = ask();
    await eventually("the request", () => proxy.requests().length > 0);
    release();
    expect(await held).toBe(200);

    const watch = reader.request("GET", `${configMaps}?watch=true&timeoutSeconds=60`).then(
      () => "ended",
      () => "cut",
    );
    await eventually(
      "the watch",
      () => proxy.requests().some(isWatch) && hub.audit().some(({ verb, status }) => verb === "watch" && status === 200),
    );
    proxy.cut();
    expect(await watch).toBe("cut");
    await proxy.refuse();
    expect(await noAnswer()).toBe(true);
    await proxy.accept();
    expect(await ask()).toBe(200);
  });

  test("a wiped store comes back with nothing in it, and with young revisions", async () => {
    await Promise.all(clusters.map((cluster) => cluster.stopServer()));
    await etcd.wipe();
    await hub.startServer();
    expect(await hub.api.list(configMaps)).toEqual([]);
  });
});
