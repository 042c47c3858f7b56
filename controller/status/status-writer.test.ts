import { afterEach, describe, expect, test } from "vitest";
import type { BackendStatus, ClusterHealth, HealthFeed, RouteHealth } from "../../src/engine/view.ts";
import { readStatus } from "../../src/model/read-status.ts";
import { ms } from "../../src/model/units.ts";
import { NEW_ROUTE } from "../../src/routing/evaluate-route.ts";
import { createMemoryHub } from "../../test/support/memory-hub.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { testCluster } from "../../test/support/world/build-route.ts";
import { KubeError } from "../kube/kube-error.ts";
import { objectKey } from "../kube/kube-object.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import { GLOBAL_ROUTES, MEMBER_CLUSTERS, TRAFFIC_OVERRIDES } from "../kube/resources.ts";
import type { WriterTerm } from "../kube/writer-fence.ts";
import type { ObjectReport, Reconciled } from "../reconcile/reconciled.ts";
import { conditionOf, type ProgrammedReport } from "./conditions.ts";
import { createStatusWriter } from "./status-writer.ts";
import { createWriteLane } from "./write-lane.ts";

const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
});

/** A hub with routes and clusters, health that tests set, and writers that come and go. */
function world(routes: number, clusters = ["eu", "us"]) {
  const clock = createSimulatedClock();
  const ports: KubePorts = {
    now: clock.now,
    wallClock: clock.wallClock,
    random: () => 0.5,
    setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
  };
  const hub = createMemoryHub(ports);
  const down = new Map<string, string>();
  const moved = new Map<string, { from: string; to: string; at: string; reason: string }>();
  const listeners = new Set<(route: string) => void>();
  let programmed: ProgrammedReport = { reported: 1, of: 1, waitingFor: [] };
  const object = (name: string) => ({
    apiVersion: "globalroute.dev/v1alpha1",
    kind: "GlobalRoute",
    metadata: { name, namespace: "web" },
    spec: { hosts: [`${name}.example.org`] },
  });
  for (let i = 0; i < routes; i++) hub.put(GLOBAL_ROUTES, object(`r${i}`));
  for (const name of clusters)
    hub.put(MEMBER_CLUSTERS, { apiVersion: "globalroute.dev/v1alpha1", kind: "MemberCluster", metadata: { name }, spec: {} });

  const since = new Date(clock.wallClock() - 1000).toISOString();
  const backend = (name: string): BackendStatus => {
    const reason = down.get(name);
    return {
      name,
      cluster: name,
      addresses: ["192.0.2.1"],
      health: reason === undefined ? "Healthy" : "Unhealthy",
      standing: reason === undefined ? "Usable" : "Unhealthy",
      since,
      reason: reason ?? "ok",
      weight: 100,
      failbackAt: null,
    };
  };
  const feed: HealthFeed = {
    route: (key): RouteHealth | undefined =>
      hub.get(GLOBAL_ROUTES, key) === undefined
        ? undefined
        : {
            hosts: [`${key.slice(4)}.example.org`],
            backends: clusters.map(backend),
            lastFailover: moved.get(key) ?? null,
            failOpen: false,
            memory: NEW_ROUTE,
          },
    clusters: () =>
      new Map(
        clusters.map((name): [string, ClusterHealth] => {
          const { health, since, reason } = backend(name);
          return [
            name,
            { state: "Active", health, endpoints: { healthy: health === "Healthy" ? routes : 0, total: routes }, since, reason },
          ];
        }),
      ),
    drillAbort: () => undefined,
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };

  const reports = () =>
    [...hub.all(GLOBAL_ROUTES), ...hub.all(MEMBER_CLUSTERS)].map((stored): ObjectReport => {
      const { uid = "", resourceVersion = "", generation = 0, name, namespace = "" } = stored.metadata;
      const accepted = { status: "True", reason: "Accepted", message: "Accepted." } as const;
      const kind = stored.kind === "GlobalRoute" ? "GlobalRoute" : "MemberCluster";
      return {
        kind,
        namespace,
        name,
        uid,
        resourceVersion,
        generation,
        accepted,
        backends: kind === "GlobalRoute" ? clusters.map((cluster) => ({ name: cluster, cluster, source: "", reason: "" })) : [],
      };
    });
  const facts = () => ({
    reconciled: {
      inventory: { routes: [], clusters: [], zones: [], overrides: [] },
      problems: [],
      reports: reports(),
      generated: [],
      warnings: [],
      readiness: new Map(),
      generations: new Map(),
    } satisfies Reconciled,
    connections: [],
    uids: new Map<string, string>(),
  });

  let epoch = 0;
  const refused: string[] = [];
  const rollouts: string[] = [];
  function writer() {
    const status = createStatusWriter({
      api: hub.api,
      store: hub.store,
      health: feed,
      ports,
      programmed: () => programmed,
      onRefused: (key) => refused.push(key),
      onRollout: (route, { reason }) => rollouts.push(`${route} ${reason}`),
    });
    const errors: unknown[] = [];
    const lane = createWriteLane({ writings: [status], ports, onError: (_, error) => errors.push(error) });
    status.offer(facts());
    const term = new AbortController();
    let deadline = Number.POSITIVE_INFINITY;
    const own: WriterTerm = { epoch: ++epoch, deadline: () => deadline, signal: term.signal };
    const over = lane.lead(own);
    ended.push(() => {
      term.abort();
      status.close();
    });
    return {
      status,
      errors,
      epoch: own.epoch,
      setDeadline: (at: number) => {
        deadline = at;
      },
      stop: async () => {
        term.abort();
        await over;
      },
    };
  }

  return {
    clock,
    hub,
    writer,
    facts,
    refused,
    rollouts,
    tell: (route: string) => {
      for (const listener of listeners) listener(route);
    },
    setProgrammed: (next: ProgrammedReport) => {
      programmed = next;
    },
    fail(cluster: string, reason: string | undefined, keys: readonly string[] = hub.all(GLOBAL_ROUTES).map(objectKey)) {
      if (reason === undefined) down.delete(cluster);
      else down.set(cluster, reason);
      for (const key of keys) {
        if (reason !== undefined) moved.set(key, { from: cluster, to: "us", at: new Date(clock.wallClock()).toISOString(), reason });
        for (const listener of listeners) listener(key);
      }
    },
    ready: (key: string) => conditionOf(readStatus("GlobalRoute", hub.get(GLOBAL_ROUTES, key)?.status)?.conditions, "Ready")?.status,
  };
}

