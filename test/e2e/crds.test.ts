/** What a real API server makes of our CustomResourceDefinitions. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { requireComponent } from "../support/component.ts";
import { good, type PostedObject } from "../support/kube/invalid-objects.ts";
import { repository } from "../support/source-tree.ts";
import { crdFiles, installCrds } from "./support/crds.ts";
import { type Etcd, startEtcd } from "./support/etcd.ts";
import { type KubeCluster, startKubeCluster } from "./support/kube-cluster.ts";
import { kubectl, kubectlOk } from "./support/kubectl.ts";
import { schemaNodes } from "./support/schema-nodes.ts";

const isHere = requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "kubectl");
const CRD_LIMIT = 200 * 1024; // of what fits into a Helm release or an annotation of kubectl apply

const collection = ({ kind, metadata: { namespace } }: PostedObject): string =>
  `/apis/globalroute.dev/v1alpha1/${namespace === undefined ? "" : `namespaces/${namespace}/`}${PLURALS[kind]}`;

const PLURALS: Readonly<Record<string, string>> = {
  GlobalRoute: "globalroutes",
  MemberCluster: "memberclusters",
  DNSZone: "dnszones",
  TrafficOverride: "trafficoverrides",
  ProxyFleet: "proxyfleets",
};
const kinds = Object.values(PLURALS);

interface Crd {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: unknown } }[] };
}

const crds = crdFiles().map(({ file, text }) => ({ file, text, crd: parseAllDocuments(text)[0]?.toJS() as Crd }));

const examples = readdirSync(join(repository, "examples"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".yaml"));

describe.skipIf(!isHere)("CustomResourceDefinitions on a real API server", () => {
  let etcd: Etcd;
  let hub: KubeCluster;

  beforeAll(async () => {
    etcd = await startEtcd();
    hub = await startKubeCluster({ name: "hub", etcd });
    await installCrds(hub);
    await kubectlOk(hub, ["create", "namespace", "globalroute-system"]);
  });
  afterAll(async () => {
    await hub?.stop();
    await etcd?.stop();
  });

  test("are structural, and names and categories are accepted", async () => {
    for (const { metadata } of crds.map(({ crd }) => crd)) {
      const { status } = await hub.api.get(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${metadata.name}`);
      const conditions = (status as { conditions: { type: string; status: string; message: string }[] }).conditions;
      expect(conditions.filter(({ type, status: is }) => (type === "NonStructuralSchema") === (is === "True"))).toEqual([]);
    }
    await kubectlOk(hub, ["get", "globalroute", "--all-namespaces"]); // a category
  });

  test.each(crds)("$file is small, and every node is described", ({ text, crd }) => {
    expect(text.length).toBeLessThan(CRD_LIMIT);
    const nodes = crd.spec.versions.flatMap(({ schema }) => schemaNodes(schema.openAPIV3Schema));
    expect(nodes.filter(({ description }) => description === "").map(({ path }) => path)).toEqual([]);
  });

  test.each(kinds)("kubectl explain %s --recursive", async (kind) => {
    await expect(await kubectlOk(hub, ["explain", kind, "--recursive"])).toMatchFileSnapshot(`golden/explain-${kind}.txt`);
  });

  test.each(examples)("examples/%s is accepted", async (file) => {
    const objects = parseAllDocuments(readFileSync(join(repository, "examples", file), "utf8")).map((document) => document.toJS());
    for (const { metadata } of objects) {
      const namespace = metadata?.namespace;
      if (typeof namespace === "string") await kubectl(hub, ["create", "namespace", namespace]); // may be there already
    }
    await kubectlOk(hub, ["apply", "--server-side", "--dry-run=server", "-f", join(repository, "examples", file)]);
  });

  test.each(good)("$kind $metadata.name is waited for from its first moment on, and kstatus reads it as in progress", async (object) => {
    const path = `${collection(object)}/${object.metadata.name}`;
    await hub.api.create(collection(object), object);
    const { status } = await hub.api.get(path);
    await hub.api.delete(path);
    const { conditions } = status as { conditions: { type: string; status: string; reason: string }[] };
    expect(conditions.map(({ type }) => type)).toContain("Ready");
    expect(conditions.every(({ status: is, reason }) => is === "Unknown" && reason === "Pending")).toBe(true);
  });
});
