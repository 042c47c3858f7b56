/** Starts the real server, as a process of its own on free ports, for tests. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { launcher } from "./demo.ts";
import { freePort } from "./free-port.ts";

export interface Server {
  readonly dnsPort: number;
  readonly admin: string;
  readonly pid: number;
  /** What it logged so far. */
  log(): string;
  /** @returns its exit code, null when a signal ended it */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/**
 * `globalroute serve` with these options besides its listeners.
 *
 * @returns once it says that it is serving, and is ready
 * @throws with its log, if it ends instead or is not ready within a minute
 */
export async function startServer(...options: readonly string[]): Promise<Server> {
  const [dnsPort, adminPort] = [await freePort(), await freePort()];
  const listeners = ["--listen", `127.0.0.1:${dnsPort}`, "--admin", `127.0.0.1:${adminPort}`];
  const child = spawn(process.execPath, [launcher, "serve", ...listeners, ...options], { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const admin = `http://127.0.0.1:${adminPort}`;
  for (let tries = 0; !(log.includes('"serving"') && (await isReady(admin))); tries++) {
    if (tries === 600 || child.exitCode !== null) {
      child.kill("SIGKILL");
      throw new Error(`the server did not become ready (exit code ${child.exitCode}):\n${log}`);
    }
    await setTimeout(100);
  }
  return {
    dnsPort,
    admin,
    pid: child.pid ?? 0,
    log: () => log,
    async stop(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) {
        const exit = once(child, "exit");
        child.kill(signal);
        await exit;
      }
      return child.exitCode;
    },
  };
}

const isReady = (admin: string): Promise<boolean> =>
  fetch(`${admin}/readyz`).then(
    (response) => response.ok,
    () => false,
  );
