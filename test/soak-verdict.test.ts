import { describe, expect, test } from "vitest";
import type { SoakResult } from "./soak/run-soak.ts";
import { verdictOf } from "./soak/verdict.ts";

const MIB = 1 << 20;
const GOOD: SoakResult = {
  counts: { udp: 100, tcp: 10, malformed: 5, unanswered: 0, tcpEnded: 0 },
  checked: 110,
  wrongCount: 0,
  wrong: [],
  dropped: 0,
  flips: 10,
  changes: 10,
  resident: [],
  exitCode: 0,
} as never;

/** @param minutes MiB, one for each; between them memory goes up and comes down */
const resident = (minutes: readonly number[]): readonly number[] =>
  minutes.flatMap((least) => Array.from({ length: 60 }, (_, second) => (least + (second % 20)) * MIB));
const judge = (minutes: readonly number[]) => verdictOf({ ...GOOD, resident: resident(minutes) });

// As measured in a run of half an hour on an idle machine.
const MEASURED = [
  ...[331, 337, 372, 368, 371, 373, 374, 375, 376, 376, 373, 374, 374, 378, 379],
  ...[379, 379, 379, 385, 386, 386, 386, 386, 386, 386, 386, 387, 387, 387, 387],
];

describe("memory", () => {
  test("that grew to its size and stays is no leak, and both slopes are told", () => {
    const { faults, memory } = judge(MEASURED);
    expect(faults).toEqual([]);
    expect(memory).toMatchObject({ warm: 373, last: 387 });
    expect(memory?.slope).toBeLessThan(0.3);
    expect(memory?.wholeSlope).toBeGreaterThan(0.5);
  });
  test("that goes on growing is one", () => {
    const leak = MEASURED.map((value, minute) => value + 1.2 * minute);
    expect(judge(leak).faults).toEqual([
      expect.stringMatching(/^memory grew by 1\.\d\d MiB a minute in the last third$/),
      "memory grew from 379 MiB when warm to 422 MiB",
    ]);
  });
  test("that grows too slowly for that is one in a run of hours", () => {
    const slow = Array.from({ length: 180 }, (_, minute) => 370 + 0.4 * minute);
    expect(judge(slow).faults).toEqual(["memory grew from 372 MiB when warm to 442 MiB"]);
  });
  test("is not judged in a short run", () => {
    expect(judge(MEASURED.slice(0, 20))).toEqual({ faults: [], memory: undefined });
  });
});

test("answers that are wrong or missing are faults", () => {
  const bad = { ...GOOD, wrongCount: 1, counts: { ...GOOD.counts, unanswered: 3, tcpEnded: 1 }, dropped: 2, changes: 9, exitCode: 1 };
  expect(verdictOf(bad).faults).toHaveLength(5);
});
