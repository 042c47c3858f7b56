import { describe, expect, test } from "vitest";
import { formatAge, formatPercent, formatSince, paintFor, printableLine, stateCell } from "./text.ts";

test.each([
  { name: "a colour that is not ours", text: "a\u001b[41mb", shown: "a\ufffd[41mb" },
  { name: "a title for the window", text: "\u001b]0;x\u0007", shown: "\ufffd]0;x\ufffd" },
  { name: "a second line", text: "a\nb\r", shown: "a\ufffdb\ufffd" },
  { name: "another direction of writing", text: "a\u202eb", shown: "a\ufffdb" },
  { name: "letters", text: "São → 🌍", shown: "São → 🌍" },
])("$name is shown, not obeyed", ({ text, shown }) => expect(printableLine(text)).toBe(shown));

test("our own colours stay", () => {
  const paint = paintFor({ write: () => {}, isTTY: true }, {});
  for (const style of ["bold", "dim", "red", "green", "yellow"] as const) expect(printableLine(paint(style, "x"))).toBe(paint(style, "x"));
});

describe("ages", () => {
  test.each([
    [-5, "0 s"],
    [0.9, "0 s"],
    [119, "119 s"],
    [120, "2 min"],
    [7199, "119 min"],
    [7200, "2 h"],
    [172_800, "2 d"],
  ])("%d s → %s", (seconds, text) => expect(formatAge(seconds)).toBe(text));
  test("no instant, no age", () => expect(formatSince(null, 0)).toBe(""));
});

test.each([
  [0, "0 %"],
  [0.004, "0.4 %"],
  [0.25, "25 %"],
  [1, "100 %"],
])("%d → %s", (share, text) => expect(formatPercent(share)).toBe(text));

test.each([
  ["Healthy", "green"],
  ["Unhealthy", "red"],
  ["Pending", "yellow"],
])("%s is %s", (state, style) => expect(stateCell(state)).toEqual({ text: state, style }));
