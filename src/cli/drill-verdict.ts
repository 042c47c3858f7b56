/** Whether a drill went well, for whoever has to decide something by it. Pure. */
import { type DrillReport, unseenVias, worstTotal } from "../observe/drill-report.ts";
import { inWords } from "./render-drill.ts";

export interface DrillVerdict {
  readonly ok: boolean;
  /** A sentence about the limit; absent without one. */
  readonly words?: string;
}

/** @param within of every way from the act to an answer, ms */
export function drillVerdict(report: DrillReport, within: number | undefined): DrillVerdict {
  const isWhole = report.outcome === "Completed";
  if (within === undefined) return { ok: isWhole };
  const limit = `--within is ${inWords(within / 1000)}`;
  const worst = worstTotal(report);
  const [unseen] = unseenVias(report, "withdrawn"); // a return that brings back only some of the clients may not be seen everywhere
  if (unseen !== undefined) return { ok: false, words: `Too slow: ${unseen} was not seen to follow, and ${limit}.` };
  if (worst === undefined) return { ok: false, words: `Nobody was seen to answer otherwise, and ${limit}.` };
  if (worst * 1000 > within) return { ok: false, words: `Too slow: ${inWords(worst)} at the slowest, and ${limit}.` };
  return { ok: isWhole, words: `${inWords(worst)} at the slowest; ${limit}.` };
}
