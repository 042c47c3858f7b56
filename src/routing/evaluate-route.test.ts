/** Standings over time (docs/health.md, docs/safety.md), on simulated time. Clients are in Germany: Frankfurt is nearest, then Dublin, Virginia, Tokyo. */
import { describe, expect, test } from "vitest";
import { testBackend, testFailover, testRoute } from "../../test/support/world/build-route.ts";
import { HEALTHY, REFUSED, routeInput, SILENT, UNKNOWN } from "../../test/support/world/health.ts";
import { createRouteLife } from "../../test/support/world/route-life.ts";
import type { FailoverPolicy, Route } from "../model/inventory.ts";
import { ms } from "../model/units.ts";
import { evaluateRoute, routeUnits } from "./evaluate-route.ts";
import { Standing } from "./table.ts";

const names = ["frankfurt", "dublin", "virginia", "tokyo"];
const FOUR = names.map((name, i) => testBackend(name, i + 1));
const failback = (more: Partial<FailoverPolicy["failback"]>): Partial<Route> => ({
  failover: testFailover({ failback: { mode: "Automatic", after: ms(60_000), slowStart: ms(0), ...more } }),
});
const route = (more: Partial<Route> = {}): Route => testRoute(FOUR, more);

describe("an outage", () => {
  test("moves clients at once, and back after the delay", () => {
    const life = createRouteLife(route());
    expect(life.served()).toBe("frankfurt");
    life.kill("frankfurt");
    expect(life.served()).toBe("dublin");
    life.advance(600);
    expect(life.served()).toBe("dublin");
    life.heal("frankfurt");
    expect(life.standing("frankfurt")).toBe("Pending");
    life.advance(59.9);
    expect(life.served()).toBe("dublin");
    life.advance(0.1);
    expect(life.served()).toBe("frankfurt");
    expect(life.log.slice(8)).toEqual([
      "frankfurt/4 Usable>Unhealthy",
      "frankfurt/6 Usable>Unhealthy",
      "frankfurt/4 Unhealthy>Pending",
      "frankfurt/6 Unhealthy>Pending",
      "frankfurt/4 Pending>Usable",
      "frankfurt/6 Pending>Usable",
    ]);
  });

  test("tells why, and when it began to show", () => {
    const life = createRouteLife(route());
    life.kill("frankfurt");
    expect(life.changes.at(-1)).toMatchObject({
      backend: "frankfurt",
      family: 6,
      reason: "refused",
      firstSign: life.now() - 2000,
      held: false,
    });
  });

  test("a relapse while it waits starts the wait again", () => {
    const life = createRouteLife(route());
    life.kill("frankfurt");
    life.heal("frankfurt");
    life.advance(40);
    life.kill("frankfurt");
    life.heal("frankfurt");
    life.advance(40);
    expect(life.served()).toBe("dublin");
    life.advance(20);
    expect(life.served()).toBe("frankfurt");
  });

  test("flapping doubles the wait each time", () => {
    const life = createRouteLife(route());
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      life.kill("frankfurt");
      life.heal("frankfurt");
      const healed = life.now();
      while (life.served() !== "frankfurt") life.advance(1);
      waits.push(Math.round((life.now() - healed) / 1000));
      life.advance(5);
    }
    expect(waits).toEqual([60, 120, 240, 480]);
  });

  test("a unit that nobody can look at stays where it is", () => {
    const life = createRouteLife(route());
    life.set(UNKNOWN, undefined, "frankfurt", "dublin");
    life.advance(3600);
    expect(life.served()).toBe("frankfurt");
    life.kill("dublin");
    life.set(UNKNOWN, undefined, "dublin");
    expect(life.standing("dublin")).toBe("Unhealthy");
  });

  test("one address of several: the backend serves with the others", () => {
    const two = testRoute([
      { ...testBackend("frankfurt", 1), addresses: ["192.0.2.1", "2001:db8::1", "192.0.2.2"] },
      testBackend("dublin", 3),
    ]);
    const { backends } = evaluateRoute(routeInput(two, 0, { "192.0.2.2": REFUSED }));
    expect(backends[0]).toMatchObject({ standing: [Standing.Usable, Standing.Usable], health: "Healthy" });
    expect(backends[0]!.addressStanding).toEqual([[Standing.Usable, Standing.Unhealthy], [Standing.Usable]]);
  });
});

