import { expect, test } from "vitest";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import type { KubeConnection } from "../kube/kube-connection.ts";
import { KubeError } from "../kube/kube-error.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import { EVENTS, HTTP_ROUTES, INGRESSES, SECRETS } from "../kube/resources.ts";
import { createMemoryKube, type MemoryKube, unreachable } from "../kube/support/memory-kube.ts";
import { simulatedPorts } from "../kube/support/simulated-ports.ts";
import { createClusterManager } from "./cluster-manager.ts";
import { SOURCE_KINDS } from "./cluster-objects.ts";
import { tokenOf } from "./kubeconfig-token.ts";
import { RENEW_ANNOTATION } from "./renew-credential.ts";
import { clusterOf, kubeconfigOf, secretOf, tokenOfAccount } from "./support/kubeconfigs.ts";

const ingress = (name: string, spec: unknown = {}) => ({ metadata: { namespace: "web", name }, spec });
const access = (name: string) => ({ secretRef: { name, key: "kubeconfig" } });

function start(servers: Readonly<Record<string, MemoryKube>>) {
  const clock = createSimulatedClock();
  const opened: string[] = [];
  let changes = 0;
  const errors: unknown[] = [];
  const manager = createClusterManager({
    ports: simulatedPorts(clock),
    open: (connection: KubeConnection) => {
      const host = new URL(connection.server).hostname;
      opened.push(host);
      const server = servers[host];
      if (server === undefined) throw new Error(`no server ${host}`);
      return server.open();
    },
    allow: [],
    kinds: SOURCE_KINDS,
    onChange: () => changes++,
    onError: (_, error) => void errors.push(error),
  });
  const state = (cluster: string) => manager.connections().find((one) => one.cluster === cluster);
  const names = (cluster: string) =>
    manager
      .objects()
      .find((one) => one.cluster === cluster)
      ?.objects.Ingress?.map(({ metadata }) => metadata.name);
  return { clock, manager, opened, errors, state, names, changes: () => changes };
}

const eu = () => createMemoryKube({ uid: "uid-eu", server: "https://eu.example.org:6443", version: "v1.35.4" });
const one = (cluster: KubeObject, secret: KubeObject): [KubeObject[], KubeObject[]] => [[cluster], [secret]];
const euCluster = clusterOf("eu", access("eu"));
const euSecret = secretOf("eu", { kubeconfig: kubeconfigOf("eu.example.org") });

test("a cluster with a Secret is read: what it is, and its sources", async () => {
  const server = eu();
  server.put(INGRESSES, ingress("shop"));
  const { clock, manager, state, changes } = start({ "eu.example.org": server });
  manager.update(...one(euCluster, euSecret));
  expect(state("eu")).toMatchObject({ state: "Connecting", reason: "Connecting" });
  expect(manager.objects()).toEqual([{ cluster: "eu", objects: {}, isCurrent: false }]);
  await clock.advance(100);
  expect(state("eu")).toEqual({
    cluster: "eu",
    state: "Connected",
    reason: "Connected",
    message: "The API server answers.",
    forbidden: [],
    version: "v1.35.4",
  });
  const [objects] = manager.objects();
  expect(objects).toMatchObject({ cluster: "eu", uid: "uid-eu", isCurrent: true });
  expect(objects?.objects.Ingress?.map(({ metadata }) => metadata.name)).toEqual(["shop"]);
  // There is no Gateway API there, which is known; a Service there is none of, either.
  expect(objects?.objects.HTTPRoute).toEqual([]);
  expect(objects?.objects.Service).toEqual([]);
  expect(changes()).toBeGreaterThan(0);
});

test("what did not change is the same object as before, and no news are no call", async () => {
  const server = eu();
  const us = createMemoryKube({ uid: "uid-us" });
  const { clock, manager, changes } = start({ "eu.example.org": server, "us.example.org": us });
  const clusters = [euCluster, clusterOf("us", access("us"))];
  const secrets = [euSecret, secretOf("us", { kubeconfig: kubeconfigOf("us.example.org") })];
  manager.update(clusters, secrets);
  await clock.advance(1000);
  const before = manager.objects();
  const count = changes();
  expect(manager.objects()).toBe(before);
  manager.update(
    clusters.map((cluster) => ({ ...cluster, status: {} })),
    [...secrets],
  );
  server.bookmark();
  await clock.advance(300_000);
  expect(manager.objects()).toBe(before);
  expect(changes()).toBe(count);
  server.put(INGRESSES, ingress("shop"));
  server.put(INGRESSES, ingress("cart"));
  await clock.advance(20);
  expect(changes()).toBe(count + 1);
  const after = manager.objects();
  expect(after[0]).not.toBe(before[0]);
  expect(after[0]?.objects.Service).toBe(before[0]?.objects.Service);
  expect(after[1]).toBe(before[1]);
});

