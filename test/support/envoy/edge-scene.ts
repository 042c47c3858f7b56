/** Three clusters on loopback, our control plane and requests at a steady rate, for tests with a real Envoy. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Agent, request } from "undici";
import { onTestFinished } from "vitest";
import { type Milliseconds, ms } from "../../../src/model/units.ts";
import type { EdgeRoute } from "../../../src/proxy/envoy/edge-route.ts";
import { createEnvoyFleet, type EnvoyFleet, type EnvoyFleetOptions } from "../../../src/proxy/envoy/envoy-fleet.ts";
import { Standing } from "../../../src/routing/table.ts";
import { freePort } from "../free-port.ts";
import type { AtEnd } from "../temp-folder.ts";
import { edgeSettings } from "./edge-settings.ts";

/** In the order of the tiers. */
export const SITES = { dublin: "127.0.21.1", frankfurt: "127.0.21.2", virginia: "127.0.21.3" } as const;
type Site = keyof typeof SITES;
const names = Object.keys(SITES) as Site[];

export const HOST = "shop.example.org";
export const PLACE = "ireland";

export interface Sites {
  readonly port: number;
  /** Those that run now, or ran last. */
  readonly processes: Record<Site, ChildProcess>;
  /** Values of x-id of all POSTs that arrived anywhere, so far. */
  readonly received: string[];
}

/** Inside a test. @param files certificate and key, if they speak TLS */
export async function startSites(files: readonly string[] = []): Promise<Sites> {
  const port = await freePort();
  const received: string[] = [];
  const started = names.map(async (name) => [name, await startProcess([SITES[name], String(port), ...files], received)] as const);
  const processes = Object.fromEntries(await Promise.all(started)) as Sites["processes"];
  return { port, processes, received };
}

/** Again, after it was killed. Inside a test. */
export async function startSite(sites: Sites, site: Site): Promise<void> {
  sites.processes[site] = await startProcess([SITES[site], String(sites.port)], sites.received);
}

async function startProcess(parameters: readonly string[], ids: string[]): Promise<ChildProcess> {
  const program = fileURLToPath(new URL("./upstream.ts", import.meta.url));
  const child = spawn(process.execPath, [program, ...parameters], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const lines = createInterface(child.stdout);
  await once(lines, "line"); // it listens
  lines.on("line", (id) => ids.push(id));
  return child;
}

/** The route, each cluster a tier of its own, as long as it is not out. */
export function shopRoute(port: number, out: readonly Site[] = [], attemptTimeout: Milliseconds = ms(500)): EdgeRoute {
  const tiers = names.map((name) => [
    { name, cluster: name, weight: 1_000_000, endpoints: [{ address: SITES[name], serves: !out.includes(name) }] },
  ]);
  const settings = edgeSettings(port);
  return {
    key: "default/shop",
    hosts: [HOST],
    settings: { ...settings, retry: { ...settings.retry, attemptTimeout } },
    plans: new Map([[PLACE, { tiers, standing: Standing.Usable }]]),
  };
}

/** Inside a test, or with an end of its own. @returns a fleet whose Envoys in region `eu-west` are at {@link PLACE}, and the port that it listens on */
export async function startFleet(
  options: Partial<EnvoyFleetOptions> = {},
  atEnd: AtEnd = onTestFinished,
): Promise<EnvoyFleet & { readonly port: number }> {
  const fleet = createEnvoyFleet({
    listen: { address: "127.0.0.1", port: 0 },
    flag: "--envoy",
    tls: undefined,
    wallClock: () => Date.now(),
    placeOf: ({ region }) => (region === "eu-west" ? PLACE : undefined),
    listener: { listen: { address: "127.0.0.1", port: 0 }, trustedHops: 0 },
    ...options,
  });
  const { port } = await fleet.start();
  atEnd(() => fleet.close());
  return { ...fleet, port };
}

export interface Outcome {
  /** Milliseconds since the load began. */
  readonly at: number;
  readonly status: number;
  /** Address of the site that answered, or what went wrong. */
  readonly text: string;
}

export interface Load {
  /** Milliseconds since it began. */
  elapsed(): number;
  stop(): Promise<readonly Outcome[]>;
}

/** Requests to an Envoy's listener, so many a second, whether earlier ones were answered or not. */
export function startLoad(port: number, perSecond: number, method: "GET" | "POST" = "GET"): Load {
  const dispatcher = new Agent({ connections: 256 });
  const start = performance.now();
  const outcomes: Promise<Outcome>[] = [];
  const one = async (): Promise<Outcome> => {
    const at = performance.now() - start;
    try {
      const { statusCode, body } = await request(`http://127.0.0.1:${port}/`, { method, dispatcher, headers: { host: HOST } });
      return { at, status: statusCode, text: await body.text() };
    } catch (error) {
      return { at, status: 0, text: String(error) };
    }
  };
  const timer = setInterval(() => {
    while (outcomes.length < ((performance.now() - start) * perSecond) / 1000) outcomes.push(one());
  }, 5);
  return {
    elapsed: () => performance.now() - start,
    async stop() {
      clearInterval(timer);
      const all = await Promise.all(outcomes);
      await dispatcher.close();
      return all;
    },
  };
}
