/** A hub and three members with a site each, joined and installed as the documentation says; the ground of the stories. */
import type { KubeObject } from "../../../controller/kube/kube-object.ts";
import { globalroute } from "../../support/demo.ts";
import { type ApiProxy, startApiProxy } from "./api-proxy.ts";
import { type Etcd, startEtcd } from "./etcd.ts";
import { installChart, NAMESPACE } from "./install.ts";
import { type KubeCluster, startKubeCluster } from "./kube-cluster.ts";
import { type Site, startSite } from "./sites.ts";

export interface Member {
  readonly name: string;
  readonly kube: KubeCluster;
  /** What its Ingresses' load balancer leads to. */
  readonly site: Site;
  /** Through which the controller reaches its API server. */
  readonly proxy: ApiProxy;
  /** Of AWS. */
  readonly region: string;
  /** A network of clients near it. */
  readonly clients: string;
}

export interface World {
  readonly hub: KubeCluster;
  readonly hubEtcd: Etcd;
  readonly membersEtcd: Etcd;
  /** Through which the controller reaches the hub's API server. */
  readonly hubProxy: ApiProxy;
  /** eu-west, us-east and tokyo, or as they were named. */
  readonly members: readonly Member[];
  readonly member: (name: string) => Member;
  readonly stop: () => Promise<void>;
}

/** Clients' networks by the country that the shipped geo data gives them: Germany, the United States, Japan. */
const PLACES = [
  { name: "eu-west", region: "eu-west-1", network: "198.18.1", clients: "91.64.0.0/24" },
  { name: "us-east", region: "us-east-1", network: "198.18.2", clients: "73.0.0.0/24" },
  { name: "tokyo", region: "ap-northeast-1", network: "198.18.3", clients: "126.0.0.0/24" },
] as const;

/** Namespace of the routes and their sources. */
export const WEB = "web";

/**
 * Starts everything but the controller. The hub has an etcd of its own, so that it can be restored alone.
 *
 * @param names of the members in Ireland, Virginia and Tokyo
 */
export async function startWorld(names: readonly string[] = PLACES.map(({ name }) => name)): Promise<World> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  const keep = <T extends { readonly stop: () => Promise<void> }>(started: T): T => {
    stops.push(started.stop);
    return started;
  };
  try {
    const [hubEtcd, membersEtcd] = await Promise.all([startEtcd().then(keep), startEtcd().then(keep)]);
    const [hub, ...members] = await Promise.all([
      startHub(hubEtcd).then(keep),
      ...PLACES.map((place, i) => startMember({ ...place, name: names[i] ?? place.name }, membersEtcd).then(keep)),
    ]);
    const hubProxy = await startApiProxy(hub, "198.18.0.20");
    stops.push(hubProxy.close);
    await installChart(hub);
    for (const cluster of [hub, ...members.map(({ kube }) => kube)]) await cluster.api.create("/api/v1/namespaces", namespace(WEB));
    await joinMembers({ hub, members });
    await createZone(hub);
    const member = (name: string): Member => {
      const found = members.find((one) => one.name === name);
      if (found === undefined) throw new Error(`no member ${name}`);
      return found;
    };
    return { hub, hubEtcd, membersEtcd, hubProxy, members, member, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const startHub = (etcd: Etcd): Promise<KubeCluster> =>
  startKubeCluster({ name: "hub", etcd, address: "198.18.0.10", port: 6443, controllerManager: true });

async function startMember(
  { name, region, network, clients }: Pick<Member, "name" | "region" | "clients"> & { readonly network: string },
  etcd: Etcd,
): Promise<Member & { readonly stop: () => Promise<void> }> {
  const kube = await startKubeCluster({ name, etcd, address: `${network}.10`, port: 6443 });
  const proxy = await startApiProxy(kube, `${network}.20`);
  const site = await startSite(`${network}.80`);
  const stop = async (): Promise<void> => {
    await site.kill();
    await proxy.close();
    await kube.stop();
  };
  return { name, kube, site, proxy, region, clients, stop };
}

export async function joinMembers({ hub, members }: Pick<World, "hub" | "members">): Promise<void> {
  for (const member of members) await join(hub, member);
}

/** example.org, in which the namespace {@link WEB} may publish. */
export const createZone = (hub: KubeCluster): Promise<KubeObject> => hub.api.create("/apis/globalroute.dev/v1alpha1/dnszones", ZONE);

/** `globalroute join`, so that the controller comes to the member through its proxy. */
async function join(hub: KubeCluster, { name, kube, proxy, region }: Member): Promise<void> {
  const where = ["--kubeconfig", kube.kubeconfig, "--hub-kubeconfig", hub.kubeconfig, "--namespace", NAMESPACE, "--server", proxy.url];
  const { code, stderr, stdout } = await globalroute("join", name, ...where, "--cloud", "aws", "--region", region);
  if (code !== 0) throw new Error(`join ${name} ended with ${code}:\n${stderr}${stdout}`);
}

const namespace = (name: string): KubeObject => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });

const ZONE: KubeObject = {
  apiVersion: "globalroute.dev/v1alpha1",
  kind: "DNSZone",
  metadata: { name: "example-org" },
  spec: {
    domain: "example.org",
    provider: {
      type: "Embedded",
      embedded: { nameservers: ["ns1.example.org"], records: [{ name: "ns1", type: "A", values: ["192.0.2.53"] }] },
    },
    allowedRoutes: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": WEB } } }],
  },
};

const ingresses = `/apis/networking.k8s.io/v1/namespaces/${WEB}/ingresses`;
export const ingressPath = (name: string): string => `${ingresses}/${name}`;
export const routePath = (name: string): string => `/apis/globalroute.dev/v1alpha1/namespaces/${WEB}/globalroutes/${name}`;

/** Makes an Ingress in a member, which a load balancer has given the address of the member's site. */
export async function createIngress(
  { kube, site }: Member,
  name: string,
  host: string,
  annotations: Readonly<Record<string, string>>,
): Promise<void> {
  const backend = { service: { name, port: { number: 80 } } };
  await kube.api.create(ingresses, {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name, annotations },
    spec: { rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }] },
  });
  await kube.api.patch(`${ingressPath(name)}/status`, { status: { loadBalancer: { ingress: [{ ip: site.address }] } } });
}
