import { describe, expect, test } from "vitest";
import type { FailbackState } from "../../health/failback.ts";
import type { BackendStatus, RouteHealth } from "../../src/engine/view.ts";
import { readStatus } from "../../src/model/read-status.ts";
import { NEW_ROUTE, type UnitMemory } from "../../src/routing/evaluate-route.ts";
import { Standing } from "../../src/routing/table.ts";
import type { ObjectReport } from "../reconcile/reconciled.ts";
import { memoryFromStatus } from "./memory-from-status.ts";
import { type RouteStatusInput, routeStatus } from "./route-status.ts";
import { isSameStatus } from "./same-status.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const at = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();

const REPORT: ObjectReport = {
  kind: "GlobalRoute",
  namespace: "web",
  name: "shop",
  uid: "u1",
  resourceVersion: "7",
  generation: 2,
  accepted: { status: "True", reason: "Accepted", message: "Accepted." },
  backends: ["eu", "us"].map((name) => ({ name, cluster: name, source: "Ingress web/shop", reason: "" })),
};

const backend = (name: string, more: Partial<BackendStatus> = {}): BackendStatus => ({
  name,
  cluster: name,
  addresses: ["192.0.2.1"],
  health: "Healthy",
  standing: "Usable",
  since: at(-600),
  reason: "ok",
  weight: 100,
  failbackAt: null,
  ...more,
});

const unit = (failback: FailbackState): UnitMemory => ({ failback, standing: Standing.Usable, lastUsable: 0, held: false });
const SERVING: FailbackState = { phase: "Serving", level: 0, returnedAt: null };

function health(eu: Partial<BackendStatus> = {}, more: Partial<RouteHealth> = {}, state: FailbackState = SERVING): RouteHealth {
  return {
    hosts: ["shop.example.org", "www.example.org"],
    backends: [backend("eu", eu), backend("us")],
    lastFailover: null,
    failOpen: false,
    memory: { ...NEW_ROUTE, units: { "eu/4": unit(state), "us/4": unit(SERVING) } },
    ...more,
  };
}

const status = (more: Partial<RouteStatusInput> = {}) =>
  routeStatus({
    report: REPORT,
    health: health(),
    programmed: { reported: 2, of: 2, waitingFor: [] },
    before: undefined,
    epoch: 4,
    now: NOW,
    ...more,
  });

const condition = (result: ReturnType<typeof status>, type: string) => {
  const found = result.conditions.find((one) => one.type === type);
  return `${found?.status}/${found?.reason}`;
};

const DOWN: Partial<BackendStatus> = { health: "Unhealthy", standing: "Unhealthy", reason: "refused", since: at(-3) };

test("a route that is well", () => {
  const result = status();
  expect(result).toMatchObject({
    observedGeneration: 2,
    writerEpoch: 4,
    summary: { hosts: "shop.example.org +1", serving: "eu,us", health: "2/2" },
    backends: [
      { name: "eu", cluster: "eu", source: "Ingress web/shop", addresses: ["192.0.2.1"], health: "Healthy", since: "2026-11-21T11:50:00Z" },
      { name: "us" },
    ],
  });
  expect(["Accepted", "Programmed", "Healthy", "Ready"].map((type) => condition(result, type))).toEqual([
    "True/Accepted",
    "True/Programmed",
    "True/Healthy",
    "True/Ready",
  ]);
  expect(readStatus("GlobalRoute", result)).toEqual(result); // the schema takes it as it is
});

