/** A process that ends, and one that starts with nothing but the status that the first has written. */
import { expect, test } from "vitest";
import { keyOf } from "../../src/engine/endpoints.ts";
import { createHealthFeed } from "../../src/engine/health-feed.ts";
import { createStandings } from "../../src/engine/standings.ts";
import type { EndpointHealth, EndpointKey } from "../../src/model/health.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { createTimeline } from "../../src/observe/timeline.ts";
import { Standing } from "../../src/routing/table.ts";
import { testBackend, testInventory, testRoute } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable } from "../../test/support/world/compile-test-world.ts";
import { HEALTHY, REFUSED } from "../../test/support/world/health.ts";
import { memoryFromStatus } from "./memory-from-status.ts";
import { routeStatus } from "./route-status.ts";

const ROUTE = testRoute([testBackend("frankfurt", 1), testBackend("virginia", 2)]); // failback after a minute
const INVENTORY = testInventory([ROUTE]);
const START = 1_800_000_000_000;

/** One process. */
function life(begin: number, status?: unknown) {
  let at = begin;
  const health = new Map<EndpointKey, EndpointHealth>();
  const standings = createStandings({
    health: (key) => health.get(key) ?? HEALTHY,
    population: new Map(),
    timeline: createTimeline(10, () => at),
    metrics: createMetrics(),
    now: () => at,
    onMemory: () => undefined,
  });
  const object = { apiVersion: "globalroute.dev/v1alpha1", kind: "GlobalRoute", metadata: { name: "shop", namespace: "default" }, status };
  if (status !== undefined) standings.restore(memoryFromStatus([object]), at);
  standings.adopt(INVENTORY, compileTestTable(INVENTORY, [COUNTRY_FILE]).table);
  const feed = createHealthFeed({ inventory: () => INVENTORY, standings, health: (key) => health.get(key) ?? HEALTHY, now: () => at });
  const accepted = { status: "True", reason: "Accepted", message: "" } as const;
  const backends = ROUTE.backends.map(({ name, cluster }) => ({ name, cluster, source: "", reason: "" }));
  const report = {
    kind: "GlobalRoute",
    namespace: "default",
    name: "shop",
    uid: "u",
    resourceVersion: "1",
    generation: 1,
    accepted,
    backends,
  } as const;
  /** As the engine does: it never looks away for long. */
  const wait = (milliseconds: number): void => {
    for (const end = at + milliseconds; at < end; at += 1000) standings.tick();
    standings.tick();
  };
  return {
    now: () => at,
    wait,
    set(value: EndpointHealth) {
      for (const address of ROUTE.backends[0]!.addresses) {
        health.set(keyOf(ROUTE, address), value);
        standings.endpointChanged(keyOf(ROUTE, address));
      }
    },
    standing: () => standings.evaluation("default/shop")?.backends[0]?.standing[0],
    status: () => {
      const programmed = { reported: 1, of: 1, waitingFor: [] };
      return JSON.parse(
        JSON.stringify(routeStatus({ report, health: feed.route("default/shop"), programmed, before: undefined, epoch: 1, now: at })),
      );
    },
  };
}

test("a pending failback goes on where it was", () => {
  const first = life(START);
  first.set(REFUSED);
  first.wait(30_000);
  first.set(HEALTHY);
  first.wait(20_000);
  expect(first.standing()).toBe(Standing.Pending);

  const second = life(first.now(), first.status());
  expect(second.standing()).toBe(Standing.Pending);
  second.wait(38_000);
  expect(second.standing()).toBe(Standing.Pending);
  second.wait(4000);
  expect(second.standing()).toBe(Standing.Usable);
});

test("a backend that is out stays out for the whole wait, instead of serving at its first sign of health", () => {
  const first = life(START);
  first.set(REFUSED);
  first.wait(30_000);
  const second = life(first.now(), first.status());
  second.set(HEALTHY);
  expect(second.standing()).toBe(Standing.Pending);
  second.wait(58_000);
  expect(second.standing()).toBe(Standing.Pending);
});

test("flaps are not forgotten: a failure soon after the return waits twice as long", () => {
  const first = life(START);
  first.set(REFUSED);
  first.wait(5000);
  first.set(HEALTHY);
  first.wait(61_000);
  expect(first.standing()).toBe(Standing.Usable);

  const second = life(first.now(), first.status());
  expect(second.standing()).toBe(Standing.Usable);
  second.set(REFUSED);
  second.wait(5000);
  second.set(HEALTHY);
  second.wait(100_000);
  expect(second.standing()).toBe(Standing.Pending);
  second.wait(25_000);
  expect(second.standing()).toBe(Standing.Usable);
});
