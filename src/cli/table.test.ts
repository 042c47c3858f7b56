import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Column, table } from "./table.ts";
import type { Paint } from "./text.ts";
import { textWidth } from "./text-width.ts";

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
  expect(table(["A", "B"], rows, marked).slice(1)).toEqual(["<red>São 🌍</>    x", "abcdefgh  y"]);
});

describe("where there is less room than a table wants", () => {
  const columns: readonly (string | Column)[] = [
    "NAME",
    { title: "PLACE", drop: 1 },
    { title: "COUNTRIES", list: 4, wrap: 6 },
    { title: "WHY", wrap: 12 },
  ];
  const rows = [
    ["eu-west", "Dublin", "GB IE PT ES FR MA", "refused by the endpoint itself"],
    ["us-east", "N. Virginia", "US", ""],
  ];
  const at = (width?: number): string => `\n${table(columns, rows, plain, width).join("\n")}\n`;

  test("all is shown where there is no limit", () => {
    expect(at()).toBe(`
NAME     PLACE        COUNTRIES       WHY
eu-west  Dublin       GB IE PT ES +2  refused by the endpoint itself
us-east  N. Virginia  US
`);
  });

  test("columns that may wrap do, within themselves", () => {
    expect(at(54)).toBe(`
NAME     PLACE        COUNTRIES       WHY
eu-west  Dublin       GB IE PT ES +2  refused by the
                                      endpoint itself
us-east  N. Virginia  US
`);
  });

  test("a list shows fewer, and says how many more there are", () => {
    expect(at(45)).toBe(`
NAME     PLACE        COUNTRIES  WHY
eu-west  Dublin       GB IE +4   refused by
                                 the endpoint
                                 itself
us-east  N. Virginia  US
`);
  });

  test("the least important column goes when that is not enough", () => {
    expect(at(32)).toBe(`
NAME     COUNTRIES  WHY
eu-west  GB IE +4   refused by
                    the endpoint
                    itself
us-east  US
`);
  });

  test("numbers stand at the right", () => {
    expect(
      table(
        ["A", { title: "N", right: true }, "B"],
        [
          ["x", "7", "y"],
          ["x", "1234", "y"],
        ],
        plain,
      ),
    ).toEqual(["A     N  B", "x     7  y", "x  1234  y"]);
  });
});

test("no line is wider than it may be, as long as each column can have its least, and no letter is lost", () => {
  const cell = fc
    .string({ unit: fc.constantFrom("a", "é", "日", "🌍", " ", "e\u0301"), maxLength: 30 })
    .map((text) => text.trim().replace(/ +/g, " "));
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 5 }), fc.integer({ min: 24, max: 80 }), (rows, width) => {
      const lines = table(["A", { title: "B", wrap: 8 }, { title: "C", wrap: 8 }], rows, plain, width);
      for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(width);
      const letters = (text: string): string => [...text.replace(/ /g, "")].sort().join("");
      const header = ["A", "B", "C"].filter((_, i) => rows.some((row) => row[i] !== ""));
      expect(letters(lines.join(""))).toBe(letters([...header, ...rows.flat()].join("")));
    }),
  );
});
