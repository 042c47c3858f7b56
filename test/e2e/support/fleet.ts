/** A hub and up to ten member clusters, some of them fakes, with thousands of annotated Ingresses: the ground of loads. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { API_GROUP, API_VERSION } from "../../../src/model/kinds.ts";
import { type Etcd, startEtcd } from "./etcd.ts";
import { eventually } from "./eventually.ts";
import type { FleetAnswer, FleetOrder } from "./fleet-members.ts";
import { installChart, NAMESPACE } from "./install.ts";
import { type KubeCluster, startKubeCluster } from "./kube-cluster.ts";
import { createAdmin } from "./service-accounts.ts";

export interface FleetOptions {
  /** Members that are real API servers. */
  readonly real: number;
  /** Members that are fakes, in another process. */
  readonly fake: number;
  /** Member clusters of one application. */
  readonly copies: number;
  /** The member that has this copy of an application, of so many members; by default copies lie side by side, from the `n`th member on. */
  readonly placeOf?: (application: number, copy: number, members: number) => number;
}

export interface FleetMember {
  readonly name: string;
  /** Where its Ingresses' load balancer leads to. */
  readonly site: string;
  /** Undefined of a fake. */
  readonly kube: KubeCluster | undefined;
}

export interface Fleet {
  readonly hub: KubeCluster;
  readonly members: readonly FleetMember[];
  /**
   * Makes the Ingresses of so many applications, which are `app-0`, `app-1`, …: what there is already stays. The Ingress that is an
   * application's first copy is older than the others.
   */
  readonly seed: (applications: number) => Promise<void>;
  /** Connections to a member's site are refused from now on. */
  readonly killSite: (member: FleetMember) => Promise<void>;
  readonly stop: () => Promise<void>;
}

const REGIONS = [
  "eu-west-1",
  "us-east-1",
  "ap-northeast-1",
  "sa-east-1",
  "eu-central-1",
  "us-west-2",
  "ap-southeast-1",
  "ap-southeast-2",
  "ap-south-1",
  "eu-north-1",
] as const;
const TEAMS = 20;
/** Requests to one API server at a time. */
const AT_ONCE = 12;
/** Creation times have whole seconds. */
const OLDER_MS = 1100;
const OURS = `/apis/${API_GROUP}/${API_VERSION}`;

export const applicationHost = (application: number): string => `app-${application}.example.org`;
export const teamOf = (application: number): string => `team-${application % TEAMS}`;
/** Path of an application's Ingress in any of its members. */
export const applicationPath = (application: number): string =>
  `/apis/networking.k8s.io/v1/namespaces/${teamOf(application)}/ingresses/app-${application}`;

