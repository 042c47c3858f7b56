/**
 * More questions than the answering thread can answer: it goes on answering as many as it can, and nothing else of the server notices. The
 * thread gets a quarter of a core, so that a load of several times its capacity leaves the other threads, and the load generator, theirs.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { encodeQueryFile } from "../../../bench/dns/query-file.ts";
import { HOSTS, SITES, SITES_NETWORK, soakMmdb, soakObjects } from "../../soak/soak-world.ts";
import { transportsHere } from "../../support/conformance/world.ts";
import { cgroupVersion, limitThread } from "../../support/cpu-limit.ts";
import { type LoopbackSites, openLoopbackSites } from "../../support/loopback-sites.ts";
import { type Server, startServer } from "../../support/serve.ts";
import { repository } from "../../support/source-tree.ts";
import { busiestThread, threadTicks } from "../../support/thread-cpu.ts";

const SHARE = 0.25;
const SECONDS = 2;
/** Of saturation: what the load generator must have sent for the last run to count. */
const LEAST_OFFERED = 2;
/** A thread that is held back must still be quick enough for a health check: seconds. */
const ADMIN_SECONDS = 1;

const loadAnswer = z.object({ seconds: z.number(), answered: z.number(), lost: z.number(), wrong: z.number() });
const run = promisify(execFile);

const why = !transportsHere().includes("fast")
  ? "the fast transport is not here"
  : cgroupVersion() === undefined
    ? "no cgroup CPU controller can be written"
    : undefined;
if (why !== undefined) process.stderr.write(`skipped: overload: ${why}\n`);

describe.skipIf(why !== undefined)(`overload${why === undefined ? "" : ` (${why})`}`, () => {
  let folder: string;
  let sites: LoopbackSites;
  let server: Server;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
    sites = await openLoopbackSites(SITES.map(({ address }) => address));
    mkdirSync(join(folder, "config"));
    writeFileSync(join(folder, "config", "all.yaml"), soakObjects(sites.port, 0));
    writeFileSync(join(folder, "cities.mmdb"), soakMmdb());
    writeFileSync(join(folder, "queries.bin"), encodeQueryFile({ names: [HOSTS[0]!] }));
    server = await startServer(
      ...["--config", join(folder, "config"), "--state", join(folder, "state"), "--mmdb", join(folder, "cities.mmdb")],
      ...["--probe-allow", SITES_NETWORK, "--dns-transport", "fast", "--dns-workers", "1"],
    );
    await healthy();
  });
  afterAll(async () => {
    await server?.stop();
    await sites?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const statusAnswer = z.object({ clusters: z.array(z.object({ endpoints: z.object({ healthy: z.number(), total: z.number() }) })) });
  const timelineAnswer = z.object({ events: z.array(z.object({ id: z.number(), kind: z.string() })) });
  const get = async (path: string): Promise<unknown> => (await fetch(`${server.admin}${path}`)).json();

  async function healthy(): Promise<void> {
    for (;;) {
      const { clusters } = statusAnswer.parse(await get("/v1/status"));
      if (clusters.every(({ endpoints }) => endpoints.healthy === endpoints.total)) return;
      await setTimeout(50);
    }
  }

  /** @param rate questions a second; undefined = as many as are answered */
  async function load(rate: number | undefined, seconds = SECONDS) {
    const spec = {
      ...{ port: server.dnsPort, pid: server.pid, queryFile: join(folder, "queries.bin"), sockets: 16, window: 32 },
      ...{ warmupSeconds: 0.5, seconds, ...(rate === undefined ? {} : { rate }) },
    };
    const { stdout } = await run(process.execPath, [join(repository, "bench/dns/load.ts"), JSON.stringify(spec)]);
    const { answered, lost, wrong, seconds: took } = loadAnswer.parse(JSON.parse(stdout));
    return { goodput: answered / took, offered: (answered + lost) / took, wrong };
  }

  /** As {@link load}; again, at most twice, when others took the load generator's core and it offered less than `least`. */
  async function loadWhatWasAsked(rate: number, least: number) {
    let result = await load(rate);
    for (let again = 0; again < 2 && result.offered < least; again++) result = await load(rate);
    return result;
  }

  /** Asks the admin API ten times a second until told to stop. @returns the slowest answer, seconds */
  async function watchAdmin(signal: AbortSignal): Promise<number> {
    let slowest = 0;
    while (!signal.aborted) {
      const started = performance.now();
      expect((await fetch(`${server.admin}/readyz`)).status).toBe(200);
      slowest = Math.max(slowest, (performance.now() - started) / 1000);
      await setTimeout(100);
    }
    return slowest;
  }

  test("at three times what it can answer it still answers four fifths of its best; probes and the API go on", async () => {
    const before = threadTicks(server.pid);
    await load(undefined, 0.5);
    const limit = limitThread(server.pid, busiestThread(server.pid, before), SHARE);
    const ending = new AbortController();
    try {
      const since = timelineAnswer.parse(await get("/v1/timeline")).events.at(-1)?.id ?? 0;
      const admin = watchAdmin(ending.signal);
      const saturation = await load(undefined);
      const runs = [];
      for (const factor of [0.9, 1.5]) runs.push({ factor, ...(await load(factor * saturation.goodput)) });
      const overloaded = await loadWhatWasAsked(3 * saturation.goodput, LEAST_OFFERED * saturation.goodput);
      runs.push({ factor: 3, ...overloaded });
      const best = Math.max(saturation.goodput, ...runs.map(({ goodput }) => goodput));
      const rows = runs.map(({ factor, goodput, offered }) => `${factor}: ${goodput.toFixed(0)} of ${offered.toFixed(0)} a second`);
      process.stdout.write(`overload: saturation ${saturation.goodput.toFixed(0)} a second; ${rows.join("; ")}\n`);
      for (const { wrong } of [saturation, ...runs]) expect(wrong).toBe(0);
      expect(overloaded.offered).toBeGreaterThan(LEAST_OFFERED * saturation.goodput); // or it was no overload
      expect(overloaded.goodput).toBeGreaterThan(0.8 * best);
      ending.abort();
      expect(await admin).toBeLessThan(ADMIN_SECONDS);
      const { events } = timelineAnswer.parse(await get(`/v1/timeline?after=${since}`));
      expect(events.map(({ kind }) => kind).filter((kind) => /^Endpoint|^Backend|^Vantage|^Fail/.test(kind))).toEqual([]);
    } finally {
      ending.abort();
      limit.release();
    }
  });
});
