/** The last steps of a decision (docs/decisions.md), one by one. Clients are in Germany: Frankfurt is nearest, then Dublin, Virginia, Tokyo. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testBackend, testFailover, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { CLIENTS, COUNTRY_FILE, compileTestTable, everythingUsable } from "../../test/support/world/compile-test-world.ts";
import type { Backend, Route } from "../model/inventory.ts";
import { parsePrefix } from "../model/ip.ts";
import { seconds } from "../model/units.ts";
import { type Choice, choiceTtl, choose, chooseBySlot, diceOf, newChoice } from "./choose.ts";
import { answerShares, type Decision, decide, placeClient } from "./decide.ts";
import { FULL, Standing } from "./table.ts";

const FOUR = ["frankfurt", "dublin", "virginia", "tokyo"].map((name, i) => testBackend(name, i + 1));
const only = (...names: readonly string[]): Backend[] => FOUR.filter(({ name }) => names.includes(name));

/** A table in which everything is usable, and hands to change and ask it. */
function world(backends: readonly Backend[] = FOUR, more: Partial<Route> = {}) {
  const { table } = compileTestTable(testInventory([testRoute(backends, more)]), [COUNTRY_FILE]);
  everythingUsable(table);
  const rowOf = (name: string, family: 0 | 1): number => 2 * backends.findIndex((backend) => backend.name === name) + family;
  const each = (families: readonly (0 | 1)[], names: readonly string[], set: (row: number) => void) => {
    for (const family of families) for (const name of names) set(rowOf(name, family));
  };
  const self = {
    table,
    stand: (standing: Standing, ...names: readonly string[]) => {
      each([0, 1], names, (row) => {
        table.state.standing[row] = standing;
      });
      return self;
    },
    standFamily: (family: 0 | 1, standing: Standing, ...names: readonly string[]) => {
      each([family], names, (row) => {
        table.state.standing[row] = standing;
      });
      return self;
    },
    lastUsable: (at: number, ...names: readonly string[]) => {
      each([0, 1], names, (row) => {
        table.state.lastUsable[row] = at;
      });
      return self;
    },
    keep: (share: number, ...names: readonly string[]) => {
      each([0, 1], names, (row) => {
        table.state.keep[row] = Math.round(share * FULL);
      });
      return self;
    },
    ask: (client: string = CLIENTS.DE, family: 0 | 1 = 0, random = 0.5): Decision =>
      decide(table, 0, parsePrefix(client)!, family, random, 0),
    shares: (family: 0 | 1 = 0, client: string = CLIENTS.DE) => {
      const choice = newChoice();
      placeClient(table, 0, parsePrefix(client)!, choice);
      return Object.fromEntries(
        [...answerShares(table, 0, family, choice).clusters].map(([name, share]) => [name, Math.round(share * 1000) / 1000]),
      );
    },
  };
  return self;
}

const { Usable, Pending, Unknown, Unhealthy, Draining, Excluded } = Standing;

describe("the first tier with a usable backend serves", () => {
  test("the nearest", () => expect(world().ask().clusters).toEqual(["frankfurt"]));
  test("the next nearest when that is out, and so on", () => {
    expect(world().stand(Unhealthy, "frankfurt").ask().clusters).toEqual(["dublin"]);
    expect(world().stand(Unhealthy, "frankfurt", "dublin").ask().clusters).toEqual(["virginia"]);
    expect(world().stand(Unhealthy, "frankfurt", "dublin", "virginia").ask()).toMatchObject({ clusters: ["tokyo"], mode: "Usable" });
  });
  test("a client elsewhere does not notice", () => {
    expect(world().ask(CLIENTS.JP).clusters).toEqual(["tokyo"]);
    expect(world().stand(Unhealthy, "frankfurt").ask(CLIENTS.JP).clusters).toEqual(["tokyo"]);
  });
  test("standbys serve when all weighted ones are out", () => {
    const backends = FOUR.map((backend) => (backend.name === "frankfurt" ? { ...backend, weight: 0 } : backend));
    expect(world(backends).stand(Unhealthy, "dublin", "virginia").ask().clusters).toEqual(["tokyo"]);
    expect(world(backends).stand(Unhealthy, "dublin", "virginia", "tokyo").ask()).toMatchObject({
      clusters: ["frankfurt"],
      mode: "Usable",
    });
  });
  test("every standing but Usable is passed over", () => {
    for (const standing of [Pending, Unknown, Unhealthy, Draining, Excluded]) {
      expect(world().stand(standing, "frankfurt").ask().clusters).toEqual(["dublin"]);
    }
  });
});

