/** The admission policy of the chart on a real API server: only writes of today's term are accepted from the controller, and nobody else is touched. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { uninstall } from "../../controller/deletion/uninstall.ts";
import type { KubeApi } from "../../controller/kube/kube-api.ts";
import { KubeError } from "../../controller/kube/kube-error.ts";
import type { KubeObject } from "../../controller/kube/kube-object.ts";
import { openKubeApi } from "../../controller/kube/open-kube-api.ts";
import { ownConnection } from "../../controller/kube/own-kubeconfig.ts";
import { EVENTS, GLOBAL_ROUTES, LEASES } from "../../controller/kube/resources.ts";
import { systemKubePorts } from "../../controller/kube/system-ports.ts";
import { EPOCH_ANNOTATION, FIELD_MANAGER, WRITER_LEASE, type WriterTerm } from "../../controller/kube/writer-fence.ts";
import { eventObject } from "../../controller/status/event-object.ts";
import { createEventWriter } from "../../controller/status/event-writer.ts";
import { isFence } from "../../controller/status/fenced-send.ts";
import { createObjectWriter } from "../../controller/status/object-writer.ts";
import { createWriteLane } from "../../controller/status/write-lane.ts";
import { createTimeline } from "../../src/observe/timeline.ts";
import { requireComponent } from "../support/component.ts";
import { type Etcd, startEtcd } from "./support/etcd.ts";
import { eventually } from "./support/eventually.ts";
import { CONTROLLER, installChart, NAMESPACE } from "./support/install.ts";
import { type KubeCluster, startKubeCluster } from "./support/kube-cluster.ts";

const isHere = requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "helm");

const route = (name: string, epoch?: number): KubeObject => ({
  apiVersion: "globalroute.dev/v1alpha1",
  kind: "GlobalRoute",
  metadata: { name, namespace: "web", ...(epoch === undefined ? {} : { annotations: { [EPOCH_ANNOTATION]: String(epoch) } }) },
  spec: { hosts: [`${name}.example.org`], backends: [{ name: "eu", cluster: "eu", addresses: ["192.0.2.1"] }] },
});

describe.skipIf(!isHere)("the writer's fence", () => {
  let etcd: Etcd;
  let hub: KubeCluster;
  /** As the controller's ServiceAccount. */
  let api: KubeApi;
  const ports = systemKubePorts();

  beforeAll(async () => {
    etcd = await startEtcd();
    hub = await startKubeCluster({ name: "hub", etcd });
    await installChart(hub);
    await hub.api.create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "web" } });
    const file = join(hub.folder, "controller.kubeconfig");
    writeFileSync(file, hub.kubeconfigFor(await hub.mintToken(NAMESPACE, CONTROLLER, 3600)));
    const { connection } = await ownConnection({ kubeconfig: file }, {});
    api = openKubeApi(connection, ports, { userAgent: () => "globalroute/test" });
  });
  afterAll(async () => {
    api?.close();
    await hub?.stop();
    await etcd?.stop();
  });

  const leasePath = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/${WRITER_LEASE}`;
  async function setEpoch(epoch: number): Promise<void> {
    const { status } = await hub.api.request("GET", leasePath);
    const spec = { holderIdentity: `writer-${epoch}`, leaseTransitions: epoch };
    if (status === 200) await hub.api.patch(leasePath, { spec });
    else
      await api.create(LEASES, {
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: { name: WRITER_LEASE, namespace: NAMESPACE },
        spec,
      });
  }
  /** And waits until the policy sees it. @returns milliseconds that took */
  async function term(epoch: number): Promise<number> {
    await setEpoch(epoch);
    const began = performance.now();
    await eventually("the policy to see the Lease", async () => (await answer(apply(route("probe", epoch), true))) === "accepted");
    return performance.now() - began;
  }
  const apply = (object: KubeObject, dryRun = false): Promise<KubeObject> =>
    api.apply(GLOBAL_ROUTES, object, { fieldManager: FIELD_MANAGER, force: true, dryRun });
  const status = (epoch: number): Promise<KubeObject> => {
    const { spec: _, ...bare } = route("shop");
    return api.apply(
      GLOBAL_ROUTES,
      { ...bare, status: { writerEpoch: epoch } },
      { fieldManager: FIELD_MANAGER, force: true, subresource: "status" },
    );
  };
  const event = (epoch: number): Promise<KubeObject> => {
    const regarding = { apiVersion: "globalroute.dev/v1alpha1", kind: "GlobalRoute", namespace: "web", name: "shop" };
    const id = `e${epoch}x${Math.round(performance.now() * 1000)}`;
    const facts = { regarding, type: "Normal", reason: "Failover", action: "Failover", note: "moved", at: ports.wallClock(), id } as const;
    return api.create(EVENTS, eventObject(facts, "globalroute-0", epoch));
  };
  /** `fence`, another refusal in its own words, or `accepted`. */
  async function answer(request: Promise<unknown>): Promise<string> {
    try {
      await request;
      return "accepted";
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      return isFence(error) ? "fence" : error.message;
    }
  }

  test("before the first term nobody is shut out", async () => {
    await hub.api.delete(leasePath);
    const created = await eventually(
      "users to write",
      async () =>
        (await hub.api.request("POST", "/apis/globalroute.dev/v1alpha1/namespaces/web/globalroutes", route("theirs"))).status === 201,
    );
    expect(created).toBe(true);
  });

  test("writes of the term are accepted, all others are refused by name", async () => {
    await term(3);
    expect(await answer(apply(route("shop", 3)))).toBe("accepted");
    const writes: Readonly<Record<string, (epoch: number) => Promise<unknown>>> = {
      object: (epoch) => apply(route("shop", epoch)),
      status,
      event,
      finalizer: (epoch) =>
        api.mergePatch(GLOBAL_ROUTES, "web", "shop", { metadata: { annotations: { [EPOCH_ANNOTATION]: String(epoch) }, finalizers: [] } }),
    };
    for (const [name, write] of Object.entries(writes)) {
      expect([name, await answer(write(2)), await answer(write(4)), await answer(write(3))]).toEqual([name, "fence", "fence", "accepted"]);
    }
    expect(await answer(apply(route("unmarked")))).toBe("fence");
    const refused = await apply(route("shop", 2)).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      status: 403,
      reason: "Forbidden",
      message: expect.stringMatching(
        /epoch 2, and the Lease globalroute-system\/globalroute-writer has 3\. Only the controller that holds the Lease/,
      ),
    });
  });

  test("from the first accepted write of the next term on, none of the one before is accepted", async () => {
    const lags: number[] = [];
    for (let epoch = 4; epoch < 14; epoch++) {
      await setEpoch(epoch);
      const began = performance.now();
      // Both writers at once, as fast as they can: the old one must lose for good as soon as the new one wins.
      for (let isNew = false; !isNew; ) {
        isNew = (await answer(status(epoch))) === "accepted";
        const old = await answer(status(epoch - 1));
        if (isNew) expect(old).toBe("fence");
      }
      lags.push(performance.now() - began);
    }
    lags.sort((a, b) => a - b);
    process.stderr.write(`the policy saw a new Lease after ${Math.round(lags[5]!)} ms in the median, ${Math.round(lags[9]!)} ms at most\n`);
    expect(lags[9]).toBeLessThan(1000);
  });

  test("a DELETE is fenced by the mark of the object that it hits", async () => {
    await term(20);
    await apply(route("shop", 20));
    await term(21);
    expect(await answer(api.delete(GLOBAL_ROUTES, "web", "shop"))).toBe("fence");
    await apply(route("shop", 21));
    expect(await answer(api.delete(GLOBAL_ROUTES, "web", "shop"))).toBe("accepted");
  });

  test("people and other programs write as they may", async () => {
    await term(30);
    const path = "/apis/globalroute.dev/v1alpha1/namespaces/web/globalroutes";
    expect((await hub.api.request("POST", path, route("another"))).status).toBe(201);
    expect((await hub.api.request("DELETE", `${path}/another`)).status).toBe(200);
  });

  test("Events as the event writer sends them are taken: on cluster-scoped objects, with long notes, and a series after five minutes", async () => {
    await term(35);
    let ahead = 0;
    const later = { ...ports, wallClock: () => ports.wallClock() + ahead };
    const timeline = createTimeline(100, later.wallClock);
    const refused: string[] = [];
    const onRefused = (key: string, error: Error): unknown => refused.push(`${key}: ${error.message}`);
    const store = { objects: () => new Map<string, KubeObject>() };
    const events = createEventWriter({
      api,
      store,
      timeline,
      ports: later,
      instance: "globalroute-0",
      hasNamespace: () => true,
      onRefused,
    });
    const over = new AbortController();
    const held: WriterTerm = { epoch: 35, deadline: () => Number.POSITIVE_INFINITY, signal: over.signal };
    const done = createWriteLane({ writings: [events], ports: later, onError: (key, error) => refused.push(`${key}: ${error}`) }).lead(
      held,
    );
    const source = {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: "shop", namespace: "web", uid: "of-another-cluster" },
    };
    events.offer([{ cluster: "eu", object: source, reason: "AnnotationInvalid", message: "ü".repeat(1000) }]);
    const details = { from: "eu", to: "us", reason: "timeout" };
    for (let i = 0; i < 3; i++)
      timeline.add({ kind: "Failover", object: "GlobalRoute web/shop", message: "clients moved from eu to us: timeout", details });
    const find = async (namespace: string, reason: string): Promise<KubeObject | undefined> =>
      (await hub.api.list(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`)).find((one) => one.reason === reason);
    expect(await eventually("the Event of the route", () => find("web", "Failover"))).not.toHaveProperty("series.count");
    expect(await eventually("the Event of the cluster", () => find("default", "ClusterFailover"))).toMatchObject({
      regarding: { kind: "MemberCluster", name: "eu" },
    });
    expect(await eventually("the warning", () => find("web", "AnnotationInvalid"))).toMatchObject({
      type: "Warning",
      regarding: { kind: "Ingress" },
    });
    ahead = 301_000;
    await eventually("its series", async () => ((await find("web", "Failover"))?.series as { count?: number } | undefined)?.count === 3);
    over.abort();
    await done;
    events.close();
    expect(refused).toEqual([]);
  });

  test("an object writer of an old term changes nothing, and one of the new term goes on", async () => {
    await term(40);
    const objects = new Map<string, KubeObject>();
    const store = { objects: () => objects };
    const generated = {
      ...route("generated"),
      metadata: { ...route("generated").metadata, labels: { "globalroute.dev/generated": "true" } },
    };
    const refused: string[] = [];
    const start = (epoch: number) => {
      const writer = createObjectWriter({
        api,
        store,
        holdsDeletes: () => false,
        onRefused: (key, error) => refused.push(`${key}: ${error.message}`),
      });
      const over = new AbortController();
      const held: WriterTerm = { epoch, deadline: () => Number.POSITIVE_INFINITY, signal: over.signal };
      const done = createWriteLane({ writings: [writer], ports, onError: (key, error) => refused.push(`${key}: ${error}`) }).lead(held);
      writer.offer({ routes: [generated], clusters: [] });
      return async () => {
        over.abort();
        await done;
      };
    };
    const stopOld = start(39);
    const stopNew = start(40);
    const path = "/apis/globalroute.dev/v1alpha1/namespaces/web/globalroutes/generated";
    const made = await eventually("the generated route", async () =>
      (await hub.api.request("GET", path)).status === 200 ? hub.api.get(path) : undefined,
    );
    await Promise.all([stopOld(), stopNew()]);
    expect(made.metadata.annotations?.[EPOCH_ANNOTATION]).toBe("40");
    expect(refused).toEqual([]);
  });

  test("uninstall shuts controllers out first, deletes what is ours and at last the fence", async () => {
    await term(50);
    const routes = "/apis/globalroute.dev/v1alpha1/namespaces/web/globalroutes";
    await apply(route("made", 50));
    await hub.api.patch(`${routes}/made`, { metadata: { labels: { "globalroute.dev/generated": "true" } } });
    await hub.api.patch(`${routes}/theirs`, { metadata: { finalizers: ["globalroute.dev/records", "example.org/other"] } });
    const { connection } = await ownConnection({ kubeconfig: hub.kubeconfig }, {});
    const admin = openKubeApi(connection, ports, { userAgent: () => "globalroute/test" });
    const told: string[] = [];
    const run = (more: { readonly deployment?: string } = {}) =>
      uninstall({ api: admin, namespace: NAMESPACE, ...more, dryRun: false, ports, tell: (line) => told.push(line) });
    try {
      await run({ deployment: CONTROLLER });
      await eventually("the policy to see that the Lease is taken", async () => (await answer(apply(route("late", 50), true))) === "fence");
      expect(await hub.api.get(leasePath)).toMatchObject({
        spec: { holderIdentity: "globalroute-uninstall", leaseTransitions: 51 },
        metadata: { ownerReferences: [{ kind: "Deployment", name: CONTROLLER }] },
      });
      expect((await hub.api.request("GET", `${routes}/made`)).status).toBe(404);
      expect((await hub.api.get(`${routes}/theirs`)).metadata.finalizers).toEqual(["example.org/other"]);
      await run();
    } finally {
      admin.close();
    }
    expect((await hub.api.request("GET", leasePath)).status).toBe(404);
    expect(await hub.api.list("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies")).toEqual([]);
    expect(told.filter((line) => line.startsWith("Deleting Validating"))).toHaveLength(2);
  });
});