describe("an outage", () => {
  const lastFailover = { from: "eu", to: "us", at: at(-1), reason: "refused" };
  const out: FailbackState = { phase: "Out", level: 1, since: NOW - 2000 };

  test("of one backend is told, and Ready stays", () => {
    const result = status({ health: health(DOWN, { lastFailover }, out) });
    expect([condition(result, "Healthy"), condition(result, "Ready")]).toEqual(["True/PartlyHealthy", "True/Ready"]);
    expect(result.summary).toEqual({ hosts: "shop.example.org +1", serving: "us", health: "1/2" });
    expect(result.lastFailover).toEqual({ from: "eu", to: "us", at: "2026-11-21T11:59:59Z", reason: "refused" });
    expect(result.backends?.[0]).toMatchObject({ health: "Unhealthy", reason: "refused", failback: { phase: "Out", level: 1 } });
  });

  test("of all is Healthy=False, and Ready stays", () => {
    const result = status({ health: health(DOWN, { failOpen: true }) });
    expect([condition(result, "Healthy"), condition(result, "Ready")]).toEqual(["False/FailOpen", "True/Ready"]);
  });

  test("seen by another replica a few seconds apart is the same outage: nothing is rewritten", () => {
    const before = status({ health: health(DOWN, { lastFailover }, out) });
    const later = { from: "eu", to: "us", at: at(4), reason: "timeout" };
    const other = health({ ...DOWN, since: at(1), reason: "timeout" }, { lastFailover: later }, { ...out, since: NOW + 2000 });
    const again = status({ health: other, before, epoch: 5, now: NOW + 90_000 });
    expect(isSameStatus(again, before)).toBe(true);
    expect(again.writerEpoch).toBe(5);
  });

  test("a later one is another", () => {
    const before = status({ health: health(DOWN, { lastFailover }, out) });
    const again = status({ health: health(DOWN, { lastFailover: { ...lastFailover, at: at(1000) } }, out), before, now: NOW + 1_000_000 });
    expect(again.lastFailover?.at).toBe("2026-11-21T12:16:40Z");
  });

  test("that an earlier process has seen is remembered by the status", () => {
    const before = status({ health: health(DOWN, { lastFailover }, out) });
    expect(status({ health: health(), before }).lastFailover).toEqual(before.lastFailover);
    expect(status({ health: undefined, before }).lastFailover).toEqual(before.lastFailover);
  });
});

describe("what was known is kept", () => {
  const rollout = { generation: 2, step: 0, name: "canary", since: "2026-11-21T11:00:00Z", phase: "Progressing" } as const;
  const waiting: FailbackState = { phase: "Waiting", level: 2, since: NOW - 60_000, healthySince: NOW - 10_000, until: NOW + 300_000 };
  const before = status({ rollout, health: health({ standing: "Pending" }, {}, waiting) });

  test("while a new spec is not accepted: its rollout and its backends go on", () => {
    const accepted = { status: "False", reason: "Invalid", message: "Write hosts." } as const;
    const result = status({ report: { ...REPORT, generation: 3, accepted, backends: [] }, health: health({}, {}, waiting), before });
    expect(result.rollout).toEqual(rollout);
    expect(result.backends?.map(({ name, failback }) => `${name} ${failback?.phase}`)).toEqual(["eu Waiting", "us undefined"]);
  });

  test("while a process that has just begun has not read the cluster", () => {
    const backends = REPORT.backends.map((one) => ({ ...one, reason: "ClusterNotRead" }));
    const result = status({ report: { ...REPORT, backends }, health: health({}, { backends: [], memory: NEW_ROUTE }), before });
    expect(result.backends?.[0]).toEqual({ ...before.backends?.[0], reason: "ClusterNotRead" });
  });

  test("while clients are sent to a backend whose source is gone", () => {
    const before = status();
    const lost = { ...REPORT, backends: REPORT.backends.slice(1) };
    const held = status({ report: lost, before });
    expect(held.backends).toEqual([before.backends?.[1], before.backends?.[0]]);
    const dropped = status({ report: lost, before: held, health: { ...health(), backends: [backend("us")] } });
    expect(dropped.backends?.map(({ name }) => name)).toEqual(["us"]);
    const unseen = status({ report: lost }).backends?.find(({ name }) => name === "eu");
    expect(unseen).toMatchObject({ cluster: "eu", addresses: ["192.0.2.1"], health: "Healthy" });
    expect(unseen).not.toHaveProperty("source");
  });

  test("but not when it is gone, or the rollout is taken out of the spec", () => {
    const backends = REPORT.backends.map((one) => ({ ...one, reason: "SourceMissing" }));
    const result = status({ report: { ...REPORT, backends }, health: health({}, { backends: [], memory: NEW_ROUTE }), before });
    expect(result.backends?.[0]).toMatchObject({ health: "Unknown", addresses: [], reason: "SourceMissing" });
    expect(result.rollout).toBeUndefined();
  });
});