describe("when nothing is usable", () => {
  const ladder = [
    { name: "failback pending comes first", standings: [Unknown, Pending, Unhealthy, Draining], cluster: "dublin", mode: "Pending" },
    {
      name: "then unknown, even far away",
      standings: [Unhealthy, Unhealthy, Draining, Unknown],
      cluster: "tokyo",
      mode: "FailOpenUnknown",
    },
    { name: "then unhealthy", standings: [Draining, Excluded, Unhealthy, Unhealthy], cluster: "virginia", mode: "FailOpenUnhealthy" },
    { name: "then draining", standings: [Excluded, Draining, Draining, Excluded], cluster: "dublin", mode: "FailOpenDraining" },
  ];
  test.each(ladder)("$name", ({ standings, cluster, mode }) => {
    const one = world();
    FOUR.forEach(({ name }, i) => {
      one.stand(standings[i]!, name);
    });
    expect(one.ask()).toMatchObject({ clusters: [cluster], mode });
  });
  const all = FOUR.map(({ name }) => name);
  test("fail-open keeps the order: the nearest of the unhealthy", () => {
    expect(
      world()
        .stand(Unhealthy, ...all)
        .ask(),
    ).toMatchObject({ clusters: ["frankfurt"], mode: "FailOpenUnhealthy" });
  });
  test("fail-open names the slot's owner, so that sticky clients stay where they were", () => {
    const more = { order: "Weighted", sticky: "ClientSubnet" } as const;
    for (const client of ["198.51.100.1", "192.0.2.1", "203.0.113.1"]) {
      expect(
        world(FOUR, more)
          .stand(Unhealthy, ...all)
          .ask(client).clusters,
      ).toEqual(world(FOUR, more).ask(client).clusters);
    }
  });
  test("cordoned ones are left out of every rung", () => {
    for (const standing of [Pending, Unknown, Unhealthy, Draining]) {
      const one = world().stand(Excluded, "frankfurt").stand(standing, "dublin", "virginia", "tokyo").lastUsable(9, "frankfurt");
      expect(one.ask().clusters).toEqual(["dublin"]);
    }
  });
  test("all cordoned: the last answer goes on", () => {
    const one = world()
      .stand(Excluded, ...all)
      .lastUsable(1000, "dublin", "virginia")
      .lastUsable(500, "frankfurt");
    expect(one.ask()).toMatchObject({ clusters: ["dublin"], mode: "Held" });
  });
  test("all cordoned and never an answer: nothing, which is SERVFAIL", () => {
    expect(
      world()
        .stand(Excluded, ...all)
        .ask(),
    ).toMatchObject({ clusters: [], addresses: [], mode: "Nothing", ttl: 0 });
  });
  test("Require rules that allow nothing in common: nothing, and nothing is held", () => {
    const rules = [
      testRule("r1", "Require", { countries: ["DE"] }, ["dublin"]),
      testRule("r2", "Require", { countries: ["DE"] }, ["tokyo"]),
    ];
    const one = world(FOUR, { rules }).lastUsable(1000, ...all);
    expect(one.ask()).toMatchObject({ mode: "Nothing", clusters: [] });
    expect(one.ask(CLIENTS.US)).toMatchObject({ mode: "Usable", clusters: ["virginia"] });
  });
  test("the hold obeys today's rules", () => {
    const rules = [testRule("r", "Require", { countries: ["DE"] }, ["virginia", "tokyo"])];
    const one = world(FOUR, { rules })
      .stand(Excluded, ...all)
      .lastUsable(2000, "frankfurt")
      .lastUsable(1000, "tokyo");
    expect(one.ask()).toMatchObject({ clusters: ["tokyo"], mode: "Held" });
  });
});

