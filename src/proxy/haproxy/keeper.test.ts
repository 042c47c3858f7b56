/** A keeper and a HAProxy that holds state, in simulated time. */
import { describe, expect, onTestFinished, test } from "vitest";
import { createFakeHaproxy, type FakeHaproxy } from "../../../test/support/haproxy/fake-haproxy.ts";
import { edgeBackend, edgePlanOf, haproxyOptions, haproxyRoute } from "../../../test/support/haproxy/haproxy-routes.ts";
import { createSimulatedClock } from "../../../test/support/simulated-clock.ts";
import { ms } from "../../model/units.ts";
import type { EdgePlan } from "../edge-plan.ts";
import { createHaproxyKeeper, type HaproxyStatus, type KeeperPorts } from "./keeper.ts";
import type { HaproxyRoute, HaproxyWorld } from "./layout.ts";
import { mapFile } from "./render-config.ts";

const A = edgeBackend("a", ["192.0.2.1"]);
const A_DOWN = edgeBackend("a", ["-192.0.2.1"]);
const B = edgeBackend("b", ["192.0.2.2"]);
const worldOf = (...routes: readonly HaproxyRoute[]): HaproxyWorld => ({ routes, classes: [] });
const WEB = worldOf(haproxyRoute(edgePlanOf([A], [B])));
const WEB_FAILED_OVER = worldOf(haproxyRoute(edgePlanOf([A_DOWN], [B])));
const CURRENT = { isReachable: true, isCurrent: true };

/** @param reloads whether HAProxy is reloaded when that is asked for */
function keep({ reloads = true, more = {} as Partial<KeeperPorts> } = {}) {
  const clock = createSimulatedClock();
  const haproxy = createFakeHaproxy();
  const files = new Map<string, string>();
  const told: HaproxyStatus[] = [];
  let asked = 0;
  const ports: KeeperPorts = {
    ask: (command) => {
      asked++;
      return haproxy.ask(command);
    },
    writeFile: async (path, text) => void files.set(path, text),
    ...(reloads ? { reload: async () => haproxy.start(files) } : {}),
    now: clock.now,
    setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
    random: () => 0.999,
    onStatus: (status) => told.push(status),
    ...more,
  };
  /** Of the same HAProxy, as after a start of ours. */
  const another = () => {
    const one = createHaproxyKeeper(haproxyOptions, ports);
    onTestFinished(() => one.close());
    return one;
  };
  const keeper = another();
  const serving = (route = "web") =>
    (haproxy.backends.get(`shop:${route}_serving`) ?? [])
      .filter(({ isReady }) => isReady)
      .map(({ address, weight }) => `${address}=${weight}`);
  /** HAProxy runs, and has what is wanted. */
  const settled = async (world: HaproxyWorld) => {
    keeper.update(world);
    await clock.advance(0);
    haproxy.start(files);
    await clock.advance(12_000);
    expect(keeper.status()).toEqual(CURRENT);
    haproxy.changes.length = 0;
  };
  return { clock, haproxy, files, told, keeper, another, serving, settled, asked: () => asked };
}

test("files are there before HAProxy is; when it starts from them, nothing is left to command", async () => {
  const { clock, haproxy, files, keeper, serving, told } = keep();
  keeper.update(WEB);
  await clock.advance(60_000);
  expect([...files.keys()]).toEqual([
    ...["hosts", "wildcards", "clients", "plans"].map((name) => `/run/globalroute/${name}.map`),
    "/run/globalroute/haproxy.cfg",
  ]);
  expect(keeper.status()).toEqual({ isReachable: false, isCurrent: false, problem: "connect ECONNREFUSED" });
  haproxy.start(files);
  await clock.advance(10_000);
  expect(keeper.status()).toEqual(CURRENT);
  expect(haproxy.changes).toEqual([]);
  expect(serving()).toEqual(["192.0.2.1=256"]);
  expect(told.length).toBe(2);
});

test("a failover is commanded at once, and written down", async () => {
  const { clock, haproxy, files, keeper, serving, settled } = keep();
  await settled(WEB);
  keeper.update(WEB_FAILED_OVER);
  await clock.advance(0);
  expect(serving()).toEqual(["192.0.2.2=256"]);
  expect(haproxy.changes.length).toBeGreaterThan(0);
  await clock.advance(3_000);
  expect(files.get("/run/globalroute/haproxy.cfg")).toContain("server s1 192.0.2.1:80 disabled\n    server s2 192.0.2.2:80 weight 256\n");
});

