/** Zones as DNSEndpoints on a real API server, which keeps versions and has ExternalDNS's own CustomResourceDefinition; ExternalDNS is played. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubeApi } from "../../controller/kube/kube-api.ts";
import { staticConnection } from "../../controller/kube/kube-connection.ts";
import type { KubeObject } from "../../controller/kube/kube-object.ts";
import { openKubeApi } from "../../controller/kube/open-kube-api.ts";
import { systemKubePorts } from "../../controller/kube/system-ports.ts";
import type { DesiredSet } from "../../dns-providers/change.ts";
import {
  createDnsEndpointProvider,
  type DnsEndpointNews,
  type DnsEndpointOptions,
} from "../../dns-providers/dnsendpoint/dnsendpoint-provider.ts";
import type { Provider } from "../../dns-providers/provider.ts";
import type { RecordSet, SetPolicy } from "../../dns-providers/record-set.ts";
import { createZoneSync, type SyncOutcome } from "../../dns-providers/zone-sync.ts";
import { requireComponent } from "../support/component.ts";
import { interferedWith, lookUpIn } from "../support/providers/dnsendpoint.ts";
import { desired, type ProviderUnderTest, providerSuite } from "../support/providers/provider-suite.ts";
import { repository } from "../support/source-tree.ts";
import { type Etcd, startEtcd } from "./support/etcd.ts";
import { eventually } from "./support/eventually.ts";
import { type KubeCluster, startKubeCluster } from "./support/kube-cluster.ts";
import { kubectlOk } from "./support/kubectl.ts";

const isHere = requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "kubectl");
const CRD = join(repository, "test", "e2e", "crds", "dnsendpoints.externaldns.k8s.io.yaml");
const ports = systemKubePorts();
const NEVER = new AbortController().signal;
const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
const collectionOf = (namespace: string): string => `/apis/externaldns.k8s.io/v1alpha1/namespaces/${namespace}/dnsendpoints`;

describe.skipIf(!isHere)("DNSEndpoints on a real API server", () => {
  let etcd: Etcd;
  let hub: KubeCluster;
  const opened: KubeApi[] = [];

  /** A namespace, and a ServiceAccount that may there do what docs/providers.md asks for, and nothing else. */
  async function open(namespace: string): Promise<KubeApi> {
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
    const group = "rbac.authorization.k8s.io";
    const metadata = { name: "globalroute" };
    await hub.api.create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    await hub.api.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { apiVersion: "v1", kind: "ServiceAccount", metadata });
    await hub.api.create(`${rbac}/roles`, {
      ...{ apiVersion: `${group}/v1`, kind: "Role", metadata },
      rules: [{ apiGroups: ["externaldns.k8s.io"], resources: ["dnsendpoints"], verbs: ["get", "list", "create", "update"] }],
    });
    await hub.api.create(`${rbac}/rolebindings`, {
      ...{ apiVersion: `${group}/v1`, kind: "RoleBinding", metadata },
      roleRef: { apiGroup: group, kind: "Role", name: "globalroute" },
      subjects: [{ kind: "ServiceAccount", name: "globalroute", namespace }],
    });
    const token = await hub.mintToken(namespace, "globalroute", 3600);
    const ca = readFileSync(hub.pki.ca, "utf8");
    const api = openKubeApi(staticConnection(hub.url, { token, ca }), ports, { userAgent: () => "dnsendpoint-test" });
    opened.push(api);
    return api;
  }

  const providerOf = (api: KubeApi, namespace: string, more: Partial<DnsEndpointOptions> = {}): Provider =>
    createDnsEndpointProvider({
      ...{ api, namespace, domain: "example.org", policies: "Plain", digest, now: ports.now },
      sleep: async (milliseconds, signal) => pause(milliseconds / 50, undefined, { signal }),
      ...more,
    });

  const sync = (provider: Provider, sets: readonly DesiredSet[], epoch = 1): Promise<SyncOutcome> =>
    createZoneSync({
      ...{ provider, domain: "example.org", owner: "prod-eu", policy: "Sync", relistAfter: 0, now: () => 0 },
    }).sync({ desired: sets, epoch, isRemovalConfirmed: true, signal: NEVER });

  beforeAll(async () => {
    etcd = await startEtcd();
    hub = await startKubeCluster({ name: "hub", etcd });
    await kubectlOk(hub, ["apply", "--server-side", "-f", CRD]);
    await kubectlOk(hub, ["wait", "--for=condition=Established", "--timeout=20s", "-f", CRD]);
    const collection = "/apis/externaldns.k8s.io/v1alpha1/dnsendpoints";
    // A kind that is established may still answer 429 for a moment.
    await eventually("the kind to be served", async () => (await hub.api.request("GET", collection)).status === 200);
  });
  afterAll(async () => {
    for (const api of opened) api.close();
    await hub?.stop();
    await etcd?.stop();
  });

  const start = async (namespace: string, more: Partial<DnsEndpointOptions>): Promise<ProviderUnderTest> => {
    const collection = collectionOf(namespace);
    const api = await open(namespace);
    const interfere = async (set: RecordSet): Promise<void> => {
      const objects = await hub.api.list(collection);
      const { metadata, spec, ...rest } = interferedWith(objects, set);
      const isTheirs = objects.every(({ metadata: { name } }) => name !== metadata.name);
      if (isTheirs) await hub.api.create(collection, { ...rest, metadata: { ...metadata, namespace }, spec });
      else await hub.api.patch(`${collection}/${metadata.name}`, { spec });
    };
    await interfere({ name: "www.example.org", type: "A", ttl: 300, values: ["192.0.2.99"] });
    return {
      provider: providerOf(api, namespace, more),
      takesAnything: true, // an object is whatever ExternalDNS makes of it
      lookUp: async (name, type) => lookUpIn(await hub.api.list(collection), name, type),
      interfere,
      stop: async () => {},
    };
  };

  providerSuite("a zone of objects as large as they become", () => start("whole", {}));
  providerSuite("a zone of many objects", () => start("parted", { room: 4000 }));

  describe("as ExternalDNS reads them", () => {
    const NAME = "near-0.prod-eu._routes._globalroute.example.org";
    const policies: readonly SetPolicy[] = [
      { kind: "Weighted", weight: 3 },
      { kind: "Latency", region: "eu-west-1" },
      { kind: "Geo", subdivision: "US-CA" },
      { kind: "GeoProximity", latitude: 53.35, longitude: -6.26, bias: 10 },
      { kind: "Failover", role: "Primary" },
      { kind: "MultiValue" },
    ];
    const sets: readonly DesiredSet[] = [
      ...policies.map((by, i): DesiredSet => ({ ...desired(NAME.replace("0", String(i)), ["192.0.2.1"]), routing: { id: "eu", by } })),
      {
        ...{ name: "shop.example.org", type: "A", ttl: 0, values: [], resource: "GlobalRoute/web/shop" },
        alias: { target: NAME, followsHealth: true },
      },
    ];

    test("every policy is kept whole by the schema, and nothing of an object is unknown to it", async () => {
      const namespace = "aws";
      const provider = providerOf(await open(namespace), namespace, { policies: "Aws" });
      expect(await sync(provider, sets)).toMatchObject({ kind: "Synced", plan: { conflicts: [] } });
      expect(await sync(provider, sets)).toMatchObject({ batches: 0 }); // read back, it is the same
      const [object, ...more] = await hub.api.list(collectionOf(namespace));
      expect(more).toEqual([]);
      const { name, labels, annotations } = object!.metadata;
      const copy = {
        apiVersion: object!.apiVersion,
        kind: object!.kind,
        metadata: { name: `${name}-copy`, labels, annotations },
        spec: object!.spec,
      };
      const answer = await hub.api.request("POST", `${collectionOf(namespace)}?fieldValidation=Strict&dryRun=All`, {
        ...copy,
        apiVersion: "externaldns.k8s.io/v1alpha1",
        kind: "DNSEndpoint",
      });
      expect(answer).toMatchObject({ status: 201 });
      await expect(
        kubectlOk(hub, [
          "get",
          "dnsendpoints",
          "-n",
          namespace,
          "-l",
          "globalroute.dev/zone=example.org,globalroute.dev/owner=prod-eu",
          "-o",
          "name",
        ]),
      ).resolves.toContain("globalroute-prod-eu.example.org-0");
    });

    test("generations that it has not seen are told, and that it has", async () => {
      const namespace = "seen";
      const news: DnsEndpointNews[] = [];
      const provider = providerOf(await open(namespace), namespace, { patience: 300, onNews: (one) => void news.push(one) });
      await sync(provider, [desired("shop.example.org", ["192.0.2.1"])]);
      const name = "globalroute-prod-eu.example.org-0";
      await eventually("the news that nobody has seen it", () => news.length > 0);
      expect(news).toMatchObject([{ kind: "NotTakenUp", objects: [name] }]);
      await observe(namespace);
      await eventually("the news that it was seen", () => news.length > 1);
      expect(news[1]).toMatchObject({ kind: "TakenUp" });
      const before = (await hub.api.list(collectionOf(namespace)))[0]?.metadata.generation;
      await sync(provider, [desired("shop.example.org", ["192.0.2.1"])], 2);
      expect((await hub.api.list(collectionOf(namespace)))[0]?.metadata.generation).toBe(before); // a new term is no work for it
      provider.close?.();
    });

    /** As ExternalDNS does (source/crd.go): the whole object, on its status. */
    async function observe(namespace: string): Promise<void> {
      for (const object of await hub.api.list(collectionOf(namespace))) {
        const status = { observedGeneration: object.metadata.generation };
        const path = `${collectionOf(namespace)}/${object.metadata.name}/status`;
        const body: KubeObject = { ...object, apiVersion: "externaldns.k8s.io/v1alpha1", kind: "DNSEndpoint", status };
        expect(await hub.api.request("PUT", path, body)).toMatchObject({ status: 200 });
      }
    }

    test("its writes of the status hinder ours by nothing but one more question", async () => {
      const namespace = "busy";
      const provider = providerOf(await open(namespace), namespace);
      let lists = 0;
      const counted: Provider = {
        ...provider,
        list: (signal) => {
          lists++;
          return provider.list(signal);
        },
      };
      const ours = createZoneSync({
        ...{ provider: counted, domain: "example.org", owner: "prod-eu", policy: "Sync" },
        ...{ relistAfter: Number.POSITIVE_INFINITY, now: () => 0 },
      });
      for (let i = 1; i < 6; i++) {
        const world = [desired("shop.example.org", [`192.0.2.${i}`])];
        expect(await ours.sync({ desired: world, epoch: 1, signal: NEVER })).toMatchObject({ kind: "Synced", batches: 1 });
        await observe(namespace); // since we wrote
      }
      expect(lists).toBe(1);
    });
  });

  test("without the CustomResourceDefinition, or without the permission, it says what is missing", async () => {
    const api = await open("bare");
    await expect(providerOf(api, "whole").list(NEVER)).rejects.toMatchObject({
      code: "unauthorized",
      message: expect.stringMatching(/not permitted to list dnsendpoints\.externaldns\.k8s\.io.*Allow get, list, create and update/),
    });
    await kubectlOk(hub, ["delete", "-f", CRD, "--wait=true"]);
    const gone = async (): Promise<boolean> => (await hub.api.request("GET", collectionOf("bare"))).status === 404;
    await eventually("the kind to be gone", gone);
    await expect(providerOf(api, "bare").list(NEVER)).rejects.toMatchObject({
      code: "zone-missing",
      message: expect.stringContaining("Install ExternalDNS's CustomResourceDefinition"),
    });
  });
});