test("a new writer writes every status once, not faster than twenty a second, and a second writer nothing at all", async () => {
  const { clock, hub, writer, ready } = world(100);
  const first = writer();
  await clock.advance(2000);
  expect(hub.writes.length).toBeLessThanOrEqual(20 + 2 * 20 + 1);
  await clock.advance(10_000);
  expect(hub.writes).toHaveLength(102);
  expect(ready("web/r99")).toBe("True");
  expect(new Set(hub.writes.map(({ verb }) => verb))).toEqual(new Set(["status"]));
  await first.stop();
  const second = writer();
  await clock.advance(60_000);
  expect(hub.writes).toHaveLength(102);
  expect([...first.errors, ...second.errors]).toEqual([]);
});

test("ten minutes of probes and of signs of life write nothing", async () => {
  const { clock, hub, writer, tell, facts } = world(20);
  const { status } = writer();
  await clock.advance(10_000);
  const before = hub.writes.length;
  for (let i = 0; i < 600; i++) {
    tell(i % 10 === 0 ? "all" : `web/r${i % 20}`);
    if (i % 30 === 0) status.offer(facts());
    status.programmedChanged();
    await clock.advance(1000);
  }
  expect(hub.writes).toHaveLength(before);
});

test("clients move before anything is written about it, and what fails together is told together", async () => {
  const { clock, hub, writer, fail } = world(3);
  writer();
  await clock.advance(20_000);
  const before = hub.writes.length;
  fail("eu", "refused", ["web/r0"]);
  await clock.advance(200);
  fail("eu", "refused", ["web/r1"]);
  expect(hub.writes.slice(before)).toEqual([]);
  await clock.advance(200);
  expect(hub.writes.slice(before).map(({ key }) => key)).toEqual(expect.arrayContaining(["web/r0", "web/r1"]));
});