test("what comes while another is under way becomes one", async () => {
  const { clock, haproxy, keeper, serving, settled } = keep();
  await settled(WEB);
  for (let i = 0; i < 50; i++) keeper.update(i % 2 === 0 ? WEB_FAILED_OVER : WEB);
  await clock.advance(0);
  expect(serving()).toEqual(["192.0.2.1=256"]);
  expect(haproxy.changes.length).toBeLessThan(30); // a failover and back, not 50
});

test("when nothing changes, HAProxy is only asked whether it has started again", async () => {
  const { clock, haproxy, settled, asked } = keep();
  await settled(WEB);
  const before = asked();
  await clock.advance(40_000);
  expect(asked() - before).toBeLessThanOrEqual(20 + 6);
  expect(haproxy.changes).toEqual([]);
});

describe("a HAProxy that starts again", () => {
  test("from our files: has what was last", async () => {
    const { clock, haproxy, files, keeper, serving, settled } = keep();
    await settled(WEB);
    keeper.update(WEB_FAILED_OVER);
    await clock.advance(5_000);
    haproxy.changes.length = 0;
    haproxy.start(files);
    expect(serving()).toEqual(["192.0.2.2=256"]);
    await clock.advance(5_000);
    expect(haproxy.changes).toEqual([]);
  });
  test("from older files: is brought to now", async () => {
    const { clock, haproxy, files, keeper, serving, settled } = keep();
    await settled(WEB);
    const older = new Map(files);
    keeper.update(WEB_FAILED_OVER);
    await clock.advance(5_000);
    haproxy.start(older);
    expect(serving()).toEqual(["192.0.2.1=256"]);
    await clock.advance(2_000);
    expect(serving()).toEqual(["192.0.2.2=256"]);
  });
  test("after it was away: has what was wanted meanwhile, before we find it", async () => {
    const { clock, haproxy, files, keeper, serving, settled } = keep();
    await settled(WEB);
    haproxy.kill();
    keeper.update(WEB_FAILED_OVER);
    await clock.advance(0);
    haproxy.start(files);
    expect(serving()).toEqual(["192.0.2.2=256"]);
  });
  test("after an hour away: is brought to now within the longest wait", async () => {
    const { clock, haproxy, files, keeper, serving, settled, asked } = keep();
    await settled(WEB);
    const older = new Map(files);
    haproxy.kill();
    keeper.update(WEB_FAILED_OVER);
    const before = asked();
    await clock.advance(3_600_000);
    expect(asked() - before).toBeLessThan(400);
    haproxy.start(older);
    await clock.advance(10_000);
    expect(serving()).toEqual(["192.0.2.2=256"]);
    expect(keeper.status()).toEqual(CURRENT);
  });
});

