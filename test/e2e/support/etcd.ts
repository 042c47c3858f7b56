/** One etcd, in which each API server has a prefix of its own. Nothing is flushed to disk: it need not survive the machine. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtCommand } from "../../support/component.ts";
import { freePort } from "../../support/free-port.ts";
import { eventually } from "./eventually.ts";
import { type RunningProcess, runProcess } from "./process.ts";

export interface Etcd {
  readonly url: string;
  /** Forgets all revisions but the newest one: whoever watches or pages from an older one gets 410 from an API server that starts afterwards. */
  readonly compact: () => Promise<void>;
  /** Starts it again with nothing in it, and revisions from 1 on, as after a restore from nothing. Its API servers must be stopped meanwhile. */
  readonly wipe: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** @returns once it answers */
export async function startEtcd(): Promise<Etcd> {
  const [client, peer] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${client}`;
  let folder: string;
  let child: RunningProcess;

  const start = async (): Promise<void> => {
    folder = mkdtempSync(join(tmpdir(), "globalroute-etcd-"));
    const peerUrl = `http://127.0.0.1:${peer}`;
    child = runProcess(builtCommand("etcd"), [
      "--name=test",
      `--data-dir=${folder}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=test=${peerUrl}`,
      "--unsafe-no-fsync",
      "--log-level=warn",
    ]);
    const isHealthy = async (): Promise<boolean> => {
      if (child.hasEnded()) throw new Error("etcd ended");
      return (await fetch(`${url}/health`)).ok;
    };
    await eventually("etcd to answer", isHealthy, { detail: child.log });
  };
  const stop = async (): Promise<void> => {
    await child.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  const call = async (path: string, body: unknown): Promise<unknown> => {
    const response = await fetch(`${url}/v3/kv/${path}`, { method: "POST", body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`etcd answered ${response.status} to ${path}: ${await response.text()}`);
    return response.json();
  };

  await start();
  return {
    url,
    async compact() {
      const range = await call("range", { key: Buffer.from("/").toString("base64"), limit: "1" });
      await call("compaction", { revision: revisionOf(range), physical: true });
    },
    async wipe() {
      await stop();
      await start();
    },
    stop,
  };
}

function revisionOf(response: unknown): string {
  if (typeof response === "object" && response !== null && "header" in response) {
    const { header } = response;
    if (typeof header === "object" && header !== null && "revision" in header) return String(header.revision);
  }
  throw new Error(`etcd answered without a revision: ${JSON.stringify(response)}`);
}