test("a failover is written before what can wait", async () => {
  const { clock, hub, writer, fail } = world(300);
  writer();
  await clock.advance(1000); // in the middle of the first round
  const before = hub.writes.length;
  fail("eu", "refused", ["web/r299"]);
  await clock.advance(600);
  expect(hub.writes.slice(before).map(({ key }) => key)).toContain("web/r299");
  expect(hub.get(GLOBAL_ROUTES, "web/r299")?.status).toMatchObject({ lastFailover: { from: "eu", to: "us" } });
});

describe("what servers do", () => {
  test("a user's change meanwhile: the status is worked out again for the newer object", async () => {
    const { clock, hub, writer, facts } = world(1);
    const release = hub.holdWatch();
    const { status } = writer();
    const stored = hub.get(GLOBAL_ROUTES, "web/r0")!;
    hub.put(GLOBAL_ROUTES, { ...stored, spec: { hosts: ["other.example.org"] } });
    await clock.advance(1000);
    expect(hub.writes.filter(({ key }) => key === "web/r0").map(({ answer }) => answer)).toContain(409);
    expect(hub.get(GLOBAL_ROUTES, "web/r0")?.status).toBeUndefined();
    release();
    status.offer(facts());
    await clock.advance(5000);
    expect(hub.get(GLOBAL_ROUTES, "web/r0")?.status).toMatchObject({ observedGeneration: 2 });
  });

  test("a change that reconciling has not seen yet is not judged by what it saw before", async () => {
    const { clock, hub, writer, tell, facts } = world(1, []);
    const { status } = writer();
    await clock.advance(2000);
    hub.put(GLOBAL_ROUTES, { ...hub.get(GLOBAL_ROUTES, "web/r0")!, spec: { hosts: ["other.example.org"] }, status: undefined });
    tell("all");
    await clock.advance(2000);
    expect(hub.writes).toHaveLength(1);
    status.offer(facts());
    await clock.advance(2000);
    expect(hub.get(GLOBAL_ROUTES, "web/r0")?.status).toMatchObject({ observedGeneration: 2 });
  });

  test("a watch that lags behind our own writes makes no conflict", async () => {
    const { clock, hub, writer, fail } = world(1);
    writer();
    await clock.advance(2000);
    const release = hub.holdWatch();
    fail("eu", "refused");
    await clock.advance(2000);
    fail("eu", undefined);
    await clock.advance(2000);
    release();
    expect(hub.writes.every(({ answer }) => answer === "ok")).toBe(true);
    expect(hub.get(GLOBAL_ROUTES, "web/r0")?.status).toMatchObject({ summary: { health: "2/2" } });
  });

  test("an object that was deleted is let go", async () => {
    const { clock, hub, writer } = world(1);
    const release = hub.holdWatch();
    writer();
    hub.remove(GLOBAL_ROUTES, "web/r0");
    await clock.advance(60_000);
    expect(hub.writes.filter(({ key }) => key === "web/r0")).toHaveLength(1);
    release();
  });

  test("429 is obeyed", async () => {
    const { clock, hub, writer } = world(1, []);
    hub.fail(new KubeError("slow down", { status: 429, reason: "TooManyRequests", retryAfter: 5000 }));
    writer();
    await clock.advance(4900);
    expect(hub.writes).toHaveLength(1);
    await clock.advance(2000);
    expect(hub.writes).toHaveLength(2);
  });

  test("an outage of the API server is waited out", async () => {
    const { clock, hub, writer, ready } = world(3);
    for (let i = 0; i < 20; i++) hub.fail(new KubeError("unavailable", { status: i % 2 === 0 ? 503 : 0, reason: "" }));
    writer();
    await clock.advance(120_000);
    expect(ready("web/r2")).toBe("True");
  });

  test("what it refuses for good is told, and tried again only slowly", async () => {
    const { clock, hub, writer, refused } = world(1, []);
    hub.fail(new KubeError("invalid", { status: 422, reason: "Invalid" }));
    writer();
    await clock.advance(50_000);
    expect(refused).toEqual(["GlobalRoute web/r0"]);
    expect(hub.writes).toHaveLength(1);
    await clock.advance(60_000);
    expect(hub.writes).toHaveLength(2);
  });

  test("a field that an older schema refuses is told once and left out, of all objects", async () => {
    const { clock, hub, writer, refused } = world(30, []);
    const apply = hub.api.apply;
    Object.assign(hub.api, {
      apply: (...args: Parameters<typeof apply>) => {
        const [, { status }] = args;
        if (typeof status !== "object" || status === null || !("summary" in status)) return apply(...args);
        const message = "failed to create typed patch object (web/r0): .status.summary: field not declared in schema";
        return Promise.reject(new KubeError(message, { status: 500, reason: "" }));
      },
    });
    writer();
    await clock.advance(20_000);
    expect(refused).toEqual(["GlobalRoute.status.summary"]);
    expect(hub.all(GLOBAL_ROUTES).filter(({ status }) => status !== undefined)).toHaveLength(30);
    const sent = hub.writes.length;
    await clock.advance(600_000);
    expect(hub.writes.length).toBe(sent);
  });

  test("an older schema that drops fields is no reason to write again and again", async () => {
    const { clock, hub, writer, tell } = world(1, []);
    const apply = hub.api.apply;
    Object.assign(hub.api, {
      apply: (...args: Parameters<typeof apply>) =>
        apply(args[0], { ...args[1], status: { writerEpoch: 1, observedGeneration: 1 } }, args[2]),
    });
    writer();
    for (let i = 0; i < 20; i++) {
      await clock.advance(1000);
      tell("all");
    }
    expect(hub.writes).toHaveLength(1);
  });
});

