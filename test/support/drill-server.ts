/** A server that obeys drills: real HTTP, a real recorder, and a timeline on which it plays what an engine would. Time stands still until it is moved. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { createAdminServer } from "../../src/admin/server.ts";
import { createDrillRecorder } from "../../src/cli/drill-recorder.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { createTimeline } from "../../src/observe/timeline.ts";
import { type DrillScript, drillScript } from "./drill-events.ts";
import { createFakeView, FAKE_NOW, type FakeView } from "./fake-view.ts";

export interface DrillServer {
  readonly url: string;
  readonly view: FakeView;
  readonly now: () => number;
  /** Moves time on; the server reads its folder, begins, ends and reports. */
  readonly advance: (milliseconds: number) => Promise<void>;
  /** What it does besides when a drill has begun, once. */
  onBegin: (script: DrillScript) => void;
  /** The override of the drill, as it was last read. */
  readonly written: () => unknown;
  readonly stop: () => Promise<void>;
}

/** @param folder of objects; a drill of `target` is looked for in it */
export async function startDrillServer(folder: string, file = "drill-eu-west.yaml"): Promise<DrillServer> {
  let now = FAKE_NOW;
  let tick = (): void => {};
  let running: { readonly until: number; readonly failover: number } | undefined;
  let lastStart = "";
  let written: unknown;
  const timeline = createTimeline(1000, () => now);
  const view: FakeView = { ...createFakeView(), timeline };
  const patch = view.patchStatus;
  patch({ config: { path: folder, problems: [] } });
  const recorder = createDrillRecorder({
    ...{ timeline, earlier: [], isWatching: () => false, write: async () => "drill.json", now: () => now },
    log: { info: () => {}, warn: () => {} },
    every: (_milliseconds, work) => {
      tick = work;
      return () => {};
    },
  });
  const admin = await createAdminServer({
    ...{ view, metrics: createMetrics(), listen: { address: "127.0.0.1", port: 0 }, flag: "--admin", token: "0123456789abcdef0123" },
    ...{ version: "0.0.0", log: { error: () => {} }, every: () => () => {}, drills: recorder.list },
  });
  await admin.start();
  const script = drillScript(timeline);

  function readOverride(): { start: string; until: string; reason: string } | undefined {
    try {
      written = parse(readFileSync(join(folder, "overrides", file), "utf8"));
      return (written as { spec: { start: string; until: string; reason: string } }).spec;
    } catch {
      return undefined;
    }
  }

  function step(): void {
    const spec = readOverride();
    if (running === undefined && spec !== undefined && spec.start !== lastStart && now >= Date.parse(spec.start)) {
      lastStart = spec.start;
      const failover = script.withdrawn("default/shop");
      script.began({ until: Date.parse(spec.until), reason: spec.reason });
      script.seen(failover, "self", 0.01);
      running = { until: Date.parse(spec.until), failover };
      server.onBegin(script);
    } else if (running !== undefined && (now >= running.until || spec === undefined)) {
      running = undefined;
      script.seen(script.restored("default/shop"), "self", 0.02);
      script.ended();
    }
    tick();
  }

  const server: DrillServer = {
    url: `http://127.0.0.1:${admin.address().port}`,
    view,
    now: () => now,
    async advance(milliseconds) {
      now += milliseconds;
      step();
      // Events are on their way by real sockets.
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    },
    onBegin: () => {},
    written: () => written,
    stop: async () => {
      await recorder.close();
      await admin.stop();
    },
  };
  return server;
}