describe("one family out", () => {
  test("moves that family alone, and returns alone", () => {
    const life = createRouteLife(route(failback({ slowStart: ms(60_000) })));
    life.set(REFUSED, 6, "frankfurt");
    expect([life.served(0), life.served(1)]).toEqual(["frankfurt", "dublin"]);
    life.heal("frankfurt");
    life.advance(60);
    // IPv6 ramps, IPv4 never left: its clients all stay
    expect(life.evaluation().backends[0]!.keep).toEqual([1, 0.1]);
    expect([0, 0.3, 0.6, 0.99].map((random) => life.ask(undefined, 0, random).clusters[0])).toEqual(Array(4).fill("frankfurt"));
    expect([0.05, 0.3, 0.6, 0.99].map((random) => life.ask(undefined, 1, random).clusters[0])).toEqual([
      "frankfurt",
      "dublin",
      "dublin",
      "dublin",
    ]);
  });
  test("everywhere: fails open within the family", () => {
    const life = createRouteLife(route());
    life.set(REFUSED, 6, ...names);
    expect(life.ask(undefined, 1)).toMatchObject({ clusters: ["frankfurt"], mode: "FailOpenUnhealthy" });
    expect(life.ask(undefined, 0)).toMatchObject({ clusters: ["frankfurt"], mode: "Usable" });
  });
});

describe("a total outage", () => {
  test("fails open to the nearest, and to the first that recovers without its delay", () => {
    const life = createRouteLife(route());
    life.kill(...names);
    expect(life.ask()).toMatchObject({ clusters: ["frankfurt"], mode: "FailOpenUnhealthy", ttl: 5 });
    life.advance(3600);
    life.heal("tokyo");
    expect(life.ask()).toMatchObject({ clusters: ["tokyo"], mode: "Pending" });
    life.advance(60);
    expect(life.ask()).toMatchObject({ clusters: ["tokyo"], mode: "Usable" });
  });
  test("HoldLast keeps to whoever went last", () => {
    const life = createRouteLife(route({ failover: testFailover({ whenAllUnhealthy: "HoldLast" }) }));
    life.kill("frankfurt", "dublin");
    life.advance(10);
    life.kill("tokyo");
    life.advance(10);
    life.kill("virginia");
    expect(life.ask()).toMatchObject({ clusters: ["virginia"], mode: "Held" });
  });
});

describe("failback by approval", () => {
  const life = () => {
    const one = createRouteLife(route(failback({ mode: "Approval" })));
    one.kill("frankfurt");
    one.advance(10);
    return one;
  };
  test("waits for it, however long", () => {
    const one = life();
    one.heal("frankfurt");
    one.advance(86_400);
    expect(one.standing("frankfurt")).toBe("Pending");
    expect(one.evaluation().due).toBe(Number.POSITIVE_INFINITY);
    one.order({ approvedAt: new Map([["frankfurt", one.now()]]) });
    expect(one.served()).toBe("frankfurt");
  });
  test("given during the outage, it counts as soon as it is healthy", () => {
    const one = life();
    one.order({ approvedAt: new Map([["frankfurt", one.now()]]) });
    expect(one.standing("frankfurt")).toBe("Unhealthy");
    one.heal("frankfurt");
    expect(one.served()).toBe("frankfurt");
  });
  test("given for an earlier outage, it does not count", () => {
    const one = life();
    one.order({ approvedAt: new Map([["frankfurt", one.now() - 60_000]]) });
    one.heal("frankfurt");
    expect(one.standing("frankfurt")).toBe("Pending");
  });
});

describe("slow start", () => {
  test("grows from a tenth to the whole, with short answers meanwhile", () => {
    const life = createRouteLife(route(failback({ after: ms(0), slowStart: ms(100_000) })));
    life.kill("frankfurt");
    life.heal("frankfurt");
    const keeps: number[] = [];
    for (let i = 0; i < 5; i++) {
      keeps.push(Math.round(life.evaluation().backends[0]!.keep[0] * 1000) / 1000);
      expect(life.ask().ttl).toBe(i === 4 ? 60 : 5);
      life.advance(25);
    }
    expect(keeps).toEqual([0.1, 0.325, 0.55, 0.775, 1]);
  });
  test("a first start does not ramp", () => {
    expect(createRouteLife(route(failback({ slowStart: ms(100_000) }))).evaluation().backends[0]!.keep).toEqual([1, 1]);
  });
});