describe("terms", () => {
  test("an old writer is refused by the fence, and a new one before the server has seen its Lease tries again within a second", async () => {
    const { clock, hub, writer } = world(1, []);
    hub.epoch = 0;
    const { epoch } = writer();
    await clock.advance(100);
    expect(hub.writes.map(({ answer }) => answer)).toEqual([403]);
    hub.epoch = epoch;
    await clock.advance(1000);
    expect(hub.writes.at(-1)?.answer).toBe("ok");
    expect(hub.get(GLOBAL_ROUTES, "web/r0")?.status).toMatchObject({ writerEpoch: epoch });
  });

  test("nothing is sent when the term is over, and nothing is waited for beyond it", async () => {
    const { clock, hub, writer } = world(50);
    hub.latency = 60_000;
    const { setDeadline, errors } = writer();
    setDeadline(clock.now() + 3000);
    await clock.advance(2900);
    const sent = hub.writes.length;
    expect(hub.writes.map(({ answer }) => answer)).toEqual(Array(4).fill("pending"));
    await clock.advance(200);
    expect(hub.writes.map(({ answer }) => answer)).toEqual(Array(4).fill(0));
    await clock.advance(60_000);
    expect(hub.writes.length).toBe(sent);
    setDeadline(Number.POSITIVE_INFINITY); // renewed
    hub.latency = 5;
    await clock.advance(60_000);
    expect(hub.writes.length).toBeGreaterThan(sent);
    expect(errors).toEqual([]);
  });

  test("lost in the middle: requests under way are given up", async () => {
    const { clock, hub, writer } = world(50);
    hub.latency = 5000;
    const { stop } = writer();
    await clock.advance(1000);
    const stopped = stop();
    await clock.advance(10);
    await stopped;
    const sent = hub.writes.length;
    await clock.advance(60_000);
    expect(hub.writes.length).toBe(sent);
    expect(hub.all(GLOBAL_ROUTES).every(({ status }) => status === undefined)).toBe(true);
  });
});

