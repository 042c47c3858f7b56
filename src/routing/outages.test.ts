/** Safety rule 4 (docs/safety.md) as operators meet it: one vantage, two to five dual-stack clusters, every way to lose some of them. */
import { describe, expect, test } from "vitest";
import { testBackend, testFailover, testRoute } from "../../test/support/world/build-route.ts";
import { SILENT } from "../../test/support/world/health.ts";
import { createRouteLife } from "../../test/support/world/route-life.ts";
import type { EndpointHealth } from "../model/health.ts";
import { ms } from "../model/units.ts";

/** Nearest to Germany first. */
const NAMES = ["frankfurt", "dublin", "virginia", "tokyo", "paulo"];
const lifeOf = (count: number) =>
  createRouteLife(
    testRoute(
      NAMES.slice(0, count).map((name, i) => testBackend(name, i + 1)),
      { failover: testFailover({ failback: { mode: "Automatic", after: ms(10_000), slowStart: ms(0) } }) },
    ),
  );
const subsets = (names: readonly string[]): string[][] =>
  names.reduce<string[][]>((sets, name) => sets.flatMap((set) => [set, [...set, name]]), [[]]);

describe.each([2, 3])("%i clusters, one vantage", (count) => {
  const names = NAMES.slice(0, count);
  describe.each(["kill", "silence"] as const)("%s", (act) => {
    test.each(
      subsets(names)
        .filter((set) => set.length > 0)
        .map((set) => ({ lost: set })),
    )("$lost: clients go to the nearest of the rest, or everything stays", ({ lost }) => {
      const life = lifeOf(count);
      life[act](...lost);
      const left = names.filter((name) => !lost.includes(name));
      for (const family of [0, 1] as const) {
        expect(life.served(family)).toBe(left[0] ?? "frankfurt");
        expect(life.ask(undefined, family).mode).toBe(left.length === 0 ? "FailOpenUnhealthy" : "Usable");
      }
      life.advance(5);
      life.heal(...lost);
      life.advance(10);
      expect([life.served(0), life.served(1), life.ask().mode]).toEqual(["frankfurt", "frankfurt", "Usable"]);
    });
  });
});

