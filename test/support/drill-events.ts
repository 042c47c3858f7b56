/** The timeline of a drill, as the engine and the follower write it. */
import { beganReport, openDrill } from "../../src/observe/drill.ts";
import type { DrillReport } from "../../src/observe/drill-report.ts";
import { createTimeline, type Timeline, type TimelineEvent } from "../../src/observe/timeline.ts";

export const DRILL_BEGAN = Date.UTC(2026, 10, 21, 12);
/** Milliseconds. */
export const DRILL_LENGTH = 300_000;
export const DRILL_OBJECT = "TrafficOverride default/drill-eu-west";

export interface DrillScript {
  readonly timeline: Timeline;
  /** Seconds since the drill began. */
  at: number;
  readonly began: (more?: TimelineEvent["details"]) => void;
  readonly ended: () => void;
  readonly aborted: (details: TimelineEvent["details"]) => void;
  readonly held: (route: string, reason: string, more?: TimelineEvent["details"]) => void;
  readonly out: (route: string, more?: TimelineEvent["details"]) => void;
  /** @returns id of the failover */
  readonly withdrawn: (route: string, decideSeconds?: number, more?: TimelineEvent["details"]) => number;
  readonly restored: (route: string, decideSeconds?: number, more?: TimelineEvent["details"]) => number;
  readonly published: (failover: number, via: string, seconds: number) => void;
  readonly seen: (failover: number, via: string, seconds: number) => void;
  readonly unseen: (failover: number, via: string) => void;
}

/** @param given with a clock of its own; absent: each event is at `at` */
export function drillScript(given?: Timeline): DrillScript {
  const timeline = given ?? createTimeline(1000, () => DRILL_BEGAN + script.at * 1000);
  const add = (kind: TimelineEvent["kind"], object: string, details: TimelineEvent["details"] = {}): number =>
    timeline.add({ kind, object, message: `${kind} of ${object}`, details }).id;
  const backend = { cluster: "eu-west", backend: "eu", family: 4 };
  const routeOf = (failover: number): string => timeline.list().find(({ id }) => id === failover)?.object ?? "GlobalRoute none/none";
  const script: DrillScript = {
    timeline,
    at: 0,
    began: (more) =>
      void add("OverrideBegan", DRILL_OBJECT, {
        ...{ action: "Drill", target: "MemberCluster eu-west", until: DRILL_BEGAN + DRILL_LENGTH, reason: "rehearsal" },
        ...more,
      }),
    ended: () => void add("OverrideEnded", DRILL_OBJECT),
    aborted: (details) => void add("DrillAborted", DRILL_OBJECT, details),
    held: (route, reason, more) => void add("DrillHeld", `GlobalRoute ${route}`, { ...backend, reason, ...more }),
    out: (route, more) => void add("BackendWithdrawn", `GlobalRoute ${route}`, { ...backend, reason: "drill", ...more }),
    withdrawn: (route, decideSeconds = 0.002, more = {}) =>
      add("Failover", `GlobalRoute ${route}`, {
        ...{ from: "eu-west", to: "us-east", reason: "drill", cause: "order", decideSeconds },
        ...more,
      }),
    restored: (route, decideSeconds = 0.002, more = {}) =>
      add("Failover", `GlobalRoute ${route}`, {
        ...{ from: "us-east", to: "eu-west", reason: "no longer drilled", cause: "order", decideSeconds },
        ...more,
      }),
    published: (failover, via, seconds) =>
      void add("FailoverPublished", routeOf(failover), { failover, via, seconds, totalSeconds: seconds + 0.002 }),
    seen: (failover, via, seconds) =>
      void add("FailoverPropagated", routeOf(failover), { failover, via, seconds, totalSeconds: seconds + 0.002 }),
    unseen: (failover, via) => void add("FailoverUnseen", routeOf(failover), { failover, via, seconds: 180 }),
  };
  return script;
}

/** A drill of eu-west from its beginning to its end: two routes moved and came back, one was left alone. */
export function wholeDrill(script: DrillScript): void {
  script.began();
  script.held("default/lone", "nothing healthy would be left");
  for (const [route, factor] of [["default/shop", 1] as const, ["default/blog", 2] as const]) {
    script.out(route);
    const failover = script.withdrawn(route, 0.002 * factor);
    script.seen(failover, "self", 0.01 * factor);
    script.at = 20 * factor;
    script.seen(failover, "resolver 192.0.2.53", 20 * factor);
  }
  script.at = DRILL_LENGTH / 1000;
  const back = script.restored("default/shop", 0.003);
  script.restored("default/blog", 0.003);
  script.ended();
  script.seen(back, "self", 0.02);
  script.at += 31;
  script.seen(back, "resolver 192.0.2.53", 31);
}

/** The report of a drill that goes so; events of one moment may stand before its beginning. */
export function drillReport(play: (script: DrillScript) => void = wholeDrill): DrillReport {
  const script = drillScript();
  play(script);
  const events = script.timeline.list();
  const [began] = events.flatMap((event) => beganReport(event) ?? []);
  if (began === undefined) throw new Error("the drill never began");
  const drill = openDrill(began);
  for (const event of events) drill.take(event);
  return drill.report();
}
