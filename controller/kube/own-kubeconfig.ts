/** Our own access to the hub: the pod's service account, or a kubeconfig file that whoever starts us chose. Trusted, commands included. */
import { readFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import { dirname } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import type { Credential, KubeConnection } from "./kube-connection.ts";
import { field, textField } from "./kube-status.ts";

export interface OwnAccess {
  readonly connection: KubeConnection;
  /** Of the kubeconfig's context, or of the service account. */
  readonly namespace?: string;
}

export interface OwnAccessOptions {
  /** Absent = in the cluster that we run in. */
  readonly kubeconfig?: string;
  /** Absent = the file's current one. */
  readonly context?: string;
}

/** Where the kubelet puts it; read anew each minute, as it rotates. */
const NAMESPACE_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/** @throws Error with a message for people: no file that can be read, no kubeconfig in it, no such context, not in a cluster */
export async function ownConnection(options: OwnAccessOptions, env: Readonly<Record<string, string | undefined>>): Promise<OwnAccess> {
  let config = await load(options, env);
  const { cluster, namespace } = currentOf(config, options);
  const where = options.kubeconfig ?? "the service account";
  if (cluster.proxyUrl !== undefined)
    throw new Error(`${where}: proxy-url is not supported. Give an address that is reached without a proxy.`);
  if (cluster.skipTLSVerify) {
    throw new Error(`${where}: insecure-skip-tls-verify is not supported. Give the certificate authority as certificate-authority-data.`);
  }
  const credential = async (renew: boolean): Promise<Credential> => {
    // A new object forgets what commands and files gave before.
    if (renew) config = await load(options, env);
    return credentialOf(config);
  };
  return {
    connection: {
      server: cluster.server.replace(/\/+$/, ""),
      ...(cluster.tlsServerName === undefined ? {} : { serverName: cluster.tlsServerName }),
      credential,
    },
    ...(namespace === undefined ? {} : { namespace }),
  };
}

async function load({ kubeconfig, context }: OwnAccessOptions, env: Readonly<Record<string, string | undefined>>): Promise<KubeConfig> {
  const { KubeConfig } = await import("@kubernetes/client-node"); // large: only who talks to Kubernetes pays for it
  const config = new KubeConfig();
  if (kubeconfig !== undefined) {
    await loadFile(config, kubeconfig);
  } else {
    if ((env.KUBERNETES_SERVICE_HOST ?? "") === "")
      throw new Error("this is no pod of a cluster, and no kubeconfig is given. Give one with --kubeconfig FILE.");
    config.loadFromCluster();
  }
  if (context !== undefined) config.setCurrentContext(context);
  return config;
}

/** No message holds anything of the file, and no error that does is its cause: there are credentials in it. */
async function loadFile(config: KubeConfig, file: string): Promise<void> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    const [why] = cause instanceof Error ? cause.message.split(",") : [];
    throw new Error(`${file} cannot be read (${why}). Give a kubeconfig with --kubeconfig FILE.`, { cause });
  }
  try {
    config.loadFromString(text);
  } catch (error) {
    throw new Error(`${file} is no kubeconfig: ${whyNone(error)}. Mend it, or give another with --kubeconfig FILE.`);
  }
  config.makePathsAbsolute(dirname(file));
}

/** Errors in YAML quote what they stumble over: of those only the line is told, which `mark` counts from 0. */
function whyNone(error: unknown): string {
  if (!(error instanceof Error)) return "it cannot be taken apart";
  if (error.name !== "YAMLException") return error.message;
  const line = field(field(error, "mark"), "line");
  return typeof line === "number" ? `it is no YAML, see line ${line + 1}` : "it is no YAML";
}

function currentOf(config: KubeConfig, { kubeconfig, context }: OwnAccessOptions) {
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    const name = context ?? config.getCurrentContext() ?? "";
    throw new Error(`${kubeconfig ?? "the service account"}: there is no context ${JSON.stringify(name)}. Name one with --context.`);
  }
  return { cluster, namespace: config.getContextObject(config.getCurrentContext())?.namespace };
}

/** client-node reads token files each minute, and runs commands when what they gave has expired. */
async function credentialOf(config: KubeConfig): Promise<Credential> {
  const options: RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const authorization = textField(options.headers, "Authorization");
  const token = authorization.startsWith("Bearer ") ? authorization.slice("Bearer ".length).trim() : undefined;
  const text = (name: "ca" | "cert" | "key"): string | undefined => {
    const value = field(options, name);
    return value instanceof Uint8Array ? Buffer.from(value).toString("utf8") : typeof value === "string" ? value : undefined;
  };
  const [ca, cert, key] = [text("ca"), text("cert"), text("key")];
  return {
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/** @returns the namespace of the pod that we run in, if we do */
export async function podNamespace(file = NAMESPACE_FILE): Promise<string | undefined> {
  try {
    return (await readFile(file, "utf8")).trim() || undefined;
  } catch {
    return undefined;
  }
}
