/** The CustomResourceDefinitions that the chart installs. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../../support/source-tree.ts";
import type { KubeCluster } from "./kube-cluster.ts";
import { kubectlOk } from "./kubectl.ts";

const folder = join(repository, "charts", "globalroute", "files", "crds");

export interface CrdFile {
  readonly file: string;
  readonly text: string;
}

export const crdFiles = (): readonly CrdFile[] =>
  readdirSync(folder)
    .filter((file) => file.startsWith("globalroute.dev_"))
    .map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") }));

/** Installs all of them. @returns once the server serves them */
export async function installCrds(cluster: KubeCluster): Promise<void> {
  const files = crdFiles().flatMap(({ file }) => ["-f", join(folder, file)]);
  await kubectlOk(cluster, ["apply", "--server-side", ...files]);
  await kubectlOk(cluster, ["wait", "--for=condition=Established", "--timeout=20s", ...files]);
}
