import { describe, expect, test } from "vitest";
import { count, formatAge, formatPercent, formatSince, type Paint, stateCell, table } from "./text.ts";

const plain: Paint = (_style, text) => text;
const marked: Paint = (style, text) => `<${style}>${text}</>`;

test("columns are as wide as their widest cell, empty ones are left out, nothing trails", () => {
  const rows = [
    ["a", "", "1", ""],
    ["longer", "", "22", "x"],
  ];
  expect(table(["NAME", "EMPTY", "N", "WHY"], rows, plain)).toEqual(["NAME    N   WHY", "a       1", "longer  22  x"]);
});

test("colours and letters outside the basic plane do not move columns", () => {
  const rows = [
    [{ text: "São 🌍", style: "red" as const }, "x"],
    ["abcdefgh", "y"],
  ];
  expect(table(["A", "B"], rows, marked).slice(1)).toEqual(["<red>São 🌍</>     x", "abcdefgh  y"]);
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

test("counts agree with their noun", () => expect([count(1, "file"), count(0, "file")]).toEqual(["1 file", "0 files"]));

test.each([
  ["Healthy", "green"],
  ["Unhealthy", "red"],
  ["Pending", "yellow"],
])("%s is %s", (state, style) => expect(stateCell(state)).toEqual({ text: state, style }));
