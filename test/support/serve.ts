/** Starts the real server, as a process of its own on free ports, for tests. */
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout } from "node:timers/promises";
import { launcher } from "./demo.ts";

export interface Server {
  readonly dnsPort: number;
  readonly admin: string;
  readonly pid: number;
  /** What it logged so far. */
  log(): string;
  /** @returns its exit code, null when a signal ended it */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** A port of 127.0.0.1 that was free a moment ago, for UDP and TCP. */
export async function freePort(): Promise<number> {
  for (;;) {
    const tcp = createServer().listen(0, "127.0.0.1");
    await once(tcp, "listening");
    const address = tcp.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    const udp = createSocket("udp4");
    const free = await new Promise<boolean>((resolve) => {
      udp.once("error", () => resolve(false)).bind(port, "127.0.0.1", () => resolve(true));
    });
    if (free) udp.close();
    await new Promise((resolve) => tcp.close(resolve));
    if (free) return port;
  }
}

/**
 * `globalroute serve` with these options besides its listeners.
 *
 * @returns once it says that it is serving, and is ready
 * @throws with its log, if it ends instead or is not ready within 20 s
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
    if (tries === 200 || child.exitCode !== null) {
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