describe("five clusters, one vantage", () => {
  test("two that fall silent go at once", () => {
    const life = lifeOf(5);
    life.silence("frankfurt", "dublin");
    expect([life.served(0), life.served(1)]).toEqual(["virginia", "virginia"]);
    expect(life.log.slice(10).some((line) => line.includes("held"))).toBe(false);
  });

  test("a third and fourth stay in service until the window has moved on", () => {
    const life = lifeOf(5);
    life.silence("frankfurt");
    life.advance(20);
    life.silence("dublin", "virginia", "tokyo");
    expect(life.served()).toBe("virginia");
    expect(life.ask()).toMatchObject({ mode: "Usable", ttl: 5 });
    expect(life.log.slice(-4)).toEqual([
      "virginia/4 Usable>Usable held",
      "virginia/6 Usable>Usable held",
      "tokyo/4 Usable>Usable held",
      "tokyo/6 Usable>Usable held",
    ]);
    life.advance(39);
    expect(life.served()).toBe("virginia");
    life.advance(1); // a minute after Frankfurt: one more may go
    expect([life.served(), life.standing("virginia"), life.standing("tokyo")]).toEqual(["tokyo", "Unhealthy", "Usable"]);
    life.advance(20); // a minute after Dublin
    expect([life.served(), life.standing("tokyo")]).toEqual(["paulo", "Unhealthy"]);
  });

  test("a held one that answers again never left: no failback delay", () => {
    const life = lifeOf(5);
    life.silence("dublin", "virginia", "frankfurt");
    expect(life.log.at(-1)).toBe("frankfurt/6 Usable>Usable held");
    life.heal("frankfurt");
    expect([life.served(), life.log.at(-1)]).toEqual(["frankfurt", "frankfurt/6 Usable>Usable"]);
    life.advance(100);
    expect(life.log.at(-1)).toBe("frankfurt/6 Usable>Usable");
  });

  test("ConfirmWithdrawal lets go those that it names, and only those", () => {
    const life = lifeOf(5);
    life.silence("paulo", "tokyo", "frankfurt", "dublin");
    expect([life.served(), life.standing("dublin")]).toEqual(["frankfurt", "Usable"]);
    life.order({ confirmed: new Set(["frankfurt"]) });
    expect([life.standing("frankfurt"), life.standing("dublin"), life.served()]).toEqual(["Unhealthy", "Usable", "dublin"]);
    life.order({ confirmed: new Set(NAMES) });
    expect(life.served()).toBe("virginia");
  });

  test("a drain of a held one takes effect", () => {
    const life = lifeOf(5);
    life.silence("paulo", "tokyo", "frankfurt");
    life.order({ draining: new Set(["frankfurt"]) });
    expect([life.standing("frankfurt"), life.served()]).toEqual(["Draining", "dublin"]);
  });

  test("proof of death lets go at once, and costs nothing of the budget", () => {
    const life = lifeOf(5);
    life.silence("paulo", "tokyo", "frankfurt");
    expect(life.served()).toBe("frankfurt");
    life.kill("frankfurt");
    expect(life.served()).toBe("dublin");
    expect(life.evaluation().memory.withdrawals["4"].map(({ backend }) => backend)).toEqual(["paulo/4", "tokyo/4"]);
  });

  test("a second vantage that agrees lets go at once", () => {
    const life = lifeOf(5);
    life.silence("paulo", "tokyo", "frankfurt");
    life.set({ ...SILENT, votes: 2 }, undefined, "frankfurt");
    expect(life.served()).toBe("dublin");
  });

  test("four killed: no budget for proof", () => {
    const life = lifeOf(5);
    life.kill("frankfurt", "dublin", "virginia", "tokyo");
    expect(life.served()).toBe("paulo");
  });

  test("when the fifth goes too nothing is held: all fail open alike", () => {
    const life = lifeOf(5);
    life.silence(...NAMES);
    expect(life.ask()).toMatchObject({ mode: "FailOpenUnhealthy", clusters: ["frankfurt"] });
    expect(NAMES.map((name) => life.standing(name))).toEqual(Array(5).fill("Unhealthy"));
  });

  test("families have budgets of their own", () => {
    const life = lifeOf(5);
    life.set(SILENT, 6, "frankfurt", "dublin", "virginia");
    life.set(SILENT, 4, "frankfurt", "dublin");
    expect([life.served(0), life.served(1), life.standing("virginia", 1)]).toEqual(["virginia", "virginia", "Usable"]);
  });

  test("an address that was proven dead before does not prove the silence of its neighbour", () => {
    const backends = NAMES.map((name, i) => ({ ...testBackend(name, i + 1), addresses: [`192.0.2.${i + 1}`, `198.51.100.${i + 1}`] }));
    const life = createRouteLife(testRoute(backends, { failover: testFailover({ maxWithdrawalPercent: 0 }) }));
    life.silence("paulo"); // the budget of one
    life.setAddress("192.0.2.1", "refused");
    life.setAddress("198.51.100.1", "timeout");
    expect(life.standing("frankfurt")).toBe("Usable");
    life.setAddress("198.51.100.1", "refused");
    expect(life.standing("frankfurt")).toBe("Unhealthy");
  });

  test("after a restart the budget still knows what it spent", () => {
    const life = lifeOf(5);
    life.silence("frankfurt", "dublin");
    life.restart();
    life.silence("virginia");
    expect(life.standing("virginia")).toBe("Usable");
  });
});

test("a vantage in Tokyo that loses sight of Berlin never sends Germans to Tokyo while Frankfurt answers", () => {
  const life = createRouteLife(testRoute(["berlin", "frankfurt", "tokyo"].map((name, i) => testBackend(name, i + 1))));
  life.silence("berlin");
  expect(life.served()).toBe("frankfurt");
});

describe("requests fail wherever they are sent, though every probe succeeds", () => {
  const FAILING: EndpointHealth = { ...SILENT, reason: "requests-failed" };

  test("two of five clusters go, the others stay, for hours", () => {
    const life = lifeOf(5);
    for (const name of NAMES.slice(0, 4)) {
      life.set(FAILING, undefined, name);
      life.advance(3600);
    }
    expect(NAMES.map((name) => life.standing(name))).toEqual(["Unhealthy", "Unhealthy", "Usable", "Usable", "Usable"]);
    expect([life.served(0), life.ask().mode]).toEqual(["virginia", "Usable"]);
  });

  test("when probes fail as well, that is proof", () => {
    const life = lifeOf(5);
    life.set(FAILING, undefined, ...NAMES.slice(0, 3));
    expect(life.standing("virginia")).toBe("Usable");
    life.kill("virginia");
    expect(life.standing("virginia")).toBe("Unhealthy");
  });

  test("of two clusters both: everybody is answered as before", () => {
    const life = lifeOf(2);
    life.set(FAILING, undefined, "frankfurt");
    expect(life.served()).toBe("dublin");
    life.set(FAILING, undefined, "dublin");
    expect([life.served(), life.ask().mode]).toEqual(["frankfurt", "FailOpenUnhealthy"]);
  });
});
