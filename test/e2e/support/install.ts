/** Installs GlobalRoute as an operator does, but for the pods: there are no machines here. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { builtCommand } from "../../support/component.ts";
import { repository } from "../../support/source-tree.ts";
import type { KubeCluster } from "./kube-cluster.ts";
import { kubectlOk } from "./kubectl.ts";

/** Where the controller's own objects live. */
export const NAMESPACE = "globalroute-system";
/** Name of the ServiceAccount that the chart gives the controller, which is the release's. */
export const CONTROLLER = "globalroute";

const run = promisify(execFile);
const chart = join(repository, "charts", "globalroute");

/** What `helm install` would send. @param values as after `--set` */
export async function chartManifests(values: readonly string[] = []): Promise<string> {
  const set = values.flatMap((value) => ["--set", value]);
  const args = ["template", CONTROLLER, chart, "--namespace", NAMESPACE, "--kube-version", "1.35.4", "--no-hooks", ...set];
  return (await run(builtCommand("helm"), args, { maxBuffer: 1 << 26 })).stdout;
}

/** Applies the whole chart. @returns once our kinds are served */
export async function installChart(hub: KubeCluster, values: readonly string[] = []): Promise<void> {
  await kubectlOk(hub, ["create", "namespace", NAMESPACE]);
  await kubectlOk(hub, ["apply", "--server-side", "-f", "-"], await chartManifests(values));
  await kubectlOk(hub, ["wait", "--for=condition=Established", "--timeout=20s", "crd", "--all"]);
}
