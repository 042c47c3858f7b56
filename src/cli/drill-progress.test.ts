import { expect, test } from "vitest";
import { DRILL_BEGAN, DRILL_LENGTH, type DrillScript, drillReport } from "../../test/support/drill-events.ts";
import { type DrillView, drillLine } from "./drill-progress.ts";
import { drillVerdict } from "./drill-verdict.ts";

const during = (play: (script: DrillScript) => void) =>
  drillReport((it) => {
    it.began();
    play(it);
  });
const view = (more: Partial<DrillView>): DrillView => ({
  ...{ start: DRILL_BEGAN, until: DRILL_BEGAN + DRILL_LENGTH, now: DRILL_BEGAN + 48_000, isTakenBack: false },
  ...more,
});

const lines: readonly { name: string; view: DrillView; says: string }[] = [
  { name: "before it begins", view: view({ now: DRILL_BEGAN - 4200 }), says: "begins in 5 s" },
  { name: "before the server has told of it", view: view({}), says: "waits for the server to begin" },
  {
    name: "while it runs",
    view: view({
      report: during((it) => {
        it.seen(it.withdrawn("default/shop"), "self", 1);
        it.withdrawn("default/blog");
        it.held("default/lone", "x");
      }),
    }),
    says: "restores in 4:12; 2 routes withdrawn, seen at self, 1 route left alone",
  },
  { name: "while nothing could be withdrawn", view: view({ report: during(() => {}) }), says: "restores in 4:12; nothing withdrawn yet" },
  {
    name: "taken back",
    view: view({ isTakenBack: true, report: during((it) => void it.withdrawn("default/shop")) }),
    says: "waits for the server to end it (Ctrl-C again leaves); 1 route withdrawn",
  },
  {
    name: "given up",
    view: view({
      report: during((it) => {
        it.withdrawn("default/shop");
        it.aborted({ reason: "us is not in service" });
        it.restored("default/shop");
        it.ended();
      }),
    }),
    says: "over, waits for who has not seen it yet; 1 route restored, given up: us is not in service",
  },
];
test.each(lines)("$name: $says", ({ view: shown, says }) => expect(drillLine(shown)).toBe(says));

const verdicts: readonly { name: string; play?: (script: DrillScript) => void; within?: number; is: object }[] = [
  { name: "whole, no limit", is: { ok: true } },
  { name: "within its limit", within: 45_000, is: { ok: true, words: "40.0 s at the slowest; --within is 45.0 s." } },
  { name: "too slow", within: 30_000, is: { ok: false, words: "Too slow: 40.0 s at the slowest, and --within is 30.0 s." } },
  { name: "not to its end", play: (it) => it.began(), is: { ok: false } },
  {
    name: "seen by nobody",
    play: (it) => it.began(),
    within: 1000,
    is: { ok: false, words: "Nobody was seen to answer otherwise, and --within is 1.0 s." },
  },
  {
    name: "not seen by one",
    play: (it) => {
      it.began();
      it.unseen(it.withdrawn("default/shop"), "resolver 192.0.2.53");
    },
    within: 1000,
    is: { ok: false, words: "Too slow: resolver 192.0.2.53 was not seen to follow, and --within is 1.0 s." },
  },
];
test.each(verdicts)("a verdict: $name", ({ play, within, is }) => expect(drillVerdict(drillReport(play), within)).toEqual(is));