describe("HoldLast", () => {
  const more = { failover: testFailover({ whenAllUnhealthy: "HoldLast" }) };
  const all = FOUR.map(({ name }) => name);
  test("answers what was usable last, not what is nearest", () => {
    const one = world(FOUR, more)
      .stand(Unhealthy, ...all)
      .lastUsable(1000, "frankfurt", "dublin")
      .lastUsable(3000, "tokyo")
      .lastUsable(2000, "virginia");
    expect(one.ask()).toMatchObject({ clusters: ["tokyo"], mode: "Held" });
  });
  test("of those that went together, the nearest", () => {
    expect(
      world(FOUR, more)
        .stand(Unhealthy, ...all)
        .lastUsable(1000, ...all)
        .ask().clusters,
    ).toEqual(["frankfurt"]);
  });
  test("comes before unknown ones, after a pending failback", () => {
    const one = world(FOUR, more)
      .stand(Unhealthy, ...all)
      .lastUsable(1000, "tokyo")
      .stand(Unknown, "dublin");
    expect(one.ask().mode).toBe("Held");
    expect(one.stand(Pending, "virginia").ask()).toMatchObject({ mode: "Pending", clusters: ["virginia"] });
  });
  test("does not hold a cordoned one while another can be had", () => {
    const one = world(FOUR, more)
      .stand(Unhealthy, "tokyo")
      .stand(Excluded, "frankfurt", "dublin", "virginia")
      .lastUsable(1000, "frankfurt");
    expect(one.ask()).toMatchObject({ clusters: ["tokyo"], mode: "FailOpenUnhealthy" });
  });
  test("fails open when there never was an answer", () => {
    expect(
      world(FOUR, more)
        .stand(Unhealthy, ...all)
        .ask(),
    ).toMatchObject({ clusters: ["frankfurt"], mode: "FailOpenUnhealthy" });
  });
});

describe("families", () => {
  test("an outage of one family moves that family alone", () => {
    const one = world().standFamily(1, Unhealthy, "frankfurt");
    expect(one.ask(CLIENTS.DE, 0).clusters).toEqual(["frankfurt"]);
    expect(one.ask(CLIENTS.DE, 1)).toMatchObject({ clusters: ["dublin"], mode: "Usable" });
  });
  test("a ramp of one family moves that family alone, be a tier one backend or several", () => {
    for (const more of [{}, { order: "Weighted" } as const]) {
      const before = world(FOUR, more).shares(0);
      const one = world(FOUR, more);
      one.table.state.keep[2 * 0 + 1] = 0;
      expect(one.shares(0)).toEqual(before);
      expect(one.shares(1)).not.toHaveProperty("frankfurt");
    }
  });
  test("fails open within the family", () => {
    const one = world().standFamily(1, Unhealthy, ...FOUR.map(({ name }) => name));
    expect(one.ask(CLIENTS.DE, 1)).toMatchObject({ clusters: ["frankfurt"], mode: "FailOpenUnhealthy" });
    expect(one.ask(CLIENTS.DE, 0).mode).toBe("Usable");
  });
  test("A and AAAA of a sticky client come from one cluster", () => {
    const one = world(FOUR, { order: "Weighted", sticky: "ClientSubnet" });
    for (let i = 0; i < 50; i++) expect(one.ask(`10.0.${i}.1`, 1).clusters).toEqual(one.ask(`10.0.${i}.1`, 0).clusters);
  });
  const v4Only = (name: string): Backend => ({ ...testBackend(name, 9), addresses: ["192.0.2.9"] });
  test("Each: a family goes to where it is", () => {
    const one = world([v4Only("frankfurt"), ...only("dublin", "tokyo")], { families: "Each" });
    expect(one.ask(CLIENTS.DE, 0).clusters).toEqual(["frankfurt"]);
    expect(one.ask(CLIENTS.DE, 1).clusters).toEqual(["dublin"]);
  });
  test("NODATA where rules leave only backends that were made without the family, SERVFAIL where they are out", () => {
    const home = {
      name: "home",
      mode: "Require",
      unknownPlace: "Skip",
      clients: { continents: [], countries: ["DE"], subdivisions: [], asns: [], subnets: [] },
      to: ["frankfurt"],
    } as const;
    const backends = [v4Only("frankfurt"), ...only("dublin", "tokyo")];
    const one = world(backends, { families: "Each", rules: [home] });
    expect(one.ask(CLIENTS.DE, 1)).toMatchObject({ mode: "NotOffered", addresses: [], scope: 0 });
    expect(one.ask(CLIENTS.JP, 1).clusters).toEqual(["tokyo"]);
    const out = world(only("frankfurt", "dublin"), { rules: [home] }).standFamily(1, Excluded, "frankfurt");
    expect(out.ask(CLIENTS.DE, 1)).toMatchObject({ mode: "Nothing", addresses: [] });
  });
});

