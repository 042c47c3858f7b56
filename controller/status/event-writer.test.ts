import { afterEach, expect, test } from "vitest";
import { ms } from "../../src/model/units.ts";
import { createTimeline } from "../../src/observe/timeline.ts";
import { createMemoryHub } from "../../test/support/memory-hub.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import { EVENTS, GLOBAL_ROUTES, MEMBER_CLUSTERS } from "../kube/resources.ts";
import type { SourceWarning } from "../reconcile/reconciled.ts";
import { createEventWriter } from "./event-writer.ts";
import { createWriteLane } from "./write-lane.ts";

const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
});

function world(routes = 1) {
  const clock = createSimulatedClock();
  const ports: KubePorts = { ...clock, random: () => 0.5, setTimer: (delay, callback) => clock.setTimer(ms(delay), callback) };
  const hub = createMemoryHub(ports);
  const timeline = createTimeline(100_000, clock.wallClock);
  for (let i = 0; i < routes; i++)
    hub.put(GLOBAL_ROUTES, { apiVersion: "globalroute.dev/v1alpha1", kind: "GlobalRoute", metadata: { name: `r${i}`, namespace: "web" } });
  for (const name of ["eu", "us"])
    hub.put(MEMBER_CLUSTERS, { apiVersion: "globalroute.dev/v1alpha1", kind: "MemberCluster", metadata: { name } });
  let left = 0;
  let epoch = 0;
  function lead(instance = "globalroute-0-x1") {
    const events = createEventWriter({
      api: hub.api,
      store: hub.store,
      timeline,
      ports,
      instance,
      hasNamespace: (name) => name === "web",
      onRefused: (_, error) => {
        throw error;
      },
      onLeftOut: () => left++,
    });
    const lane = createWriteLane({
      writings: [events],
      ports,
      onError: (_, error) => {
        throw error;
      },
    });
    let term = new AbortController();
    let over: Promise<void>;
    const begin = () => {
      term = new AbortController();
      hub.epoch = ++epoch;
      over = lane.lead({ epoch, deadline: () => Number.POSITIVE_INFINITY, signal: term.signal });
    };
    begin();
    const stop = async () => {
      term.abort();
      await over;
      events.close();
    };
    ended.push(() => void stop());
    const lose = async () => {
      term.abort();
      await over;
    };
    return { events, stop, lose, begin };
  }
  const failover = (i: number, from = "eu", to = "us", reason = "timeout") =>
    timeline.add({
      kind: "Failover",
      object: `GlobalRoute web/r${i}`,
      message: `clients moved from ${from} to ${to}: ${reason}`,
      details: { from, to, reason },
    });
  const told = (reason: string) => hub.all(EVENTS).filter((event) => event.reason === reason);
  return { clock, hub, lead, failover, told, timeline, leftOut: () => left };
}

test("a failover is told on the route and on its cluster, in the form of events.k8s.io/v1", async () => {
  const { clock, lead, failover, told } = world();
  lead();
  failover(0);
  await clock.advance(5000);
  const [event] = told("Failover");
  expect(event).toMatchObject({
    apiVersion: "events.k8s.io/v1",
    metadata: { namespace: "web", annotations: { "globalroute.dev/writer-epoch": "1" } },
    type: "Warning",
    action: "Failover",
    reportingController: "globalroute.dev/controller",
    reportingInstance: "globalroute-0-x1",
    regarding: { apiVersion: "globalroute.dev/v1alpha1", kind: "GlobalRoute", namespace: "web", name: "r0", uid: "uid-100" },
    note: "Clients moved from eu to us: timeout.",
  });
  expect(event?.eventTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  expect(event?.metadata.name).toMatch(/^r0\.[0-9a-f]{16}$/);
  expect(told("ClusterFailover")).toMatchObject([
    {
      metadata: { namespace: "default" },
      regarding: { kind: "MemberCluster", name: "eu" },
      note: "Clients of 1 route moved from eu to us: timeout.",
    },
  ]);
});

test("a proxy that rejects what it is told is told on its fleet, once", async () => {
  const { clock, lead, timeline, told } = world();
  lead();
  for (const proxy of ["e1", "e2"])
    timeline.add({
      kind: "ProxyRejected",
      object: "ProxyFleet edge",
      message: `${proxy} has not taken it: no such file`,
      details: { proxy },
    });
  await clock.advance(5000);
  expect(told("ProxyRejected")).toMatchObject([
    {
      metadata: { namespace: "default" },
      type: "Warning",
      regarding: { kind: "ProxyFleet", name: "edge" },
      note: "E1 has not taken it: no such file.",
    },
  ]);
});

test("one of four clusters dies with 5,000 routes: one Event on it tells how many, and less than 600 are written in the minute", async () => {
  const { clock, hub, lead, failover, told, leftOut } = world(5000);
  lead();
  for (let i = 0; i < 5000; i++) {
    failover(i);
    if (i % 500 === 499) await clock.advance(1000);
  }
  await clock.advance(50_000);
  expect(told("ClusterFailover")).toHaveLength(1);
  expect(told("ClusterFailover")[0]?.note).toMatch(
    /^Clients of 5000 routes moved from eu to us: timeout\. \d+ of them have no Event of their own; see status\.lastFailover\.$/,
  );
  expect(hub.writes.length).toBeLessThan(600);
  expect(told("Failover").length).toBeGreaterThan(40);
  expect(told("Failover").length + leftOut()).toBe(5000);
  const perSecond = new Map<number, number>();
  for (const { at } of hub.writes) perSecond.set(Math.floor(at / 1000), (perSecond.get(Math.floor(at / 1000)) ?? 0) + 1);
  expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(10);
});

test("a flapping route has one Event in five minutes, whose series counts", async () => {
  const { clock, hub, lead, failover, told } = world();
  lead();
  for (let i = 0; i < 10; i++) {
    failover(0);
    await clock.advance(20_000);
  }
  expect(told("Failover")).toHaveLength(1);
  expect(told("Failover")[0]?.series).toBeUndefined();
  await clock.advance(120_000);
  expect(told("Failover")).toMatchObject([{ series: { count: 10, lastObservedTime: expect.stringMatching(/\.\d{6}Z$/) } }]);
  expect(hub.writes.filter(({ verb }) => verb === "patch")).toHaveLength(1);
  failover(0);
  await clock.advance(5000);
  expect(told("Failover")).toHaveLength(2);
});

test("a return is no failover of the other cluster", async () => {
  const { clock, lead, failover, told } = world();
  lead();
  failover(0, "us", "eu", "failback");
  await clock.advance(5000);
  expect(told("ClusterFailback")).toMatchObject([
    { type: "Normal", regarding: { name: "eu" }, note: "Clients of 1 route went back from us to eu." },
  ]);
  expect(told("Failback")).toHaveLength(1);
  expect(told("ClusterFailover")).toEqual([]);
});

const ingress = (name: string, namespace = "web"): Pick<KubeObject, "apiVersion" | "kind" | "metadata"> => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name, namespace, uid: `i-${name}` },
});
const warning = (name: string, more: Partial<SourceWarning> = {}): SourceWarning => ({
  cluster: "eu",
  object: ingress(name),
  reason: "AnnotationInvalid",
  message: `Ingress web/${name} in cluster eu: weight is no number. Write 0 to 1000.`,
  ...more,
});

