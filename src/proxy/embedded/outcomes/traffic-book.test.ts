import { describe, expect, test } from "vitest";
import { testBackend, testRoute } from "../../../../test/support/world/build-route.ts";
import { endpointKey } from "../../../model/health.ts";
import type { Route } from "../../../model/inventory.ts";
import { ms } from "../../../model/units.ts";
import type { AttemptResult } from "../forward/outcome.ts";
import { createTrafficBook } from "./traffic-book.ts";

const ADDRESSES = ["192.0.2.1", "2001:db8::1"];
const route = (more: Partial<Route> = {}, capacity?: number): Route =>
  testRoute(
    [testBackend("dublin", 1, { addresses: ADDRESSES, ...(capacity === undefined ? {} : { capacity }) }), testBackend("tokyo", 9)],
    more,
  );

function open(...routes: readonly Route[]) {
  let now = 0;
  const book = createTrafficBook(() => ms(now));
  book.adopt(routes);
  const keyOf = (of: Route, address: string) => endpointKey(address, of.health.probe, of.health);
  const endpoint = (of: Route, address: string) => ({ id: keyOf(of, address), address, port: of.health.probe.port });
  return {
    book,
    /** Takes what came within so many seconds. */
    after: (seconds: number, of: Route, address = ADDRESSES[0]!) => {
      now += 1000 * seconds;
      return book.take(keyOf(of, address));
    },
    attempt: (of: Route, result: AttemptResult, count = 1, address = ADDRESSES[0]!) => {
      for (let i = 0; i < count; i++) book.attempt(endpoint(of, address), result, 0.01, result === "ok" ? 200 : 0);
    },
    head: (of: Route, load: number) => book.head(endpoint(of, ADDRESSES[0]!), load),
  };
}

describe("attempts", () => {
  test("are told once, with those that failed", () => {
    const shop = route();
    const world = open(shop);
    for (const result of ["ok", "ok", "connect", "reset", "timeout", "status"] as const) world.attempt(shop, result);
    expect(world.after(1, shop)).toEqual({ attempts: 6, failures: 4, run: 4 });
    expect(world.after(1, shop)).toEqual({ attempts: 0, failures: 0, run: 4 });
    world.attempt(shop, "reset");
    expect(world.after(1, shop)).toEqual({ attempts: 1, failures: 1, run: 5 });
    world.attempt(shop, "ok");
    world.attempt(shop, "status");
    expect(world.after(1, shop)).toEqual({ attempts: 2, failures: 1, run: 1 });
  });

  test("of a host say nothing of another host at the same address", () => {
    const shop = route();
    const blog = route({
      name: "blog",
      hosts: ["blog.example.org"],
      health: { ...shop.health, probe: { ...shop.health.probe, host: "blog.example.org" } },
    });
    const world = open(shop, blog);
    world.attempt(blog, "status", 10);
    expect(world.after(1, shop)).toEqual({ attempts: 0, failures: 0, run: 0 });
    expect(world.after(0, blog)).toEqual({ attempts: 10, failures: 10, run: 10 });
  });

  test("are counted and have no say where a route does not want it, though another that probes alike does", () => {
    const shop = route();
    const deaf = route({ name: "deaf", health: { ...shop.health, useRequests: false } });
    const world = open(shop, deaf);
    world.attempt(shop, "timeout", 7);
    expect(world.after(1, shop)).toEqual({ attempts: 0, failures: 0, run: 0 });
    expect([...world.book.attempts()]).toEqual([{ cluster: "dublin", result: "timeout", count: 7 }]);
  });

  test("are counted by cluster, through other routes and for endpoints that have gone", () => {
    const shop = route();
    const world = open(shop);
    world.attempt(shop, "ok", 3);
    world.attempt(shop, "ok", 2, ADDRESSES[1]);
    world.attempt(shop, "reset", 1, "192.0.2.9");
    world.book.adopt([]);
    world.attempt(shop, "ok"); // ended after its endpoint went
    world.book.adopt([shop]);
    world.attempt(shop, "ok");
    expect([...world.book.attempts()]).toEqual([
      { cluster: "dublin", result: "ok", count: 6 },
      { cluster: "tokyo", result: "reset", count: 1 },
    ]);
  });

  test("are counted by the cluster that has the address now", () => {
    const shop = route();
    const world = open(shop);
    world.attempt(shop, "ok", 3);
    world.book.adopt([testRoute([testBackend("osaka", 1, { addresses: ADDRESSES })])]);
    world.attempt(shop, "ok");
    expect([...world.book.attempts()]).toEqual([
      { cluster: "dublin", result: "ok", count: 3 },
      { cluster: "osaka", result: "ok", count: 1 },
    ]);
    expect(world.after(1, shop).attempts).toBe(4); // the endpoint is the same
  });

  test("go on being noted while other tables come", () => {
    const shop = route();
    const world = open(shop);
    world.attempt(shop, "ok", 3);
    world.book.adopt([route({ order: "Weighted" })]);
    world.attempt(shop, "reset", 2);
    expect(world.after(1, shop)).toEqual({ attempts: 5, failures: 2, run: 2 });
  });
});

describe("load", () => {
  test("is the mean of what responses told since it was asked last, and unknown when none did", () => {
    const shop = route();
    const world = open(shop);
    world.head(shop, 0.4);
    world.head(shop, 0.8);
    expect(world.after(1, shop).load).toBeCloseTo(0.6);
    expect(world.after(1, shop).load).toBeUndefined();
  });

  test("is the rate that reaches the endpoint as a share of its part of the capacity, as far as it lasts", () => {
    const shop = route({}, 100); // 50 requests a second for each of two addresses
    const world = open(shop);
    const loads = Array.from({ length: 30 }, () => {
      world.attempt(shop, "ok", 190);
      world.attempt(shop, "status", 10);
      world.attempt(shop, "connect", 50); // has cost it nothing
      return world.after(5, shop).load!;
    });
    expect(loads[0]).toBeCloseTo(0.16);
    expect(loads.at(-1)).toBeCloseTo(0.8, 2);
    expect(loads).toEqual(loads.toSorted((a, b) => a - b));
    expect(world.after(5, shop).load).toBeLessThan(0.65);
    expect(world.after(5, shop, ADDRESSES[1]).load).toBe(0); // nobody asks it: known to be idle, so that the backend's mean is right
  });

  test("is the larger of the two", () => {
    const shop = route({}, 100);
    const world = open(shop);
    world.head(shop, 0.3);
    expect(world.after(1, shop).load).toBe(0.3);
  });

  test.each([
    { demand: 0.6, low: 70, high: 90, keeps: 1 },
    { demand: 1, low: 70, high: 90, keeps: 0.75 },
    { demand: 1.5, low: 70, high: 90, keeps: 0.53 },
    { demand: 3, low: 50, high: 100, keeps: 0.286 },
  ])("settles, when what is beyond it is shed: $demand of capacity, from $low to $high %", ({ demand, low, high, keeps }) => {
    const shop = route({}, 200);
    const world = open(shop);
    let keep = 1;
    const shares = Array.from({ length: 100 }, () => {
      world.attempt(shop, "ok", Math.round(500 * demand * keep));
      keep = Math.min(1, Math.max(0, (high - 100 * world.after(5, shop).load!) / (high - low)));
      return keep;
    });
    for (const share of shares.slice(-20)) expect(share).toBeCloseTo(keeps, 1);
  });
});
