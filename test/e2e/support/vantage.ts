/** `globalroute vantage` as a process of its own, with an address of its own, in a site beside a hub. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { launcher } from "../../support/demo.ts";
import { freePort } from "../../support/free-port.ts";
import type { Controller } from "./controller.ts";
import { eventually } from "./eventually.ts";
import { NAMESPACE } from "./install.ts";
import type { KubeCluster } from "./kube-cluster.ts";
import { ownAddress } from "./network.ts";
import { runProcess } from "./process.ts";

export interface Vantage {
  readonly name: string;
  readonly address: string;
  readonly log: () => string;
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

const secretPath = `/api/v1/namespaces/${NAMESPACE}/secrets/globalroute-vantages`;

/**
 * Gives the hub a new credential of this name, as the documentation says, and starts a vantage with it.
 *
 * @param args more arguments
 * @returns once it has been told what to probe
 */
export async function startVantage(
  hub: KubeCluster,
  controller: Controller,
  name: string,
  address: string,
  args: readonly string[] = [],
): Promise<Vantage> {
  const secret = randomBytes(32).toString("base64");
  const credential = join(hub.folder, `${name}.key`);
  writeFileSync(credential, secret, { mode: 0o600 });
  await setCredential(hub, name, secret);
  const metrics = `127.0.0.1:${await freePort()}`;
  const child = runProcess(
    process.execPath,
    [
      launcher,
      "vantage",
      ...["--report-to", `127.0.0.1:${controller.peerPort}`, "--name", name, "--credential", credential, "--metrics", metrics],
      ...["--json", ...args],
    ],
    { POD_NAME: `${name}-0`, ...ownAddress(address) },
  );
  const isTold = async (): Promise<boolean> => {
    if (child.hasEnded()) throw new Error("the vantage ended");
    return (await fetch(`http://${metrics}/readyz`)).status === 200;
  };
  // After a first refusal, because the Secret is not known yet, it waits for up to ten seconds.
  await eventually(`vantage ${name} to be told what to probe`, isTold, { within: 40_000, detail: child.log });
  return { name, address, log: child.log, stop: child.stop };
}

/** Takes its key out of the hub's Secret. */
export const revokeVantage = (hub: KubeCluster, name: string): Promise<unknown> => hub.api.patch(secretPath, { data: { [name]: null } });

async function setCredential({ api }: KubeCluster, name: string, secret: string): Promise<void> {
  const data = { [name]: Buffer.from(secret).toString("base64") };
  if ((await api.request("GET", secretPath)).status === 200) await api.patch(secretPath, { data });
  else {
    const metadata = { name: "globalroute-vantages", namespace: NAMESPACE };
    await api.create(`/api/v1/namespaces/${NAMESPACE}/secrets`, { apiVersion: "v1", kind: "Secret", metadata, data });
  }
}