test("a dead API server delays nobody, and what was read there is kept", async () => {
  const [server, us] = [eu(), createMemoryKube({ uid: "uid-us" })];
  server.put(INGRESSES, ingress("shop"));
  const { clock, manager, state, names } = start({ "eu.example.org": server, "us.example.org": us });
  manager.update([euCluster, clusterOf("us", access("us"))], [euSecret, secretOf("us", { kubeconfig: kubeconfigOf("us.example.org") })]);
  await clock.advance(60_000);
  server.fail(unreachable("https://eu.example.org:6443"));
  await clock.advance(5_000);
  // A restart of the server is no news.
  expect(state("eu")?.state).toBe("Connected");
  us.put(INGRESSES, ingress("new"));
  await clock.advance(20);
  expect(names("us")).toEqual(["new"]);
  await clock.advance(10_000);
  expect(state("eu")).toMatchObject({ state: "Unreachable", reason: "Unreachable" });
  expect(state("eu")?.message).toContain("the connection was refused. See that the API server runs. What was read before is kept.");
  expect(manager.objects()[0]).toMatchObject({ isCurrent: false, uid: "uid-eu" });
  expect(names("eu")).toEqual(["shop"]);
  expect(state("us")?.state).toBe("Connected");
  server.fail(undefined);
  await clock.advance(30_000);
  expect(state("eu")?.state).toBe("Connected");
  expect(manager.objects()[0]?.isCurrent).toBe(true);
});

test("an hour of a server that fails in changing words makes one change of the status, not hundreds", async () => {
  const server = eu();
  const { clock, manager, state, changes } = start({ "eu.example.org": server });
  manager.update(...one(euCluster, euSecret));
  await clock.advance(60_000);
  server.fail(unreachable());
  await clock.advance(20_000);
  const told = state("eu");
  const count = changes();
  for (let i = 0; i < 60; i++) {
    server.fail(new KubeError(`failure ${i}`, { status: i % 2 === 0 ? 0 : 503, reason: "x" }));
    await clock.advance(60_000);
    expect(state("eu")).toBe(told);
  }
  expect(changes()).toBe(count);
});

test("a cluster is not connected before each kind was read once, so that nobody decides on half of it", async () => {
  const server = eu();
  server.put(INGRESSES, ingress("shop"));
  server.failKind("services", new KubeError("busy", { status: 429, reason: "x", retryAfter: 3000 }));
  const { clock, manager, state, names } = start({ "eu.example.org": server });
  manager.update(...one(euCluster, euSecret));
  await clock.advance(1000);
  expect(state("eu")).toMatchObject({ state: "Connecting", reason: "Reading" });
  expect(names("eu")).toEqual(["shop"]);
  expect(manager.objects()[0]?.isCurrent).toBe(false);
  server.failKind("services", undefined);
  await clock.advance(10_000);
  expect(state("eu")?.state).toBe("Connected");
});

test("a cluster that was never reached has nothing, which is something else than none", async () => {
  const server = eu();
  server.fail(unreachable());
  const { clock, manager, state } = start({ "eu.example.org": server });
  manager.update(...one(euCluster, euSecret));
  await clock.advance(60_000);
  expect(state("eu")).toMatchObject({ state: "Unreachable" });
  expect(manager.objects()).toEqual([{ cluster: "eu", objects: {}, isCurrent: false }]);
  server.fail(undefined);
  await clock.advance(30_000);
  expect(manager.objects()[0]?.isCurrent).toBe(true);
});

