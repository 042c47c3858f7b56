/**
 * `node test/e2e/support/up.ts NAME…`: starts one cluster of each name on 127.0.0.1 (the first with a kube-controller-manager), prints a line of
 * JSON for each and waits for SIGINT or SIGTERM: a playground for people.
 */
import { startEtcd } from "./etcd.ts";
import { startKubeCluster } from "./kube-cluster.ts";

const names = process.argv.slice(2);
const started = performance.now();
const etcd = await startEtcd();
const clusters = await Promise.all(names.map((name, index) => startKubeCluster({ name, etcd, controllerManager: index === 0 })));
for (const { name, url, kubeconfig } of clusters) process.stdout.write(`${JSON.stringify({ name, url, kubeconfig })}\n`);
process.stderr.write(`up after ${((performance.now() - started) / 1000).toFixed(1)} s; Ctrl-C ends it\n`);
const end = async (): Promise<void> => {
  await Promise.all(clusters.map((cluster) => cluster.stop()));
  await etcd.stop();
};
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void end().then(() => process.exit(0)));
setInterval(() => {}, 60_000); // until a signal