/** Starts everything but the controller and the applications. */
export async function startFleet({ real, fake, copies, placeOf = sideBySide }: FleetOptions): Promise<Fleet> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  const keep = <T extends Etcd | KubeCluster>(started: T): T => {
    stops.push(started.stop);
    return started;
  };
  try {
    const places = REGIONS.slice(0, real + fake).map((region, i) => ({ region, name: `member-${i}`, site: `198.18.${i + 1}.80` }));
    const [hubEtcd, membersEtcd] = await Promise.all([startEtcd().then(keep), startEtcd().then(keep)]);
    const hub = await startKubeCluster({ name: "hub", etcd: hubEtcd, address: "198.18.0.10", port: 6443, controllerManager: true }).then(
      keep,
    );
    const reals = await Promise.all(
      places.slice(0, real).map(async ({ name }, i) => {
        const kube = keep(await startKubeCluster({ name, etcd: membersEtcd, address: `198.18.${i + 1}.10`, port: 6443 }));
        return { kube, kubeconfig: kube.kubeconfigFor(await createAdmin(kube)) };
      }),
    );
    const others = startMembers();
    stops.push(others.stop);
    const { kubeconfigs } = await others.order({ order: "start", fakes: fake, sites: places.map(({ site }) => site) });

    await installChart(hub);
    const teams = Array.from({ length: TEAMS }, (_, i) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name: `team-${i}` } }));
    for (const { api } of [hub, ...reals.map(({ kube }) => kube)]) await inTurns(teams, (team) => api.create("/api/v1/namespaces", team));
    await hub.api.create(`${OURS}/dnszones`, ZONE);
    const texts = [...reals.map(({ kubeconfig }) => kubeconfig), ...kubeconfigs];
    for (const [i, { name, region }] of places.entries()) await joinMember(hub, name, region, texts[i] ?? "");

    const members = places.map(({ name, site }, i): FleetMember => ({ name, site, kube: reals[i]?.kube }));
    let seeded = 0;
    return {
      hub,
      members,
      async seed(applications) {
        const wanted = Array.from({ length: applications - seeded }, (_, i) => seeded + i);
        for (let copy = 0; copy < copies; copy++) {
          await Promise.all(
            members.map(async ({ kube, site }, i) => {
              const own = wanted.filter((application) => placeOf(application, copy, members.length) === i).map((one) => ingress(one, site));
              if (kube === undefined) await others.order({ order: "seed", fake: i - real, objects: own });
              else await inTurns(own, (object) => createIngress(kube, object));
            }),
          );
          await setTimeout(OLDER_MS);
        }
        seeded = applications;
      },
      async killSite({ site }) {
        await others.order({ order: "kill", site });
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits until every route of the fleet's applications says that it is served, by the API. @returns seconds */
export async function untilProgrammed({ hub }: Fleet, applications: number, within: number, detail: () => string): Promise<number> {
  const started = performance.now();
  let served = 0;
  const isProgrammed = async (): Promise<boolean> => {
    await setTimeout(2000);
    const routes: readonly unknown[] = await hub.api.list(`${OURS}/globalroutes`);
    served = routes.filter((route) => JSON.stringify(route).includes('"Programmed"') && isTrue(route)).length;
    return served >= applications;
  };
  await eventually(`${applications} routes to be Programmed`, isProgrammed, { within, detail: () => `${served} are\n${detail()}` });
  return (performance.now() - started) / 1000;
}

/** Whether its condition Programmed is true. */
function isTrue(route: unknown): boolean {
  const { status } = route as { readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] } };
  return status?.conditions?.find(({ type }) => type === "Programmed")?.status === "True";
}

const sideBySide = (application: number, copy: number, members: number): number => (application + copy) % members;

/** The process of fakes and sites. Orders are obeyed one after another. */
function startMembers() {
  const child: ChildProcess = fork(new URL("./fleet-members.ts", import.meta.url), [], { serialization: "advanced" });
  let last: Promise<unknown> = Promise.resolve();
  const send = async (order: FleetOrder): Promise<FleetAnswer> => {
    const answer = once(child, "message");
    child.send(order);
    const [told] = (await answer) as [FleetAnswer];
    return told;
  };
  return {
    order(order: FleetOrder): Promise<FleetAnswer> {
      const next = last.then(() => send(order));
      last = next;
      return next;
    },
    async stop(): Promise<void> {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** With a credential that its own API server has accepted already, as `globalroute join` leaves it. */
async function joinMember(hub: KubeCluster, name: string, region: string, kubeconfig: string): Promise<void> {
  await hub.api.create(`/api/v1/namespaces/${NAMESPACE}/secrets`, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name },
    stringData: { kubeconfig },
  });
  await hub.api.create(`${OURS}/memberclusters`, {
    apiVersion: `${API_GROUP}/${API_VERSION}`,
    kind: "MemberCluster",
    metadata: { name },
    spec: { location: { cloud: "aws", region }, access: { secretRef: { name, key: "kubeconfig" } } },
  });
}

const ZONE = {
  apiVersion: `${API_GROUP}/${API_VERSION}`,
  kind: "DNSZone",
  metadata: { name: "example-org" },
  spec: {
    domain: "example.org",
    provider: {
      type: "Embedded",
      embedded: { nameservers: ["ns1.example.org"], records: [{ name: "ns1", type: "A", values: ["192.0.2.53"] }] },
    },
    allowedRoutes: [{}],
  },
};

const ingress = (application: number, site: string) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: {
    name: `app-${application}`,
    namespace: teamOf(application),
    annotations: { [`${API_GROUP}/route`]: "true", [`${API_GROUP}/ttl`]: "60s" },
  },
  spec: {
    rules: [
      {
        host: applicationHost(application),
        http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "app", port: { number: 80 } } } }] },
      },
    ],
  },
  status: { loadBalancer: { ingress: [{ ip: site }] } },
});

async function createIngress({ api }: KubeCluster, object: ReturnType<typeof ingress>): Promise<void> {
  const { name, namespace } = object.metadata;
  await api.create(`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`, object);
  await api.patch(`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses/${name}/status`, { status: object.status });
}

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of rest) await work(item);
    }),
  );
}
