import { expect, test } from "vitest";
import { readCertificates } from "../../test/support/tls/certificates.ts";
import { KubeError } from "../kube/kube-error.ts";
import { field, textField } from "../kube/kube-status.ts";
import { CLUSTER_ROLES, MEMBER_CLUSTERS, NAMESPACES, SECRETS } from "../kube/resources.ts";
import { createMemoryKube, type MemoryKube } from "../kube/support/memory-kube.ts";
import { SOURCE_KINDS } from "./cluster-objects.ts";
import { type JoinRequest, joinCluster } from "./join-cluster.ts";
import { tokenOf } from "./kubeconfig-token.ts";
import { MEMBER_ACCOUNT, memberObjects } from "./member-objects.ts";
import { clusterOf, tokenOfAccount } from "./support/kubeconfigs.ts";

const { ca } = readCertificates();
const request: JoinRequest = {
  name: "eu-west",
  namespace: "globalroute-system",
  location: { cloud: "aws", region: "eu-west-1" },
  sources: ["Ingress", "Service"],
  allSources: SOURCE_KINDS,
  server: "https://eu.example.org:6443",
  ca,
  allow: [],
};

function start(): { readonly member: MemoryKube; readonly hub: MemoryKube; readonly asked: unknown[] } {
  const member = createMemoryKube({ uid: "uid-eu" });
  const hub = createMemoryKube({ uid: "uid-hub" });
  const asked: unknown[] = [];
  member.answers.set(`/api/v1/namespaces/globalroute-system/serviceaccounts/${MEMBER_ACCOUNT}/token`, (body) => {
    asked.push(body);
    return { status: { token: tokenOfAccount(1000 + asked.length, 87_400) } };
  });
  return { member, hub, asked };
}
const join = ({ member, hub }: ReturnType<typeof start>, more: Partial<JoinRequest> = {}) =>
  joinCluster(member.open(), hub.open(), { ...request, ...more });
const kubeconfigOf = (hub: MemoryKube, secret = "cluster-eu-west", key = "kubeconfig"): string =>
  Buffer.from(textField(hub.get(SECRETS, `globalroute-system/${secret}`)?.data, key), "base64").toString();

test("makes an identity there, and its credential and a MemberCluster here", async () => {
  const world = start();
  expect(await join(world)).toEqual({ uid: "uid-eu", secret: "cluster-eu-west", isNew: true });
  expect(world.hub.get(MEMBER_CLUSTERS, "eu-west")?.spec).toEqual({
    location: { cloud: "aws", region: "eu-west-1" },
    access: { secretRef: { name: "cluster-eu-west", key: "kubeconfig" }, sources: ["Ingress", "Service"] },
  });
  expect(world.hub.get(SECRETS, "globalroute-system/cluster-eu-west")?.metadata.annotations).toEqual({
    "globalroute.dev/renew-token": "true",
  });
  expect(tokenOf(kubeconfigOf(world.hub))).toBe(tokenOfAccount(1001, 87_400));
  expect(world.asked).toMatchObject([{ spec: { expirationSeconds: 86_400 } }]);
  expect(world.member.get(CLUSTER_ROLES, MEMBER_ACCOUNT)?.rules).toEqual([
    { apiGroups: ["networking.k8s.io"], resources: ["ingresses"], verbs: ["get", "list", "watch"] },
    { apiGroups: [""], resources: ["services"], verbs: ["get", "list", "watch"] },
    { apiGroups: [""], resources: ["namespaces"], resourceNames: ["kube-system"], verbs: ["get"] },
  ]);
});

test("a second time renews the credential, and keeps the place and the Secret that there are", async () => {
  const world = start();
  await join(world);
  const { location: _, ...elsewhere } = request;
  expect(await joinCluster(world.member.open(), world.hub.open(), elsewhere)).toMatchObject({ isNew: false });
  expect(field(world.hub.get(MEMBER_CLUSTERS, "eu-west")?.spec, "location")).toEqual({ cloud: "aws", region: "eu-west-1" });
  expect(tokenOf(kubeconfigOf(world.hub))).toBe(tokenOfAccount(1002, 87_400));

  world.hub.put(MEMBER_CLUSTERS, clusterOf("by-hand", { secretRef: { name: "mine", key: "value" } }));
  await join(world, { name: "by-hand" });
  expect(tokenOf(kubeconfigOf(world.hub, "mine", "value"))).toBe(tokenOfAccount(1003, 87_400));
});

test("a namespace that is there stays as it is", async () => {
  const world = start();
  const before = world.member.put(NAMESPACES, { metadata: { name: "globalroute-system", labels: { a: "b" } } });
  await join(world);
  expect(world.member.get(NAMESPACES, "globalroute-system")).toBe(before);
});

