import fc from "fast-check";
import { expect, test } from "vitest";
import { formatName, isWithin, normaliseName, parseName, reversedName } from "./names.ts";

test.each([
  ["www.example.org", "www.example.org."],
  ["WWW.Example.ORG.", "www.example.org."],
  ["*.example.org", "\\052.example.org."],
  ["\\052.example.org.", "\\052.example.org."],
  ["_acme-challenge.example.org", "_acme-challenge.example.org."],
  ["a\\056b.example.org", "a\\056b.example.org."],
  ["\\101.example.org", "a.example.org."],
  ["ex\\344mple.org", "ex\\344mple.org."],
])("%s is kept as %s", (text, stored) => {
  expect(normaliseName(text)).toBe(stored);
});

test.each(["", ".", "a..b", ".a", "a b.example.org", "ä.example.org", `${"x".repeat(64)}.org`, "abcdefg.".repeat(32)])(
  "%s is no name",
  (text) => {
    expect(parseName(text)).toBeUndefined();
  },
);

test("a stored name is its own stored form", () => {
  const label = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)), minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 5 }), (labels) => {
      const stored = formatName(labels.map((one) => one.replace(/[A-Z]/g, (char) => char.toLowerCase())));
      expect(normaliseName(stored)).toBe(stored);
    }),
  );
});

test("lists go by reversed labels, and zones hold what is below them", () => {
  expect(reversedName("www.example.org.")).toBe("org.example.www.");
  expect(isWithin("www.example.org.", "example.org.")).toBe(true);
  expect(isWithin("wwwexample.org.", "example.org.")).toBe(false);
});
