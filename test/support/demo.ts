/** Starts the real demo, as a process of its own on free ports and with its own state, for tests and measurements. */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { freePort } from "./free-port.ts";
import { repository } from "./source-tree.ts";

export const launcher = join(repository, "bin", "globalroute.js");

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command of ours to its end, with this Node. */
export function globalroute(...args: readonly string[]): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [launcher, ...args], { maxBuffer: 1 << 26 }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

export interface Demo {
  readonly process: ChildProcess;
  /** Of the DNS listener on 127.0.0.1. */
  readonly dnsPort: number;
  readonly admin: string;
  /** URL at which it passes requests on. */
  readonly proxy: string;
  readonly clusterPort: number;
  readonly stateDir: string;
  /** The watched folder. */
  readonly config: string;
  /** Process of each cluster, as printed at the start. */
  readonly pids: ReadonlyMap<string, number>;
  /** Lines printed so far. */
  readonly lines: readonly string[];
  /** Runs `globalroute demo up|down CLUSTER` against it. */
  act(act: "up" | "down", cluster: string): Promise<Finished>;
  /** Ends it and removes its state. @returns its exit code, null when a signal ended it */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** A port that is free on every site's address, as far as 127.0.10.1 can tell. */
export async function freeClusterPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.10.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("127.0.10.1 gave no port");
  return address.port;
}

/**
 * @param more arguments
 * @returns a demo that has printed its opening lines, and whose five clusters have all been probed and found healthy
 * @throws with what it printed, if it ends instead
 */
export async function startDemo(...more: readonly string[]): Promise<Demo> {
  const stateDir = mkdtempSync(join(tmpdir(), "globalroute-test-"));
  const clusterPort = await freeClusterPort();
  const options = [
    "--port",
    String(await freePort()),
    "--admin-port",
    "0",
    "--proxy-port",
    "0",
    "--cluster-port",
    String(clusterPort),
    "--state",
    stateDir,
  ];
  const child = spawn(process.execPath, [launcher, "demo", "--no-tty", ...options, ...more], { stdio: ["ignore", "pipe", "pipe"] });
  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, "exit");
      child.kill(signal);
      await exit;
    }
    rmSync(stateDir, { recursive: true, force: true });
    return child.exitCode;
  };
  const lines: string[] = [];
  try {
    await openingLines(child, lines);
    const [, dnsPort = ""] = find(lines, /^DNS\s+127\.0\.0\.1:(\d+)/);
    const [, admin = ""] = find(lines, /^admin\s+(http:\S+)/);
    const [, proxy = ""] = find(lines, /^HTTP\s+(http:\S+)/);
    const [, config = ""] = find(lines, /^objects\s+(\S+)/);
    const pids = new Map(
      ["eu-west", "us-east", "ap-northeast", "sa-east", "eu-central"].map((name) => {
        const [, pid] = find(lines, new RegExp(`^${name}\\s+127\\.0\\.10\\.\\d:${clusterPort}\\s+pid (\\d+)`));
        return [name, Number(pid)];
      }),
    );
    await allHealthy(admin);
    const act: Demo["act"] = (what, cluster) => globalroute("demo", what, cluster, "--state", stateDir);
    return { process: child, dnsPort: Number(dnsPort), admin, proxy, config, clusterPort, stateDir, pids, lines, act, stop };
  } catch (error) {
    await stop("SIGKILL");
    throw error;
  }
}

/** Collects what the demo prints, and waits until it has said how to break a cluster, its last opening line. */
function openingLines(child: ChildProcess, lines: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let stderr = "";
    let rest = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts);
      if (parts.some((line) => line.includes("demo down eu-west"))) resolve();
    });
    child.once("exit", (code) => reject(new Error(`the demo ended with ${code}:\n${lines.join("\n")}\n${stderr}`)));
  });
}

function find(lines: readonly string[], pattern: RegExp): RegExpExecArray {
  const match = lines.map((line) => pattern.exec(line)).find((one) => one !== null);
  if (match === undefined || match === null) throw new Error(`the demo did not print ${pattern}:\n${lines.join("\n")}`);
  return match;
}

/** Waits until every endpoint of every cluster was found healthy: each route's own probe. */
async function allHealthy(admin: string): Promise<void> {
  const deadline = AbortSignal.timeout(20_000);
  for (;;) {
    const status = statusAnswer.parse(await (await fetch(`${admin}/v1/status`, { signal: deadline })).json());
    if (
      status.clusters.length === 5 &&
      status.clusters.every(({ endpoints }) => endpoints.total > 0 && endpoints.healthy === endpoints.total)
    )
      return;
    await setTimeout(100);
  }
}

const statusAnswer = z.object({ clusters: z.array(z.object({ endpoints: z.object({ healthy: z.number(), total: z.number() }) })) });