describe("shedding", () => {
  const more: Partial<Route> = { shed: { lowPercent: 80, highPercent: 100 } };
  test.each([
    { load: 0.5, keep: 1 },
    { load: 0.8, keep: 1 },
    { load: 0.9, keep: 0.5 },
    { load: 1, keep: 0 },
    { load: 1.7, keep: 0 },
  ])("at $load of capacity it keeps $keep", ({ load, keep }) => {
    const life = createRouteLife(route(more));
    life.set({ ...HEALTHY, load }, undefined, "frankfurt");
    expect(life.evaluation().backends[0]!.keep[0]).toBeCloseTo(keep, 9);
    expect(life.evaluation().backends[1]!.keep).toEqual([1, 1]);
  });
  test("without load reports nothing is shed, and without the policy load is nothing", () => {
    expect(createRouteLife(route(more)).evaluation().backends[0]!.keep).toEqual([1, 1]);
    const life = createRouteLife(route());
    life.set({ ...HEALTHY, load: 1 }, undefined, "frankfurt");
    expect(life.served()).toBe("frankfurt");
  });
  test("an overloaded cluster's clients go to the next one", () => {
    const life = createRouteLife(route(more));
    life.set({ ...HEALTHY, load: 1 }, undefined, "frankfurt");
    expect(life.served()).toBe("dublin");
  });
});

describe("a drill", () => {
  const drill = { drilled: new Set(["frankfurt"]) };

  test("moves clients as a loss would, and brings them back at once", () => {
    const life = createRouteLife(route());
    life.order(drill);
    expect(life.standing("frankfurt")).toBe("Draining");
    expect(life.served()).toBe("dublin");
    expect(life.changes.at(-1)).toMatchObject({ reason: "drill", cause: "order", firstSign: 0 });
    expect(life.evaluation().drills).toEqual([
      { backend: "frankfurt", family: 4 },
      { backend: "frankfurt", family: 6 },
    ]);
    life.advance(600);
    life.order({});
    expect(life.served()).toBe("frankfurt");
    expect(life.evaluation().drills).toEqual([]);
  });

  test("yields in the same moment to whatever fails, and leaves it the whole budget", () => {
    const life = createRouteLife(route({ failover: testFailover({ maxWithdrawalPercent: 0 }) }));
    life.order(drill);
    life.silence("virginia");
    expect(life.served()).toBe("frankfurt");
    expect(life.standing("virginia")).toBe("Unhealthy"); // not held
    expect(life.changes.filter(({ backend }) => backend === "frankfurt").at(-1)).toMatchObject({
      reason: "no longer drilled",
      cause: "order",
      causedAt: life.now(),
    });
    expect(life.evaluation().drills[0]).toEqual({ backend: "frankfurt", family: 4, held: "virginia is not in service" });
  });

  test("that meets a real outage of its own backend gives way to it", () => {
    const life = createRouteLife(route());
    life.order(drill);
    life.kill("frankfurt");
    expect(life.standing("frankfurt")).toBe("Unhealthy");
    life.heal("frankfurt");
    life.order({});
    expect(life.standing("frankfurt")).toBe("Pending"); // it has failed: the failback delay holds
  });

  test.each([
    { name: "of everything does nothing", orders: { drilled: new Set(names) } },
    { name: "of what is forced up does nothing", orders: { ...drill, forcedUp: new Set(["frankfurt"]) } },
  ])("$name", ({ orders }) => {
    const life = createRouteLife(route());
    life.order(orders);
    expect(life.served()).toBe("frankfurt");
  });

  test("goes on in another process", () => {
    const life = createRouteLife(route());
    life.order(drill);
    life.restart();
    expect(life.served()).toBe("dublin");
  });
});

describe("operators", () => {
  test("drain moves clients, undrain brings them back at once", () => {
    const life = createRouteLife(route());
    life.order({ draining: new Set(["frankfurt"]) });
    expect(life.standing("frankfurt")).toBe("Draining");
    expect(life.served()).toBe("dublin");
    expect(life.changes.at(-1)).toMatchObject({ reason: "draining", firstSign: 0 });
    life.advance(600);
    life.order({});
    expect(life.served()).toBe("frankfurt");
  });
  test("what fails while it drains waits for its failback afterwards", () => {
    const life = createRouteLife(route());
    life.order({ draining: new Set(["frankfurt"]) });
    life.kill("frankfurt");
    life.heal("frankfurt");
    life.order({});
    expect(life.standing("frankfurt")).toBe("Pending");
  });
  test("everything drained is still better than nothing", () => {
    const life = createRouteLife(route());
    life.order({ draining: new Set(names) });
    expect(life.ask()).toMatchObject({ clusters: ["frankfurt"], mode: "FailOpenDraining" });
  });
  test("ForceUp outlasts its probes, and is given back to them", () => {
    const life = createRouteLife(route());
    life.order({ forcedUp: new Set(["frankfurt"]) });
    life.kill("frankfurt");
    expect(life.served()).toBe("frankfurt");
    expect(life.ask().addresses).toEqual(["192.0.2.1"]);
    life.order({});
    expect(life.served()).toBe("dublin");
  });
  test.each([
    {
      name: "Cordon is stronger than ForceUp",
      orders: { cordoned: new Set(["frankfurt"]), forcedUp: new Set(["frankfurt"]) },
      standing: "Excluded",
    },
    {
      name: "ForceUp is stronger than Drain",
      orders: { draining: new Set(["frankfurt"]), forcedUp: new Set(["frankfurt"]) },
      standing: "Usable",
    },
    {
      name: "Drain is stronger than Freeze",
      orders: { draining: new Set(["frankfurt"]), frozen: new Set(["frankfurt"]) },
      standing: "Draining",
    },
  ])("$name", ({ orders, standing }) => {
    const life = createRouteLife(route());
    life.order(orders);
    expect(life.standing("frankfurt")).toBe(standing);
  });
});