describe("files that somebody else has changed", () => {
  const cfg = "/run/globalroute/haproxy.cfg";
  const counted = () => {
    const kept = keep({
      more: {
        reload: async () => {
          reloads++;
          kept.haproxy.start(kept.files);
        },
      },
    });
    let reloads = 0;
    return { ...kept, reloads: () => reloads };
  };
  test("taken away while HAProxy runs: are there again as soon as it is gone", async () => {
    const { clock, haproxy, files, settled, serving } = keep();
    await settled(WEB);
    const before = new Map(files);
    files.clear();
    haproxy.kill();
    await clock.advance(3_000);
    expect(files).toEqual(before);
    haproxy.start(files);
    expect(serving()).toEqual(["192.0.2.1=256"]);
  });
  test("taken away while HAProxy is away: are there again within a minute or so, and not written all the time", async () => {
    let writes = 0;
    const files = new Map<string, string>();
    const writeFile = async (path: string, text: string) => {
      writes++;
      files.set(path, text);
    };
    const { clock, keeper } = keep({ more: { writeFile } });
    keeper.update(WEB);
    await clock.advance(0);
    expect(writes).toBe(5);
    files.clear();
    await clock.advance(71_000);
    expect(files.size).toBe(5);
    await clock.advance(3_600_000);
    expect(writes).toBeLessThanOrEqual(5 * 62);
  });
  test("of another configuration, from which HAProxy starts: are written again, and one reload brings them", async () => {
    const { clock, haproxy, files, keeper, settled, reloads } = counted();
    await settled(WEB);
    files.set(cfg, files.get(cfg)!.replace(/description .*/, "description somebody else's"));
    haproxy.start(files);
    await clock.advance(12_000);
    expect(keeper.status()).toEqual(CURRENT);
    expect(reloads()).toBe(1);
  });
  test("of other hosts, from which HAProxy starts: it and they are brought to now", async () => {
    const { clock, haproxy, files, keeper, settled, reloads } = counted();
    await settled(WEB);
    const before = new Map(files);
    const hosts = mapFile(haproxyOptions, "hosts");
    files.set(hosts, "other.example.org shop:web\n");
    haproxy.start(files);
    await clock.advance(5_000);
    expect(keeper.status()).toEqual(CURRENT);
    expect(haproxy.maps.get(hosts)).toEqual(["shop.example.org shop:web"]);
    expect(files).toEqual(before);
    expect(reloads()).toBe(0);
  });
  test("so that HAProxy refuses them: are written again before it is asked the next time", async () => {
    const { clock, files, keeper, settled, serving } = keep();
    await settled(WEB);
    files.delete(mapFile(haproxyOptions, "plans"));
    keeper.update(worldOf(...WEB.routes, haproxyRoute(edgePlanOf([B]), { name: "new", hosts: ["new.example.org"] })));
    await clock.advance(15_000);
    expect(keeper.status()).toEqual(CURRENT);
    expect(serving("new")).toEqual(["192.0.2.2=256"]);
  });
});

test("what somebody else commanded is taken back within a minute", async () => {
  const { clock, haproxy, serving, settled } = keep();
  await settled(WEB);
  await haproxy.ask("set server shop:web_serving/s1 state maint");
  expect(serving()).toEqual([]);
  await clock.advance(62_000);
  expect(serving()).toEqual(["192.0.2.1=256"]);
});