test("without an authority in the kubeconfig the cluster's own is taken", async () => {
  const world = start();
  const { ca: _, ...without } = request;
  const configMaps = { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true };
  expect(await joinCluster(world.member.open(), world.hub.open(), without)).toMatchObject({
    refusal: expect.stringContaining("certificate-authority-data"),
  });
  world.member.put(configMaps, { metadata: { namespace: "kube-system", name: "kube-root-ca.crt" }, data: { "ca.crt": ca } });
  expect(await joinCluster(world.member.open(), world.hub.open(), without)).toMatchObject({ isNew: true });
});

const secretOf = (name: string, annotations: Readonly<Record<string, string>> = {}) => ({
  metadata: { name, namespace: "globalroute-system", annotations },
  data: { kubeconfig: "dGhlaXJz" },
});

test("a Secret that its owner gave to us is overwritten", async () => {
  const world = start();
  world.hub.put(SECRETS, secretOf("cluster-eu-west", { "globalroute.dev/renew-token": "true" }));
  expect(await join(world)).toMatchObject({ isNew: true });
  expect(tokenOf(kubeconfigOf(world.hub))).toBe(tokenOfAccount(1001, 87_400));
});

const refusals: readonly {
  readonly name: string;
  readonly more: Partial<JoinRequest>;
  readonly prepare?: (hub: MemoryKube) => void;
  readonly says: string;
}[] = [
  {
    name: "the same cluster under another name",
    more: {},
    prepare: (hub) => void hub.put(MEMBER_CLUSTERS, clusterOf("other", { secretRef: { name: "x" } }, { uid: "uid-eu" })),
    says: "that cluster is MemberCluster other already. Delete that one first",
  },
  { name: "an address that the hub could not reach", more: { server: "https://127.0.0.1:6443" }, says: "a forbidden address (loopback)" },
  {
    name: "a Secret of somebody else",
    more: {},
    prepare: (hub) => void hub.put(SECRETS, secretOf("cluster-eu-west")),
    says: "Secret globalroute-system/cluster-eu-west is there already, and globalroute join did not make it. Delete it",
  },
  {
    name: "a Secret of somebody else that the MemberCluster names",
    more: {},
    prepare: (hub) => {
      hub.put(MEMBER_CLUSTERS, clusterOf("eu-west", { secretRef: { name: "capi", key: "value" } }));
      hub.put(SECRETS, secretOf("capi"));
    },
    says: "kubectl -n globalroute-system annotate secret capi globalroute.dev/renew-token=true",
  },
  { name: "http", more: { server: "http://eu.example.org" }, says: "server uses http://. Use https" },
];
test.each(refusals)("$name is refused before anything is written", async ({ more, prepare, says }) => {
  const world = start();
  prepare?.(world.hub);
  const before = [world.member.version(), world.hub.version()];
  const joined = await join(world, more);
  expect("refusal" in joined ? joined.refusal : "").toContain(says);
  expect([world.member.version(), world.hub.version()]).toEqual(before);
  expect(world.asked).toEqual([]);
});

test("a place that nobody gave is asked for", async () => {
  const world = start();
  const { location: _, ...nowhere } = request;
  expect(await joinCluster(world.member.open(), world.hub.open(), nowhere)).toMatchObject({
    refusal: expect.stringContaining("--latitude"),
  });
});

test("a hub that refuses is told before the member is touched", async () => {
  const world = start();
  world.hub.failKind("memberclusters", new KubeError("no", { status: 403, reason: "Forbidden" }));
  const before = world.member.version();
  await expect(join(world)).rejects.toMatchObject({ status: 403 });
  expect(world.member.version()).toBe(before);
});

test("the identity may read the sources, tell its cluster, and renew itself: nothing else", () => {
  const rules = memberObjects("globalroute-system", SOURCE_KINDS).flatMap(({ object }) =>
    Array.isArray(object.rules) ? object.rules : [],
  );
  const lines = rules.map(
    (rule: { verbs: string[]; resources: string[]; resourceNames?: string[] }) =>
      `${rule.verbs} ${rule.resources} ${rule.resourceNames ?? ""}`,
  );
  expect(lines).toEqual([
    "get,list,watch ingresses ",
    "get,list,watch gateways,httproutes,grpcroutes,tlsroutes ",
    "get,list,watch services ",
    "get,list,watch endpointslices ",
    "get namespaces kube-system",
    `create serviceaccounts/token ${MEMBER_ACCOUNT}`,
  ]);
});