describe("Freeze", () => {
  const frozen = { frozen: new Set(names) };
  test("keeps what is served, whatever probes say, and catches up afterwards", () => {
    const life = createRouteLife(route());
    life.kill("dublin");
    life.order(frozen);
    life.kill("frankfurt");
    life.heal("dublin");
    life.advance(600);
    expect([life.served(), life.standing("dublin")]).toEqual(["frankfurt", "Unhealthy"]);
    life.order({});
    expect([life.served(), life.standing("dublin")]).toEqual(["virginia", "Pending"]);
  });
  test("a failback that falls due waits for the thaw, and asks for no evaluation meanwhile", () => {
    const life = createRouteLife(route());
    life.kill("frankfurt");
    life.heal("frankfurt");
    life.order(frozen);
    life.advance(600);
    expect(life.standing("frankfurt")).toBe("Pending");
    expect(life.evaluation().due).toBe(Number.POSITIVE_INFINITY);
    life.order({});
    expect(life.served()).toBe("frankfurt");
  });
  test("spends nothing of the withdrawal budget", () => {
    const life = createRouteLife(route());
    life.order(frozen);
    life.silence("frankfurt", "dublin");
    for (let i = 0; i < 5; i++) life.advance(1);
    expect(life.evaluation().memory.withdrawals["4"]).toEqual([]);
    life.order({});
    expect(life.served()).toBe("virginia");
  });
  test("of one backend leaves the others alone", () => {
    const life = createRouteLife(route());
    life.order({ frozen: new Set(["frankfurt"]) });
    life.kill("frankfurt", "dublin");
    expect([life.standing("frankfurt"), life.standing("dublin")]).toEqual(["Usable", "Unhealthy"]);
  });
  test("survives a drain that comes and goes within it", () => {
    const life = createRouteLife(route());
    life.order(frozen);
    life.order({ ...frozen, draining: new Set(["frankfurt"]) });
    life.order(frozen);
    expect(life.standing("frankfurt")).toBe("Usable");
  });
});

describe("the first minutes", () => {
  test("while verdicts come in, what nobody has looked at counts as usable", () => {
    const life = createRouteLife(route(), UNKNOWN);
    expect(life.ask().mode).toBe("FailOpenUnknown");
    life.warm(true);
    expect(life.ask()).toMatchObject({ clusters: ["frankfurt"], mode: "Usable" });
    life.heal("tokyo");
    expect(life.served()).toBe("frankfurt"); // the early bird does not get everybody
    life.warm(false);
    expect(life.served()).toBe("tokyo");
  });
  test("a first verdict of down does not serve, and a first verdict of up needs no delay", () => {
    const life = createRouteLife(route(), UNKNOWN);
    life.kill("frankfurt");
    life.heal("dublin", "virginia");
    expect([life.standing("frankfurt"), life.served()]).toEqual(["Unhealthy", "dublin"]);
    life.heal("frankfurt");
    expect(life.served()).toBe("frankfurt");
  });
  test("a failure that was never anything else costs no budget", () => {
    const life = createRouteLife(route(), UNKNOWN);
    life.warm(true);
    life.silence(...names.slice(0, 3));
    expect(life.evaluation().memory.withdrawals["4"]).toEqual([]);
    expect(life.served()).toBe("tokyo");
  });
});

