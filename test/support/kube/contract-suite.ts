/** What every Kubernetes API server does, as far as this project relies on it. The fake passes it in `npm test`, the real one in the end-to-end tests. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, vi } from "vitest";
import { describeAccess } from "./contract/access.ts";
import { describeApply } from "./contract/apply.ts";
import { describeBuiltIns } from "./contract/built-ins.ts";
import { describeDeletion } from "./contract/deletion.ts";
import { GADGET_CRD } from "./contract/gadget-crd.ts";
import { describeKubeClient } from "./contract/kube-client.ts";
import { describeLists } from "./contract/lists.ts";
import { describeObjects } from "./contract/objects.ts";
import { describePatches } from "./contract/patches.ts";
import { type ContractClient, contractClient, type KubeContractPeer } from "./contract/peer.ts";
import { describeSchema } from "./contract/schema.ts";
import { describeWatches } from "./contract/watches.ts";

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/**
 * @param name of the server
 * @param open starts one, or gives one that runs: everything is done in a namespace and with a kind of the suite's own
 */
export function describeKubeContract(name: string, open: () => Promise<KubeContractPeer>): void {
  describe(`Kubernetes API: ${name}`, () => {
    let opened: ContractClient | undefined;
    const client = (): ContractClient => {
      if (opened === undefined) throw new Error("the contract has no server yet");
      return opened;
    };

    beforeAll(async () => {
      opened = contractClient(await open(), `contract-${randomBytes(4).toString("hex")}`);
      const { namespace, gadgets } = opened;
      const made = await opened.call("POST", CRDS, GADGET_CRD);
      expect([201, 409], JSON.stringify(made.body)).toContain(made.status);
      await opened.call("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
      // A real server serves a new kind a moment after its CRD was accepted.
      await vi.waitFor(async () => expect((await client().call("GET", gadgets)).status).toBe(200), { timeout: 20_000, interval: 100 });
    }, 30_000);
    afterAll(async () => {
      await opened?.close();
      await opened?.peer.close();
    });

    describeObjects(client);
    describeSchema(client);
    describePatches(client);
    describeApply(client);
    describeDeletion(client);
    describeLists(client);
    describeWatches(client);
    describeAccess(client);
    describeBuiltIns(client);
    describeKubeClient(client);
  });
}
