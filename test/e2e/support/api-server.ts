/** The flags of a kube-apiserver and a kube-controller-manager as tests run them: real authorization, admission and storage, little else. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Credential, Pki } from "./pki.ts";

export interface ApiServerPlace {
  readonly name: string;
  /** Exists; holds what is written for the server. */
  readonly folder: string;
  readonly address: string;
  readonly port: number;
  readonly etcd: string;
}

/** Issuer and audience of ServiceAccount tokens: what clusters that kubeadm makes have. */
export const ISSUER = "https://kubernetes.default.svc.cluster.local";

export const auditLogOf = (folder: string): string => join(folder, "audit.log");

/** Whole requests for what we write, and who did what for the rest; nothing of the server's own parts. */
const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: [system:apiserver, system:kube-controller-manager]
- level: None
  nonResourceURLs: ["/healthz*", "/readyz*", "/livez*"]
- level: Request
  resources: [{group: globalroute.dev}, {group: events.k8s.io}, {group: coordination.k8s.io}]
- level: Metadata
`;

export function apiServerArgs({ name, folder, address, port, etcd }: ApiServerPlace, pki: Pki, serving: Credential): readonly string[] {
  const policy = join(folder, "audit-policy.yaml");
  writeFileSync(policy, AUDIT_POLICY);
  return [
    `--etcd-servers=${etcd}`,
    `--etcd-prefix=/${name}`,
    `--bind-address=${address}`,
    `--advertise-address=${address}`,
    `--secure-port=${port}`,
    `--tls-cert-file=${serving.cert}`,
    `--tls-private-key-file=${serving.key}`,
    `--client-ca-file=${pki.ca}`,
    "--authorization-mode=RBAC",
    `--service-account-issuer=${ISSUER}`,
    `--service-account-key-file=${pki.serviceAccounts.publicKey}`,
    `--service-account-signing-key-file=${pki.serviceAccounts.privateKey}`,
    "--service-cluster-ip-range=10.96.0.0/16",
    "--endpoint-reconciler-type=none", // no Service of the server's own: its address may be one that EndpointSlices refuse
    `--audit-policy-file=${policy}`,
    `--audit-log-path=${auditLogOf(folder)}`,
    // Many small servers on few cores: without what nobody here asks for.
    "--enable-priority-and-fairness=false",
    "--profiling=false",
    `--disable-admission-plugins=${ABOUT_PODS.join(",")}`,
    `--runtime-config=${UNUSED.map((group) => `${group}=false`).join(",")}`,
  ];
}

/** They wait for groups that are not served here. */
const ABOUT_PODS: readonly string[] = ["DefaultStorageClass", "PersistentVolumeClaimResize", "Priority", "RuntimeClass"];

const UNUSED: readonly string[] = [
  "autoscaling/v1",
  "autoscaling/v2",
  "flowcontrol.apiserver.k8s.io/v1",
  "node.k8s.io/v1",
  "resource.k8s.io/v1",
  "scheduling.k8s.io/v1",
  "storage.k8s.io/v1",
];

/** Those that our objects need: garbage collection, ends of namespaces, ServiceAccounts and their old-fashioned tokens, EndpointSlices, aggregated ClusterRoles, type checks of policies. */
const CONTROLLERS: readonly string[] = [
  "namespace-controller",
  "garbage-collector-controller",
  "serviceaccount-controller",
  "serviceaccount-token-controller",
  "endpointslice-controller",
  "clusterrole-aggregation-controller",
  "validatingadmissionpolicy-status-controller",
];

export const controllerManagerArgs = (kubeconfig: string, pki: Pki): readonly string[] => [
  `--kubeconfig=${kubeconfig}`,
  `--controllers=${CONTROLLERS.join(",")}`,
  "--leader-elect=false",
  "--secure-port=0",
  `--root-ca-file=${pki.ca}`,
  `--service-account-private-key-file=${pki.serviceAccounts.privateKey}`,
  "--kube-api-qps=200",
  "--kube-api-burst=200",
];
