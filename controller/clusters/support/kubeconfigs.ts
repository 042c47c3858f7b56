import { readCertificates } from "../../../test/support/tls/certificates.ts";
import type { KubeObject } from "../../kube/kube-object.ts";
import { makeKubeconfig } from "../kubeconfig-token.ts";

const { ca } = readCertificates();

/** A kubeconfig of `https://HOST:6443`. */
export const kubeconfigOf = (host: string, token = "token"): string =>
  makeKubeconfig({ name: "c", server: `https://${host}:6443`, ca, token });

export const secretOf = (
  name: string,
  data: Readonly<Record<string, string>>,
  metadata: Partial<KubeObject["metadata"]> = {},
): KubeObject => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { namespace: "globalroute-system", name, ...metadata },
  data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString("base64")])),
});

export const clusterOf = (name: string, access?: object, more: { created?: string; uid?: string } = {}): KubeObject => ({
  apiVersion: "globalroute.dev/v1alpha1",
  kind: "MemberCluster",
  metadata: { name, creationTimestamp: more.created ?? "2026-01-01T00:00:00Z" },
  spec: { ...(access === undefined ? {} : { access }) },
  ...(more.uid === undefined ? {} : { status: { uid: more.uid } }),
});

/** A token of a service account; nobody signed it. */
export const tokenOfAccount = (issued: number, expires: number, subject = "system:serviceaccount:globalroute-system:globalroute"): string =>
  ["e30", Buffer.from(JSON.stringify({ iat: issued, exp: expires, sub: subject })).toString("base64url"), "c2ln"].join(".");
