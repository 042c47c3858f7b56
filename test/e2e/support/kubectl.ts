/** The real kubectl, as an operator's hands. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { builtCommand } from "../../support/component.ts";
import type { KubeCluster } from "./kube-cluster.ts";

export interface KubectlRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `kubectl ARGUMENTS…` as cluster-admin. @param input for `-f -` */
export async function kubectl({ kubeconfig, folder }: KubeCluster, args: readonly string[], input = ""): Promise<KubectlRun> {
  const env = { ...process.env, KUBECONFIG: kubeconfig, KUBECACHEDIR: join(folder, "kubectl-cache") };
  const child = spawn(builtCommand("kubectl"), args, { stdio: ["pipe", "pipe", "pipe"], env });
  child.stdin.on("error", () => {}); // it may end without reading
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

/** As {@link kubectl}, for what must succeed. @returns stdout. @throws with what it wrote */
export async function kubectlOk(cluster: KubeCluster, args: readonly string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await kubectl(cluster, args, input);
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")} ended with ${code}:\n${stderr}${stdout}`);
  return stdout;
}