test("a warning is told once, in the source's namespace of the hub, by whoever writes", async () => {
  const { clock, hub, lead, told } = world();
  const first = lead();
  first.events.offer([warning("shop"), warning("blog", { cluster: "" })]);
  for (let i = 0; i < 100; i++) {
    await clock.advance(1000);
    first.events.offer([warning("shop"), warning("blog", { cluster: "" })]);
  }
  expect(hub.writes).toHaveLength(2);
  expect(told("AnnotationInvalid")).toMatchObject([
    {
      metadata: { namespace: "web" },
      type: "Warning",
      regarding: { kind: "Ingress", name: "shop" },
      note: "Ingress web/shop in cluster eu: weight is no number. Write 0 to 1000.",
    },
    { regarding: { kind: "Ingress", name: "blog" } },
  ]);
  await first.stop();
  const second = lead("globalroute-1-x2");
  second.events.offer([warning("shop")]);
  await clock.advance(10_000);
  expect(told("AnnotationInvalid")).toHaveLength(2);
});

test("a source whose namespace the hub does not have is told of on its cluster", async () => {
  const { clock, lead, told } = world();
  const { events } = lead();
  events.offer([warning("shop", { object: ingress("shop", "elsewhere") })]);
  await clock.advance(3000);
  expect(told("AnnotationInvalid")).toMatchObject([
    { metadata: { namespace: "default" }, regarding: { kind: "MemberCluster", name: "eu" } },
  ]);
});

test("thousands of warnings are spread out, and none is lost", async () => {
  const { clock, hub, lead, told } = world();
  const { events } = lead();
  events.offer(Array.from({ length: 1000 }, (_, i) => warning(`s${i}`)));
  await clock.advance(60_000);
  expect(hub.writes.length).toBeLessThan(600);
  await clock.advance(120_000);
  expect(told("AnnotationInvalid")).toHaveLength(1000);
});

test("who is not the writer tells nothing, and what happened before a term is history", async () => {
  const { clock, hub, lead, failover } = world();
  failover(0);
  const { stop } = lead();
  await clock.advance(5000);
  await stop();
  failover(0);
  await clock.advance(60_000);
  expect(hub.writes).toEqual([]);
});

test("a long note is cut to 1024 bytes", async () => {
  const { clock, lead, told } = world();
  const { events } = lead();
  events.offer([warning("shop", { message: "ü".repeat(2000) })]);
  await clock.advance(3000);
  expect(Buffer.byteLength(String(told("AnnotationInvalid")[0]?.note))).toBeLessThanOrEqual(1024);
});

test("a failover that an earlier term had begun to count is not told in a later one", async () => {
  const { clock, lead, failover, told } = world();
  const first = lead();
  failover(0);
  await clock.advance(500);
  await first.lose();
  await clock.advance(3_600_000);
  first.begin();
  await clock.advance(10_000);
  expect(told("ClusterFailover")).toEqual([]);
});
