/** Runs the demo: sites, objects, engine and view, until it is asked to stop. */
import { setTimeout as sleep } from "node:timers/promises";
import { formatListenAddress } from "../../model/listen-address.ts";
import { buildBundle, isBundleStale } from "../dashboard-bundle.ts";
import { lockFolder } from "../folder-lock.ts";
import { CommandError, type ExitCode, type Io } from "../io.ts";
import { openLiveView, type Terminal } from "../live-view.ts";
import type { Service } from "../service.ts";
import { stopSignals } from "../stop-signals.ts";
import { paintFor } from "../text.ts";
import { type ControlReply, type ControlRequest, openControl } from "./control.ts";
import { type DemoFolder, writeDemoFolder } from "./demo-folder.ts";
import { adminUrl, type DemoPorts, proxyUrl, startDemoService } from "./demo-service.ts";
import { type FrameInput, renderFrame } from "./frame.ts";
import { eventLine, openingLines } from "./plain-view.ts";
import { removeDemoState, runningDemo, writeDemoState } from "./state-file.ts";
import { createSupervisor, SiteError, type Supervisor } from "./supervisor.ts";
import { demoManifests, SITES } from "./world.ts";

export interface DemoOptions extends DemoPorts {
  readonly clusterPort: number;
  /** State folder; holds `demo.json` and `demo/`. */
  readonly state: string;
  /** `once` prints one frame and ends. */
  readonly view: "live" | "plain" | "once";
  /** How this program was called, for commands to try. */
  readonly self: string;
}

/** How long `--once` waits for probes of every cluster. */
const ONCE_PATIENCE_MS = 20_000;
const REDRAW_EVERY_MS = 500;
const FRAME_WITHOUT_TERMINAL = { width: 120, height: 60 };

/** What runs while the demo does. */
interface Running {
  readonly supervisor: Supervisor;
  readonly service: Service;
  readonly folder: DemoFolder;
}

/**
 * @param terminal for the live view
 * @returns 0, or 1 when `--once` found a cluster that is not healthy
 * @throws CommandError when it cannot start; whatever was started is ended again
 */
