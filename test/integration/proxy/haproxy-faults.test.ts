/**
 * A real HAProxy between 500 requests/s and three clusters that our own prober judges, while the nearest is killed, stopped or answers 503, and
 * while HAProxy itself is killed and reloaded. Nobody tells the engine anything.
 */
import { readFile, writeFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { HTTP_DEFAULTS } from "../../../src/model/to-http.ts";
import { ms } from "../../../src/model/units.ts";
import { parseServersState } from "../../../src/proxy/haproxy/servers-state.ts";
import { Standing } from "../../../src/routing/table.ts";
import { requireComponent } from "../../support/component.ts";
import { freePort } from "../../support/free-port.ts";
import { startHaproxy, startUpstream, type Upstream } from "../../support/haproxy/haproxy-world.ts";
import { type Outcome, startLoad } from "../../support/haproxy/http-load.ts";
import { judgeWorld } from "../../support/haproxy/judged-world.ts";
import { testBackend, testFailover, testInventory, testRoute } from "../../support/world/build-route.ts";

const NAMES = ["dublin", "frankfurt", "tokyo"];

/** Two failed probes in a row, each 200 ms after the other; what is silent takes two timeouts. */
const POLICY = { interval: ms(200), timeout: ms(800), rise: 2, fall: 2 };

/** So that a busy machine is not a fault of its own. */
const PATIENT = { connectTimeout: 1_000 };
const HTTP = { ...HTTP_DEFAULTS, timeouts: { ...HTTP_DEFAULTS.timeouts, backendRequest: ms(3_000) } };

async function judged() {
  const port = await freePort();
  const upstreams = await Promise.all(NAMES.map((name, i) => startUpstream(name, `127.0.0.${11 + i}`, port)));
  const plain = testRoute(upstreams.map(({ name, address }) => testBackend(name, 0, { addresses: [address] })));
  const route = {
    ...{ ...plain, order: "Priority" as const, http: HTTP },
    health: {
      ...plain.health,
      ...POLICY,
      probe: { ...plain.health.probe, type: "HTTP" as const, port, path: "/probe", expect: { status: [{ from: 200, to: 299 }] } },
    },
    failover: testFailover({ failback: { mode: "Automatic", after: ms(500), slowStart: ms(0) } }),
  };
  const world = await judgeWorld(testInventory([route]));
  const plan = () => world.current().routes[0]!.plan;
  const servesNow = (name: string): boolean =>
    plan().tiers.some((tier) => tier.some((one) => one.name === name && one.endpoints.some(({ serves }) => serves)));
  /** Milliseconds until it was so. */
  const passes = async (what: string, holds: () => boolean): Promise<number> => {
    const began = performance.now();
    while (!holds()) {
      if (performance.now() - began > 15_000) throw new Error(`not within 15 s: ${what}`);
      await setTimeout(10);
    }
    return performance.now() - began;
  };
  await passes("all probed and well", () => plan().standing === Standing.Usable && NAMES.every(servesNow));
  const scene = await startHaproxy(world.current(), PATIENT);
  world.follow((next) => scene.fleet.update(new Map([["here", next]])));
  const until = (name: string, serves: boolean) =>
    passes(`${name} ${serves ? "serves" : "does not serve"}`, () => servesNow(name) === serves);
  return { scene, upstreams, until, passes };
}

/** Those that may be repeated and had no answer's head. */
const lost = (outcomes: readonly Outcome[]): readonly Outcome[] =>
  outcomes.filter(({ method, status, isWhole }) => method !== "POST" && isWhole && status !== 200);

/** Ids of POSTs that arrived more than once, anywhere. */
function repeated(upstreams: readonly Upstream[]): readonly string[] {
  const ids = upstreams.flatMap(({ seen }) => seen.filter((line) => line.startsWith("POST ")).map((line) => line.split(" ")[2]!));
  return ids.filter((id, i) => ids.indexOf(id) !== i);
}

/** Address → whether it gets requests. */
const servers = (text: string): ReadonlyMap<string, boolean> =>
  new Map([...parseServersState(text).values()].flat().map(({ address, isReady }) => [address, isReady]));

const count = (outcomes: readonly Outcome[], name: string): number => outcomes.filter(({ body }) => body === name).length;

describe.skipIf(!requireComponent("haproxy", "haproxy"))("HAProxy, as our own probes judge", () => {
  const faults: readonly { name: string; strike: (near: Upstream) => unknown; heal: (near: Upstream) => unknown }[] = [
    { name: "killed", strike: (near) => near.signal("SIGKILL"), heal: (near) => near.start() },
    { name: "stopped", strike: (near) => near.signal("SIGSTOP"), heal: (near) => near.signal("SIGCONT") },
    { name: "answering 503", strike: (near) => near.become(503), heal: (near) => near.become(200) },
  ];
  test.each(faults)(
    "the nearest is $name: no GET or PUT is lost, no POST arrives twice, and the next cluster serves until it is back",
    async ({ name, strike, heal }) => {
      const { scene, upstreams, until } = await judged();
      const stop = startLoad(scene.port);
      await setTimeout(1_000);
      await strike(upstreams[0]!);
      const out = await until("dublin", false);
      await setTimeout(HTTP.timeouts.backendRequest); // so that nobody is answered by who was only asleep
      await heal(upstreams[0]!);
      await until("dublin", true);
      const healed = performance.now();
      await setTimeout(1_000);
      const outcomes = await stop();
      console.log(
        `${name}: found after ${Math.round(out)} ms; of ${outcomes.length} requests ${lost(outcomes).length} GETs and PUTs failed, ${outcomes.filter(({ isWhole }) => !isWhole).length} answers broke off, ${outcomes.filter(({ method, status }) => method === "POST" && status !== 200).length} POSTs failed`,
        [...new Set(lost(outcomes).map(({ status, body }) => `${status} ${body.slice(0, 80)}`))],
      );
      expect(lost(outcomes)).toEqual([]);
      expect(repeated(upstreams)).toEqual([]);
      expect(outcomes.filter(({ isWhole }) => !isWhole).length).toBeLessThanOrEqual(20); // those under way when it was killed
      expect(count(outcomes.slice(0, 200), "dublin")).toBe(200);
      expect(
        count(
          outcomes.filter(({ began }) => began > healed),
          "dublin",
        ),
      ).toBeGreaterThan(50);
      expect(count(outcomes, "frankfurt")).toBeGreaterThan(400);
      // For a request that is between two tries when the plan changes, the next cluster is the one after who serves now.
      if (name !== "stopped") expect(count(outcomes, "tokyo")).toBeLessThan(100);
    },
  );

  test("HAProxy is killed and started while the nearest is down: what fails fails while it is away, and it goes on as it was", async () => {
    const { scene, upstreams, until } = await judged();
    upstreams[0]!.signal("SIGKILL");
    await until("dublin", false);
    await scene.until(({ isCurrent }) => isCurrent);
    const stop = startLoad(scene.port);
    await setTimeout(1_500); // written down by now
    const gone = performance.now();
    await scene.kill();
    await setTimeout(300);
    await scene.start();
    const back = performance.now();
    await setTimeout(1_000);
    const outcomes = await stop();
    const failed = outcomes.filter(({ status, isWhole }) => status !== 200 || !isWhole);
    console.log(`HAProxy was away for ${Math.round(back - gone)} ms: ${failed.length} of ${outcomes.length} requests failed`);
    expect(failed.filter(({ began, took }) => began + took < gone || began > back)).toEqual([]);
    const after = outcomes.filter(({ began }) => began > back);
    expect(count(after, "frankfurt") / after.length).toBeGreaterThan(0.95); // from the first request on, but for the crowd that waited
    expect(repeated(upstreams)).toEqual([]);
  });

  test("HAProxy starts from files older than a failover, as after a full disk: it is brought to now, and no GET or PUT is lost meanwhile", async () => {
    const { scene, upstreams, until, passes } = await judged();
    const file = `${scene.config.folder}/haproxy.cfg`;
    const older = await readFile(file);
    upstreams[0]!.signal("SIGKILL");
    await until("dublin", false);
    await scene.until(({ isCurrent }) => isCurrent);
    await scene.kill();
    await writeFile(file, older);
    await scene.start();
    const stop = startLoad(scene.port);
    const serving = (): Promise<string> => scene.ask("show servers state default:shop_serving");
    let told = await serving();
    const took = await passes("brought to now", () => {
      void serving().then((now) => (told = now));
      return servers(told).get("127.0.0.12") === true && servers(told).get("127.0.0.11") === false;
    });
    await setTimeout(500);
    const outcomes = await stop();
    console.log(`brought from older files to now ${Math.round(took)} ms after its start; ${lost(outcomes).length} GETs and PUTs failed`);
    expect(lost(outcomes)).toEqual([]);
    expect(repeated(upstreams)).toEqual([]);
    expect(took).toBeLessThan(3_000);
  });

  test("HAProxy is reloaded three times: no GET or PUT is lost, no POST arrives twice", async () => {
    const { scene, upstreams } = await judged();
    const stop = startLoad(scene.port);
    await setTimeout(500);
    for (let i = 0; i < 3; i++) {
      await scene.reload();
      await setTimeout(500);
    }
    const outcomes = await stop();
    const failed = outcomes.filter(({ status, isWhole }) => status !== 200 || !isWhole);
    console.log(`reloaded: ${failed.length} of ${outcomes.length} failed`);
    expect(failed).toEqual([]);
    // Connections that the old worker keeps are served by the new plan, too.
    expect(count(outcomes, "dublin")).toBe(outcomes.length);
    expect(repeated(upstreams)).toEqual([]);
    expect(await scene.reloads()).toBe(3);
  });
});