describe("addresses", () => {
  const many = (count: number): Backend => ({
    ...testBackend("dublin", 1),
    addresses: Array.from({ length: count }, (_, i) => `192.0.2.${i + 1}`),
  });
  test("up to `answers` of the chosen backend", () => {
    expect(world([many(5)], { answers: 3 }).ask().addresses).toHaveLength(3);
    expect(
      world([many(2)], { answers: 3 })
        .ask()
        .addresses.toSorted(),
    ).toEqual(["192.0.2.1", "192.0.2.2"]);
  });
  test("which ones depends on the slot, and over many clients all have their turn", () => {
    const one = world([many(5)], { answers: 1, sticky: "ClientSubnet" });
    const seen = Array.from({ length: 200 }, (_, i) => one.ask(`10.0.${i}.1`).addresses[0]);
    expect(new Set(seen).size).toBe(5);
    expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => one.ask(`10.0.${i}.200`).addresses[0]));
  });
  test("only those that stand best", () => {
    const one = world([many(4)], { answers: 4 });
    one.table.state.addressStanding.set([Unhealthy, Usable, Unknown, Usable]);
    expect(one.ask().addresses.toSorted()).toEqual(["192.0.2.2", "192.0.2.4"]);
    one.table.state.addressStanding.set([Unhealthy, Unknown, Unknown, Unhealthy]);
    expect(one.ask().addresses.toSorted()).toEqual(["192.0.2.2", "192.0.2.3"]);
  });
});

describe("spread", () => {
  const more = { order: "Weighted", spread: 2 } as const;
  test("names more clusters of the serving tier", () => {
    expect(new Set(world(FOUR, more).ask().clusters).size).toBe(2);
    expect(new Set(world(FOUR, { ...more, spread: 4 }).ask().clusters).size).toBe(4);
  });
  test("never of another tier", () => {
    expect(world(FOUR, { spread: 3 }).ask().clusters).toEqual(["frankfurt"]);
    expect(
      world(FOUR, { spread: 3, tolerance: { distanceKm: 1000 } })
        .ask()
        .clusters.toSorted(),
    ).toEqual(["dublin", "frankfurt"]);
  });
  test("never of another standing", () => {
    expect(
      world(FOUR, { ...more, spread: 4 })
        .stand(Unhealthy, "tokyo")
        .stand(Draining, "dublin")
        .ask()
        .clusters.toSorted(),
    ).toEqual(["frankfurt", "virginia"]);
    const one = world(FOUR, { ...more, spread: 4 })
      .stand(Unhealthy, "tokyo", "dublin")
      .stand(Draining, "frankfurt", "virginia");
    expect(one.ask()).toMatchObject({ mode: "FailOpenUnhealthy" });
    expect(one.ask().clusters.toSorted()).toEqual(["dublin", "tokyo"]);
  });
  test("a cluster that ramps is in as many answers as it keeps", () => {
    const { tokyo, ...others } = world(FOUR, { ...more, spread: 4 })
      .keep(0.25, "tokyo")
      .shares();
    // In a quarter of its own answers and of everybody else's, a fourth of each.
    expect(tokyo).toBeCloseTo(0.25 / 4, 1);
    expect(Object.keys(others)).toHaveLength(3);
  });
  test("a held answer names one", () => {
    const one = world(FOUR, { ...more, failover: testFailover({ whenAllUnhealthy: "HoldLast" }) });
    one.stand(Unhealthy, ...FOUR.map(({ name }) => name)).lastUsable(5, "tokyo", "dublin");
    expect(one.ask().clusters).toHaveLength(1);
  });
});

