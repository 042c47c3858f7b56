/** moto, an emulator of AWS that others wrote: a second opinion on what an answer is. It knows fewer of Route 53's rules. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { builtCommand } from "../../component.ts";
import { freePort } from "../../free-port.ts";

export interface Moto {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** @returns once it answers */
export async function startMoto(): Promise<Moto> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(builtCommand("aws-python"), ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  for (let tries = 0; ; tries++) {
    const response = await fetch(`${url}/moto-api/`).catch(() => undefined);
    if (response?.ok) break;
    if (tries === 300 || child.exitCode !== null) throw new Error("moto does not answer");
    await setTimeout(100);
  }
  return {
    url,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      await exit;
    },
  };
}