export async function runDemo(options: DemoOptions, io: Io, terminal: Terminal | undefined): Promise<ExitCode> {
  const other = await runningDemo(options.state);
  if (other !== undefined) throw alreadyRunning(`process ${other.supervisor}`);
  const closers: (() => void | Promise<void>)[] = [];
  // Two that start at once find no running demo; where there are no locks they are told apart by their ports.
  const lock = await lockFolder(options.state, "demo.lock", () => {});
  if (!lock.taken) throw alreadyRunning(lock.holder);
  closers.push(lock.release);
  const stop = stopSignals(io, () => io.abort(1));
  closers.push(stop.forget);
  let onSiteChange = (): void => {};
  try {
    const supervisor = createSupervisor(SITES, options.clusterPort, () => onSiteChange());
    closers.push(() => supervisor.close());
    await supervisor.start();
    const folder = writeDemoFolder(options.state, demoManifests(options.clusterPort));
    if (options.view !== "once") await provideDashboard(io);
    const control = await openControl((request) => carryOut(supervisor, request));
    closers.push(() => control.close());
    const service = await startDemoService(options, folder, options.view === "live", io);
    closers.push(() => service.stop());

    onSiteChange = () =>
      writeDemoState(options.state, {
        supervisor: process.pid,
        socket: control.path,
        dns: service.dns.map(formatListenAddress)[0] ?? "",
        admin: adminUrl(service),
        config: folder.config,
        clusters: supervisor.sites().map(({ name, address, port, pid }) => ({ name, address: `${address}:${port}`, pid: pid ?? null })),
      });
    onSiteChange();
    closers.push(() => {
      onSiteChange = () => {};
      removeDemoState(options.state);
    });
    const running = { supervisor, service, folder };
    if (options.view === "once") return await showOnce(running, io, stop.asked);
    if (options.view === "live" && terminal !== undefined) await showLive(running, options, io, terminal, stop.asked);
    else await showPlain(running, options, io, stop.asked);
    return 0;
  } catch (error) {
    throw error instanceof SiteError ? siteFailure(error, process.platform) : error;
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

const alreadyRunning = (holder: string): CommandError =>
  new CommandError(1, `a demo is running already, as ${holder}. End it, or give this one another folder with --state.`);

/** In a checkout whose dashboard changed: seconds, once. What cannot be built is told, and the demo runs without it. */
async function provideDashboard(io: Io): Promise<void> {
  if (!isBundleStale()) return;
  io.stderr.write("globalroute: building the dashboard, once…\n");
  const { message } = await buildBundle(io.now);
  io.stderr.write(`globalroute: ${message}.\n`);
}

/** What `demo up` and `demo down` ask for. */
async function carryOut(supervisor: Supervisor, { act, cluster }: ControlRequest): Promise<ControlReply> {
  const site = supervisor.sites().find((one) => one.name === cluster);
  if (site === undefined) return { ok: false, message: `no cluster is called ${cluster}` };
  if (act === "up") {
    const pid = await supervisor.up(cluster);
    return { ok: true, message: `${cluster} is up${site.pid === undefined ? "" : " already"}: process ${pid}` };
  }
  const pid = await supervisor.down(cluster);
  return { ok: true, message: pid === undefined ? `${cluster} was down already` : `${cluster} is down: process ${pid} was killed` };
}

const frameInput = ({ supervisor, service }: Running, io: Io, hint: string): FrameInput => ({
  sites: supervisor.sites(),
  status: service.view.status(),
  events: service.view.timeline.list(),
  now: io.now(),
  dns: service.dns.map(formatListenAddress).join(" "),
  admin: adminUrl(service),
  proxy: service.proxy.map(formatListenAddress).join(" "),
  hint,
});

async function showOnce(running: Running, io: Io, stopped: Promise<void>): Promise<ExitCode> {
  const deadline = io.now() + ONCE_PATIENCE_MS;
  const interrupted = stopped.then(() => true);
  while (unhealthy(running).length > 0 && io.now() < deadline) {
    if (await Promise.race([interrupted, sleep(50, false)])) return 1;
  }
  const { width, height } = FRAME_WITHOUT_TERMINAL;
  const frame = renderFrame(frameInput(running, io, ""), io.stdout.columns ?? width, height, paintFor(io.stdout, io.env));
  io.stdout.write(`${frame.join("\n")}\n`);
  const names = unhealthy(running);
  if (names.length === 0) return 0;
  io.stderr.write(
    `globalroute: not healthy after ${ONCE_PATIENCE_MS / 1000} s: ${names.join(", ")}. Look for what else uses the machine, and try again.\n`,
  );
  return 1;
}

/** Names of the clusters of which some endpoint was not found healthy by a probe of this run. */
function unhealthy({ service }: Running): readonly string[] {
  const { clusters } = service.view.status();
  return SITES.map((site) => site.name).filter((name) => {
    const cluster = clusters.find((one) => one.name === name);
    return cluster === undefined || cluster.endpoints.healthy < Math.max(1, cluster.endpoints.total) || cluster.latencyMs === null;
  });
}

async function showLive(running: Running, options: DemoOptions, io: Io, terminal: Terminal, stopped: Promise<void>): Promise<void> {
  const paint = paintFor(io.stdout, io.env);
  const hint = `q quits; in another shell: ${options.self} demo down eu-west (then up)`;
  const quit = Promise.withResolvers<void>();
  const view = openLiveView(terminal, (width, height) => renderFrame(frameInput(running, io, hint), width, height, paint), quit.resolve);
  const endTimer = io.every(REDRAW_EVERY_MS, view.redraw);
  const endEvents = running.service.view.timeline.subscribe(view.redraw);
  await Promise.race([quit.promise, stopped]);
  endEvents();
  endTimer();
  view.close();
}

async function showPlain({ supervisor, service, folder }: Running, options: DemoOptions, io: Io, stopped: Promise<void>): Promise<void> {
  const print = (line: string): void => void io.stdout.write(`${line}\n`);
  const urls = { admin: adminUrl(service), proxy: proxyUrl(service) };
  const opening = { sites: supervisor.sites(), dns: service.dns, ...urls, config: folder.config, self: options.self };
  for (const line of openingLines(opening)) print(line);
  for (const event of service.view.timeline.list()) print(eventLine(event));
  const endEvents = service.view.timeline.subscribe((event) => print(eventLine(event)));
  await stopped;
  endEvents();
}

/** What to do about a site that cannot start: exit code 2 when the machine must be given its address first, as macOS must. */
export function siteFailure(error: SiteError, platform: NodeJS.Platform): CommandError {
  if (error.code !== "no-address") return new CommandError(1, error.message, { cause: error });
  const command = (address: string): string =>
    platform === "darwin" ? `sudo ifconfig lo0 alias ${address} up` : `sudo ip address add ${address}/8 dev lo`;
  const lines = SITES.map(({ address }) => `  ${command(address)}`);
  return new CommandError(2, [`${error.message} Give it the addresses of all sites, and try again:`, ...lines].join("\n"), {
    cause: error,
  });
}
