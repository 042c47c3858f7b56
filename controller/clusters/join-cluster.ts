/** Makes a cluster a member: an identity there, and its credential and MemberCluster on the hub. Doing it again changes nothing else. */
import type { Network } from "../../src/model/ip.ts";
import type { KubeApi } from "../kube/kube-api.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import { field, textField } from "../kube/kube-status.ts";
import { readKubeconfig } from "../kube/kubeconfig.ts";
import { MEMBER_CLUSTERS, NAMESPACES, SECRETS } from "../kube/resources.ts";
import type { SourceKind } from "./cluster-objects.ts";
import { makeKubeconfig } from "./kubeconfig-token.ts";
import { readAccess } from "./member-access.ts";
import { MEMBER_ACCOUNT, memberObjects } from "./member-objects.ts";
import { RENEW_ANNOTATION, requestToken } from "./renew-credential.ts";

export interface JoinRequest {
  /** Of the MemberCluster. */
  readonly name: string;
  /** Of the controller on the hub; the identity in the member lives in one of the same name. */
  readonly namespace: string;
  /** Absent = the one that it has. */
  readonly location?: Readonly<Record<string, string>>;
  /** Kinds that are read. Absent = all. */
  readonly sources?: readonly SourceKind[];
  readonly allSources: readonly SourceKind[];
  /** As the hub reaches it. */
  readonly server: string;
  readonly serverName?: string;
  /** PEM; absent = what the member's pods are given. */
  readonly ca?: string;
  /** Networks of API servers that the controller reaches although they are local. */
  readonly allow: readonly Network[];
}

export type Joined = { readonly uid: string; readonly secret: string; readonly isNew: boolean } | { readonly refusal: string };

const FIELD_MANAGER = "globalroute-join";
const APPLY = { fieldManager: FIELD_MANAGER, force: true } as const;
/** Seconds that a credential lives; the controller renews it at two thirds of that. */
const TOKEN_LIFE = 86_400;
/** Where Kubernetes puts the authority of its API server, in each namespace. */
const ROOT_CA = { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true } as const;

/**
 * Nothing is written before everything that can be checked was.
 *
 * @returns why it cannot be done, with the remedy; rejects with a KubeError for what an API server refuses
 */
export async function joinCluster(member: KubeApi, hub: KubeApi, request: JoinRequest): Promise<Joined> {
  const { name, namespace, allow } = request;
  const known = await hub.list(MEMBER_CLUSTERS);
  const before = known.items.find(({ metadata }) => metadata.name === name);
  const uid = (await member.get(NAMESPACES, undefined, "kube-system"))?.metadata.uid ?? "";
  const twin = known.items.find((other) => other.metadata.name !== name && uid !== "" && textField(other.status, "uid") === uid);
  if (twin !== undefined) {
    return { refusal: `that cluster is MemberCluster ${twin.metadata.name} already. Delete that one first, or use its name.` };
  }
  const location = request.location ?? field(before?.spec, "location");
  if (location === undefined) return { refusal: noPlace(name) };
  const ca = request.ca ?? (await rootCa(member));
  if (ca === undefined) return { refusal: "the kubeconfig holds no certificate authority. Put it there as certificate-authority-data." };
  // What the controller would refuse is refused here, where somebody looks; the token has its shape only.
  const kubeconfig = (token: string): string =>
    makeKubeconfig({
      name,
      server: request.server,
      ca,
      token,
      ...(request.serverName === undefined ? {} : { serverName: request.serverName }),
    });
  const read = readKubeconfig(kubeconfig("token"), { allow });
  if ("problem" in read) return { refusal: `${read.problem.message}. ${read.problem.remedy} Name another with --server.` };
  const access = before === undefined ? undefined : readAccess(before);
  const secret = access?.secret ?? `cluster-${name}`;
  const key = access?.key ?? "kubeconfig";
  const there = await hub.get(SECRETS, namespace, secret);
  if (there !== undefined && there.metadata.annotations?.[RENEW_ANNOTATION] !== "true") {
    const refusal =
      `Secret ${namespace}/${secret} is there already, and globalroute join did not make it. ` +
      `Delete it, or let it be overwritten: kubectl -n ${namespace} annotate secret ${secret} ${RENEW_ANNOTATION}=true`;
    return { refusal };
  }

  for (const { resource, object } of memberObjects(namespace, request.sources ?? request.allSources)) {
    const isThere = resource === NAMESPACES && (await member.get(resource, undefined, namespace)) !== undefined;
    if (!isThere) await member.apply(resource, object, APPLY);
  }
  const token = await requestToken(member, namespace, MEMBER_ACCOUNT, TOKEN_LIFE);
  await hub.apply(SECRETS, secretObject(request, secret, { [key]: kubeconfig(token) }), APPLY);
  await hub.apply(MEMBER_CLUSTERS, memberCluster(request, location, secret, key), APPLY);
  return { uid, secret, isNew: before === undefined };
}

/** Why a cluster cannot be joined of which nobody has said where it is. */
export const noPlace = (name: string): string =>
  `where ${name} is must be known. Give --cloud and --region, or --latitude and --longitude.`;

/** The MemberCluster as it is applied. */
export const memberCluster = (
  { name, sources }: Pick<JoinRequest, "name" | "sources">,
  location: unknown,
  secret: string,
  key: string,
): KubeObject => ({
  apiVersion: "globalroute.dev/v1alpha1",
  kind: "MemberCluster",
  metadata: { name },
  spec: {
    location,
    access: { secretRef: { name: secret, key }, ...(sources === undefined ? {} : { sources }) },
  },
});

const secretObject = ({ namespace }: JoinRequest, name: string, texts: Readonly<Record<string, string>>): KubeObject => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, namespace, annotations: { [RENEW_ANNOTATION]: "true" } },
  type: "Opaque",
  data: Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text, "utf8").toString("base64")])),
});

async function rootCa(member: KubeApi): Promise<string | undefined> {
  const map = await member.get(ROOT_CA, "kube-system", "kube-root-ca.crt");
  return textField(map?.data, "ca.crt") || undefined;
}