describe("memory", () => {
  test("survives JSON and a restart in which nobody has looked yet", () => {
    const life = createRouteLife(route());
    life.kill("frankfurt");
    life.heal("frankfurt");
    life.advance(30);
    life.restart();
    expect([life.standing("frankfurt"), life.served()]).toEqual(["Pending", "dublin"]);
    life.advance(29);
    expect(life.served()).toBe("dublin");
    life.advance(1);
    expect(life.served()).toBe("frankfurt");
  });
  test("keeps the damping of flaps", () => {
    const life = createRouteLife(route());
    for (let i = 0; i < 2; i++) {
      life.kill("frankfurt");
      life.heal("frankfurt");
      life.advance(60 * 2 ** i);
      expect(life.served()).toBe("frankfurt");
      life.restart();
    }
    life.kill("frankfurt");
    life.heal("frankfurt");
    life.advance(239);
    expect(life.served()).toBe("dublin");
    life.advance(1);
    expect(life.served()).toBe("frankfurt");
  });
  test("says when a unit last served", () => {
    const life = createRouteLife(route());
    expect(life.evaluation().backends[0]!.lastUsable).toEqual([0, 0]);
    life.kill("frankfurt");
    const at = life.now();
    life.advance(100);
    expect(life.evaluation().backends[0]!.lastUsable).toEqual([at, at]);
  });
  test("forgets backends that are gone, and keeps those that stay", () => {
    const before = evaluateRoute(routeInput(route(), 1000, { "192.0.2.2": REFUSED })).memory;
    const after = evaluateRoute(routeInput(testRoute(FOUR.slice(1, 3)), 2000, {}, { memory: before })).memory;
    expect(Object.keys(after.units)).toEqual(["dublin/4", "dublin/6", "virginia/4", "virginia/6"]);
    expect(after.units["dublin/4"]!.failback.phase).toBe("Serving"); // it had never served: no delay
  });
  test("what does not change stays the same object, whether units were made before or not", () => {
    const first = evaluateRoute(routeInput(route(), 1000, {}));
    const again = evaluateRoute(routeInput(route(), 2000, {}, { memory: first.memory, units: routeUnits(route()) }));
    expect(again.memory.units).toBe(first.memory.units);
    expect({ ...again, memory: {}, changes: [] }).toEqual({ ...first, memory: {}, changes: [] });
    const changed = evaluateRoute(routeInput(route(), 3000, { "192.0.2.2": REFUSED }, { memory: first.memory }));
    expect(changed.memory.units["dublin/4"]!.standing).toBe(Standing.Unhealthy);
    expect(changed.memory.units["dublin/6"]).toBe(first.memory.units["dublin/6"]);
  });
  test("addresses that come and go: absent, then back like any other", () => {
    const without = testRoute([{ ...FOUR[0]!, addresses: ["192.0.2.1"] }]);
    const first = evaluateRoute(routeInput(route(), 1000, {}));
    const second = evaluateRoute(routeInput(without, 2000, {}, { memory: first.memory }));
    expect(second.backends[0]).toMatchObject({ standing: [Standing.Usable, Standing.Absent], lastUsable: [0, 2000] });
    expect(second.due).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("deadlines of answers", () => {
  test("the earliest change of any address that an answer may name, of unknown ones too", () => {
    const life = createRouteLife(route());
    life.set({ ...HEALTHY, nextChange: life.now() + 20_000 }, 4, "frankfurt");
    expect(life.ask().ttl).toBe(20);
    expect(life.ask(undefined, 1).ttl).toBe(60);
    life.set({ ...UNKNOWN, nextChange: life.now() + 10_000 }, 4, "frankfurt");
    expect(life.ask().ttl).toBe(10);
  });
  test("the earliest return of somebody else: its next change and its delay", () => {
    const life = createRouteLife(route(failback({ after: ms(10_000) })));
    life.set({ ...REFUSED, nextChange: life.now() + 15_000 }, undefined, "frankfurt");
    expect(life.ask().ttl).toBe(25);
    life.heal("frankfurt");
    expect(life.ask().ttl).toBe(10);
    life.advance(7);
    expect(life.ask().ttl).toBe(5);
  });
  test("nobody comes back by itself from a drain, or by approval", () => {
    const life = createRouteLife(route(failback({ mode: "Approval" })));
    life.order({ draining: new Set(["dublin"]) });
    life.set({ ...REFUSED, nextChange: life.now() + 1000 }, undefined, "frankfurt");
    expect(life.ask()).toMatchObject({ clusters: ["virginia"], ttl: 60 });
  });
  test("a held unit keeps answers short", () => {
    const life = createRouteLife(testRoute(FOUR, { failover: testFailover({ maxWithdrawalPercent: 0 }) }));
    life.silence("virginia", "tokyo");
    expect(life.log.at(-1)).toBe("tokyo/6 Usable>Usable held");
    expect(life.ask().ttl).toBe(5);
    life.set({ ...SILENT, votes: 2 }, undefined, "tokyo");
    expect(life.standing("tokyo")).toBe("Unhealthy");
  });
});
