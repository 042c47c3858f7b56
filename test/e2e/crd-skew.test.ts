/** Versions that differ: a controller that reads objects of a newer CRD, and what stays of them when the CRD is rolled back. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { crdYaml } from "../../src/model/crd.ts";
import { readApiObject } from "../../src/model/read-api-object.ts";
import { readStatus } from "../../src/model/read-status.ts";
import { requireComponent } from "../support/component.ts";
import { type Etcd, startEtcd } from "./support/etcd.ts";
import { eventually } from "./support/eventually.ts";
import { type KubeCluster, startKubeCluster } from "./support/kube-cluster.ts";

const isHere = requireComponent("kubernetes", "kube-apiserver");
const CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/globalroutes.globalroute.dev";
const ROUTES = "/apis/globalroute.dev/v1alpha1/namespaces/default/globalroutes";
const FORCED = "?fieldManager=e2e&force=true";
const apply = { "content-type": "application/apply-patch+yaml" };

/** As of the next version: one field more in spec, backends and status, one value more in two enumerations. */
function newer(): unknown {
  const crd = parse(crdYaml("GlobalRoute"));
  const { spec, status } = crd.spec.versions[0].schema.openAPIV3Schema.properties;
  spec.properties.fromTheFuture = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  spec.properties.backends.items.properties.score = { type: "integer" };
  spec.properties.routing.properties.order.enum.push("Fastest");
  status.properties.mood = { type: "string" };
  status.properties.backends.items.properties.health.enum.push("Degraded");
  return crd;
}

const route = (name: string, more: Readonly<Record<string, unknown>> = {}) => ({
  apiVersion: "globalroute.dev/v1alpha1",
  kind: "GlobalRoute",
  metadata: { name, namespace: "default" },
  spec: { hosts: [`${name}.example.org`], backends: [{ name: "eu", cluster: "eu", addresses: ["192.0.2.1"] }], ...more },
});

describe.skipIf(!isHere)("CRDs and controllers of different versions", () => {
  let etcd: Etcd;
  let hub: KubeCluster;

  beforeAll(async () => {
    etcd = await startEtcd();
    hub = await startKubeCluster({ name: "hub", etcd });
  });
  afterAll(async () => {
    await hub?.stop();
    await etcd?.stop();
  });

  /** @returns once the server works by it: `fromTheFuture` is kept, or not */
  async function install(crd: unknown, isNewer: boolean): Promise<void> {
    const { status, body } = await hub.api.request("PATCH", `${CRD}${FORCED}`, JSON.stringify(crd), apply);
    expect(status, JSON.stringify(body)).toBeLessThan(300);
    await eventually(
      "the CRD is in force",
      async () => {
        const tried = await hub.api.request("POST", `${ROUTES}?dryRun=All`, route("probe", { fromTheFuture: { a: 1 } }));
        return tried.status === 201 && JSON.stringify(tried.body).includes('"fromTheFuture":{') === isNewer;
      },
      { within: 30_000 },
    );
  }

  test("a newer CRD, and back", async () => {
    await install(parse(crdYaml("GlobalRoute")), false);
    await hub.api.create(ROUTES, route("old"));

    await install(newer(), true);
    const extended = route("extended", {
      fromTheFuture: { a: 1 },
      backends: [{ name: "eu", cluster: "eu", addresses: ["192.0.2.1"], score: 3 }],
    });
    await hub.api.create(ROUTES, extended);
    await hub.api.create(ROUTES, route("fastest", { routing: { order: "Fastest" } }));
    const status = { mood: "fine", backends: [{ name: "eu", cluster: "eu", health: "Degraded" }], observedGeneration: 1 };
    const own = { ...extended, spec: undefined, status };
    const written = await hub.api.request("PATCH", `${ROUTES}/extended/status${FORCED}`, JSON.stringify(own), apply);
    expect(written, JSON.stringify(written.body)).toMatchObject({ status: 200 });

    const plain = readApiObject(route("extended"));
    for (const isRolledBack of [false, true]) {
      if (isRolledBack) await install(parse(crdYaml("GlobalRoute")), false);
      // Read by this version, whichever wrote it.
      expect(readApiObject(await hub.api.get(`${ROUTES}/old`)).problems).toEqual([]);
      const read = await hub.api.get(`${ROUTES}/extended`);
      expect(readApiObject(read)).toMatchObject({ problems: [], object: { spec: plain.object?.spec } });
      expect(readStatus("GlobalRoute", read.status)).toMatchObject({ observedGeneration: 1, backends: [] });
      const fastest = readApiObject(await hub.api.get(`${ROUTES}/fastest`));
      expect(fastest.object).toBeUndefined();
      expect(fastest.unsupported).toContain('spec.routing.order: "Fastest" is not one of Nearest, Latency');
    }

    // After the rollback the controller can still say so: what is not changed is not refused.
    const conditions = [
      { type: "Accepted", status: "False", reason: "UnsupportedValue", message: "x", lastTransitionTime: "2026-11-21T18:00:00Z" },
    ];
    const told = { ...route("fastest"), spec: undefined, status: { conditions } };
    const answer = await hub.api.request("PATCH", `${ROUTES}/fastest/status${FORCED}`, JSON.stringify(told), apply);
    expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 200 });
  });
});