describe("sticky", () => {
  const one = world(FOUR, { order: "Weighted", sticky: "ClientSubnet" });
  test("the same /24 gets the same cluster, whatever chance says", () => {
    expect(one.ask("10.1.2.3", 0, 0.1).clusters).toEqual(one.ask("10.1.2.250", 0, 0.9).clusters);
    expect(one.ask("2001:db8:1:2::3", 0, 0.1).clusters).toEqual(one.ask("2001:db8:1:ffff::9", 0, 0.9).clusters);
  });
  test("different networks are spread over all", () => {
    const v4 = Array.from({ length: 100 }, (_, i) => one.ask(`10.1.${i}.3`).clusters[0]);
    const v6 = Array.from({ length: 100 }, (_, i) => one.ask(`2001:db8:${i.toString(16)}::3`).clusters[0]);
    expect(new Set(v4).size).toBe(4);
    expect(new Set(v6).size).toBe(4);
  });
  test("scopes are no shorter than what the slot depends on", () => {
    expect(one.ask("10.1.2.3").scope).toBe(24);
    expect(one.ask("2001:db8::1").scope).toBe(48);
    expect(world(FOUR, { order: "Weighted" }).ask("10.1.2.3").scope).toBe(0);
  });
  test("two routes do not move in step", () => {
    const routes = ["one", "two"].map((name) =>
      testRoute(FOUR, { name, order: "Weighted", sticky: "ClientSubnet", hosts: [`${name}.example.org`] }),
    );
    const { table } = compileTestTable(testInventory(routes), [COUNTRY_FILE]);
    everythingUsable(table);
    const same = Array.from({ length: 200 }, (_, i) => parsePrefix(`10.2.${i}.1`)!).filter(
      (client) => decide(table, 0, client, 0, 0, 0).clusters[0] === decide(table, 1, client, 0, 0, 0).clusters[0],
    );
    expect(same.length).toBeGreaterThan(20);
    expect(same.length).toBeLessThan(100); // a quarter is chance
  });
  test("an outage moves exactly the cluster's own clients, and its return restores exactly them", () => {
    const clients = Array.from({ length: 250 }, (_, i) => `10.3.${i}.1`);
    const answers = () => clients.map((client) => one.ask(client).clusters[0]!);
    const before = answers();
    one.stand(Unhealthy, "tokyo");
    const during = answers();
    expect(during).not.toContain("tokyo");
    before.forEach((cluster, i) => {
      if (cluster !== "tokyo") expect(during[i]).toBe(cluster);
    });
    expect(new Set(during.filter((_, i) => before[i] === "tokyo")).size).toBe(3); // shared by all others
    one.stand(Usable, "tokyo");
    expect(answers()).toEqual(before);
  });
});

test("slot by slot: an outage moves exactly the endpoint's own slots, and its return restores exactly them", () => {
  const weights = fc.array(fc.constantFrom(10, 50, 100, 150), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(weights, fc.nat(), (all, seed) => {
      const one = world(
        all.map((weight, i) => testBackend(`cluster-${i}`, i + 1, { weight })),
        { order: "Weighted" },
      );
      const choice = newChoice();
      placeClient(one.table, 0, parsePrefix(CLIENTS.DE)!, choice);
      const owners = () =>
        Array.from({ length: 4096 }, (_, slot) => {
          choice.slotHash = slot << 20;
          chooseBySlot(one.table, 0, 0, choice);
          return choice.backend;
        });
      const out = seed % all.length;
      const before = owners();
      one.stand(Standing.Unhealthy, `cluster-${out}`);
      const during = owners();
      expect(during.every((backend, slot) => (before[slot] === out ? backend !== out : backend === before[slot]))).toBe(true);
      one.stand(Standing.Usable, `cluster-${out}`);
      expect(owners()).toEqual(before);
      const total = all.reduce((sum, weight) => sum + weight, 0);
      all.forEach((weight, i) => {
        expect(Math.abs(before.filter((backend) => backend === i).length - (weight / total) * 4096)).toBeLessThanOrEqual(1);
      });
    }),
    { numRuns: 25, seed: 6 },
  );
});

