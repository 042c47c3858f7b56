/** Runs the demo's sites as child processes. It starts them, says who lives, and never restarts one by itself. */
import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import { LISTENING, type Site } from "./world.ts";

export interface RunningSite extends Site {
  readonly port: number;
  /** Undefined while the site is down. */
  readonly pid: number | undefined;
}

export interface Supervisor {
  sites(): readonly RunningSite[];
  /**
   * Starts every site.
   *
   * @throws SiteError of the first one that cannot start; the others are ended again
   */
  start(): Promise<void>;
  /** Starts one site again. @returns its pid, also when it was running already. @throws SiteError */
  up(name: string): Promise<number>;
  /** Kills one site (SIGKILL). @returns the pid that it had, or undefined when it was down already */
  down(name: string): Promise<number | undefined>;
  /** Kills all that lives and waits until it is gone. */
  close(): Promise<void>;
}

/** A site that cannot start. */
export class SiteError extends Error {
  readonly code: "port-taken" | "no-address" | "failed";
  readonly site: string;
  constructor(code: SiteError["code"], site: Site, port: number, fact: string) {
    super(`${site.name} cannot start at ${site.address}:${port}: ${fact}`);
    this.code = code;
    this.site = site.name;
  }
}

const START_TIMEOUT_MS = 10_000;

/** @param onChange called after a site came up or went down, whoever did it */
export function createSupervisor(sites: readonly Site[], port: number, onChange: (site: RunningSite) => void): Supervisor {
  const children = new Map<string, ChildProcess>();
  let closing = false;

  const find = (name: string): Site => {
    const site = sites.find((one) => one.name === name);
    if (site === undefined) throw new Error(`no site is called ${name}`);
    return site;
  };
  const describe = (site: Site): RunningSite => ({ ...site, port, pid: children.get(site.name)?.pid });

  async function up(name: string): Promise<number> {
    const site = find(name);
    const living = children.get(name)?.pid;
    if (living !== undefined) return living;
    const child = await startSite(site, port);
    const pid = child.pid ?? 0;
    if (closing) {
      await end(child);
      return pid;
    }
    children.set(name, child);
    child.once("exit", () => {
      children.delete(name);
      if (!closing) onChange(describe(site));
    });
    onChange(describe(site));
    return pid;
  }

  async function close(): Promise<void> {
    closing = true;
    await Promise.all([...children.values()].map(end));
  }

  return {
    sites: () => sites.map(describe),
    async start() {
      const results = await Promise.allSettled(sites.map((site) => up(site.name)));
      const failed = results.find((result) => result.status === "rejected");
      if (failed === undefined) return;
      await close();
      throw failed.reason;
    },
    up,
    async down(name) {
      const child = children.get(find(name).name);
      if (child !== undefined) await end(child);
      return child?.pid;
    },
    close,
  };
}

/** SIGKILL also ends a stopped process. */
function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

function startSite(site: Site, port: number): Promise<ChildProcess> {
  // A compiled package holds site.js: the extension is that of this file.
  const program = new URL(`./site${extname(import.meta.url)}`, import.meta.url);
  const child = fork(program, [site.name, site.place, site.address, String(port)], {
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  return new Promise((resolve, reject) => {
    const settle = (error?: SiteError): void => {
      clearTimeout(deadline);
      child.off("error", onError).off("exit", onExit).off("message", onMessage);
      if (error === undefined) resolve(child);
      else void end(child).then(() => reject(error));
    };
    const onError = (error: Error): void => settle(new SiteError("failed", site, port, `${error.message}.`));
    const onExit = (code: number | null, signal: string | null): void =>
      settle(new SiteError("failed", site, port, `its process ended (${signal ?? code}).`));
    const onMessage = (message: unknown): void => settle(message === LISTENING ? undefined : failure(site, port, String(message)));
    const deadline = setTimeout(() => settle(new SiteError("failed", site, port, "it did not listen in time.")), START_TIMEOUT_MS);
    child.on("error", onError).on("exit", onExit).on("message", onMessage);
  });
}

/** @param code as Node names it */
function failure(site: Site, port: number, code: string): SiteError {
  switch (code) {
    case "EADDRINUSE":
      return new SiteError("port-taken", site, port, "the port is taken. End what holds it, or choose another one with --cluster-port.");
    case "EADDRNOTAVAIL":
      return new SiteError("no-address", site, port, "this machine does not have the address.");
    default:
      return new SiteError("failed", site, port, `${code}.`);
  }
}
