/** The peaceful world of tenancy-attacks.ts on real API servers, and the hands of those who attack it. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { apiVersionOf, type KubeObject, type Resource } from "../../../controller/kube/kube-object.ts";
import { GLOBAL_ROUTES, MEMBER_CLUSTERS, TRAFFIC_OVERRIDES } from "../../../controller/kube/resources.ts";
import { memberClusters, namespaces, peace, type TenancyAttack, zones } from "../../support/kube/tenancy-attacks.ts";
import type { AdminApi } from "./admin-api.ts";
import { annotationOf, tellLies } from "./lies.ts";
import { type Site, startSite } from "./sites.ts";
import { startWorld, type World } from "./world.ts";

export interface Tenants {
  readonly world: World;
  /** Must never be asked anything: the metadata service, and this machine. */
  readonly insides: readonly Site[];
  /** @param suffix makes names unique that do not matter. @returns what is there of it now; what the API server has refused is not */
  readonly attack: (attack: TenancyAttack, suffix: string) => Promise<Attacked>;
  readonly stop: () => Promise<void>;
}

export interface Attacked {
  /** Paths on the hub. */
  readonly hub: readonly string[];
  /** Messages of the API servers that would not have it. */
  readonly refused: readonly string[];
  readonly undo: () => Promise<void>;
}

const INGRESSES: Resource = { group: "networking.k8s.io", version: "v1", plural: "ingresses", kind: "Ingress", namespaced: true };
const RESOURCES = [GLOBAL_ROUTES, TRAFFIC_OVERRIDES, INGRESSES];
const GROUP = "/apis/globalroute.dev/v1alpha1";

export async function startTenants(): Promise<Tenants> {
  const run = promisify(execFile);
  const address = async (text: string): Promise<void> => void (await run("ip", ["addr", "add", `${text}/32`, "dev", "lo"]));
  const sites: Site[] = [];
  const world = await startWorld(memberClusters.map(({ metadata }) => metadata.name));
  const stop = async (): Promise<void> => {
    for (const site of sites) await site.kill();
    await world.stop();
  };
  try {
    for (const text of ["192.0.2.1", "192.0.2.2", "198.51.100.1", "203.0.113.66"]) {
      await address(text);
      sites.push(await startSite(text));
    }
    await address("169.254.169.254");
    const insides = [await startSite("169.254.169.254"), await startSite("127.0.0.1")];
    sites.push(...insides);

    const { hub } = world;
    const apis = new Map<string, AdminApi>(world.members.map(({ name, kube }) => [name, kube.api]));
    for (const { proxy } of world.members) tellLies(proxy);
    for (const [name, labels] of Object.entries(namespaces)) await ensureNamespace(hub.api, name, labels);
    for (const { metadata, spec } of zones) {
      const path = `${GROUP}/dnszones/${metadata.name}`;
      const isThere = (await hub.api.request("GET", path)).status === 200;
      if (isThere) await hub.api.patch(path, { spec });
      else
        await hub.api.create(`${GROUP}/dnszones`, {
          apiVersion: apiVersionOf(MEMBER_CLUSTERS),
          kind: "DNSZone",
          metadata: { name: metadata.name },
          spec,
        });
    }
    for (const { metadata } of memberClusters)
      await hub.api.patch(`${GROUP}/memberclusters/${metadata.name}`, { metadata: { labels: metadata.labels ?? {} } });
    const inMember = (cluster: string): AdminApi => {
      const api = apis.get(cluster);
      if (api === undefined) throw new Error(`no member ${cluster}`);
      return api;
    };
    for (const [cluster, objects] of Object.entries(peace)) for (const object of objects) await lie(inMember(cluster), object);

    return {
      world,
      insides,
      async attack({ hub: onHub = [], clusters = {} }, suffix) {
        const made: { readonly api: AdminApi; readonly path: string }[] = [];
        const refused: string[] = [];
        for (const object of onHub) {
          const answer = await write(hub.api, called(object, suffix));
          if (answer.path === undefined) refused.push(answer.refusal);
          else made.push({ api: hub.api, path: answer.path });
        }
        const paths = made.map(({ path }) => path);
        for (const [cluster, objects] of Object.entries(clusters))
          for (const object of objects) made.push({ api: inMember(cluster), path: await lie(inMember(cluster), called(object, suffix)) });
        return {
          hub: paths,
          refused,
          async undo() {
            for (const { api, path } of made) await api.delete(path);
          },
        };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The victims' names are part of the attack, others are not. */
function called(object: KubeObject, suffix: string): KubeObject {
  const { name } = object.metadata;
  return ["shop", "pay"].includes(name) ? object : { ...object, metadata: { ...object.metadata, name: `${name}-${suffix}` } };
}

async function ensureNamespace(api: AdminApi, name: string, labels?: Readonly<Record<string, string>>): Promise<void> {
  const path = `/api/v1/namespaces/${name}`;
  if ((await api.request("GET", path)).status === 404)
    await api.create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  if (labels !== undefined) await api.patch(path, { metadata: { labels } });
}

function collectionOf({ kind, metadata }: KubeObject): string {
  const resource = RESOURCES.find((one) => one.kind === kind);
  if (resource === undefined) throw new Error(`no collection of ${kind}`);
  return `/apis/${resource.group}/${resource.version}/namespaces/${metadata.namespace}/${resource.plural}`;
}

/** An object on the hub, as somebody with all rights in its namespace would write it; its status too, if that is let through. */
async function write(
  api: AdminApi,
  object: KubeObject,
): Promise<{ readonly path: string } | { readonly path?: never; readonly refusal: string }> {
  const { apiVersion, kind, metadata, spec, status } = object;
  const { namespace, name, labels } = metadata;
  const answer = await api.request("POST", collectionOf(object), { apiVersion, kind, metadata: { namespace, name, labels }, spec });
  if (answer.status >= 300) return { refusal: JSON.stringify(answer.body) };
  const path = `${collectionOf(object)}/${name}`;
  if (status !== undefined) await api.request("PATCH", `${path}/status`, { status }, { "content-type": "application/merge-patch+json" });
  return { path };
}

/** An object of a member cluster, whose API server says of it whatever is wanted. @returns its path */
async function lie(api: AdminApi, object: KubeObject): Promise<string> {
  const { apiVersion, kind, metadata, spec, status } = object;
  const { namespace = "", name, labels, annotations, creationTimestamp } = metadata;
  await ensureNamespace(api, namespace);
  const told = { spec, status, ...(creationTimestamp === undefined ? {} : { created: creationTimestamp }) };
  await api.create(collectionOf(object), {
    apiVersion,
    kind,
    metadata: { namespace, name, labels, annotations: { ...annotations, ...annotationOf(told) } },
    spec: { rules: [{ host: "harmless.example.net" }] },
  });
  return `${collectionOf(object)}/${name}`;
}
