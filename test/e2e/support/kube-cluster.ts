/** A Kubernetes cluster without machines: a real kube-apiserver over etcd, and the controllers that a test asks for. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtCommand } from "../../support/component.ts";
import { freePort } from "../../support/free-port.ts";
import { type AdminApi, openAdminApi } from "./admin-api.ts";
import { apiServerArgs, auditLogOf, controllerManagerArgs } from "./api-server.ts";
import { type AuditEntry, readAudit } from "./audit.ts";
import type { Etcd } from "./etcd.ts";
import { eventually } from "./eventually.ts";
import { certificateKubeconfig, tokenKubeconfig } from "./kubeconfig.ts";
import { createPki, type Pki } from "./pki.ts";
import { type RunningProcess, runProcess } from "./process.ts";
import { signToken } from "./service-account-token.ts";

export interface KubeClusterOptions {
  readonly name: string;
  readonly etcd: Etcd;
  /** IPv4 or IPv6 of this machine; by default 127.0.0.1. */
  readonly address?: string;
  /** By default a free one. */
  readonly port?: number;
  /** Runs a kube-controller-manager too. */
  readonly controllerManager?: boolean;
  /** More arguments of the API server. */
  readonly flags?: readonly string[];
  /** More addresses that the server's certificate is for, such as a proxy's. */
  readonly alsoAt?: readonly string[];
}

export interface KubeCluster {
  readonly name: string;
  /** `https://address:port` */
  readonly url: string;
  readonly pki: Pki;
  /** Where its files are. Goes away with it. */
  readonly folder: string;
  /** As cluster-admin, sharing no code with the controller's own client. */
  readonly api: AdminApi;
  /** Path of cluster-admin's kubeconfig. */
  readonly kubeconfig: string;
  /**
   * Signs a ServiceAccount's token for `seconds`, which TokenRequest would not do for less than ten minutes. API servers go on accepting it for
   * a minute afterwards: one that is to end in ten seconds is asked for with -50.
   */
  readonly mintToken: (namespace: string, serviceAccount: string, seconds: number) => Promise<string>;
  /** Text of a kubeconfig with this token. @param url of a proxy, else the server's own */
  readonly kubeconfigFor: (token: string, url?: string) => string;
  /** Requests so far, oldest first, but for cluster-admin's and those of the server's own parts. */
  readonly audit: () => readonly AuditEntry[];
  /** Cluster-admin's, by this object, kubectl or whatever has the kubeconfig. */
  readonly adminAudit: () => readonly AuditEntry[];
  /** Ends the API server, SIGKILL by default; what it holds stays in etcd. */
  readonly stopServer: (signal?: NodeJS.Signals) => Promise<void>;
  /** Starts it again on the same port. @returns once it is ready */
  readonly startServer: () => Promise<void>;
  readonly log: () => string;
  readonly stop: () => Promise<void>;
}

const ADMIN = "e2e-admin";
const READY_MS = 60_000;

/** @returns once the server is ready and `default` and `kube-system` exist */
export async function startKubeCluster(options: KubeClusterOptions): Promise<KubeCluster> {
  const { name, etcd, address = "127.0.0.1" } = options;
  const port = options.port ?? (await freePort());
  const url = `https://${address.includes(":") ? `[${address}]` : address}:${port}`;
  const folder = mkdtempSync(join(tmpdir(), `globalroute-kube-${name}-`));
  mkdirSync(join(folder, "pki"));
  const pki = createPki(join(folder, "pki"), name);
  const admin = pki.client(ADMIN, "system:masters");
  const serving = pki.server(name, [address, ...(options.alsoAt ?? [])]);
  const args = [...apiServerArgs({ name, folder, address, port, etcd: etcd.url }, pki, serving), ...(options.flags ?? [])];
  const write = (file: string, text: string): string => {
    writeFileSync(join(folder, file), text);
    return join(folder, file);
  };
  const kubeconfig = write("admin.kubeconfig", certificateKubeconfig({ name, url, ca: pki.ca }, ADMIN, admin));
  const api = openAdminApi(url, pki.ca, admin);

  let server: RunningProcess;
  const startServer = async (): Promise<void> => {
    server = runProcess(builtCommand("kube-apiserver"), args, { GOGC: "200" });
    const isReady = async (): Promise<boolean> => {
      if (server.hasEnded()) throw new Error(`the API server of ${name} ended`);
      if ((await api.request("GET", "/readyz")).status !== 200) return false;
      const namespaces = await Promise.all(["default", "kube-system"].map((one) => api.request("GET", `/api/v1/namespaces/${one}`)));
      return namespaces.every(({ status }) => status === 200);
    };
    await eventually(`the API server of ${name}`, isReady, { within: READY_MS, detail: () => server.log().slice(-4000) });
  };
  let controllers: RunningProcess | undefined;
  const stop = async (): Promise<void> => {
    await controllers?.stop("SIGKILL");
    await server.stop("SIGKILL");
    await api.close();
    rmSync(folder, { recursive: true, force: true });
  };

  await startServer();
  if (options.controllerManager === true) {
    const user = "system:kube-controller-manager";
    const manager = certificateKubeconfig({ name, url, ca: pki.ca }, user, pki.client(user, "system:masters"));
    controllers = runProcess(builtCommand("kube-controller-manager"), controllerManagerArgs(write("manager.kubeconfig", manager), pki));
  }
  return {
    name,
    url,
    pki,
    folder,
    api,
    kubeconfig,
    async mintToken(namespace, serviceAccount, seconds) {
      const account = await api.get(`/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}`);
      const key = readFileSync(pki.serviceAccounts.privateKey, "utf8");
      return signToken({ namespace, name: serviceAccount, uid: account.metadata.uid ?? "", seconds }, key, Date.now());
    },
    kubeconfigFor: (token, at = url) => tokenKubeconfig({ name, url: at, ca: pki.ca }, token),
    audit: () => readAudit(auditLogOf(folder)).filter(({ user }) => user !== ADMIN),
    adminAudit: () => readAudit(auditLogOf(folder)).filter(({ user }) => user === ADMIN),
    async stopServer(signal = "SIGKILL") {
      await server.stop(signal);
    },
    startServer,
    log: () => server.log(),
    stop,
  };
}
