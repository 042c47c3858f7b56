import { describe, expect, test } from "vitest";
import type { EventKind, TimelineEvent } from "../observe/timeline.ts";
import { createNarrator, isWanted, type Notification } from "./notification.ts";

const SHOP = "GlobalRoute default/shop";
let id = 0;
const event = (kind: EventKind, at: number, details: TimelineEvent["details"] = {}, object = SHOP): TimelineEvent => ({
  ...{ id: id++, at, kind, object, details },
  message: `${kind} at ${at}`,
});
const short = (notifications: readonly Notification[]): readonly string[] =>
  notifications.map(
    ({ notice, phase, severity, object, startedAt, endedAt }) => `${notice} ${phase} ${severity} ${object} ${startedAt}-${endedAt ?? ""}`,
  );

describe("the timeline, told", () => {
  test("a failover is a moment; a return is no warning", () => {
    const { event: tell } = createNarrator();
    expect(short(tell(event("Failover", 1, { from: "a", to: "b", reason: "timeout" })))).toEqual([`Failover Moment warning ${SHOP} 1-`]);
    expect(short(tell(event("Failover", 2, { from: "b", to: "a", reason: "failback" })))).toEqual([`Failover Moment info ${SHOP} 2-`]);
    expect(tell(event("Failover", 2))[0]).toMatchObject({ route: "default/shop" });
  });

  test.each([
    { begins: "FailOpen" as const, ends: "FailOpenEnded" as const, severity: "critical" },
    { begins: "WithdrawalHeld" as const, ends: "WithdrawalReleased" as const, severity: "warning" },
  ])("$begins lasts until $ends, and each is told once", ({ begins, ends, severity }) => {
    const { event: tell, lasting } = createNarrator();
    const details = begins === "WithdrawalHeld" ? { backend: "eu", family: 4, cluster: "eu-west" } : {};
    expect(tell(event(ends, 0, details))).toEqual([]); // it never began here
    expect(short(tell(event(begins, 1, details)))).toEqual([`${begins} Begun ${severity} ${SHOP} 1-`]);
    expect(tell(event(begins, 2, details))).toEqual([]);
    expect(lasting()).toHaveLength(1);
    expect(short(tell(event(ends, 3, details)))).toEqual([`${begins} Ended info ${SHOP} 1-3`]);
    expect(lasting()).toEqual([]);
    expect(tell(event(ends, 4, details))).toEqual([]);
  });

  test("holds of two backends are two", () => {
    const { event: tell, lasting } = createNarrator();
    tell(event("WithdrawalHeld", 1, { backend: "eu", family: 4 }));
    tell(event("WithdrawalHeld", 1, { backend: "us", family: 4 }));
    expect(lasting()).toHaveLength(2);
    expect(tell(event("WithdrawalReleased", 2, { backend: "us", family: 4 }))[0]?.key).toContain(" us ");
  });

  test("refused configuration ends with one that is taken", () => {
    const { event: tell } = createNarrator();
    expect(tell(event("ConfigApplied", 0, {}, "/etc/globalroute"))).toEqual([]);
    tell(event("ConfigRejected", 1, {}, "/etc/globalroute"));
    expect(short(tell(event("ConfigApplied", 2, {}, "/etc/globalroute")))).toEqual(["ConfigRejected Ended info /etc/globalroute 1-2"]);
  });

  test("what nobody asked for is not told", () => {
    const { event: tell } = createNarrator();
    for (const kind of ["EndpointUnhealthy", "TablePublished", "BackendWithdrawn", "GeoLoaded"] as const)
      expect(tell(event(kind, 1))).toEqual([]);
  });
});

test.each(["BackendWithdrawn", "BackendReturned", "FailbackPending"] as const)("a hold ends with %s as well", (kind) => {
  const { event: tell } = createNarrator();
  tell(event("WithdrawalHeld", 1, { backend: "eu", family: 4 }));
  expect(tell(event(kind, 2, { backend: "us", family: 4 }))).toEqual([]);
  expect(short(tell(event(kind, 2, { backend: "eu", family: 4 })))).toEqual([`WithdrawalHeld Ended info ${SHOP} 1-2`]);
});

test("what a route that was deleted left behind ends when nothing is degraded by it any more", () => {
  const { event: tell, degraded, lasting } = createNarrator();
  tell(event("FailOpen", 1000));
  expect(degraded([], 5999)).toEqual([]); // the reason may come a moment later
  expect(degraded(["fail-open"], 60_000)).toEqual([]);
  expect(short(degraded([], 61_000))).toEqual([`FailOpen Ended info ${SHOP} 1000-61000`]);
  expect(lasting()).toEqual([]);
});

test("reasons of degradation begin and end; those with a notice of their own are left to it", () => {
  const { degraded } = createNarrator();
  expect(short(degraded(["geo-stale", "fail-open", "provider-failing"], 1))).toEqual([
    "Degraded Begun warning geo-stale 1-",
    "ProviderFailing Begun warning provider-failing 1-",
  ]);
  expect(degraded(["geo-stale", "provider-failing"], 2)).toEqual([]);
  expect(short(degraded(["geo-stale"], 3))).toEqual(["ProviderFailing Ended info provider-failing 1-3"]);
  expect(short(degraded([], 4))).toEqual(["Degraded Ended info geo-stale 1-4"]);
});

test.each([
  { events: ["Failover"] as const, routes: undefined, wanted: true },
  { events: ["FailOpen"] as const, routes: undefined, wanted: false },
  { events: ["Failover"] as const, routes: ["default/shop"], wanted: true },
  { events: ["Failover"] as const, routes: ["default/*"], wanted: true },
  { events: ["Failover"] as const, routes: ["default/sho", "defaul/*", "other/*"], wanted: false },
])("a receiver of $events of $routes wants it: $wanted", ({ events, routes, wanted }) => {
  const [moved] = createNarrator().event(event("Failover", 1));
  expect(isWanted(moved!, { events, ...(routes === undefined ? {} : { routes }) })).toBe(wanted);
});

test("what is about no route passes every choice of routes", () => {
  const [stale] = createNarrator().degraded(["geo-stale"], 1);
  expect(isWanted(stale!, { events: ["Degraded"], routes: ["default/shop"] })).toBe(true);
});