describe("giving away", () => {
  const tolerant = { tolerance: { distanceKm: 1000 } }; // Frankfurt and Dublin are one tier
  test("trickle sends its share to the next tier", () => {
    const more = { failover: testFailover({ tricklePercent: 10 }) };
    expect(world(FOUR, more).shares()).toEqual({ frankfurt: 0.9, dublin: 0.1 });
    expect(world(FOUR, { ...more, ...tolerant }).shares()).toEqual({ frankfurt: 0.45, dublin: 0.45, virginia: 0.1 });
  });
  test("trickle goes one tier down only, past those that cannot serve", () => {
    const one = world(FOUR, { failover: testFailover({ tricklePercent: 10 }) });
    expect(one.stand(Unhealthy, "frankfurt").shares()).toEqual({ dublin: 0.9, virginia: 0.1 });
    expect(one.stand(Unhealthy, "virginia").shares()).toEqual({ dublin: 0.9, tokyo: 0.1 });
  });
  test("nor does a shared tier that is trickled to pass anything on", () => {
    const more = { tolerance: { distanceKm: 3000 }, failover: testFailover({ tricklePercent: 50 }) }; // Virginia and Tokyo are the second tier
    expect(world(FOUR, more).shares()).toEqual({
      frankfurt: 0.25,
      dublin: 0.25,
      virginia: expect.closeTo(0.25, 1),
      tokyo: expect.closeTo(0.25, 1),
    });
    const { virginia = 0, tokyo = 0 } = world(FOUR, more).shares();
    expect(virginia + tokyo).toBeCloseTo(0.5, 3);
  });
  test("trickle stays when there is nowhere to go", () => {
    const more = { failover: testFailover({ tricklePercent: 50 }) };
    expect(world(only("frankfurt"), more).shares()).toEqual({ frankfurt: 1 });
    expect(world(FOUR, more).stand(Unhealthy, "dublin", "virginia", "tokyo").shares()).toEqual({ frankfurt: 1 });
  });
  test("trickle stays inside a Require rule", () => {
    const rules = [testRule("r", "Require", { countries: ["DE"] }, ["frankfurt", "tokyo"])];
    expect(world(FOUR, { rules, failover: testFailover({ tricklePercent: 20 }) }).shares()).toEqual({ frankfurt: 0.8, tokyo: 0.2 });
  });
  test("a lone cluster keeps its share of clients, the next tier gets the rest", () => {
    expect(world().keep(0.1, "frankfurt").shares()).toEqual({ frankfurt: 0.1, dublin: 0.9 });
    expect(world().keep(0, "frankfurt").shares()).toEqual({ dublin: 1 });
    expect(world().keep(0.1, "frankfurt").keep(0.6, "dublin").shares()).toEqual({ frankfurt: 0.1, dublin: 0.5, virginia: 0.4 });
  });
  test("in a shared tier the others get what one gives away", () => {
    expect(world(FOUR, tolerant).keep(0.2, "dublin").shares()).toEqual({ frankfurt: 0.9, dublin: 0.1 });
  });
  test("one that gives away itself is not given more", () => {
    expect(world(FOUR, tolerant).stand(Unhealthy, "dublin").keep(0.5, "frankfurt").shares()).toEqual({ frankfurt: 0.25, virginia: 0.75 });
  });
  test("when everybody gives away, everybody keeps", () => {
    expect(
      world(FOUR, tolerant)
        .keep(0, ...FOUR.map(({ name }) => name))
        .shares(),
    ).toEqual({ frankfurt: 0.5, dublin: 0.5 });
  });
  test("the same clients leave first and come back last", () => {
    const one = world(FOUR, { order: "Weighted", sticky: "ClientSubnet" });
    const clients = Array.from({ length: 250 }, (_, i) => `10.4.${i}.1`).filter((client) => one.ask(client).clusters[0] === "tokyo");
    const stay = (share: number) => clients.filter((client) => one.keep(share, "tokyo").ask(client).clusters[0] === "tokyo");
    const [most, some, few] = [stay(0.8), stay(0.5), stay(0.2)];
    expect(most).toEqual(expect.arrayContaining(some));
    expect(some).toEqual(expect.arrayContaining(few));
    expect(few.length).toBeGreaterThan(0);
    expect(most.length).toBeGreaterThan(some.length);
  });
});

