import { describe, expect, test } from "vitest";
import { type DrillScript, drillReport, wholeDrill } from "../../test/support/drill-events.ts";
import { renderDrill } from "./render-drill.ts";

const rendered = (play: (script: DrillScript) => void): string => renderDrill(drillReport(play), (_style, text) => text).join("\n");

test("a whole drill fits 80 columns and is a page of Markdown", () => {
  const text = rendered(wholeDrill);
  expect(`\n${text}\n`).toBe(`
# Drill of MemberCluster eu-west: completed

TrafficOverride default/drill-eu-west: rehearsal
Began 2026-11-21 12:00:00 UTC, ended 12:05:00 UTC, after 5 min.

Clients of 2 routes went to us-east. 1 route was left alone.

| phase    | leg       | at                  | routes | median |  worst |
| -------- | --------- | ------------------- | -----: | -----: | -----: |
| withdraw | decide    |                     |      2 |   3 ms |   4 ms |
| withdraw | propagate | self                |      2 |  15 ms |  20 ms |
| withdraw | propagate | resolver 192.0.2.53 |      2 | 30.0 s | 40.0 s |
| withdraw | total     | self                |      2 |  17 ms |  22 ms |
| withdraw | total     | resolver 192.0.2.53 |      2 | 30.0 s | 40.0 s |
| restore  | decide    |                     |      2 |   3 ms |   3 ms |
| restore  | propagate | self                |      1 |  20 ms |  20 ms |
| restore  | propagate | resolver 192.0.2.53 |      1 | 31.0 s | 31.0 s |
| restore  | total     | self                |      1 |  22 ms |  22 ms |
| restore  | total     | resolver 192.0.2.53 |      1 | 31.0 s | 31.0 s |

## Routes

| route        | clients           | gone after | back after |
| ------------ | ----------------- | ---------: | ---------: |
| default/blog | eu-west → us-east |     40.0 s |            |
| default/shop | eu-west → us-east |     20.0 s |     31.0 s |

## Left alone

- default/lone: nothing healthy would be left
`);
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});

describe("says", () => {
  const cases: readonly { name: string; play: (script: DrillScript) => void; says: string }[] = [
    {
      name: "why it was given up, and where",
      play: (it) => {
        it.at = 60;
        it.aborted({ reason: "default/shop: us is not in service", route: "default/shop" });
        it.ended();
      },
      says: "Given up at 12:01:00 UTC: default/shop: us is not in service.",
    },
    {
      name: "until when it runs",
      play: (it) => void it.withdrawn("default/shop"),
      says: "to end at 12:05:00 UTC.\n\nClients of 1 route go to",
    },
    { name: "that nobody was sent anywhere", play: (it) => it.held("default/shop", "x"), says: "Clients of no route are sent elsewhere." },
    { name: "that nobody was there", play: (it) => it.out("default/shop"), says: "At 1 route nobody was answered with it." },
    { name: "that no resolver was watched", play: (it) => void it.withdrawn("default/shop"), says: "give the server --watch-resolver." },
    {
      name: "who was looked at in vain",
      play: (it) => it.unseen(it.withdrawn("default/shop"), "resolver 192.0.2.53"),
      says: "- resolver 192.0.2.53 went on answering with it, or did not answer (1 route)",
    },
    {
      name: "a reason of others as one line of text",
      play: (it) => it.held("default/shop", "a\nb"),
      says: "- default/shop: a\ufffdb",
    },
  ];
  test.each(cases)("$name", ({ play, says }) => {
    const text = rendered((it) => {
      it.began();
      play(it);
    });
    expect(text).toContain(says);
  });
});

test("a drill that was interrupted says from when on it was seen", () => {
  const report = { ...drillReport((it) => it.began()), interrupted: "2026-11-21T12:02:00.000Z", outcome: "Interrupted" } as const;
  expect(renderDrill(report, (_style, text) => text).join(" ")).toContain("The server came back at 12:02:00 UTC");
});
