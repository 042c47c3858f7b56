import { expect, test } from "vitest";
import { cutText, textWidth, wrapText } from "./text-width.ts";

test.each([
  ["eu-west", 7],
  ["São Paulo", 9],
  ["東京", 4],
  ["서울", 4],
  ["ｆｕｌｌ", 8],
  ["🌍", 2],
  ["👩‍🚀", 2],
  ["🇮🇪", 2],
  ["e\u0301", 1],
  ["→ ✓ …", 5],
  ["", 0],
])("%s takes %d cells", (text, cells) => expect(textWidth(text)).toBe(cells));

test("what is cut never takes half of a wide letter", () => {
  expect(cutText("東京都", 5)).toBe("東京");
  expect(cutText("e\u0301e\u0301", 1)).toBe("e\u0301");
});

test.each([
  { name: "breaks at spaces", text: "one two three", width: 8, lines: ["one two", "three"] },
  { name: "breaks a word that is too long for a line", text: "a abcdefgh b", width: 4, lines: ["a", "abcd", "efgh", "b"] },
  { name: "keeps what it is indented by", text: "  one two", width: 5, lines: ["  one", "  two"] },
  { name: "counts wide letters twice", text: "東京 大阪", width: 4, lines: ["東京", "大阪"] },
  { name: "leaves alone what fits", text: "  a  b", width: 6, lines: ["  a  b"] },
])("$name", ({ text, width, lines }) => expect(wrapText(text, width)).toEqual(lines));
