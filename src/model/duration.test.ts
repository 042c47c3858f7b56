import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";
import { ms } from "./units.ts";

test.each([
  ["5s", 5000],
  ["0s", 0],
  ["1h30m", 5_400_000],
  ["1500ms", 1500],
  ["1h2m3s4ms", 3_723_004],
  ["1s1h", 3_601_000],
  ["99999ms", 99_999],
])("%s is %d ms", (text, value) => expect(parseDuration(text)).toEqual({ value }));

test.each(["", "5", "s", "-5s", "1.5s", "1d", "5 s", "123456s", "1s1s1s1s1s", "5S", "1h\n"])("%j is no duration", (text) => {
  expect(parseDuration(text)).toMatchObject({ fault: { code: "field-format", remedy: expect.stringContaining("1h30m") } });
});

test("what is formatted is parsed to the same", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 99_999 * 3_600_000 }), (value) => {
      expect(parseDuration(formatDuration(ms(value)))).toEqual({ value });
    }),
  );
});

test.each([
  [0, "0s"],
  [90_000, "1m30s"],
  [1500, "1s500ms"],
  [86_400_000, "24h"],
])("%d ms is written %s", (value, text) => expect(formatDuration(ms(value))).toBe(text));
