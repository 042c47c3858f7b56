/** Statuses of MemberClusters, DNSZones and TrafficOverrides. */
import { describe, expect, test } from "vitest";
import type { ClusterHealth } from "../../src/engine/view.ts";
import type { Inventory, Override, Zone } from "../../src/model/inventory.ts";
import { readStatus } from "../../src/model/read-status.ts";
import type { Condition } from "../../src/model/status.ts";
import { testBackend, testCluster, testOverride, testRoute } from "../../test/support/world/build-route.ts";
import type { ClusterConnection } from "../clusters/cluster-objects.ts";
import type { ObjectReport } from "../reconcile/reconciled.ts";
import { type ClusterStatusInput, clusterStatus } from "./cluster-status.ts";
import { type OverrideStatusInput, overrideDue, overrideStatus } from "./override-status.ts";
import { zoneStatus, zoneUses } from "./zone-status.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const ALL = { reported: 2, of: 2, waitingFor: [] };
const report = (kind: ObjectReport["kind"], more: Partial<ObjectReport> = {}): ObjectReport => ({
  kind,
  namespace: "",
  name: "eu",
  uid: "u",
  resourceVersion: "1",
  generation: 1,
  accepted: { status: "True", reason: "Accepted", message: "Accepted." },
  backends: [],
  ...more,
});
const told = ({ conditions }: { readonly conditions: readonly Condition[] }) =>
  Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status}/${reason}`]));

describe("MemberCluster", () => {
  const HEALTHY: ClusterHealth = {
    state: "Active",
    health: "Healthy",
    endpoints: { healthy: 3, total: 4 },
    since: "2026-11-21T11:00:00.000Z",
    reason: "ok",
  };
  const CONNECTED: ClusterConnection = {
    cluster: "eu",
    state: "Connected",
    reason: "Connected",
    message: "",
    forbidden: [],
    version: "v1.35.4",
  };
  const status = (more: Partial<ClusterStatusInput> = {}) =>
    clusterStatus({
      report: report("MemberCluster"),
      connection: CONNECTED,
      uid: "k1",
      health: HEALTHY,
      location: "aws eu-west-1",
      before: undefined,
      epoch: 2,
      now: NOW,
      ...more,
    });

  test("that is well", () => {
    const result = status();
    expect(told(result)).toEqual({ Accepted: "True/Accepted", Connected: "True/Connected", Healthy: "True/Healthy", Ready: "True/Ready" });
    expect(result).toMatchObject({
      uid: "k1",
      version: "v1.35.4",
      state: "Active",
      health: "Healthy",
      since: "2026-11-21T11:00:00Z",
      endpoints: { healthy: 3, total: 4 },
      summary: { location: "aws eu-west-1", endpoints: "3/4" },
    });
    expect(readStatus("MemberCluster", result)).toEqual(result);
  });

  test("without access needs no API server", () => {
    const result = status({ connection: undefined });
    expect(told(result)).toMatchObject({ Connected: "True/NotNeeded", Ready: "True/Ready" });
    expect(result).not.toHaveProperty("uid");
  });

  test("a permission that is missing is named, and the rest goes on", () => {
    const forbidden = [{ kind: "Ingress", permission: "list ingresses.networking.k8s.io" }] as const;
    const result = status({ connection: { ...CONNECTED, forbidden } });
    expect(told(result)).toMatchObject({ Connected: "False/PermissionMissing", Ready: "True/Ready" });
    expect(result.conditions[1]!.message).toMatch(/^Not allowed to list ingresses\.networking\.k8s\.io, .* Grant it/);
  });

  const UNREACHABLE: ClusterConnection = {
    ...CONNECTED,
    state: "Unreachable",
    reason: "Unreachable",
    message: "connect timed out. See that it runs.",
  };
  test("an API server that cannot be reached takes Ready from nobody who had it, and its ways of failing are not told one by one", () => {
    const first = status({ connection: UNREACHABLE, before: status() });
    expect(told(first)).toMatchObject({ Connected: "False/Unreachable", Ready: "True/Ready", Healthy: "True/Healthy" });
    const second = status({ connection: { ...UNREACHABLE, message: "reset. See that it runs." }, before: first });
    expect(second.conditions).toEqual(first.conditions);
    expect(second).toMatchObject({ uid: "k1", version: "v1.35.4" });
    expect(told(status({ connection: UNREACHABLE }))).toMatchObject({ Ready: "False/Unreachable" }); // never read yet
  });

  test("a credential that is refused does", () => {
    const refused: ClusterConnection = {
      ...CONNECTED,
      state: "Refused",
      reason: "SameCluster",
      message: "This is cluster eu-west again. Delete one.",
    };
    expect(told(status({ connection: refused, before: status() }))).toMatchObject({
      Connected: "False/SameCluster",
      Ready: "False/SameCluster",
    });
  });

  test("an outage of all its replicas is Healthy=False, and Ready stays", () => {
    const down: ClusterHealth = { ...HEALTHY, health: "Unhealthy", endpoints: { healthy: 0, total: 4 }, reason: "timeout" };
    const result = status({ health: down, before: status() });
    expect(told(result)).toMatchObject({ Healthy: "False/Unhealthy", Ready: "True/Ready" });
  });

  test.each([
    {
      name: "nobody uses it",
      health: { ...HEALTHY, health: "Unknown", endpoints: { healthy: 0, total: 0 } } as const,
      is: "Unknown/NoEndpoint",
    },
    { name: "not probed yet", health: { ...HEALTHY, health: "Unknown" } as const, is: "Unknown/NotProbed" },
    { name: "in no table yet", health: undefined, is: "Unknown/NoEndpoint" },
  ])("$name: $is", ({ health, is }) => {
    expect(told(status({ health })).Healthy).toBe(is);
  });
});

describe("DNSZone", () => {
  const zone = (name: string, domain: string): Zone => ({ name, domain }) as Zone;
  const routes = [
    testRoute([], { hosts: ["shop.example.org", "www.example.org", "x.example.com"] }),
    testRoute([], { name: "blog", hosts: ["blog.example.org"], zones: ["other"] }),
    testRoute([], { name: "eu", hosts: ["shop.eu.example.org"] }),
  ];

  test("counts what publishes in it: by the longest domain, and not what names other zones", () => {
    const uses = zoneUses({ routes, zones: [zone("org", "example.org"), zone("eu", "eu.example.org"), zone("idle", "example.net")] });
    expect(Object.fromEntries(uses)).toEqual({ org: { routes: 1, hosts: 2 }, eu: { routes: 1, hosts: 1 }, idle: { routes: 0, hosts: 0 } });
  });

  test("is ready when every replica serves it", () => {
    const input = { report: report("DNSZone"), use: { routes: 1, hosts: 2 }, before: undefined, epoch: 1, now: NOW };
    const result = zoneStatus({ ...input, programmed: ALL });
    expect(told(result)).toEqual({ Accepted: "True/Accepted", Programmed: "True/Programmed", Ready: "True/Ready" });
    expect(readStatus("DNSZone", result)).toEqual(result);
    expect(told(zoneStatus({ ...input, programmed: { ...ALL, reported: 1 } })).Ready).toBe("False/Pending");
  });

  test("that is being deleted says what it waits for, whatever it was before", () => {
    const input = { report: report("DNSZone"), programmed: ALL, use: { routes: 1, hosts: 2 }, epoch: 1, now: NOW };
    const before = zoneStatus({ ...input, before: undefined });
    const deletion = { status: "False", reason: "ProviderFailing", message: "no answer in time" } as const;
    const result = zoneStatus({ ...input, before, deletion });
    expect(told(result)).toEqual({ Accepted: "True/Accepted", Programmed: "False/ProviderFailing", Ready: "False/ProviderFailing" });
    expect(readStatus("DNSZone", result)).toEqual(result);
  });
});

describe("TrafficOverride", () => {
  const inventory: Pick<Inventory, "routes" | "clusters"> = {
    routes: [testRoute([testBackend("eu", 1)]), testRoute([testBackend("eu", 2), testBackend("us", 3)], { name: "blog" })],
    clusters: [testCluster("eu"), testCluster("us")],
  };
  const drain = (target: Override["target"], more: Partial<Override> = {}): Override => ({ ...testOverride("Drain", target), ...more });
  const EU = { kind: "MemberCluster", name: "eu" } as const;
  const status = (override: Override | undefined, more: Partial<OverrideStatusInput> = {}) =>
    overrideStatus({
      report: report("TrafficOverride"),
      programmed: ALL,
      override,
      inventory,
      before: undefined,
      epoch: 1,
      now: NOW,
      ...more,
    });

  test.each<{ readonly name: string; readonly override: Override; readonly is: string; readonly routes: number }>([
    { name: "in force", override: drain(EU), is: "True/InForce", routes: 2 },
    {
      name: "of one route",
      override: drain({ kind: "GlobalRoute", namespace: "default", name: "blog", backend: "us" }),
      is: "True/InForce",
      routes: 1,
    },
    { name: "not begun", override: drain(EU, { start: NOW + 1 }), is: "False/NotBegun", routes: 2 },
    { name: "over", override: drain(EU, { until: NOW }), is: "False/Over", routes: 2 },
    {
      name: "of a cluster that is not there",
      override: drain({ kind: "MemberCluster", name: "jp" }),
      is: "False/TargetMissing",
      routes: 0,
    },
    {
      name: "of a backend that is not there",
      override: drain({ kind: "GlobalRoute", namespace: "default", name: "blog", backend: "jp" }),
      is: "False/TargetMissing",
      routes: 1,
    },
  ])("$name: $is", ({ override, is, routes }) => {
    const result = status(override);
    expect([told(result).Active, result.routes]).toEqual([is, routes]);
    expect(readStatus("TrafficOverride", result)).toEqual(result);
  });

  test("a drill that was given up is over for good, and the status is what tells the next process", () => {
    const drill: Override = { ...testOverride("Drill", EU), start: NOW - 9000, until: NOW + 60_000 };
    const aborted = { reason: "web/shop: us is not in service", at: NOW - 1000 };
    const result = status(drill, { aborted });
    expect(told(result).Active).toBe("False/DrillAborted");
    expect(result.aborted).toEqual({ reason: aborted.reason, at: "2026-11-21T11:59:59.000Z" });
    expect(readStatus("TrafficOverride", result)).toEqual(result);
  });

  test("that is not accepted does nothing, and says so", () => {
    const accepted = { status: "False", reason: "Invalid", message: "until is missing. Add it." } as const;
    const result = status(undefined, { report: report("TrafficOverride", { accepted }) });
    expect(told(result)).toEqual({
      Accepted: "False/Invalid",
      Active: "False/NotAccepted",
      Ready: "False/Invalid",
      Stalled: "True/Invalid",
    });
  });

  test.each([
    { name: "begins", times: { start: NOW + 5, until: NOW + 9 }, due: NOW + 5 },
    { name: "ends", times: { start: NOW - 5, until: NOW + 9 }, due: NOW + 9 },
    { name: "is over", times: { until: NOW }, due: Number.POSITIVE_INFINITY },
    { name: "never ends", times: {}, due: Number.POSITIVE_INFINITY },
  ])("time alone changes one that $name", ({ times, due }) => {
    expect(overrideDue(times, NOW)).toBe(due);
  });
});
