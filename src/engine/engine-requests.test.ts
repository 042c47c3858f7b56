/** What users' requests tell, through the whole engine: a cluster that fails them is left though its probes succeed, and a busy one sheds. */
import { describe, expect, test } from "vitest";
import { rememberedFor } from "../../health/traffic.ts";
import {
  ADDRESSES,
  ALL,
  type ClusterName,
  FOUR,
  shopFiles as files,
  shopServes as serving,
  shopWorlds,
} from "../../test/support/shop-world.ts";
import { CLIENTS, type SimulatedWorld } from "../../test/support/simulated-world.ts";
import type { EndpointKey } from "../model/health.ts";
import type { Inventory } from "../model/inventory.ts";
import { parsePrefix } from "../model/ip.ts";
import { ms } from "../model/units.ts";
import { createTrafficBook } from "../proxy/embedded/outcomes/traffic-book.ts";
import { newChoice } from "../routing/choose.ts";
import { answerShares, placeClient } from "../routing/decide.ts";
import { keyOf } from "./endpoints.ts";

const start = shopWorlds();

/** The clusters of `failing` fail whatever users ask them; only those that serve somebody are asked, as by a proxy. */
async function startFailing(names: readonly ClusterName[], failing: Set<ClusterName>, failback = "10s") {
  let world: SimulatedWorld | undefined;
  const isAsked = (name: ClusterName) => (Object.keys(CLIENTS) as (keyof typeof CLIENTS)[]).some((one) => serving(world!, one)[0] === name);
  const traffic = (key: EndpointKey) => {
    const name = names.find((one) => key.startsWith(`${ADDRESSES[one]}|`))!;
    if (world === undefined || !isAsked(name)) return { attempts: 0, failures: 0, run: 0 };
    return failing.has(name) ? { attempts: 50, failures: 50, run: 50 } : { attempts: 50, failures: 1, run: 1 };
  };
  const all = files(names);
  world = await start({ files: { ...all, "route.yaml": all["route.yaml"].replace("after: 10s", `after: ${failback}`) }, traffic });
  return world;
}

describe("a cluster whose probes succeed and whose users get errors", () => {
  test("is left after `fall` intervals, says why, and comes back by itself once it has been left alone", async () => {
    const failing = new Set<ClusterName>();
    const world = await startFailing(FOUR, failing);
    failing.add("eu");
    await world.clock.advance(3500);
    expect(serving(world, "DE")).toEqual(["us"]);
    const { routes, clusters } = world.engine.view.status();
    expect(routes[0]).toMatchObject({ lastFailover: { from: "eu", to: "us", reason: "requests-failed" } });
    expect(routes[0]!.backends[0]).toMatchObject({ name: "eu", health: "Unhealthy", reason: "requests-failed" });
    expect(clusters[0]).toMatchObject({ name: "eu", health: "Unhealthy", reason: "requests-failed" });
    expect(world.events("EndpointUnhealthy")).toEqual([expect.stringContaining("is Unhealthy: requests-failed")]);
    expect(await world.samples("globalroute_probe_duration_seconds_count")).toContainEqual(
      expect.stringContaining('cluster="eu",result="requests-failed"'),
    );

    failing.clear();
    await world.clock.advance(rememberedFor({ interval: ms(1000) }) - 1000);
    expect(serving(world, "DE")).toEqual(["us"]);
    await world.clock.advance(14_000);
    expect(serving(world, "DE")).toEqual(["eu"]);
  });

  test("is tried again ever more seldom while it goes on failing", async () => {
    const failing = new Set<ClusterName>(["eu"]);
    const world = await startFailing(FOUR, failing);
    const out: number[] = [];
    for (let i = 0; i < 3; i++) {
      while (serving(world, "DE")[0] === "eu") await world.clock.advance(250);
      const from = world.clock.now();
      while (serving(world, "DE")[0] !== "eu") await world.clock.advance(250);
      out.push(world.clock.now() - from);
    }
    expect(out[1]!).toBeGreaterThan(out[0]! + 8000);
    expect(out[2]!).toBeGreaterThan(out[1]! + 16_000);
  });

  test("bad requests that follow their sender from one cluster to the next take out what the budget allows and no more", async () => {
    const failing = new Set<ClusterName>();
    const world = await startFailing(ALL, failing, "1h");
    const most: number[] = [];
    for (let second = 0; second < 600; second++) {
      failing.clear();
      for (const name of serving(world, "DE")) failing.add(name as ClusterName);
      await world.clock.advance(1000);
      most.push(world.engine.view.status().routes[0]!.backends.filter(({ standing }) => standing !== "Usable").length);
    }
    expect(Math.max(...most)).toBe(2);
    expect(await world.samples("globalroute_guard_holds_total")).not.toEqual([]);
  });

  test("requests that fail everywhere: everybody is answered as if nothing were known", async () => {
    const world = await startFailing(FOUR, new Set(FOUR));
    await world.clock.advance(60_000);
    expect(world.engine.view.readiness().degraded).toContain("fail-open");
    expect([serving(world, "DE"), serving(world, "US"), serving(world, "JP"), serving(world, "BR")]).toEqual([
      ["eu"],
      ["us"],
      ["jp"],
      ["br"],
    ]);
  });
});

