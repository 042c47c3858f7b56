import { describe, expect, test } from "vitest";
import type { SourceReading } from "../src/engine/source.ts";
import type { Inventory } from "../src/model/inventory.ts";
import { ms } from "../src/model/units.ts";
import { createSimulatedClock } from "../test/support/simulated-clock.ts";
import { testRoute } from "../test/support/world/build-route.ts";
import type { ClusterObjects, HubObjects } from "./clusters/cluster-objects.ts";
import type { HubWatch } from "./hub-watch.ts";
import { mergeClusters } from "./hub-watch.ts";
import { COALESCE, createKubernetesSource, PROMPT, SETTLE, TELL } from "./kubernetes-source.ts";
import type { Reconciled } from "./reconcile/reconciled.ts";

const NOTHING: Inventory = { routes: [], clusters: [], zones: [], overrides: [] };

const reconciledAs = (problem: string): Reconciled => ({
  inventory: { ...NOTHING },
  problems: [{ severity: "warning", code: "x", file: "", line: 0, column: 0, path: "", message: problem, remedy: "" }],
  reports: [],
  generated: [],
  warnings: [],
  readiness: new Map(),
  generations: new Map(),
});

/** A hub whose state the test sets, and a reconciler that the test answers for. */
function scene(first: Partial<{ synced: boolean; settled: boolean }> = {}) {
  const clock = createSimulatedClock();
  const state = {
    synced: first.synced ?? true,
    settled: first.settled ?? true,
    missing: [] as readonly string[],
    next: reconciledAs("first"),
    /** When generated routes stay whose sources are gone. */
    kept: undefined as Reconciled | undefined,
    fails: false,
    held: 0,
    failingSince: undefined as number | undefined,
    lastGood: undefined as Inventory | undefined,
  };
  const objects: HubObjects = {
    routes: [],
    clusters: [],
    zones: [],
    overrides: [],
    fleets: [],
    namespaces: new Map(),
    controllerNamespace: "x",
  };
  const hub: HubWatch = {
    objects: () => objects,
    stored: () => new Map(),
    secrets: () => [],
    replicas: () => [],
    isSynced: () => state.synced,
    missing: () => state.missing,
    held: () => state.held,
    confirm: () => state.held,
    failingSince: () => state.failingSince,
    hindrance: () => (state.synced ? undefined : "GlobalRoutes cannot be read: refused"),
    close: () => {},
  };
  const asked: (Reconciled | undefined)[] = [];
  const told = { reconciled: [] as Reconciled[], missing: [] as string[], errors: 0 };
  const readings: SourceReading[] = [];
  const source = createKubernetesSource({
    server: "https://192.0.2.1:6443",
    hub,
    clusters: { objects: () => [], isSettled: () => state.settled, reported: () => [] },
    reconciler: {
      reconcile({ previous, asIfUnread = false }) {
        asked.push(previous);
        if (state.fails) throw new Error("a bug");
        return asIfUnread ? (state.kept ?? state.next) : state.next;
      },
    },
    keyFiles: { fill: (reconciled) => reconciled, areChanged: () => false },
    lastGood: async () => state.lastGood,
    ports: { ...clock, setTimer: (delay, callback) => clock.setTimer(ms(delay), callback), random: () => 0.5 },
    onReconciled: (reconciled) => told.reconciled.push(reconciled),
    onMissing: (kinds) => told.missing.push(kinds.join()),
    onError: () => told.errors++,
  });
  return { clock, state, source, asked, told, readings, watch: () => source.watch((reading) => readings.push(reading)) };
}

const messages = (readings: readonly SourceReading[]): readonly string[] => readings.map(({ problems }) => problems[0]?.message ?? "");

describe("the first reading", () => {
  test("waits for the hub, then for the clusters, each for a while", async () => {
    const { clock, state, source } = scene({ synced: false, settled: false });
    let done = false;
    const reading = source.read().then(() => (done = true));
    await clock.advance(10_000);
    expect(done).toBe(false);
    state.synced = true;
    await clock.advance(4_000);
    expect(done).toBe(false);
    await clock.advance(2_000); // a cluster that does not answer holds nobody up
    await reading;
    expect(done).toBe(true);
  });

  test("fails with what is in the way when the hub cannot be read", async () => {
    const { clock, source } = scene({ synced: false });
    const failure = source.read().catch((error: unknown) => error);
    await clock.advance(30_000);
    expect(String(await failure)).toContain("GlobalRoutes cannot be read: refused");
  });

  test("begins from what was served before", async () => {
    const { source, state, asked } = scene();
    state.lastGood = { ...NOTHING };
    const reading = await source.read();
    expect(asked[0]?.inventory).toEqual(NOTHING);
    expect(reading.memory?.routes.size).toBe(0);
  });
});