test("rotating the Secret changes the connection and loses nothing on the way", async () => {
  const server = eu();
  server.put(INGRESSES, ingress("shop"));
  const { clock, manager, opened, names, state } = start({ "eu.example.org": server });
  manager.update(...one(euCluster, euSecret));
  await clock.advance(1000);
  const before = manager.objects();
  manager.update(...one(euCluster, secretOf("eu", { kubeconfig: kubeconfigOf("eu.example.org", "other") })));
  expect(opened).toEqual(["eu.example.org", "eu.example.org"]);
  for (let i = 0; i < 50; i++) {
    expect(names("eu")).toEqual(["shop"]);
    expect(manager.objects()[0]?.isCurrent).toBe(true);
    await clock.advance(10);
  }
  expect(manager.objects()).toBe(before);
  expect(state("eu")?.state).toBe("Connected");
  expect(server.counts.open).toBe(3); // of the new connection only: Gateway API is not there
  manager.update(...one(euCluster, secretOf("eu", { kubeconfig: kubeconfigOf("eu.example.org", "other") }, { labels: { a: "b" } })));
  expect(opened).toHaveLength(2);
});

test("a credential that is refused is told, while the one before goes on", async () => {
  const good = eu();
  const bad = createMemoryKube({ uid: "x", server: "https://bad.example.org:6443" });
  bad.fail(
    new KubeError("https://bad.example.org:6443: GET /version: the credential is not accepted. Give a valid one.", {
      status: 401,
      reason: "Unauthorized",
    }),
  );
  const { clock, manager, state, names } = start({ "eu.example.org": good, "bad.example.org": bad });
  manager.update(...one(euCluster, euSecret));
  await clock.advance(1000);
  manager.update(...one(euCluster, secretOf("eu", { kubeconfig: kubeconfigOf("bad.example.org") })));
  await clock.advance(60_000);
  expect(state("eu")).toMatchObject({ state: "Unreachable", reason: "Unauthorized" });
  expect(state("eu")?.message).toContain(
    "the credential is not accepted. Give a valid one. The connection with the credential before goes on",
  );
  good.put(INGRESSES, ingress("shop"));
  expect(names("eu")).toEqual(["shop"]);
  expect(manager.objects()[0]?.isCurrent).toBe(true);
});

test.each([
  {
    name: "no Secret",
    secret: secretOf("other", {}),
    reason: "SecretMissing",
    state: "Unreachable",
    says: "There is no Secret eu in the controller's namespace. Create it",
  },
  {
    name: "no such key",
    secret: secretOf("eu", { config: "x" }),
    reason: "SecretMissing",
    state: "Unreachable",
    says: "Secret eu has no key kubeconfig. Put",
  },
  {
    name: "no kubeconfig",
    secret: secretOf("eu", { kubeconfig: "{}" }),
    reason: "KubeconfigMalformed",
    state: "Refused",
    says: "Secret eu: current-context is missing. Name the context",
  },
  {
    name: "a local address",
    secret: secretOf("eu", { kubeconfig: kubeconfigOf("127.0.0.1") }),
    reason: "KubeconfigRefused",
    state: "Refused",
    says: "a forbidden address (loopback). Use an address",
  },
])("$name: told, and nothing is dialled", async ({ secret, reason, state: expected, says }) => {
  const { clock, manager, opened, state } = start({});
  manager.update(...one(euCluster, secret));
  await clock.advance(1000);
  expect(state("eu")).toMatchObject({ state: expected, reason });
  expect(state("eu")?.message).toContain(says);
  expect(opened).toEqual([]);
});

test("a mistake in the Secret keeps the connection, taking the Secret away ends it, and nothing is forgotten", async () => {
  const server = eu();
  server.put(INGRESSES, ingress("shop"));
  const { clock, manager, names, state } = start({ "eu.example.org": server });
  manager.update(...one(euCluster, euSecret));
  await clock.advance(1000);
  manager.update(...one(euCluster, secretOf("eu", { kubeconfig: "oops" })));
  await clock.advance(1000);
  expect(state("eu")).toMatchObject({ state: "Refused", reason: "KubeconfigMalformed" });
  server.put(INGRESSES, ingress("early"));
  expect(names("eu")).toEqual(["shop", "early"]);
  expect(manager.objects()[0]?.isCurrent).toBe(true);
  server.put(INGRESSES, ingress("cart"));
  manager.update([euCluster], []); // nobody has looked since the last news
  await clock.advance(1000);
  expect(state("eu")?.reason).toBe("SecretMissing");
  expect(server.counts.open).toBe(0);
  expect(names("eu")).toEqual(["shop", "early", "cart"]);
  expect(manager.objects()[0]?.isCurrent).toBe(false);
  manager.update(...one(euCluster, euSecret));
  await clock.advance(1000);
  expect(manager.objects()[0]?.isCurrent).toBe(true);
});