describe("a busy cluster, known by nothing but the requests that pass here", () => {
  const SHED = "  routing: {shed: {lowPercent: 60, highPercent: 90}}\n";
  const capable = (per: number) => {
    const all = files(FOUR, SHED);
    return { ...all, "route.yaml": all["route.yaml"].replace("{name: eu,", `{name: eu, capacity: ${per},`) };
  };

  /** German users ask so often a second, wherever they are sent. */
  async function startBusy(perSecond: number, capacity: number) {
    let now = () => ms(0);
    let inventory: Inventory | undefined;
    const book = createTrafficBook(() => now());
    const world = await start({
      files: capable(capacity),
      traffic: book.take,
      beforePublish: (_, next) => {
        inventory = next;
        book.adopt(next.routes);
      },
    });
    now = () => world.clock.now();
    const share = (name: ClusterName): number => {
      const choice = newChoice();
      placeClient(world.table(), 0, parsePrefix(CLIENTS.DE)!, choice);
      return answerShares(world.table(), 0, 0, choice).clusters.get(name) ?? 0;
    };
    return {
      share,
      ask: async (seconds: number) => {
        for (let i = 0; i < seconds; i++) {
          const route = inventory!.routes[0]!;
          for (const name of FOUR) {
            const endpoint = { id: keyOf(route, ADDRESSES[name]), address: ADDRESSES[name], port: 80 };
            for (let n = Math.round(perSecond * share(name)); n > 0; n--) book.attempt(endpoint, "ok", 0.01, 200);
          }
          await world.clock.advance(1000);
        }
      },
      rest: (seconds: number) => world.clock.advance(1000 * seconds),
    };
  }

  test.each([
    { perSecond: 100, keeps: [1, 1] },
    { perSecond: 170, keeps: [0.7, 0.85] }, // 85 % of 200, were it to keep all
    { perSecond: 400, keeps: [0.3, 0.5] },
  ])("$perSecond requests a second on a capacity of 200: keeps $keeps", async ({ perSecond, keeps: [least = 0, most = 1] }) => {
    const world = await startBusy(perSecond, 200);
    await world.ask(60);
    for (let i = 0; i < 10; i++) {
      await world.ask(1);
      expect(world.share("eu")).toBeGreaterThanOrEqual(least);
      expect(world.share("eu")).toBeLessThanOrEqual(most);
      expect(world.share("eu") + world.share("us")).toBeCloseTo(1);
    }
    await world.rest(60);
    expect(world.share("eu")).toBe(1);
  });
});
