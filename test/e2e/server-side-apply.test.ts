/** Server-side apply on our kinds: whatever part of a spec or status was applied can be left out the next time, and is gone. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireComponent } from "../support/component.ts";
import { type Etcd, startEtcd } from "./support/etcd.ts";
import { installChart } from "./support/install.ts";
import { type KubeCluster, startKubeCluster } from "./support/kube-cluster.ts";

const isHere = requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "helm");
const apiVersion = "globalroute.dev/v1alpha1";
const at = "2026-11-21T00:00:00Z";

type Fields = Readonly<Record<string, unknown>>;

/** Kind → what its status can hold besides conditions, every field of it. */
const STATUSES: Readonly<Record<string, { readonly path: string; readonly spec: Fields; readonly status: Fields }>> = {
  GlobalRoute: {
    path: `/apis/${apiVersion}/namespaces/default/globalroutes/shop`,
    spec: { hosts: ["shop.example.org"] },
    status: {
      writerEpoch: 1,
      observedGeneration: 1,
      summary: { hosts: "shop.example.org", serving: "eu", health: "1/1" },
      backends: [{ name: "eu", cluster: "eu", health: "Healthy", failback: { phase: "Returned", level: 0, since: at } }],
      policySource: "eu/web/Ingress/shop",
      lastFailover: { from: "eu", to: "us", at, reason: "timeout" },
      failbackPending: ["eu"],
      rollout: { generation: 1, step: 1, since: at, phase: "Completed" },
    },
  },
  MemberCluster: {
    path: `/apis/${apiVersion}/memberclusters/eu`,
    spec: { location: { cloud: "aws", region: "eu-west-1" } },
    status: {
      summary: { location: "aws eu-west-1", endpoints: "1/1" },
      uid: "u",
      version: "v1.35.4",
      state: "Active",
      health: "Healthy",
      since: at,
      endpoints: { healthy: 1, total: 1 },
    },
  },
};

/** Parts of a GlobalRoute's spec, each of which somebody may have and take back. */
const PARTS: Fields = {
  ttl: { min: "5s", max: "10s" },
  answers: 3,
  https: { alpn: ["h2"] },
  backends: [{ name: "eu", cluster: "eu", sourceRef: { kind: "Ingress", name: "shop" }, weight: 50 }],
  routing: {
    tolerance: { distanceKm: 100 },
    shed: { lowPercent: 50, highPercent: 80 },
    rules: [{ name: "eu", clients: { continents: ["EU"] }, mode: "Prefer", to: { clusters: ["eu"] } }],
  },
  health: { interval: "7s", quorum: { type: "Count", count: 1 }, probe: { path: "/live", expect: { status: ["200"] } } },
  failover: { tricklePercent: 1, failback: { mode: "Approval", after: "1m" } },
  publish: { dns: [{ zone: "example-org" }] },
};

describe.skipIf(!isHere)("server-side apply", () => {
  let etcd: Etcd;
  let hub: KubeCluster;

  beforeAll(async () => {
    etcd = await startEtcd();
    hub = await startKubeCluster({ name: "hub", etcd });
    await installChart(hub);
  });
  afterAll(async () => {
    await hub?.stop();
    await etcd?.stop();
  });

  /** @returns what the object became, or the message of the refusal */
  async function apply(path: string, body: Fields, subresource = ""): Promise<unknown> {
    const { status, body: answer } = await hub.api.request(
      "PATCH",
      `${path}${subresource}?fieldManager=globalroute&force=true`,
      { apiVersion, ...body },
      { "content-type": "application/apply-patch+yaml" },
    );
    return status < 300 ? answer : `${status} ${JSON.stringify(Reflect.get(Object(answer), "message"))}`;
  }

  test.each(Object.entries(STATUSES))("a status of a %s may lose any part", async (kind, { path, spec, status }) => {
    const name = path.split("/").at(-1) ?? "";
    expect(await apply(path, { kind, metadata: { name }, spec })).toMatchObject({ kind });
    for (const part of Object.keys(status)) {
      const { [part]: _, ...rest } = status;
      expect(await apply(path, { kind, metadata: { name }, status }, "/status"), part).toMatchObject({ status });
      const left = await apply(path, { kind, metadata: { name }, status: rest }, "/status");
      expect(left, part).toMatchObject({ status: rest });
      expect(Reflect.get(Object(Reflect.get(Object(left), "status")), part), part).toBeUndefined();
    }
  });

  test.each(Object.entries(PARTS))("a spec may lose %s", async (part, value) => {
    const name = part.toLowerCase();
    const path = `/apis/${apiVersion}/namespaces/default/globalroutes/${name}`;
    const spec = { hosts: ["shop.example.org"], discovery: "SameNamespace" };
    const kind = "GlobalRoute";
    const fresh = await apply(path, { kind, metadata: { name }, spec });
    expect(await apply(path, { kind, metadata: { name }, spec: { ...spec, [part]: value } })).toMatchObject({ spec: { [part]: value } });
    const left = await apply(path, { kind, metadata: { name }, spec });
    expect(Reflect.get(Object(left), "spec"), JSON.stringify(left)).toEqual(Reflect.get(Object(fresh), "spec"));
  });
});