test("of two that lead to one cluster the older counts, whichever answers first, until it is deleted", async () => {
  const server = eu();
  server.put(INGRESSES, ingress("shop"));
  const { clock, manager, names, state } = start({ "eu.example.org": server });
  const older = clusterOf("z-older", access("eu"), { created: "2026-01-01T00:00:00Z" });
  const younger = clusterOf("a-younger", access("eu"), { created: "2026-01-02T00:00:00Z" });
  manager.update([younger, older], [euSecret]);
  await clock.advance(1000);
  expect(state("z-older")?.state).toBe("Connected");
  expect(state("a-younger")).toMatchObject({ state: "Refused", reason: "SameCluster" });
  expect(state("a-younger")?.message).toContain("This is the cluster that MemberCluster z-older leads to.");
  expect(names("z-older")).toEqual(["shop"]);
  expect(names("a-younger")).toBeUndefined();
  expect(manager.objects().map(({ uid }) => uid)).toEqual([undefined, "uid-eu"]); // or both would be on record
  expect(server.counts.open).toBe(3);
  manager.update([younger], [euSecret]);
  await clock.advance(1000);
  expect(state("a-younger")?.state).toBe("Connected");
  expect(names("a-younger")).toEqual(["shop"]);
});

test("who is on record stays, even against an older one", async () => {
  const { clock, manager, state } = start({ "eu.example.org": eu() });
  const recorded = clusterOf("recorded", access("eu"), { created: "2026-02-01T00:00:00Z", uid: "uid-eu" });
  manager.update([clusterOf("older", access("eu")), recorded], [euSecret]);
  await clock.advance(1000);
  expect(state("recorded")?.state).toBe("Connected");
  expect(state("older")?.reason).toBe("SameCluster");
});

test("one kind that is forbidden is named, and the others are read", async () => {
  const server = eu();
  server.failKind("ingresses", new KubeError("no", { status: 403, reason: "Forbidden" }));
  const { clock, manager, state } = start({ "eu.example.org": server });
  manager.update(...one(euCluster, euSecret));
  await clock.advance(60_000);
  expect(state("eu")).toMatchObject({
    state: "Connected",
    reason: "Forbidden",
    message: "Not permitted to list and watch ingresses.networking.k8s.io. Grant it, or leave the kind out of spec.access.sources.",
    forbidden: [{ kind: "Ingress", permission: "list ingresses.networking.k8s.io" }],
  });
  expect(manager.objects()[0]).toMatchObject({ isCurrent: true });
  expect(manager.objects()[0]?.objects.Ingress).toBeUndefined();
  expect(manager.objects()[0]?.objects.Service).toEqual([]);
});

test("a cluster that hides its identity is read all the same", async () => {
  const server = eu();
  server.failKind("namespaces", new KubeError("no", { status: 403, reason: "Forbidden" }));
  const { clock, manager, state } = start({ "eu.example.org": server });
  manager.update(...one(euCluster, euSecret));
  await clock.advance(1000);
  expect(state("eu")).toMatchObject({ state: "Connected", reason: "IdentityUnknown" });
  expect(manager.objects()[0]?.uid).toBeUndefined();
  expect(manager.objects()[0]?.isCurrent).toBe(true);
});

test("only the kinds that are wanted are read, and the wish may change", async () => {
  const server = eu();
  server.put(INGRESSES, ingress("shop"));
  server.served.set("gateway.networking.k8s.io", new Map([["v1", ["httproutes"]]]));
  server.put(HTTP_ROUTES, ingress("route"));
  const { clock, manager } = start({ "eu.example.org": server });
  const wanting = (...sources: string[]) => clusterOf("eu", { ...access("eu"), sources });
  manager.update(...one(wanting("Ingress", "EndpointSlice"), euSecret));
  await clock.advance(1000);
  expect(Object.keys(manager.objects()[0]?.objects ?? {})).toEqual(["Ingress", "EndpointSlice"]);
  expect(server.counts.open).toBe(2);
  manager.update(...one(wanting("HTTPRoute", "EndpointSlice"), euSecret));
  await clock.advance(1000);
  expect(Object.keys(manager.objects()[0]?.objects ?? {})).toEqual(["HTTPRoute", "EndpointSlice"]);
  expect(server.counts.open).toBe(2);
});