describe("what only a reload can bring", () => {
  const two = worldOf(haproxyRoute(edgePlanOf([A], [B])), haproxyRoute(edgePlanOf([B]), { name: "new", hosts: ["new.example.org"] }));
  const hosts = mapFile(haproxyOptions, "hosts");
  test("a new route: is reloaded, and found afterwards", async () => {
    const { clock, haproxy, keeper, serving, settled, told } = keep();
    await settled(WEB);
    keeper.update(two);
    await clock.advance(2_000);
    expect(told.some(({ reloadFor }) => reloadFor === "backend shop:new_serving and 4 more")).toBe(true);
    expect(keeper.status()).toEqual(CURRENT);
    expect(serving("new")).toEqual(["192.0.2.2=256"]);
    expect(haproxy.maps.get(hosts)).toEqual(["new.example.org shop:new", "shop.example.org shop:web"]);
  });
  test("a reload that takes long keeps nobody from failing over, and only one is under way", async () => {
    let reloads = 0;
    const kept = keep({
      more: {
        reload: async () => {
          reloads++;
          const read = new Map(kept.files);
          await kept.clock.sleep(20_000);
          expect(kept.files).toEqual(read); // while it reads them, they stay as they are
          kept.haproxy.start(read);
        },
      },
    });
    const { clock, haproxy, keeper, serving, settled } = kept;
    await settled(WEB);
    keeper.update(two);
    await clock.advance(1_000);
    keeper.update({ ...two, routes: [WEB_FAILED_OVER.routes[0]!, two.routes[1]!] });
    await clock.advance(900);
    expect(serving()).toEqual(["192.0.2.2=256"]);
    await clock.advance(17_000);
    expect([haproxy.backends.has("shop:new_serving"), keeper.status().isCurrent]).toEqual([false, false]);
    await clock.advance(1_101); // it has read older files
    expect(serving()).toEqual(["192.0.2.2=256"]);
    expect(keeper.status()).toEqual(CURRENT);
    await clock.advance(30_000);
    expect(reloads).toBe(1);
  });
  test("nobody reloads: others go on, the file is there, and no host leads to what is not", async () => {
    const { clock, haproxy, files, keeper, serving, settled } = keep({ reloads: false });
    await settled(WEB);
    keeper.update({ ...two, routes: [WEB_FAILED_OVER.routes[0]!, two.routes[1]!] });
    await clock.advance(60_000);
    expect(keeper.status()).toEqual({ isReachable: true, isCurrent: false, reloadFor: "backend shop:new_serving and 4 more" });
    expect(serving()).toEqual(["192.0.2.2=256"]);
    expect(haproxy.maps.get(hosts)).toEqual(["shop.example.org shop:web"]);
    expect(files.get("/run/globalroute/haproxy.cfg")).toContain("backend shop:new_serving\n");
  });
  test("more endpoints than servers", async () => {
    const { clock, haproxy, keeper, serving, settled } = keep();
    await settled(WEB);
    const many = edgeBackend(
      "a",
      Array.from({ length: 9 }, (_, i) => `192.0.2.${i + 1}`),
    );
    keeper.update(worldOf(haproxyRoute(edgePlanOf([many]))));
    await clock.advance(2_000);
    expect(serving().length).toBe(9);
    expect(haproxy.backends.get("shop:web_serving")!.length).toBe(16);
  });
  test("a route that is no more: nobody is sent there, and its servers rest", async () => {
    const { clock, haproxy, keeper, serving, settled } = keep({ reloads: false });
    await settled(two);
    keeper.update(WEB);
    await clock.advance(1_000);
    expect(haproxy.maps.get(hosts)).toEqual(["shop.example.org shop:web"]);
    expect(serving("new")).toEqual([]);
    expect(keeper.status().reloadFor).toBe("settings of another configuration");
  });
  describe("another name for a route", () => {
    const groups = [{ name: "office", classes: ["office"], plan: edgePlanOf([B]) }];
    const plain = (name: string): HaproxyWorld => worldOf(haproxyRoute(edgePlanOf([A]), { name }));
    const ruled = (name: string): HaproxyWorld => ({
      routes: [haproxyRoute(edgePlanOf([A]), { name, groups })],
      classes: [{ name: "office", networks: ["198.51.100.0/24"] }],
    });
    const found = (haproxy: FakeHaproxy, map: "hosts" | "plans") => haproxy.maps.get(mapFile(haproxyOptions, map));
    test.each([
      { how: "by the keeper that brought it", isAnother: false },
      { how: "by one that has just started", isAnother: true },
    ])("its hosts lead to the old one until HAProxy is reloaded: $how", async ({ isAnother }) => {
      const { clock, haproxy, files, keeper, another, serving, settled } = keep({ reloads: false });
      await settled(plain("web"));
      if (isAnother) await keeper.close();
      const current = isAnother ? another() : keeper;
      current.update(plain("web2"));
      await clock.advance(62_000);
      expect([found(haproxy, "hosts"), serving()]).toEqual([["shop.example.org shop:web"], ["192.0.2.1=256"]]);
      haproxy.start(files);
      await clock.advance(12_000);
      expect(current.status()).toEqual(CURRENT);
      expect([found(haproxy, "hosts"), serving("web2")]).toEqual([["shop.example.org shop:web2"], ["192.0.2.1=256"]]);
    });
    test("clients whom its rules bind keep their plan, too", async () => {
      const { clock, haproxy, files, keeper, serving, settled } = keep({ reloads: false });
      await settled(ruled("web"));
      keeper.update(ruled("web2"));
      await clock.advance(62_000);
      expect([found(haproxy, "hosts"), found(haproxy, "plans")]).toEqual([
        ["shop.example.org shop:web"],
        ["shop:web:office shop:web:office"],
      ]);
      expect([serving(), serving("web:office")]).toEqual([["192.0.2.1=256"], ["192.0.2.2=256"]]);
      haproxy.start(files);
      await clock.advance(12_000);
      expect(keeper.status()).toEqual(CURRENT);
      expect(found(haproxy, "plans")).toEqual(["shop:web2:office shop:web2:office"]);
    });
  });
  test("HAProxy refuses: is told, and tried again after a while", async () => {
    let tries = 0;
    const reload = async () => {
      tries++;
      throw new Error("exit code 1");
    };
    const { clock, keeper, settled } = keep({ more: { reload } });
    await settled(WEB);
    keeper.update(two);
    await clock.advance(35_000);
    expect(tries).toBe(4);
    expect(keeper.status().problem).toBe("haproxy was not reloaded: exit code 1");
  });
});