test("latencies change nothing", () => {
  const before = status();
  expect(isSameStatus(status({ before, now: NOW + 3_600_000 }), before)).toBe(true);
});

test.each([
  { name: "a source that is gone tells more than probes", report: "SourceMissing", live: DOWN, reason: "SourceMissing" },
  { name: "an operator's drain", report: "", live: { standing: "Draining" }, reason: "Draining" },
  { name: "a cordon", report: "", live: { standing: "Excluded" }, reason: "Cordoned" },
  { name: "a healthy one has none", report: "", live: {}, reason: undefined },
])("reason of a backend: $name", ({ report, live, reason }) => {
  const backends = REPORT.backends.map((one) => ({ ...one, reason: report }));
  expect(status({ report: { ...REPORT, backends }, health: health(live) }).backends?.[0]?.reason).toBe(reason);
});

test("a drain that ended leaves no word behind", () => {
  const drained = status({ health: health({ standing: "Draining" }) });
  expect(status({ before: drained }).backends?.[0]?.reason).toBeUndefined();
});

test("a backend without an address is in the status", () => {
  const one = { name: "jp", cluster: "jp", source: "Ingress web/shop", reason: "Pending" };
  const result = status({ report: { ...REPORT, backends: [...REPORT.backends, one] } });
  expect(result.backends?.[2]).toMatchObject({ name: "jp", addresses: [], health: "Unknown", reason: "Pending" });
  expect(condition(result, "Healthy")).toBe("True/PartlyHealthy");
});

describe("what outlives the process", () => {
  const waiting: FailbackState = { phase: "Waiting", level: 2, since: NOW - 60_000, healthySince: NOW - 10_000, until: NOW + 300_000 };
  test.each<{ readonly name: string; readonly state: FailbackState; readonly eu: Partial<BackendStatus> }>([
    { name: "out", state: { phase: "Out", level: 3, since: NOW - 5000 }, eu: DOWN },
    { name: "waiting", state: waiting, eu: { standing: "Pending" } },
    { name: "waiting for approval", state: { ...waiting, until: "approval" }, eu: { standing: "Pending" } },
    { name: "returned, damped", state: { phase: "Serving", level: 2, returnedAt: NOW - 1000 }, eu: {} },
    { name: "never out", state: SERVING, eu: {} },
  ])("$name: a new process goes on from there", ({ state, eu }) => {
    const result = status({ health: health(eu, {}, state) });
    const object = {
      apiVersion: "globalroute.dev/v1alpha1",
      kind: "GlobalRoute",
      metadata: { name: "shop", namespace: "web" },
      status: result,
    };
    expect(memoryFromStatus([object]).get("web/shop")?.units["eu/4"]?.failback).toEqual(state);
  });

  test("pending failbacks are named", () => {
    expect(status({ health: health({ standing: "Pending" }, {}, waiting) }).failbackPending).toEqual(["eu"]);
  });

  test("of two families the one that is further from serving counts", () => {
    const memory = { ...NEW_ROUTE, units: { "eu/4": unit({ phase: "Serving", level: 1, returnedAt: NOW }), "eu/6": unit(waiting) } };
    expect(status({ health: health({}, { memory }) }).backends?.[0]?.failback?.phase).toBe("Waiting");
  });

  test("a backend that never served is not remembered, and rubbish is no state", () => {
    const never = status({ health: health({ health: "Unknown", standing: "Unknown" }, {}, { phase: "New" }) });
    const object = { apiVersion: "v1", kind: "GlobalRoute", metadata: { name: "shop", namespace: "web" } };
    expect(Object.keys(memoryFromStatus([{ ...object, status: never }]).get("web/shop")?.units ?? {})).toEqual(["us/4"]);
    expect(memoryFromStatus([object, { ...object, status: "x" }, { ...object, status: { backends: [{ name: "eu" }] } }]).size).toBe(0);
  });
});
