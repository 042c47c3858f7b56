import { describe, expect, test } from "vitest";
import { frameAt, frameOfEvent, isMove, storyOf } from "./scrub.ts";
import type { TimelineEvent } from "./types.ts";

const frames = [
  { id: 4, at: 1000 },
  { id: 5, at: 2000 },
  { id: 6, at: 3000 },
];

test.each([
  [500, 0],
  [1000, 0],
  [1999, 0],
  [2000, 1],
  [9000, 2],
])("at %i the frame at %i was current", (at, position) => expect(frameAt(frames, at)).toBe(position));

test.each([
  [500, 0],
  [1001, 1],
  [2000, 1],
  [9000, 2],
])("an event at %i shows in the frame at %i", (at, position) => expect(frameOfEvent(frames, at)).toBe(position));

test("without frames there is still a position", () => expect([frameAt([], 5), frameOfEvent([], 5)]).toEqual([0, 0]));

let id = 0;
const event = (
  kind: TimelineEvent["kind"],
  at: number,
  details: TimelineEvent["details"] = {},
  message = kind as string,
): TimelineEvent => ({
  id: ++id,
  at,
  kind,
  object: "GlobalRoute default/shop",
  message,
  details,
});
const failover = (at: number, from: string, to: string, reason = "refused"): TimelineEvent => event("Failover", at, { from, to, reason });
const told = (events: readonly TimelineEvent[]) => storyOf(events).map(({ at, head, events: all }) => `${at} ${head} ×${all.length}`);

describe("stories", () => {
  test("a cluster that fails is one, wherever its clients went, even while another one fails", () => {
    const events = [
      failover(1000, "eu-west", "us-east"),
      failover(1100, "tokyo", "sa-east"),
      failover(1200, "eu-west", "eu-central"),
      failover(1300, "eu-west", "us-east"),
    ];
    expect(told(events)).toEqual(["1100 tokyo → sa-east: refused ×1", "1000 eu-west → eu-central, us-east: refused ×3"]);
  });
  test("its return is another one, from wherever its clients were", () => {
    const events = [failover(1000, "us-east", "eu-west", "failback"), failover(1500, "eu-central", "eu-west", "failback")];
    expect(told(events)).toEqual(["1000 eu-central, us-east → eu-west: failback ×2"]);
  });
  test("the same again later is new", () => {
    expect(told([failover(1000, "a", "b"), failover(9000, "a", "b")])).toEqual(["9000 a → b: refused ×1", "1000 a → b: refused ×1"]);
  });
  test("other causes are not mixed", () => {
    expect(told([failover(1000, "a", "b"), failover(1100, "a", "b", "draining")])).toHaveLength(2);
  });
  test("what moves nobody is none", () => {
    expect(
      told([event("EndpointHealthy", 1), event("TablePublished", 2), event("OverrideBegan", 3, {}, "Drain MemberCluster a: x")]),
    ).toEqual(["3 Drain MemberCluster a: x ×1"]);
    expect(isMove({ kind: "ConfigApplied" })).toBe(false);
  });
});
