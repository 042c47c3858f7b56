/** What the fake does at a test's wish, which no contract names. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  CRDS,
  EVENTS,
  GLOBAL_ROUTES,
  INGRESSES,
  LEASES,
  MEMBER_CLUSTERS,
  NAMESPACES,
  TLS_ROUTES,
} from "../../../controller/kube/resources.ts";
import { readCertificates } from "../tls/certificates.ts";
import { type ContractClient, contractClient, MERGE, messageOf, namesOf, versionOf } from "./contract/peer.ts";
import { type FakeApiOptions, type FakeApiServer, startFakeApiServer } from "./fake-api-server.ts";
import { at, textAt } from "./json.ts";

const ROUTES = "/apis/globalroute.dev/v1alpha1/namespaces/web/globalroutes";
const LEASE_PATH = "/apis/coordination.k8s.io/v1/namespaces/globalroute-system/leases";
const CONTROLLER = "system:serviceaccount:globalroute-system:globalroute";

const route = (name: string, metadata: object = {}) => ({
  apiVersion: "globalroute.dev/v1alpha1",
  kind: "GlobalRoute",
  metadata: { name, namespace: "web", ...metadata },
  spec: { hosts: [`${name}.example.org`], backends: [{ name: "eu", cluster: "eu", addresses: ["192.0.2.1"] }] },
});

let server: FakeApiServer;
let client: ContractClient;

async function start(options: FakeApiOptions = {}): Promise<void> {
  server = await startFakeApiServer(options);
  client = contractClient(
    {
      url: server.url,
      token: server.adminToken,
      ...(server.ca === undefined ? {} : { ca: server.ca, serverName: "shop.example.org" }),
      compact: async () => server.compact(),
      close: server.close,
    },
    "web",
  );
}

afterEach(async () => {
  await client.close();
  await server.close();
});

describe("faults", () => {
  beforeEach(async () => {
    await start();
    server.seed([route("shop")]);
  });

  test("the next requests fail as told, and those after them do not", async () => {
    server.faults.failNext(2, { status: 429, retryAfter: 3, match: { verb: "list" } });
    const statuses = [];
    for (let index = 0; index < 3; index++) statuses.push((await client.call("GET", ROUTES)).status);
    expect(statuses).toEqual([429, 429, 200]);
  });

  test("only what matches fails", async () => {
    server.faults.failNext(1, { status: 503, match: { method: "PATCH", path: /\/status/ } });
    expect((await client.call("GET", ROUTES)).status).toBe(200);
    expect((await client.call("PATCH", `${ROUTES}/shop/status`, {}, { contentType: MERGE })).status).toBe(503);
  });

  test("a dropped request gets no answer", async () => {
    server.faults.dropNext(1);
    await expect(client.call("GET", ROUTES)).rejects.toThrow();
    expect((await client.call("GET", ROUTES)).status).toBe(200);
    expect(server.log.map(({ status }) => status)).toEqual([0, 200]);
  });

  test("a request that hangs is answered when it may", async () => {
    const release = server.faults.hang({ verb: "get" });
    const asked = client.call("GET", `${ROUTES}/shop`);
    expect((await client.call("GET", ROUTES)).status).toBe(200);
    release();
    expect((await asked).status).toBe(200);
  });

  test("what is forbidden is so until the permission is back", async () => {
    const allow = server.faults.forbid({ path: /globalroutes/ });
    expect((await client.call("GET", ROUTES)).status).toBe(403);
    allow();
    expect((await client.call("GET", ROUTES)).status).toBe(200);
  });

  test("in an outage nobody is answered, and watches end", async () => {
    const watch = await client.watch(ROUTES, "resourceVersion=0");
    await watch.next();
    const end = server.faults.outage();
    await expect(watch.next()).rejects.toThrow();
    await expect(client.call("GET", ROUTES)).rejects.toThrow();
    end();
    expect((await client.call("GET", ROUTES)).status).toBe(200);
  });

  test("watches can be cut, and are counted", async () => {
    const watch = await client.watch(ROUTES, "resourceVersion=0");
    await watch.next();
    expect([server.openWatches(), server.cutWatches()]).toEqual([1, 1]);
    await expect(watch.next()).rejects.toThrow();
    expect(server.counters).toMatchObject({ watches: 1, lists: 0, writes: 0 });
  });

  test("a compacted history ends old watches with 410, and not those of now", async () => {
    const old = versionOf(await client.call("GET", ROUTES));
    server.seed([route("second")]);
    server.compact();
    expect(await (await client.watch(ROUTES, `resourceVersion=${old}`)).next()).toMatchObject({ type: "ERROR", object: { code: 410 } });
    const watch = await client.watch(ROUTES, `resourceVersion=${versionOf(await client.call("GET", ROUTES))}`);
    server.seed([route("third")]);
    expect(await watch.next()).toMatchObject({ type: "ADDED", object: { metadata: { name: "third" } } });
    watch.close();
  });

  test("bookmarks come when they are wanted", async () => {
    const watch = await client.watch(ROUTES, "allowWatchBookmarks=1&resourceVersion=0");
    await watch.next();
    server.seed([{ ...route("elsewhere"), metadata: { name: "elsewhere", namespace: "other" } }]);
    server.sendBookmarks();
    const bookmark = await watch.next();
    expect([bookmark?.type, textAt(bookmark?.object, "metadata", "resourceVersion")]).toEqual([
      "BOOKMARK",
      versionOf(await client.call("GET", ROUTES)),
    ]);
    watch.close();
  });
});

describe("a server with another past", () => {
  beforeEach(async () => {
    await start();
    server.seed([route("shop")]);
  });

  test("wiped it has its kinds and no objects, and a watch of before is too old", async () => {
    const before = versionOf(await client.call("GET", ROUTES));
    server.wipe();
    const list = await client.call("GET", ROUTES);
    expect([list.status, namesOf(list)]).toEqual([200, []]);
    expect(await (await client.watch(ROUTES, `resourceVersion=${before}`)).next()).toMatchObject({ type: "ERROR" });
  });

  test("restored it has the objects of then", async () => {
    const then = server.snapshot();
    server.seed([route("later")]);
    server.restore(then);
    expect(namesOf(await client.call("GET", ROUTES))).toEqual(["shop"]);
  });

  test("with its CRD a kind and its objects go, and come back empty", async () => {
    const crd = server.object(CRDS, undefined, "globalroutes.globalroute.dev");
    const watch = await client.watch(ROUTES, "resourceVersion=0");
    await watch.next();
    await client.call("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/globalroutes.globalroute.dev");
    expect(await watch.next()).toMatchObject({ type: "DELETED", object: { metadata: { name: "shop" } } });
    expect((await client.call("GET", ROUTES)).status).toBe(404);
    server.seed([crd]);
    expect(namesOf(await client.call("GET", ROUTES))).toEqual([]);
    watch.close();
  });

  test("a finalizer holds a namespace and what is in it", async () => {
    server.seed([route("held", { finalizers: ["globalroute.dev/withdraw"] })]);
    await client.call("DELETE", "/api/v1/namespaces/web");
    expect(server.object(NAMESPACES, undefined, "web")?.status).toEqual({ phase: "Terminating" });
    expect(namesOf(await client.call("GET", ROUTES))).toEqual(["held"]);
    const refused = await client.call("POST", ROUTES, route("new"));
    expect([refused.status, messageOf(refused)]).toEqual([403, expect.stringContaining("because it is being terminated")]);
    await client.call("PATCH", `${ROUTES}/held`, { metadata: { finalizers: null } }, { contentType: MERGE });
    expect(server.object(NAMESPACES, undefined, "web")).toBeUndefined();
  });
});

describe("who may write", () => {
  const lease = (leaseTransitions: number) => ({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: "globalroute-writer", namespace: "globalroute-system" },
    spec: { holderIdentity: "a", leaseTransitions },
  });
  const marked = (epoch: string) => route("fenced", { annotations: { "globalroute.dev/writer-epoch": epoch } });

  beforeEach(async () => {
    await start({ fence: { user: CONTROLLER, leaseNamespace: "globalroute-system", leaseName: "globalroute-writer" } });
    server.seed([route("shop"), lease(3)]);
    server.grant("controller", { user: CONTROLLER, rules: [{ verbs: ["*"], resources: ["*"] }] });
  });
  const asController = { token: "controller" };

  test("the writer of today writes, and none of yesterday", async () => {
    expect((await client.call("POST", ROUTES, marked("3"), asController)).status).toBe(201);
    const late = await client.call("PUT", `${ROUTES}/fenced`, marked("2"), asController);
    expect(late.status).toBe(422); // for want of a version, before admission
    const object = server.object(GLOBAL_ROUTES, "web", "fenced");
    const stale = await client.call(
      "PUT",
      `${ROUTES}/fenced`,
      { ...object, metadata: { ...object?.metadata, annotations: {} } },
      asController,
    );
    expect([stale.status, messageOf(stale)]).toEqual([
      403,
      expect.stringContaining("this write has epoch none, and the Lease globalroute-system/globalroute-writer has 3"),
    ]);
  });

  test("a new term shuts the old one out of statuses, events and deletions", async () => {
    await client.call("POST", ROUTES, marked("3"), asController);
    server.seed([lease(4)]);
    const status = await client.call(
      "PATCH",
      `${ROUTES}/shop/status`,
      { status: { writerEpoch: 3 } },
      { ...asController, contentType: MERGE },
    );
    const deletion = await client.call("DELETE", `${ROUTES}/fenced`, undefined, asController);
    const event = {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: "late", annotations: { "globalroute.dev/writer-epoch": "3" } },
      eventTime: "2026-11-21T00:00:00.123456Z",
      reportingController: "globalroute.dev/controller",
      reportingInstance: "a",
      action: "Failover",
      reason: "Failed",
      type: "Normal",
    };
    const events = await client.call("POST", "/apis/events.k8s.io/v1/namespaces/web/events", event, asController);
    expect([status.status, deletion.status, events.status]).toEqual([403, 403, 403]);
    expect([server.object(GLOBAL_ROUTES, "web", "fenced")?.metadata.name, server.objects(EVENTS)]).toEqual(["fenced", []]);
  });

  test("people write as they may", async () => {
    expect((await client.call("DELETE", `${ROUTES}/shop`)).status).toBe(200);
    expect((await client.call("PUT", `${LEASE_PATH}/globalroute-writer`, lease(9), asController)).status).toBe(422);
  });

  test("a token sees what its rules say, until it is revoked", async () => {
    server.grant("reader", {
      user: "reader",
      rules: [{ verbs: ["list"], groups: ["globalroute.dev"], resources: ["globalroutes"], namespaces: ["web"] }],
    });
    const statuses = async () => [
      (await client.call("GET", ROUTES, undefined, { token: "reader" })).status,
      (await client.call("GET", `${ROUTES}/shop`, undefined, { token: "reader" })).status,
      (await client.call("GET", "/apis/globalroute.dev/v1alpha1/globalroutes", undefined, { token: "reader" })).status,
    ];
    expect(await statuses()).toEqual([200, 403, 403]);
    server.revoke("reader");
    expect(await statuses()).toEqual([401, 401, 401]);
  });
});

describe("time", () => {
  test("ends the tokens of ServiceAccounts", async () => {
    let time = Date.parse("2026-11-21T12:00:00Z");
    await start({ now: () => time });
    server.seed([{ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "reader", namespace: "web" } }]);
    const reply = await client.call("POST", "/api/v1/namespaces/web/serviceaccounts/reader/token", { spec: { expirationSeconds: 600 } });
    expect(textAt(reply.body, "status", "expirationTimestamp")).toBe("2026-11-21T12:10:00Z");
    const token = textAt(reply.body, "status", "token");
    const statuses = [];
    for (const seconds of [599, 600]) {
      time = Date.parse("2026-11-21T12:00:00Z") + seconds * 1000;
      statuses.push((await client.call("GET", ROUTES, undefined, { token })).status);
    }
    expect(statuses).toEqual([403, 401]);
  });
});

describe("what was asked", () => {
  test("is on record, with who asked and what was written", async () => {
    await start({ now: () => Date.parse("2026-11-21T12:00:00Z") });
    server.seed([route("shop")]);
    await client.call(
      "PATCH",
      `${ROUTES}/shop?fieldManager=x`,
      { spec: { ttl: { min: "5s" } } },
      { contentType: MERGE, userAgent: "globalroute/1" },
    );
    expect(server.log).toEqual([
      {
        time: Date.parse("2026-11-21T12:00:00Z"),
        method: "PATCH",
        path: `${ROUTES}/shop?fieldManager=x`,
        verb: "patch",
        user: "admin",
        userAgent: "globalroute/1",
        status: 200,
        body: { spec: { ttl: { min: "5s" } } },
      },
    ]);
    expect(server.object(GLOBAL_ROUTES, "web", "shop")?.metadata.creationTimestamp).toBe("2026-11-21T12:00:00Z");
  });
});

describe("a server of its own kind", () => {
  test("speaks TLS under the certificate of the tests", async () => {
    await start({ tls: true });
    expect([server.url.startsWith("https:"), server.ca]).toEqual([true, readCertificates().ca]);
    expect((await client.call("GET", "/readyz")).body).toBe("ok");
  });

  test("serves the versions of TLSRoute that it is told, or no kind of the Gateway API", async () => {
    await start({ gatewayApi: ["v1alpha3", "v1alpha2"] });
    const discovery = await client.call("GET", "/apis/gateway.networking.k8s.io");
    expect(at(discovery.body, "preferredVersion", "version")).toBe("v1");
    const path = (version: string) => `/apis/gateway.networking.k8s.io/${version}/${TLS_ROUTES.plural}`;
    const statuses = await Promise.all(
      ["v1", "v1alpha3", "v1alpha2"].map(async (version) => (await client.call("GET", path(version))).status),
    );
    expect(statuses).toEqual([404, 200, 200]);
    await client.close();
    await server.close();
    await start({ gatewayApi: false });
    expect((await client.call("GET", "/apis/gateway.networking.k8s.io")).status).toBe(404);
  });

  test("lists 5,000 objects in little time", async () => {
    await start();
    const ingress = (index: number) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: `shop-${index}`, namespace: `team-${index % 50}` },
      spec: { rules: [{ host: `shop-${index}.example.org` }] },
    });
    server.seed(Array.from({ length: 5000 }, (_, index) => ingress(index)));
    const started = performance.now();
    expect(namesOf(await client.call("GET", "/apis/networking.k8s.io/v1/ingresses"))).toHaveLength(5000);
    expect(performance.now() - started).toBeLessThan(3000); // a tenth of it on a quiet machine
    expect(server.objects(INGRESSES)).toHaveLength(5000);
  });

  test("seeds replace what stands there, with their status", async () => {
    await start();
    server.seed([
      { ...route("shop"), status: { conditions: [] } },
      { ...route("shop"), spec: { ...route("shop").spec, hosts: ["b.example.org"] } },
    ]);
    expect(server.objects(GLOBAL_ROUTES)).toMatchObject([{ spec: { hosts: ["b.example.org"] } }]);
    expect(() => server.seed([{ apiVersion: "v2", kind: "Nothing", metadata: { name: "x" } }])).toThrow("of no kind that is served");
    expect([server.objects(MEMBER_CLUSTERS), server.objects(LEASES)]).toEqual([[], []]);
  });
});
