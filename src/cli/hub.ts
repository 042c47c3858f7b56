/** The API server that holds our objects, as commands reach it. */
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { type Command, Option } from "commander";
import type { KubeApi } from "../../controller/kube/kube-api.ts";
import type { KubeConnection } from "../../controller/kube/kube-connection.ts";
import { KubeError } from "../../controller/kube/kube-error.ts";
import { CommandError, type Io } from "./io.ts";
import { GROUPS, parsePath } from "./options.ts";
import { version } from "./version.ts";

export interface HubFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** Where the chart installs the controller when nobody says otherwise. */
export const DEFAULT_NAMESPACE = "globalroute-system";

export const hubOptions = (command: Command): Command =>
  command
    .addOption(
      new Option("--kubeconfig <file>", "access to the Kubernetes cluster that holds the objects (default: as kubectl)")
        .argParser(parsePath)
        .helpGroup(GROUPS.kubernetes),
    )
    .addOption(new Option("--context <name>", "context of the kubeconfig (default: its current one)").helpGroup(GROUPS.kubernetes))
    .addOption(
      new Option("--namespace <name>", `where the controller is installed (default: ${DEFAULT_NAMESPACE})`).helpGroup(GROUPS.kubernetes),
    );

/** True when any option says that the objects are in Kubernetes; a command then does not look for a folder. */
export const isForHub = ({ kubeconfig, context, namespace }: HubFlags): boolean => (kubeconfig ?? context ?? namespace) !== undefined;

export interface Hub {
  readonly api: KubeApi;
  /** How it is reached. */
  readonly connection: KubeConnection;
  /** Where the controller is. */
  readonly namespace: string;
}

/**
 * Runs something with access to the hub: by the kubeconfig, else as the service account of the pod that this is, else as kubectl would.
 *
 * @throws CommandError (exit 1) for whatever the API server refuses, and when there is no access
 */
export async function withHub<T>(flags: HubFlags, io: Io, work: (hub: Hub) => Promise<T>): Promise<T> {
  // Large, and of no use to whoever works on a folder.
  const [{ openKubeApi }, { ownConnection, podNamespace }, { systemKubePorts }] = await Promise.all([
    import("../../controller/kube/open-kube-api.ts"),
    import("../../controller/kube/own-kubeconfig.ts"),
    import("../../controller/kube/system-ports.ts"),
  ]);
  const { context } = flags;
  const kubeconfig = flags.kubeconfig ?? usualKubeconfig(io);
  let connection: KubeConnection;
  try {
    const access = { ...(kubeconfig === undefined ? {} : { kubeconfig }), ...(context === undefined ? {} : { context }) };
    ({ connection } = await ownConnection(access, io.env));
  } catch (cause) {
    throw new CommandError(1, cause instanceof Error ? cause.message : String(cause), { cause });
  }
  const api = openKubeApi(connection, systemKubePorts(), { userAgent: () => `globalroute/${version()} (cli)` });
  try {
    const namespace = flags.namespace ?? (kubeconfig === undefined ? await podNamespace() : undefined) ?? DEFAULT_NAMESPACE;
    return await work({ api, connection, namespace });
  } catch (error) {
    if (error instanceof KubeError) throw new CommandError(1, error.message, { cause: error });
    throw error;
  } finally {
    api.close();
  }
}

/** In a pod: none. */
function usualKubeconfig(io: Io): string | undefined {
  if ((io.env.KUBERNETES_SERVICE_HOST ?? "") !== "") return undefined;
  const [first] = (io.env.KUBECONFIG ?? "").split(delimiter).filter((path) => path !== "");
  return first ?? join(io.env.HOME ?? homedir(), ".kube", "config");
}
