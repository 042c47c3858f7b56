/** The controller's own list, watch and Lease, alone, against a real API server that is restarted, compacted and cut off. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubeApi } from "../../controller/kube/kube-api.ts";
import { staticConnection } from "../../controller/kube/kube-connection.ts";
import { startElection } from "../../controller/kube/lease.ts";
import { openKubeApi } from "../../controller/kube/open-kube-api.ts";
import { type ResourceWatch, watchResource } from "../../controller/kube/resource-watch.ts";
import { INGRESSES } from "../../controller/kube/resources.ts";
import { systemKubePorts } from "../../controller/kube/system-ports.ts";
import type { WriterTerm } from "../../controller/kube/writer-fence.ts";
import { requireComponent } from "../support/component.ts";
import { type ApiProxy, startApiProxy } from "./support/api-proxy.ts";
import { type Etcd, startEtcd } from "./support/etcd.ts";
import { eventually } from "./support/eventually.ts";
import { type KubeCluster, startKubeCluster } from "./support/kube-cluster.ts";
import { createAdmin } from "./support/service-accounts.ts";

const isHere = requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubernetes", "etcd");
const ingresses = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";
const ports = systemKubePorts();
const text = (path: string): string => readFileSync(path, "utf8");
const CAUGHT_UP = { within: 60_000 };

describe.skipIf(!isHere)("the controller's client", () => {
  let etcd: Etcd;
  let hub: KubeCluster;
  let proxy: ApiProxy;
  let token: string;
  const opened: KubeApi[] = [];

  /** As cluster-admin, through the proxy. */
  async function open(): Promise<KubeApi> {
    const connection = staticConnection(proxy.url, { token, ca: text(hub.pki.ca) });
    const api = openKubeApi(connection, ports, { userAgent: () => "kube-client-test" });
    opened.push(api);
    return api;
  }
  const ingress = (name: string) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name },
    spec: { defaultBackend: { service: { name, port: { number: 80 } } } },
  });
  /** Whole ones: after a broken connection the version alone is asked for, with one item. */
  const lists = (): number =>
    hub.audit().filter(({ verb, resource, uri }) => verb === "list" && resource === "ingresses" && !uri.endsWith("limit=1")).length;
  const sees = (watch: ResourceWatch, names: readonly string[]): Promise<unknown> =>
    eventually(
      `${names.join(" and ")} alone`,
      () => [...watch.objects().keys()].sort().join() === names.map((name) => `default/${name}`).join(),
      {
        ...CAUGHT_UP,
        detail: () => `${[...watch.objects().keys()].join()} ${JSON.stringify(watch.state())}`,
      },
    );

  beforeAll(async () => {
    etcd = await startEtcd();
    hub = await startKubeCluster({ name: "hub", etcd, address: "198.18.0.10", port: 6443 });
    proxy = await startApiProxy(hub, "198.18.0.20");
    token = await createAdmin(hub);
    const api = await open();
    await eventually("the binding to count", async () => (await api.list(INGRESSES)).items.length === 0);
  });
  afterAll(async () => {
    for (const api of opened) api.close();
    await proxy?.close();
    await hub?.stop();
    await etcd?.stop();
  });

  test("a watch resumes over cuts and restarts without listing again, and lists again when it is too old", async () => {
    const watch = watchResource(await open(), INGRESSES, {}, ports, { onChange: () => {} });
    await eventually("the first list", () => watch.state().synced);
    await hub.api.create(ingresses, ingress("a"));
    await sees(watch, ["a"]);

    const before = lists();
    proxy.cut();
    await hub.api.create(ingresses, ingress("b"));
    await sees(watch, ["a", "b"]);
    await hub.stopServer();
    await hub.startServer();
    await hub.api.delete(`${ingresses}/a`);
    await sees(watch, ["b"]);
    expect(lists()).toBe(before);

    await proxy.refuse();
    await eventually("the failure", () => watch.state().failingSince !== undefined);
    expect([...watch.objects().keys()]).toEqual(["default/b"]); // nothing is forgotten
    await hub.api.create(ingresses, ingress("c"));
    await hub.api.delete(`${ingresses}/b`);
    await hub.stopServer();
    await etcd.compact();
    await hub.startServer();
    await proxy.accept();
    await sees(watch, ["c"]);
    expect(watch.state()).toMatchObject({ synced: true, forbidden: false, served: true });
    watch.close();
  });

  test("a storm of 429 is waited out at the pace that it asks for", async () => {
    const watch = watchResource(await open(), INGRESSES, {}, ports, { onChange: () => {} });
    await eventually("the first list", () => watch.state().synced);
    const before = proxy.requests().length;
    const end = proxy.answer(({ path }) => path.includes("ingresses"), 429, 2);
    proxy.cut();
    await eventually("the refusal", () => watch.state().error?.status === 429);
    expect(watch.state().error?.retryAfter).toBe(2000);
    await eventually("three tries", () => proxy.requests().length >= before + 3, CAUGHT_UP);
    end();
    await hub.api.create(ingresses, ingress("d"));
    await sees(watch, ["c", "d"]);
    watch.close();
  });

  test("of two electors one has the Lease, and the other takes it over with the next epoch", async () => {
    const terms: [string, WriterTerm][] = [];
    const elect = async (identity: string) =>
      startElection({ api: await open(), namespace: "default", identity, onTerm: (term) => void terms.push([identity, term]) }, ports);
    const first = await elect("first");
    await eventually("a term", () => terms.length === 1);
    const second = await elect("second");
    await eventually("the other to know", () => second.holder() === "first");
    const { spec } = (await hub.api.get("/apis/coordination.k8s.io/v1/namespaces/default/leases/globalroute-writer")) as unknown as {
      spec: { renewTime: string; leaseTransitions: number };
    };
    expect(spec.renewTime).toMatch(/\.\d{6}Z$/);
    await first.close();
    await eventually("the next term", () => terms.length === 2, { within: 5000 }); // released, not run out
    expect(terms.map(([identity]) => identity)).toEqual(["first", "second"]);
    expect(terms[1]![1].epoch).toBe(terms[0]![1].epoch + 1);
    expect(terms[0]![1].signal.aborted).toBe(true);
    await second.close();
  });

  test("a store that was restored to an earlier state is read anew", async () => {
    const { cert, key } = hub.pki.client("restored", "system:masters"); // a ServiceAccount would be another one afterwards
    const credential = { ca: text(hub.pki.ca), cert: text(cert), key: text(key) };
    const api = openKubeApi(staticConnection(hub.url, credential), ports, { userAgent: () => "kube-client-test" });
    opened.push(api);
    const watch = watchResource(api, INGRESSES, {}, ports, { onChange: () => {} });
    await sees(watch, ["c", "d"]);
    await hub.stopServer();
    await etcd.wipe(); // its revisions start over, below the one that the watch goes on from
    await hub.startServer();
    await hub.api.create(ingresses, ingress("e"));
    await sees(watch, ["e"]);
    watch.close();
  });
});