test("an override's beginning and end are written when they come", async () => {
  const { clock, hub, writer, facts } = world(0, []);
  const { status } = writer();
  const stored = hub.put(TRAFFIC_OVERRIDES, {
    apiVersion: "globalroute.dev/v1alpha1",
    kind: "TrafficOverride",
    metadata: { name: "night", namespace: "web" },
    spec: {},
  });
  const start = clock.wallClock() + 3_600_000;
  const target = { kind: "MemberCluster", name: "eu" } as const;
  const override = { namespace: "web", name: "night", target, action: "Drain", reason: "a test", start, until: start + 60_000 } as const;
  const { uid = "", resourceVersion = "", generation = 0 } = stored.metadata;
  const accepted = { status: "True", reason: "Accepted", message: "Accepted." } as const;
  const report: ObjectReport = {
    kind: "TrafficOverride",
    namespace: "web",
    name: "night",
    uid,
    resourceVersion,
    generation,
    accepted,
    backends: [],
  };
  const { reconciled, ...rest } = facts();
  const inventory = { ...reconciled.inventory, clusters: [testCluster("eu")], overrides: [override] };
  status.offer({ ...rest, reconciled: { ...reconciled, inventory, reports: [report] } });
  const active = () =>
    conditionOf(readStatus("TrafficOverride", hub.get(TRAFFIC_OVERRIDES, "web/night")?.status)?.conditions, "Active")?.reason;
  const seen: (string | undefined)[] = [];
  for (const wait of [5000, 3_590_000, 10_000, 60_000, 7_200_000]) {
    await clock.advance(wait);
    seen.push(active());
  }
  expect(seen).toEqual(["NotBegun", "NotBegun", "InForce", "Over", "Over"]);
  expect(hub.writes).toHaveLength(3);
});

test("a rollout goes from step to step by the clock, told once for each, and a promotion takes it further at once", async () => {
  const { clock, hub, writer, facts, rollouts } = world(0);
  const steps = [
    { name: "canary", backend: "us", weight: 10, pause: "1m" },
    { name: "half", backend: "us", weight: 50, approval: true },
  ];
  const spec = {
    hosts: ["shop.example.org"],
    backends: ["eu", "us"].map((name) => ({ name, cluster: name, addresses: ["192.0.2.1"], weight: name === "eu" ? 100 : 0 })),
    rollout: { steps },
  };
  hub.put(GLOBAL_ROUTES, {
    apiVersion: "globalroute.dev/v1alpha1",
    kind: "GlobalRoute",
    metadata: { name: "shop", namespace: "web" },
    spec,
  });
  const { status } = writer();
  const rollout = () => {
    const { name, phase } = readStatus("GlobalRoute", hub.get(GLOBAL_ROUTES, "web/shop")?.status)?.rollout ?? {};
    return `${name} ${phase}`;
  };
  await clock.advance(5000);
  expect(rollout()).toBe("canary Progressing");
  await clock.advance(62_000);
  expect(rollout()).toBe("half AwaitingApproval");
  await clock.advance(600_000);
  expect(rollout()).toBe("half AwaitingApproval");
  const metadata = { name: "promote-shop", namespace: "web", creationTimestamp: "2027-01-15T08:00:00Z" };
  const act = { targetRef: { kind: "GlobalRoute", name: "shop" }, action: "PromoteStep", reason: "looks good" };
  const { metadata: made } = hub.put(TRAFFIC_OVERRIDES, {
    apiVersion: "globalroute.dev/v1alpha1",
    kind: "TrafficOverride",
    metadata,
    spec: act,
  });
  const { reconciled, ...rest } = facts();
  const report: ObjectReport = { ...reconciled.reports[0]!, kind: "TrafficOverride", name: "promote-shop", uid: made.uid ?? "" };
  status.offer({ ...rest, reconciled: { ...reconciled, reports: [...reconciled.reports, report] } });
  await clock.advance(5000);
  expect(rollout()).toBe("half Completed");
  expect(rollouts).toEqual(["web/shop RolloutStarted", "web/shop RolloutStep", "web/shop RolloutCompleted"]);
});

test("Programmed waits for every replica, and follows their reports", async () => {
  const { clock, hub, writer, setProgrammed, ready } = world(1, []);
  setProgrammed({ reported: 1, of: 2, waitingFor: ["globalroute-b"] });
  const { status } = writer();
  await clock.advance(2000);
  expect(ready("web/r0")).toBe("False");
  setProgrammed({ reported: 2, of: 2, waitingFor: [] });
  status.programmedChanged();
  await clock.advance(2000);
  expect(ready("web/r0")).toBe("True");
  expect(hub.writes).toHaveLength(2);
});
