/** A drill from its override to its report: checks, writes, follows, takes away, tells. */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { statusSchema, timelineSchema } from "../admin/api-schemas.ts";
import { drillListSchema } from "../admin/drill-schemas.ts";
import type { Status } from "../engine/view.ts";
import { printable } from "../model/printable.ts";
import type { DrillReport } from "../observe/drill-report.ts";
import { formatTarget, type Target } from "./act.ts";
import type { ApiClient } from "./api-client.ts";
import type { DrillEffect } from "./drill-effect.ts";
import { drillPage } from "./drill-files.ts";
import { type FollowEnd, followDrill } from "./drill-follow.ts";
import { CommandError, type Io } from "./io.ts";

/** What of a drill is the same wherever its override is kept. */
export interface DrillRun {
  readonly target: Target;
  /** `namespace/name` of its override. */
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly until: number;
  readonly effect: DrillEffect;
  readonly remove: () => Promise<unknown>;
}

/** What a server knows before a drill. */
export interface BeforeDrill {
  readonly status: Status;
  /** Id of the newest event. */
  readonly newest: number;
}

/** Ms beyond what answers may be kept for: lookouts end by then, and the report is written. */
const REPORT_WITHIN = 150_000;

/**
 * @throws CommandError (exit 2) when the server would give a drill up at once, or would not hear of it
 */
export async function beforeDrill(api: ApiClient, target: Target): Promise<BeforeDrill> {
  const [status, { newest }, { drills }] = await Promise.all([
    api.get("/v1/status", statusSchema),
    api.get("/v1/timeline?limit=1", timelineSchema),
    api.get("/v1/drills", drillListSchema),
  ]);
  if (status.degraded.includes("vantage-suspect")) {
    const remedy = "Wait until `globalroute status` lists vantage-suspect no more.";
    throw new CommandError(2, `the server's own network is suspect, so it would give a drill up at once. ${remedy}`);
  }
  if (status.degraded.includes("last-good"))
    throw new CommandError(
      2,
      "the server cannot read its objects, so it would not hear of a drill. Mend that first: `globalroute status`.",
    );
  const running = drills.find((drill) => drill.outcome === "Running" && drill.target === titleOf(target));
  if (running !== undefined) {
    const remedy = "Wait for its end, or delete that override.";
    throw new CommandError(
      2,
      `${formatTarget(target)} is being drilled by TrafficOverride ${running.name} until ${running.until}. ${remedy}`,
    );
  }
  return { status, newest };
}

/** As in a status and in events. */
const titleOf = (target: Target): string =>
  target.kind === "MemberCluster" ? `MemberCluster ${target.name}` : `GlobalRoute ${formatTarget(target)}`;

/** @throws CommandError (exit 2) when no route would be withdrawn */
export function requireEffect({ lines, withdraws }: DrillEffect, target: Target): void {
  if (withdraws > 0) return;
  throw new CommandError(2, [`a drill of ${formatTarget(target)} would withdraw nothing:`, ...lines.map((line) => `  ${line}`)].join("\n"));
}

/**
 * Follows the drill, and takes its override away when it is over.
 *
 * @throws CommandError (exit 1) when there is no report to be had, with what to do
 */
export async function reportOfDrill(run: DrillRun, api: ApiClient, newest: number, io: Io): Promise<DrillReport> {
  const { key, start, until, remove, effect, target } = run;
  const patience = 2000 * effect.longestTtl + REPORT_WITHIN;
  const end = await followDrill({ key, start, until, patience, remove }, api, newest, io);
  if (end.kind === "Reported" || end.kind === "NotTaken") {
    await remove().catch((error: unknown) => {
      if (!(error instanceof CommandError)) throw error;
      io.stderr.write(`globalroute: ${printable(error.message)}\n`); // its time is over: the report matters more
    });
  }
  if (end.kind === "Reported") return end.report;
  throw new CommandError(1, `${formatTarget(target)}: ${WORDS[end.kind]}`);
}

const WORDS: Readonly<Record<Exclude<FollowEnd["kind"], "Reported">, string>> = {
  NotBegun: "the drill was taken back before it began; nothing was withdrawn.",
  NotTaken: "the server has not begun the drill, so it was taken back. Check that it reads the folder, and `globalroute status`.",
  Unreported: "the server has not reported the drill. `globalroute drill --list` tells when it has; its log says more.",
  Left: "the drill was taken back, and nobody waits for its report: `globalroute drill --list` has it.",
};

/** @throws CommandError (exit 1) when the file cannot be written */
export async function writeReport(path: string, report: DrillReport, io: Io): Promise<void> {
  const text = path.endsWith(".json") ? `${JSON.stringify(report, null, 2)}\n` : drillPage(report);
  await writeFile(resolve(io.cwd, path), text).catch((cause: unknown) => {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new CommandError(1, `${path} cannot be written (${code}). \`globalroute drill --list --output json\` has the report.`, { cause });
  });
}