describe("TTL", () => {
  // The route's bounds are 5 and 60 seconds; it is second 1,000 of a long day.
  const now = 1_000_000;
  const ttl = (change: (one: ReturnType<typeof world>) => void, more: Partial<Route> = {}): number => {
    const one = world(FOUR, more);
    change(one);
    const choice: Choice = newChoice();
    placeClient(one.table, 0, parsePrefix(CLIENTS.DE)!, choice);
    choose(one.table, 0, 0, diceOf(0.5), choice);
    return choiceTtl(one.table, 0, choice, now);
  };
  const worsens = (at: number) => (one: ReturnType<typeof world>) => one.table.state.worsensAt.fill(at);
  const returns = (at: number) => (one: ReturnType<typeof world>) => one.table.state.returnsAt.fill(at);
  const cases = [
    { name: "nothing in sight", change: worsens(Number.POSITIVE_INFINITY), ttl: 60 },
    { name: "a change in half a minute", change: worsens(now + 30_000), ttl: 30 },
    { name: "whole seconds, never too long", change: worsens(now + 30_999), ttl: 30 },
    { name: "a change sooner than the lower bound", change: worsens(now + 4000), ttl: 5 },
    { name: "a change beyond the upper bound", change: worsens(now + 61_000), ttl: 60 },
    { name: "a change that is overdue", change: worsens(now - 5000), ttl: 5 },
    { name: "a deadline of 0", change: worsens(0), ttl: 5 },
    { name: "a deadline in another century", change: worsens(9e15), ttl: 60 },
    { name: "somebody may come back in 20 s", change: returns(now + 20_000), ttl: 20 },
    { name: "the route ramps or is held", change: returns(0), ttl: 5 },
    { name: "the chosen one keeps a part", change: (one: ReturnType<typeof world>) => one.keep(0.9, "frankfurt"), ttl: 5 },
    { name: "fail-open", change: (one: ReturnType<typeof world>) => one.stand(Unhealthy, ...FOUR.map(({ name }) => name)), ttl: 5 },
    {
      name: "failback pending is used",
      change: (one: ReturnType<typeof world>) => one.stand(Pending, ...FOUR.map(({ name }) => name)),
      ttl: 5,
    },
    {
      name: "the other family's deadline does not matter",
      change: (one: ReturnType<typeof world>) => one.table.state.worsensAt.set([Infinity, now], 0),
      ttl: 60,
    },
  ];
  test.each(cases)("$name: $ttl s", ({ change, ttl: expected }) => expect(ttl(change)).toBe(expected));
  test("equal bounds fix it", () => {
    expect(ttl(worsens(now + 5000), { ttl: { min: seconds(30), max: seconds(30) } })).toBe(30);
    expect(ttl(worsens(Number.POSITIVE_INFINITY), { ttl: { min: seconds(30), max: seconds(30) } })).toBe(30);
  });
  test("the longest upper bound there is, in the year 2096", () => {
    const one = world(FOUR, { ttl: { min: seconds(1), max: seconds(86_400) } });
    one.table.state.worsensAt.fill(4e12 + 3_000_000);
    expect(decide(one.table, 0, parsePrefix(CLIENTS.DE)!, 0, 0.5, 4e12).ttl).toBe(3000);
  });
});
