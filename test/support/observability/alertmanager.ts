/** A real Alertmanager, on a free port and in a folder of its own. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { freePort } from "../free-port.ts";

const alertsAnswer = z.array(z.looseObject({ labels: z.record(z.string(), z.string()), annotations: z.record(z.string(), z.string()) }));

export interface Alertmanager {
  /** `127.0.0.1:9093`. */
  readonly address: string;
  /** What it was told of and has not ended. */
  readonly alerts: () => Promise<z.infer<typeof alertsAnswer>>;
  readonly stop: () => Promise<void>;
}

/**
 * @param config path of its configuration
 * @throws with what it printed, if it does not become ready
 */
export async function startAlertmanager(config: string): Promise<Alertmanager> {
  const folder = mkdtempSync(join(tmpdir(), "globalroute-alertmanager-"));
  const address = `127.0.0.1:${await freePort()}`;
  const options = [`--config.file=${config}`, `--storage.path=${folder}`, `--web.listen-address=${address}`, "--cluster.listen-address="];
  const child = spawn("prometheus-alertmanager", options, { stdio: ["ignore", "ignore", "pipe"] });
  let printed = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      await exit;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  for (const deadline = performance.now() + 20_000; ; await setTimeout(100)) {
    const ready = await fetch(`http://${address}/-/ready`).catch(() => undefined);
    if (ready?.ok === true) break;
    if (child.exitCode === null && performance.now() < deadline) continue;
    await stop();
    throw new Error(`prometheus-alertmanager did not become ready:\n${printed}`);
  }
  return {
    address,
    alerts: async () => alertsAnswer.parse(await (await fetch(`http://${address}/api/v2/alerts`)).json()),
    stop,
  };
}

/** Runs promtool or amtool. @returns its exit code and all that it printed */
export function tool(
  command: "promtool" | "amtool",
  ...args: readonly string[]
): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  return { code: status, output: stdout + stderr };
}