describe("without anything of its own, where others made routes whose sources are gone", () => {
  const withRoutes = (problem: string, count: number): Reconciled => ({
    ...reconciledAs(problem),
    inventory: { ...NOTHING, routes: Array.from({ length: count }, (_, i) => testRoute([], { name: `r${i}` })) },
    reports: [
      {
        ...{ kind: "GlobalRoute", namespace: "web", name: "gone", uid: "", resourceVersion: "", generation: 1, backends: [] },
        accepted: { status: "False", reason: "NotGenerated", message: "" },
      },
    ],
  });

  test("too many at once stay in the first reading, and the next is without them: that it is judged by", async () => {
    const { clock, source, state, readings, watch } = scene();
    state.next = withRoutes("without", 2);
    state.kept = withRoutes("with", 6);
    expect(messages([await source.read()])).toEqual(["with"]);
    watch();
    await clock.advance(COALESCE);
    expect(messages(readings)).toEqual(["without"]);
  });

  test("a few go at once", async () => {
    const { source, state } = scene();
    state.next = withRoutes("without", 5);
    state.kept = withRoutes("with", 6);
    expect(messages([await source.read()])).toEqual(["without"]);
  });

  test("what was served before this process began is judged by that", async () => {
    const { source, state } = scene();
    state.lastGood = { ...NOTHING };
    state.next = withRoutes("without", 2);
    state.kept = withRoutes("with", 6);
    expect(messages([await source.read()])).toEqual(["without"]);
  });
});

describe("a hub that comes back after the first reading was given up", () => {
  test("goes on from what was served, and waits for the clusters as the first reading does", async () => {
    const { clock, state, source, asked, readings, watch } = scene({ synced: false, settled: false });
    state.lastGood = { ...NOTHING };
    const failure = source.read().catch(() => "failed");
    await clock.advance(30_000);
    expect(await failure).toBe("failed");
    watch();
    state.synced = true;
    source.changed();
    await clock.advance(4_000);
    expect([asked, readings]).toEqual([[], []]);
    state.settled = true;
    await clock.advance(COALESCE);
    expect(asked[0]?.inventory).toBe(state.lastGood);
    expect(messages(readings)).toEqual(["first"]);
  });

  test("waits no longer for a cluster that does not answer", async () => {
    const { clock, state, source, readings, watch } = scene({ synced: false, settled: false });
    const failure = source.read().catch(() => "failed");
    await clock.advance(30_000);
    await failure;
    watch();
    state.synced = true;
    source.changed();
    await clock.advance(6_000);
    expect(messages(readings)).toEqual(["first"]);
  });
});

