/** Follows a drill on the event stream of a server until its report is whole; Ctrl-C takes it back. */
import { drillReportSchema } from "../admin/drill-schemas.ts";
import { printable } from "../model/printable.ts";
import { beganReport, type Drill, openDrill } from "../observe/drill.ts";
import type { DrillReport } from "../observe/drill-report.ts";
import type { TimelineEvent } from "../observe/timeline.ts";
import type { ApiClient } from "./api-client.ts";
import { drillLine } from "./drill-progress.ts";
import { followEvents } from "./event-feed.ts";
import { CommandError, type Io } from "./io.ts";
import { withProgressLine } from "./progress.ts";

export interface FollowedDrill {
  /** `namespace/name` of its override. */
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly until: number;
  /** Ms after its end within which its report must be whole. */
  readonly patience: number;
  /** Takes it back: what it withdrew returns. */
  readonly remove: () => Promise<unknown>;
}

export type FollowEnd =
  | { readonly kind: "Reported"; readonly report: DrillReport }
  /** Taken back before it began. */
  | { readonly kind: "NotBegun" }
  /** The server did not take the override over. */
  | { readonly kind: "NotTaken" }
  /** It should be over, and the server has told no end of it. */
  | { readonly kind: "Unreported" }
  /** Whoever waited did not want to wait any longer. */
  | { readonly kind: "Left" };

const TICK = 1000;
/** A server reads its folder, and hears of objects, within moments; ms after the start. */
const TAKEN_WITHIN = 30_000;
/** Ms for which a drill that was taken back may still begin. */
const BEGINS_WITHIN = 3000;
/** Ms between looks at the report where no event tells of it: events may have been missed. */
const LOOK_EVERY = 5000;

/** @param after id of the newest event before the override was written */
export async function followDrill(drill: FollowedDrill, api: ApiClient, after: number, io: Io): Promise<FollowEnd> {
  const { key, start, until, patience } = drill;
  const stop = new AbortController();
  const scene = createScene(key, new Date(until).toISOString());
  let wake = (): void => {};
  let takenBackAt: number | undefined;
  let removing: Promise<unknown> = Promise.resolve();
  let isLeft = false;
  let lookedAt = 0;

  const onSignal = (): void => {
    if (takenBackAt !== undefined) isLeft = true;
    else {
      takenBackAt = io.now();
      removing = drill.remove().catch((error: unknown) => {
        const fact = error instanceof Error ? error.message : String(error);
        io.stderr.write(`globalroute: ${printable(fact)} The drill ends by itself at ${new Date(until).toISOString()}.\n`);
      });
    }
    wake();
  };

  async function look(): Promise<DrillReport | undefined> {
    lookedAt = io.now();
    scene.isLookDue = false;
    try {
      const report = await api.get(`/v1/drills/${key}`, drillReportSchema);
      return Date.parse(report.until) === until ? report : undefined;
    } catch (error) {
      if (error instanceof CommandError) return undefined; // not begun, or the server is away
      throw error;
    }
  }

  async function judge(): Promise<FollowEnd | undefined> {
    const now = io.now();
    if (isLeft) return { kind: "Left" };
    const begun = scene.report();
    const end = Math.min(until, takenBackAt ?? until);
    const isOverdue = begun === undefined ? now > start + TAKEN_WITHIN : now > end;
    if (scene.isLookDue || (isOverdue && now - lookedAt >= LOOK_EVERY)) {
      const report = await look();
      if (report?.settled === true) return { kind: "Reported", report };
      if (report !== undefined) scene.knows(report);
    }
    if (scene.report() === undefined) {
      if (takenBackAt !== undefined) return takenBackAt < start || now > takenBackAt + BEGINS_WITHIN ? { kind: "NotBegun" } : undefined;
      return isOverdue ? { kind: "NotTaken" } : undefined;
    }
    return now > end + patience ? { kind: "Unreported" } : undefined;
  }

  async function untilEnd(): Promise<FollowEnd> {
    for (;;) {
      const end = await judge();
      if (end !== undefined) return end;
      const sleeping = new AbortController();
      wake = () => sleeping.abort();
      if (!scene.isLookDue && !isLeft) await io.sleep(TICK, sleeping.signal);
    }
  }

  const forget = (["SIGINT", "SIGTERM"] as const).map((signal) => io.onSignal(signal, onSignal));
  const onEvent = (event: TimelineEvent): void => {
    if (scene.take(event)) wake();
  };
  const onGap = (): void => {
    scene.isLookDue = true;
    wake();
  };
  const feed = followEvents(io, api.url, { after, onEvent, onGap }, stop.signal);
  try {
    const line = (): string => drillLine({ report: scene.report(), start, until, now: io.now(), isTakenBack: takenBackAt !== undefined });
    return await withProgressLine(io, line, untilEnd);
  } finally {
    stop.abort();
    for (const end of forget) end();
    await Promise.all([feed, removing]);
  }
}

/** What events have told of the drill. */
interface Scene {
  /** @returns whether the report should be looked at */
  readonly take: (event: TimelineEvent) => boolean;
  /** From the server, where events were missed. */
  readonly knows: (report: DrillReport) => void;
  readonly report: () => DrillReport | undefined;
  isLookDue: boolean;
}

function createScene(key: string, until: string): Scene {
  const object = `TrafficOverride ${key}`;
  /** In one moment routes may be told of before the act that moves them. */
  const early: TimelineEvent[] = [];
  let drill: Drill | undefined;
  const scene: Scene = {
    isLookDue: false,
    take(event) {
      const began = event.object === object ? beganReport(event) : undefined;
      if (began?.until === until && drill === undefined) {
        drill = openDrill(began);
        for (const before of early) drill.take(before);
      }
      if (drill === undefined) early.push(event);
      else drill.take(event);
      if (event.kind !== "DrillReported" || event.object !== object) return false;
      scene.isLookDue = true;
      return true;
    },
    knows(report) {
      drill ??= openDrill(report);
    },
    report: () => drill?.report(),
  };
  return scene;
}
