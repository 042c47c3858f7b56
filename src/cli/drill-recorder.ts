/** Follows drills on the timeline, keeps their reports, and writes each down when nothing more is to be expected of it. */
import type { RouteKey } from "../model/inventory.ts";
import { beganReport, type Drill, openDrill } from "../observe/drill.ts";
import { type DrillReport, isAwaited } from "../observe/drill-report.ts";
import type { Log } from "../observe/log.ts";
import type { Timeline, TimelineEvent } from "../observe/timeline.ts";
import { DRILLS_KEPT } from "./drill-files.ts";

export interface DrillRecorderOptions {
  readonly timeline: Timeline;
  /** What earlier processes wrote, oldest first. */
  readonly earlier: readonly DrillReport[];
  /** Somebody is still being looked at for the newest failover of a route. */
  readonly isWatching: (route: RouteKey) => boolean;
  /** Writes a report down. @returns its file */
  readonly write: (report: DrillReport) => Promise<string>;
  readonly log: Pick<Log, "info" | "warn">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A repeating timer; returns its end. */
  readonly every: (milliseconds: number, tick: () => void) => () => void;
}

export interface DrillRecorder {
  /** Newest first. */
  readonly list: () => readonly DrillReport[];
  /** Writes down what is known of drills that run. Never rejects. */
  readonly close: () => Promise<void>;
}

const TICK = 1000;
/** Ms between two writes of a drill that runs: what a killed process forgets is bounded. */
const SAVE_EVERY = 5000;
/** Ms without news after which nothing more is expected: when all that was to be heard has been, and while something is missing. */
const QUIET = 5000;
const QUIET_WHILE_AWAITED = 60_000;
/** Ms after its time at which a drill is over although nobody said so: the server was away when it ended. */
const OVERDUE = 60_000;
/** In one moment routes may be told of before the act that moves them, ms. */
const ONE_MOMENT = 2000;

/** A drill of which more may be heard. */
interface Open {
  readonly drill: Drill;
  readonly until: number;
  /** Milliseconds since the epoch: of the newest event of it, and of the newest write. */
  heardAt: number;
  savedAt: number;
}

export function createDrillRecorder(options: DrillRecorderOptions): DrillRecorder {
  const { timeline, log, now, write } = options;
  const settled: DrillReport[] = options.earlier.filter((report) => report.settled);
  const open = new Map<string, Open>();
  /** Events that may belong to a drill which has not begun yet. */
  let early: TimelineEvent[] = [];
  let writing: Promise<unknown> = Promise.resolve();
  let isWriteFailing = false;

  const cutAt = new Date(now()).toISOString();
  for (const report of options.earlier) if (!report.settled) openReport({ ...report, interrupted: cutAt }, now());

  function openReport(report: DrillReport, heardAt: number): Open {
    const one: Open = { drill: openDrill(report), until: Date.parse(report.until), heardAt, savedAt: 0 };
    open.set(report.name, one);
    return one;
  }

  function save(report: DrillReport): Promise<string | undefined> {
    const saved = writing.then(async () => {
      try {
        const file = await write(report);
        isWriteFailing = false;
        return file;
      } catch (error) {
        if (!isWriteFailing) log.warn({ err: error, drill: report.name }, "the report of a drill cannot be written; /v1/drills has it");
        isWriteFailing = true;
        return undefined;
      }
    });
    writing = saved;
    return saved;
  }

  function settle(name: string, { drill }: Open): void {
    open.delete(name);
    const seen = drill.report();
    const report: DrillReport = { ...seen, outcome: seen.outcome === "Running" ? "Interrupted" : seen.outcome, settled: true };
    settled.push(report);
    settled.splice(0, settled.length - DRILLS_KEPT);
    void save(report).then((file) => {
      const { target, outcome } = report;
      log.info({ drill: name, target, outcome, ...(file === undefined ? {} : { file }) }, "a drill is reported");
      timeline.add({
        ...{ kind: "DrillReported", object: `TrafficOverride ${name}` },
        message: `the report of the drill of ${target} is whole: ${outcome}`,
        details: { outcome, ...(file === undefined ? {} : { file }) },
      });
    });
  }

  function begin(report: DrillReport, at: number): void {
    const known = open.get(report.name);
    // After a restart an act that is in force begins once more.
    if (known !== undefined && known.until === Date.parse(report.until)) return;
    if (known !== undefined) settle(report.name, known);
    const one = openReport(report, at);
    for (const event of early) one.drill.take(event);
  }

  function onEvent(event: TimelineEvent): void {
    const began = beganReport(event);
    if (began !== undefined) begin(began, event.at);
    for (const one of open.values()) if (one.drill.take(event)) one.heardAt = event.at;
    if (!EARLY.has(event.kind)) return;
    if ((early[0]?.at ?? event.at) < event.at - ONE_MOMENT) early = early.filter(({ at }) => at >= event.at - ONE_MOMENT);
    if (event.kind === "DrillHeld" || event.details.reason === "drill") early.push(event);
  }

  function isSettled({ drill, until, heardAt }: Open): boolean {
    const report = drill.report();
    if (report.ended === undefined) return now() > until + OVERDUE;
    if (report.routes.some(({ route }) => options.isWatching(route))) return false;
    return now() - heardAt >= (isAwaited(report) ? QUIET_WHILE_AWAITED : QUIET);
  }

  function tick(): void {
    for (const [name, one] of open) {
      if (isSettled(one)) settle(name, one);
      else if (one.heardAt >= one.savedAt && now() - one.savedAt >= SAVE_EVERY) {
        one.savedAt = now();
        void save(one.drill.report());
      }
    }
  }

  const forget = timeline.subscribe(onEvent);
  const endTicks = options.every(TICK, tick);
  return {
    list: () =>
      [...settled, ...[...open.values()].map(({ drill }) => drill.report())].sort((a, b) =>
        a.began === b.began ? 0 : a.began < b.began ? 1 : -1,
      ),
    async close() {
      forget();
      endTicks();
      for (const { drill } of open.values()) void save(drill.report());
      await writing;
    },
  };
}

const EARLY: ReadonlySet<TimelineEvent["kind"]> = new Set(["BackendWithdrawn", "Failover", "FailoverPublished", "DrillHeld"]);
