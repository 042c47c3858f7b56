/** Renews the credentials of member clusters that renew themselves, in the writer's term. */

import type { ClusterManager } from "../clusters/cluster-manager.ts";
import type { KubeApi } from "../kube/kube-api.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import { PRIORITY, retry, type TermLane, type Writing } from "./write-lane.ts";

export interface CredentialWriterOptions {
  readonly api: KubeApi;
  readonly clusters: Pick<ClusterManager, "credentialsDue" | "renew">;
  readonly ports: KubePorts;
  readonly onRefused: (key: string, error: Error) => void;
}

/** Between looks at what is due, ms; a third of a credential's life is left by then. */
const LOOK = 30_000;
const REFUSED_PAUSE = 300_000;

export function createCredentialWriter({ api, clusters, ports, onRefused }: CredentialWriterOptions): Writing {
  let cancel: (() => void) | undefined;

  function look(lane: TermLane): void {
    for (const cluster of clusters.credentialsDue(ports.wallClock())) lane.add(cluster, PRIORITY.object);
    cancel = ports.setTimer(LOOK, () => look(lane));
  }

  return {
    name: "credential",
    begin: look,
    async write(cluster, { send }) {
      if (!clusters.credentialsDue(ports.wallClock()).includes(cluster)) return "Done";
      const sent = await send((options) => clusters.renew(cluster, api, options));
      switch (sent.kind) {
        case "Done":
          return "Done";
        case "Missing":
          onRefused(
            `credential of ${cluster}`,
            new Error("the Secret, or the ServiceAccount in the member, is gone. Run `globalroute join` again."),
          );
          return { retryAfter: REFUSED_PAUSE };
        case "Conflict":
          return "Retry";
        case "Later":
          return retry(sent);
        case "Refused":
          onRefused(`credential of ${cluster}`, sent.error);
          return { retryAfter: REFUSED_PAUSE };
      }
    },
    end() {
      cancel?.();
      cancel = undefined;
    },
  };
}
