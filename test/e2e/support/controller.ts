/** `globalroute controller` as a process of its own, with the ServiceAccount and the rights that the chart gives it. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { launcher } from "../../support/demo.ts";
import { type DigAnswer, dig } from "../../support/dig.ts";
import { freePort } from "../../support/free-port.ts";
import { eventually } from "./eventually.ts";
import { CONTROLLER, NAMESPACE } from "./install.ts";
import type { KubeCluster } from "./kube-cluster.ts";
import { runProcess } from "./process.ts";

export interface ControllerOptions {
  /** As the pod would be called. */
  readonly name?: string;
  /** Of a proxy before the hub's API server. */
  readonly hubUrl?: string;
  /** Seconds for which its token is good; an hour by default. */
  readonly tokenSeconds?: number;
  /** Its state folder, to be found again after a restart; by default one of its own. */
  readonly state?: string;
  /** More arguments. */
  readonly args?: readonly string[];
  /** More environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Controller {
  readonly admin: string;
  readonly dnsPort: number;
  /** On 127.0.0.1, where vantages report to. */
  readonly peerPort: number;
  readonly pid: number;
  readonly log: () => string;
  /** Asks its DNS server. @param subnet of the client (RFC 7871) */
  readonly dig: (name: string, subnet: string, type?: string) => Promise<DigAnswer>;
  /** HTTP status of `/readyz`, and the reasons that it gives. */
  readonly readyz: () => Promise<{ readonly status: number; readonly degraded: readonly string[] }>;
  /** Monotonic milliseconds after which no API server accepts its first token. */
  readonly tokenUntil: number;
  /** Puts another token, good for this many seconds, into its kubeconfig. */
  readonly renewToken: (seconds: number) => Promise<void>;
  /** @returns the exit code, null when a signal ended it */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

const READY_MS = 30_000;
/** For which API servers go on accepting a token that has ended, s. */
const LEEWAY_S = 60;

/** @returns once its DNS server is bound and its admin API answers, ready or not */
export async function startController(hub: KubeCluster, options: ControllerOptions = {}): Promise<Controller> {
  const { name = "globalroute-0", hubUrl, tokenSeconds = 3600, args = [], env = {} } = options;
  const [dnsPort, adminPort, peerPort] = [await freePort(), await freePort(), await freePort()];
  const folder = mkdtempSync(join(hub.folder, `${name}-`));
  const state = options.state ?? join(folder, "state");
  mkdirSync(state, { recursive: true });
  const write = (file: string, text: string): string => {
    writeFileSync(join(folder, file), text, { mode: 0o600 });
    return join(folder, file);
  };
  const renewToken = async (seconds: number): Promise<void> => {
    write("kubeconfig", hub.kubeconfigFor(await hub.mintToken(NAMESPACE, CONTROLLER, seconds), hubUrl));
  };
  await renewToken(tokenSeconds);
  const tokenUntil = performance.now() + (tokenSeconds + LEEWAY_S + 2) * 1000;
  const kubeconfig = join(folder, "kubeconfig");
  const secret = write("peer-secret", "a secret of this test, longer than thirty-two characters");
  const child = runProcess(
    process.execPath,
    [
      launcher,
      "controller",
      ...["--kubeconfig", kubeconfig, "--namespace", NAMESPACE, "--state", state],
      ...["--listen", `127.0.0.1:${dnsPort}`, "--admin", `127.0.0.1:${adminPort}`],
      ...["--peer-listen", `127.0.0.1:${peerPort}`, "--peer-secret", secret],
      ...["--dns-workers", "1", "--json", ...args],
    ],
    { POD_NAME: name, ...env },
  );
  const admin = `http://127.0.0.1:${adminPort}`;
  const readyz = async (): Promise<{ status: number; degraded: readonly string[] }> => {
    const response = await fetch(`${admin}/readyz`);
    const { degraded } = (await response.json()) as { degraded: readonly string[] };
    return { status: response.status, degraded };
  };
  const hasStarted = async (): Promise<boolean> => {
    if (child.hasEnded()) throw new Error("the controller ended");
    return (await readyz()).status > 0;
  };
  await eventually("the controller to start", hasStarted, { within: READY_MS, detail: child.log });
  return {
    admin,
    dnsPort,
    peerPort,
    pid: child.pid,
    log: child.log,
    dig: (host, subnet, type = "A") => dig(dnsPort, host, type, `+subnet=${subnet}`),
    readyz,
    tokenUntil,
    renewToken,
    stop: child.stop,
  };
}