describe("a HAProxy that may open few files", () => {
  test("goes on, and it is told how many clients that allows", async () => {
    const { clock, haproxy, keeper, serving, settled } = keep();
    await settled(WEB);
    haproxy.limit = 1_024;
    keeper.update(WEB_FAILED_OVER);
    await clock.advance(2_000);
    expect(serving()).toEqual(["192.0.2.2=256"]);
    expect(keeper.status()).toMatchObject({ isCurrent: true, problem: expect.stringContaining("clients beyond 229 at a time wait") });
  });
  test("is not reloaded for more routes than it could start with: it would not come back", async () => {
    let reloads = 0;
    const { clock, haproxy, keeper, serving, settled } = keep({ more: { reload: async () => void reloads++ } });
    await settled(WEB);
    haproxy.limit = 1_024;
    const many = Array.from({ length: 300 }, (_, i) => haproxyRoute(edgePlanOf([A], [B]), { name: `r${i}`, hosts: [`r${i}.example.org`] }));
    keeper.update(worldOf(WEB_FAILED_OVER.routes[0]!, ...many));
    await clock.advance(30_000);
    expect(reloads).toBe(0);
    expect(serving()).toEqual(["192.0.2.2=256"]);
    expect(keeper.status()).toMatchObject({ isCurrent: false, problem: expect.stringContaining("it cannot be reloaded") });
  });
});

describe("when classes of clients are others", () => {
  const ruled = (name: string, network: string): HaproxyWorld => ({
    routes: [haproxyRoute(edgePlanOf([A]), { groups: [{ name: "office", classes: [name], plan: edgePlanOf([B]) }] })],
    classes: [{ name, networks: [network] }],
  });
  test.each([
    { whose: "the one that brought the classes of before", isAnother: false },
    { whose: "one that has just started, and finds HAProxy as another left it", isAnother: true },
  ])("no client is without its group's plan on the way, and nothing is reloaded: by $whose", async ({ isAnother }) => {
    const { clock, haproxy, keeper, another, settled } = keep({ reloads: false });
    await settled(ruled("before", "198.51.100.0/24"));
    const lookUp = (map: "clients" | "plans", key: string): string | undefined =>
      haproxy.maps
        .get(mapFile(haproxyOptions, map))
        ?.find((entry) => entry.startsWith(`${key} `))
        ?.split(" ")[1];
    const plans: unknown[] = [];
    haproxy.onChange = () => {
      const found = lookUp("clients", "198.51.100.0/24") ?? lookUp("clients", "198.51.0.0/16");
      plans.push(lookUp("plans", `shop:web:${found}`));
    };
    if (isAnother) await keeper.close();
    const current = isAnother ? another() : keeper;
    current.update(ruled("after", "198.51.0.0/16"));
    await clock.advance(3_000);
    expect(new Set(plans)).toEqual(new Set(["shop:web:office"]));
    expect(haproxy.maps.get(mapFile(haproxyOptions, "plans"))).toEqual(["shop:web:after shop:web:office"]);
    expect(current.status()).toEqual(CURRENT);
  });
});

test("clients whom a rule binds keep their plan until a reload has brought those of a new rule", async () => {
  const { clock, haproxy, files, keeper, settled } = keep({ reloads: false });
  const office = { name: "office", classes: ["one"], plan: edgePlanOf([B]) };
  const ruled = (...groups: NonNullable<HaproxyRoute["groups"]>): HaproxyWorld => ({
    routes: [haproxyRoute(edgePlanOf([A]), { groups })],
    classes: groups.flatMap(({ classes }) => classes.map((name, i) => ({ name, networks: [`198.51.${100 + i}.0/24`] }))),
  });
  await settled(ruled(office));
  const both = { name: "lab+office", classes: ["two"], plan: edgePlanOf([B]) };
  keeper.update(ruled(both));
  await clock.advance(5_000);
  expect(haproxy.changes).toEqual([]);
  expect(keeper.status()).toMatchObject({ isCurrent: false, reloadFor: expect.stringContaining("shop:web:lab_2boffice") });
  haproxy.start(files);
  await clock.advance(12_000);
  expect(keeper.status()).toEqual(CURRENT);
  expect(haproxy.maps.get(mapFile(haproxyOptions, "plans"))).toEqual(["shop:web:two shop:web:lab_2boffice"]);
});