test("a deleted MemberCluster is closed; one without access has no connection", async () => {
  const server = eu();
  const { clock, manager } = start({ "eu.example.org": server });
  manager.update([euCluster, clusterOf("on-prem")], [euSecret]);
  await clock.advance(1000);
  expect(manager.connections().map(({ cluster }) => cluster)).toEqual(["eu"]);
  manager.update([clusterOf("on-prem")], [euSecret]);
  await clock.advance(1000);
  expect(manager.objects()).toEqual([]);
  expect(server.counts.open).toBe(0);
  manager.close();
  await clock.advance(1000);
  expect(clock.pending()).toBe(0);
});

test("labelled Secrets without a MemberCluster are discovered, without their promises of residency", () => {
  const { manager } = start({ "eu.example.org": eu() });
  const labelled = secretOf(
    "new",
    { value: "x" },
    {
      labels: { "globalroute.dev/cluster": "us-east", team: "a", "residency.globalroute.dev/region": "eu", "globalroute.dev/other": "b" },
      annotations: { "globalroute.dev/cloud": "aws", "globalroute.dev/region": "us-east-1", other: "c" },
    },
  );
  const known = secretOf("known", { kubeconfig: "x" }, { labels: { "globalroute.dev/cluster": "eu" } });
  const bad = secretOf("bad", { kubeconfig: "x" }, { labels: { "globalroute.dev/cluster": "Not_a_name" } });
  manager.update([euCluster], [labelled, known, bad, euSecret]);
  expect(manager.discovered()).toEqual([
    { name: "us-east", secret: { name: "new", key: "value" }, labels: { team: "a" }, location: { cloud: "aws", region: "us-east-1" } },
  ]);
  manager.update([euCluster, clusterOf("us-east", { secretRef: { name: "new", key: "value" } })], [labelled, known, bad, euSecret]);
  expect(manager.discovered()).toEqual([]);
  manager.close();
});

test("a credential of ours is renewed at two thirds of its life, and another's never", async () => {
  const server = eu();
  const hub = createMemoryKube();
  const issued = 1_800_000_000;
  const token = tokenOfAccount(issued, issued + 86_400);
  const next = tokenOfAccount(issued + 60_000, issued + 146_400);
  const asked: unknown[] = [];
  server.answers.set("/api/v1/namespaces/globalroute-system/serviceaccounts/globalroute/token", (body) => {
    asked.push(body);
    return { status: { token: next } };
  });
  const { clock, manager } = start({ "eu.example.org": server });
  const made = hub.put(
    SECRETS,
    secretOf("eu", { kubeconfig: kubeconfigOf("eu.example.org", token) }, { annotations: { [RENEW_ANNOTATION]: "true" } }),
  );
  manager.update(...one(euCluster, made));
  await clock.advance(1000);
  expect(manager.credentialsDue((issued + 57_599) * 1000)).toEqual([]);
  expect(manager.credentialsDue((issued + 57_600) * 1000)).toEqual(["eu"]);
  await manager.renew("eu", hub.open());
  expect(asked).toMatchObject([{ kind: "TokenRequest", spec: { expirationSeconds: 86_400 } }]);
  const written = hub.get(SECRETS, "globalroute-system/eu");
  const data = written?.data as Record<string, string>;
  expect(tokenOf(Buffer.from(data.kubeconfig ?? "", "base64").toString())).toBe(next);
  expect(written?.metadata.annotations).toEqual({ [RENEW_ANNOTATION]: "true" });
  // The Secret changed meanwhile: nothing is written over.
  await expect(manager.renew("eu", hub.open())).rejects.toMatchObject({ status: 409 });
  manager.update(...one(euCluster, secretOf("eu", { kubeconfig: kubeconfigOf("eu.example.org", token) })));
  expect(manager.credentialsDue((issued + 80_000) * 1000)).toEqual([]);
  manager.close();
});

test("nothing is ever written to a member cluster", async () => {
  const server = eu();
  const { clock, manager } = start({ "eu.example.org": server });
  const before = server.version();
  manager.update(...one(euCluster, euSecret));
  await clock.advance(600_000);
  expect(server.version()).toBe(before);
  expect(server.get(EVENTS, "x")).toBeUndefined();
});