describe("afterwards", () => {
  test("the engine is told first: whether too much vanished is known when it comes to deleting", async () => {
    const { clock, state, source, told } = scene();
    await source.read();
    let before = -1;
    source.watch(() => {
      before = told.reconciled.length;
    });
    state.next = reconciledAs("second");
    source.changed();
    await clock.advance(COALESCE + TELL);
    expect([before, told.reconciled.length]).toEqual([1, 2]);
  });

  test("a change that comes by itself waits less than those that follow it", async () => {
    const { clock, state, source, readings, watch } = scene();
    await source.read();
    watch();
    await clock.advance(2000);
    state.next = reconciledAs("alone");
    source.changed();
    await clock.advance(PROMPT);
    expect(messages(readings)).toEqual(["alone"]);
    state.next = reconciledAs("one of many");
    source.changed();
    await clock.advance(COALESCE - 1);
    expect(readings).toHaveLength(1);
    await clock.advance(1);
    expect(messages(readings)).toEqual(["alone", "one of many"]);
  });

  test("changes that come together are one, and no change is none", async () => {
    const { clock, state, source, readings, watch, told } = scene();
    await source.read();
    watch();
    state.next = reconciledAs("second");
    for (let i = 0; i < 5; i++) source.changed();
    await clock.advance(COALESCE);
    expect(messages(readings)).toEqual(["second"]);
    source.changed();
    await clock.advance(COALESCE + TELL);
    expect(readings).toHaveLength(1);
    expect(told.reconciled).toHaveLength(2);
  });

  test("a pass that changed something is followed by one in which texts settle, and not before what it changed is served", async () => {
    const { clock, state, source, asked, watch } = scene();
    await source.read();
    watch();
    state.next = reconciledAs("second");
    source.changed();
    await clock.advance(COALESCE);
    expect(asked).toHaveLength(2);
    await clock.advance(SETTLE - 1);
    expect(asked).toHaveLength(2);
    await clock.advance(1 + COALESCE);
    expect(asked).toHaveLength(3);
    await clock.advance(10_000);
    expect(asked).toHaveLength(3);
  });

  test("whoever writes is told when the engine has had time to compile, once for all results until then, and is never starved", async () => {
    const { clock, state, source, told, watch } = scene();
    await source.read();
    watch();
    for (let i = 1; i <= 8; i++) {
      state.next = reconciledAs(`change ${i}`);
      source.changed();
      await clock.advance(COALESCE);
      if (i === 2) expect(told.reconciled).toHaveLength(1); // of the first reading
    }
    expect(told.reconciled.slice(1).map(({ problems }) => problems[0]?.message)).toEqual(["change 2", "change 4", "change 6"]);
    await clock.advance(TELL);
    expect(told.reconciled.at(-1)).toEqual(state.next);
  });

  test("what changed between the first reading and the watch is not lost", async () => {
    const { clock, state, source, readings, watch } = scene();
    await source.read();
    state.next = reconciledAs("second");
    source.changed();
    await clock.advance(1000);
    expect(readings).toEqual([]);
    watch();
    await clock.advance(COALESCE);
    expect(messages(readings)).toEqual(["second"]);
  });

  test("while the API server has lost our kinds, the last objects stay", async () => {
    const { clock, state, source, readings, watch, told } = scene();
    await source.read();
    watch();
    state.missing = ["GlobalRoute"];
    state.next = reconciledAs("nothing left");
    source.changed();
    await clock.advance(COALESCE);
    expect([readings, told.missing]).toEqual([[], ["GlobalRoute"]]);
    state.missing = [];
    state.next = reconciledAs("back");
    source.changed();
    await clock.advance(COALESCE);
    expect([messages(readings), told.missing]).toEqual([["back"], ["GlobalRoute", ""]]);
  });

  test("a bug in reconciling is told, and the next change tries again", async () => {
    const { clock, state, source, readings, watch, told } = scene();
    await source.read();
    watch();
    state.fails = true;
    source.changed();
    await clock.advance(COALESCE);
    expect([readings.length, told.errors]).toEqual([0, 1]);
    state.fails = false;
    state.next = reconciledAs("mended");
    source.changed();
    await clock.advance(COALESCE);
    expect(messages(readings)).toEqual(["mended"]);
  });

  test("a hub that cannot be read for a while, and objects that went with their kind, are told", async () => {
    const { clock, state, source } = scene();
    expect([source.degraded?.(), source.confirm?.()]).toEqual([[], []]);
    state.failingSince = clock.now();
    await clock.advance(4_999);
    expect(source.degraded?.()).toEqual([]);
    await clock.advance(1);
    expect(source.degraded?.()).toEqual(["hub-unreachable"]);
    state.failingSince = undefined;
    state.held = 2;
    expect([source.degraded?.(), source.confirm?.()]).toEqual([["inputs-held"], ["accepted: 2 objects went with their kind"]]);
  });

  test("nothing comes after the end", async () => {
    const { clock, state, source, readings, watch } = scene();
    await source.read();
    watch();
    state.next = reconciledAs("late");
    source.changed();
    source.close();
    await clock.advance(1000);
    expect(readings).toEqual([]);
  });
});

test("the hub's own reading of a cluster counts before a vantage's", () => {
  const cluster = (name: string, isCurrent: boolean): ClusterObjects => ({ cluster: name, objects: {}, isCurrent });
  const own = [cluster("eu", true)];
  expect(mergeClusters(own, [])).toBe(own);
  expect(mergeClusters(own, [cluster("eu", false)])).toBe(own);
  expect(mergeClusters(own, [cluster("eu", false), cluster("us", true)]).map((one) => `${one.cluster} ${one.isCurrent}`)).toEqual([
    "eu true",
    "us true",
  ]);
  const read = [{ ...cluster("eu", true), uid: "u-1" }];
  expect(mergeClusters(read, [{ ...cluster("paris", true), uid: "u-1" }])).toBe(read);
});