describe("a rule whose plans only a reload can bring", () => {
  const ruled = (group: string, plan: EdgePlan, groupPlan: EdgePlan): HaproxyWorld => ({
    routes: [haproxyRoute(plan, { groups: [{ name: group, classes: [group], plan: groupPlan }] })],
    classes: [{ name: group, networks: ["198.51.100.0/24"] }],
  });
  const B_DOWN = edgeBackend("b", ["-192.0.2.2"]);
  const turned = ruled("in", edgePlanOf([A]), edgePlanOf([B]));
  test("whoever it forbids does not serve those who are taken for others until then; who is down is taken away, and comes back", async () => {
    const { clock, haproxy, files, keeper, serving, settled } = keep({ reloads: false });
    await settled(ruled("-", edgePlanOf([B]), edgePlanOf([A])));
    keeper.update(turned);
    await clock.advance(5_000);
    expect(haproxy.changes).toEqual([]);
    expect(serving()).toEqual(["192.0.2.2=256"]);
    keeper.update(ruled("in", edgePlanOf([A]), edgePlanOf([B_DOWN])));
    await clock.advance(0);
    expect(serving()).toEqual([]);
    expect(haproxy.backends.get("shop:web")!.filter(({ name, isReady }) => name.startsWith("direct") && isReady)).toEqual([]);
    keeper.update(turned);
    await clock.advance(62_000); // all is read again meanwhile
    expect(serving()).toEqual(["192.0.2.2=256"]);
    haproxy.start(files);
    await clock.advance(12_000);
    expect(keeper.status()).toEqual(CURRENT);
    expect([serving(), serving("web:in")]).toEqual([["192.0.2.1=256"], ["192.0.2.2=256"]]);
  });
  test("HAProxy starts again from older files: they count for whom it has then", async () => {
    const { clock, haproxy, files, keeper, serving, settled } = keep({ reloads: false });
    await settled(ruled("-", edgePlanOf([A]), edgePlanOf([B])));
    const older = new Map(files);
    keeper.update(ruled("-", edgePlanOf([B]), edgePlanOf([A])));
    await clock.advance(2_000);
    keeper.update(turned);
    await clock.advance(5_000);
    expect(serving()).toEqual(["192.0.2.2=256"]);
    haproxy.start(older);
    await clock.advance(5_000);
    expect(serving()).toEqual(["192.0.2.1=256"]);
  });
});

test("a full disk keeps nobody from commanding", async () => {
  let isFull = false;
  const files = new Map<string, string>();
  const writeFile = async (path: string, text: string) => {
    if (isFull) throw new Error("ENOSPC: no space left on device");
    files.set(path, text);
  };
  const { clock, haproxy, keeper, serving } = keep({ more: { writeFile } });
  keeper.update(WEB);
  await clock.advance(0);
  haproxy.start(files);
  await clock.advance(5_000);
  isFull = true;
  keeper.update(WEB_FAILED_OVER);
  await clock.advance(3_000);
  expect(serving()).toEqual(["192.0.2.2=256"]);
  expect(keeper.status()).toMatchObject({ isCurrent: true, problem: expect.stringContaining("ENOSPC") });
  isFull = false;
  await clock.advance(3_000);
  expect(keeper.status()).toEqual(CURRENT);
});

test("a command that changes nothing is a problem that is told with HAProxy's words", async () => {
  const { clock, haproxy, keeper, settled } = keep({
    more: { ask: (command) => (command.startsWith("set server") ? Promise.resolve("Permission denied\n\n") : inner(command)) },
  });
  const inner = (command: string) => haproxy.ask(command);
  await settled(WEB);
  keeper.update(WEB_FAILED_OVER);
  await clock.advance(1_000);
  expect(keeper.status()).toEqual({
    ...{ isReachable: true, isCurrent: false },
    problem: "haproxy does not take `set server shop:web_serving/s2 weight 256`: Permission denied",
  });
});

test("after close nothing is asked, written or told", async () => {
  const { clock, keeper, settled, asked, told } = keep();
  await settled(WEB);
  await keeper.close();
  const before = [asked(), told.length];
  keeper.update(WEB_FAILED_OVER);
  await clock.advance(600_000);
  expect([asked(), told.length]).toEqual(before);
  expect(clock.pending()).toBe(0);
});
