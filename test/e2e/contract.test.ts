/** The contract that the fake API server of the unit tests keeps, on the real one. */
import { readFileSync } from "node:fs";
import { describe } from "vitest";
import { requireComponent } from "../support/component.ts";
import { describeKubeContract } from "../support/kube/contract-suite.ts";
import { startEtcd } from "./support/etcd.ts";
import { startKubeCluster } from "./support/kube-cluster.ts";
import { createAdmin } from "./support/service-accounts.ts";

describe.skipIf(!requireComponent("kubernetes", "kube-apiserver"))("contract", () => {
  describeKubeContract("kube-apiserver 1.35", async () => {
    const etcd = await startEtcd();
    // Without snapshots in its cache it forgets old lists with the compaction, as older versions do.
    const cluster = await startKubeCluster({
      name: "hub",
      etcd,
      controllerManager: true,
      flags: ["--feature-gates=ListFromCacheSnapshot=false"],
    });
    const close = async (): Promise<void> => {
      await cluster.stop();
      await etcd.stop();
    };
    return { url: cluster.url, token: await createAdmin(cluster), ca: readFileSync(cluster.pki.ca, "utf8"), compact: etcd.compact, close };
  });
});
