/** A real HAProxy on loopback, programmed by a fleet of one, and three clusters behind it. Inside a test. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { ms } from "../../../src/model/units.ts";
import { createHaproxyFleet, type HaproxyFleet } from "../../../src/proxy/haproxy/haproxy-fleet.ts";
import type { HaproxyStatus } from "../../../src/proxy/haproxy/keeper.ts";
import type { HaproxyWorld } from "../../../src/proxy/haproxy/layout.ts";
import { reloadHaproxy } from "../../../src/proxy/haproxy/reload.ts";
import type { ConfigOptions } from "../../../src/proxy/haproxy/render-config.ts";
import { askHaproxy } from "../../../src/proxy/haproxy/runtime-socket.ts";
import { freePort } from "../free-port.ts";
import { realPorts } from "../real-ports.ts";
import { tempFolder } from "../temp-folder.ts";

export interface Upstream {
  readonly name: string;
  readonly address: string;
  readonly signal: (name: NodeJS.Signals) => void;
  /** Resolves when it is gone, and its port refuses. */
  readonly kill: () => Promise<void>;
  /** Starts again after SIGKILL. */
  readonly start: () => Promise<void>;
  /** Answers with this status from now on. */
  readonly become: (status: number) => Promise<void>;
  /** `METHOD PATH ID HEADERS`, of each request that arrived. */
  readonly seen: readonly string[];
}

export async function startUpstream(name: string, address: string, port: number): Promise<Upstream> {
  const seen: string[] = [];
  let child: ChildProcess | undefined;
  onTestFinished(() => void child?.kill("SIGKILL"));
  async function start(): Promise<void> {
    child = spawn(process.execPath, [fileURLToPath(new URL("upstream.ts", import.meta.url)), address, String(port), name], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let rest = "";
    await new Promise<void>((resolve) => {
      child!.stdout!.on("data", (chunk) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop()!;
        if (lines.includes("listening")) resolve();
        seen.push(...lines.filter((line) => line !== "listening"));
      });
    });
  }
  await start();
  return {
    ...{ name, address, start, seen },
    signal: (signal) => void child?.kill(signal),
    async kill() {
      const gone = once(child!, "exit");
      child!.kill("SIGKILL");
      await gone;
    },
    become: async (status) => void (await fetch(`http://${address}:${port}/become/${status}`)),
  };
}

export interface HaproxyScene {
  /** Where clients connect to. */
  readonly port: number;
  readonly config: ConfigOptions;
  readonly fleet: HaproxyFleet;
  /** Resolves when the fleet says that requests meet this world. */
  readonly bring: (world: HaproxyWorld) => Promise<void>;
  readonly until: (holds: (status: HaproxyStatus) => boolean) => Promise<void>;
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
  /** One command and its answer. */
  readonly ask: (command: string) => Promise<string>;
  /** As its operator reloads it, who changed nothing. */
  readonly reload: () => Promise<void>;
  /** How often it was reloaded. */
  readonly reloads: () => Promise<number>;
}

/** @param first world that HAProxy starts with */
export async function startHaproxy(first: HaproxyWorld, more: Partial<ConfigOptions> = {}): Promise<HaproxyScene> {
  const folder = await tempFolder();
  const port = await freePort();
  const config: ConfigOptions = {
    ...{ folder, adminSocket: `${folder}/admin.sock`, listen: [{ address: "127.0.0.1", port }] },
    ...{ connectTimeout: 300, clientTimeout: 60_000 },
    ...more,
  };
  const file = `${folder}/haproxy.cfg`;
  const master = { path: `${folder}/master.sock` };
  let child: ChildProcess | undefined;
  let log = "";
  onTestFinished(kill);

  /** Its master and its worker. */
  async function kill(): Promise<void> {
    if (child === undefined) return;
    const gone = once(child, "exit");
    process.kill(-child.pid!, "SIGKILL");
    child = undefined;
    await gone;
  }

  async function start(): Promise<void> {
    const own = spawn("haproxy", ["-W", "-S", master.path, "-f", file], { stdio: ["ignore", "pipe", "pipe"], detached: true });
    child = own;
    for (const stream of [own.stdout, own.stderr]) stream.on("data", (chunk) => (log += chunk));
    while ((await ask(config.adminSocket, "show info").catch(() => "")) === "") {
      if (own.exitCode !== null) throw new Error(`haproxy ended: ${log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  const ask = (path: string, command: string): Promise<string> =>
    askHaproxy(command, { at: { path }, timeout: 5_000, setTimer: (delay, callback) => realPorts.setTimer(ms(delay), callback) });

  let status: HaproxyStatus = { isReachable: false, isCurrent: false };
  let onStatus = (): void => {};
  const fleet = createHaproxyFleet({
    members: [{ name: "here", config, reload: { master } }],
    ports: { ...realPorts, setTimer: (delay, callback) => realPorts.setTimer(ms(delay), callback) },
    onStatus: (_, now) => {
      status = now;
      onStatus();
    },
  });
  onTestFinished(() => fleet.close());

  async function until(holds: (status: HaproxyStatus) => boolean): Promise<void> {
    while (!holds(status)) {
      await new Promise<void>((resolve) => {
        onStatus = resolve;
      });
    }
  }

  async function bring(world: HaproxyWorld): Promise<void> {
    fleet.update(new Map([["here", world]]));
    while (!fleet.status().get("here")!.isCurrent) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  fleet.update(new Map([["here", first]]));
  await until(({ problem }) => problem !== undefined); // its files are there, and nobody answers
  execFileSync("haproxy", ["-c", "-dW", "-f", file], { stdio: "pipe" });
  await start();
  await until(({ isCurrent }) => isCurrent);
  return {
    ...{ port, config, fleet, bring, until, start, kill },
    ask: (command) => ask(config.adminSocket, command),
    reload: () => reloadHaproxy({ master }, { now: realPorts.now, setTimer: (delay, callback) => realPorts.setTimer(ms(delay), callback) }),
    reloads: async () => Number(/master\s+(\d+)/.exec(await ask(master.path, "show proc\nquit"))?.[1]),
  };
}
