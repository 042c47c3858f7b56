import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatLua, list, literal, longLiteral } from "./lua-text.ts";

const stringsOf = (content: string): readonly string[] => Array.from(content.matchAll(/"([^"]*)"/g), ([, string]) => string!);

function sums(lengths: readonly number[]): readonly number[] {
  let sum = 0;
  return lengths.map((length) => {
    sum += length;
    return sum;
  });
}

describe("a script as a record's content", () => {
  test("is cut between tokens alone, into strings of 255 bytes at most", () => {
    const token = fc.string({ unit: fc.constantFrom("a", "b", "1"), minLength: 1, maxLength: 254 });
    fc.assert(
      fc.property(fc.array(token, { maxLength: 40 }), (tokens) => {
        const content = formatLua("A", tokens);
        const strings = stringsOf(content);
        expect(strings.join("")).toBe(`;${tokens.join("")}`);
        expect(Math.max(...strings.map(({ length }) => length))).toBeLessThanOrEqual(255);
        const ends = sums(strings.slice(0, -1).map(({ length }) => length)).map((end) => end - 1); // less the first semicolon
        const seams = [0, ...sums(tokens.map(({ length }) => length))];
        expect(seams).toEqual(expect.arrayContaining(ends));
        expect(content).toMatch(/^A ";/);
      }),
    );
  });
  test("a token that fits no string is a fault", () => expect(() => formatLua("AAAA", ["x".repeat(255)])).toThrow(RangeError));
});

describe("a text in it", () => {
  test.each(["192.0.2.1", "2001:db8::1", ",de,us-ca,+eu,:12;", "198.51.100.0/24"])("%s is written as it is", (text) =>
    expect(literal(text)).toBe(`'${text}'`),
  );
  test.each(["a'b", 'a"b', "a\\b", "a\nb", "DE", "ü"])("%j is refused: nothing is ever escaped", (text) =>
    expect(() => literal(text)).toThrow(RangeError),
  );
  test("that is long is put together from pieces", () => {
    const text = "de,".repeat(200);
    const tokens = longLiteral(text);
    expect(tokens.length).toBe(3);
    expect(tokens.join("")).toBe(`'${text.slice(0, 200)}'..'${text.slice(200, 400)}'..'${text.slice(400)}'`);
    expect(longLiteral("").join("")).toBe("''");
  });
  test("a list", () => expect(list(["192.0.2.1", "192.0.2.2"]).join("")).toBe("{'192.0.2.1','192.0.2.2',}"));
});
