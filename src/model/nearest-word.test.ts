import fc from "fast-check";
import { expect, test } from "vitest";
import { didYouMean, nearestWord } from "./nearest-word.ts";

test.each([
  ["wieght", ["weight", "height"], "weight"],
  ["nearest", ["Nearest", "Latency"], "Nearest"],
  ["us-esat", ["eu-west", "us-east", "us-west"], "us-east"],
  ["hosts", ["routing", "backends"], undefined],
  ["databse-replcia", ["database-replica"], "database-replica"],
  ["residancey", ["residency", "weighted"], "residency"],
  ["x", ["y"], "y"],
  ["abc", [], undefined],
])("%s among %j is %s", (word, words, nearest) => expect(nearestWord(word, words)).toBe(nearest));

test("one slip in a word of four letters or more is always found", () => {
  const word = fc.string({ unit: fc.constantFrom(..."abcdef"), minLength: 4, maxLength: 12 });
  fc.assert(
    fc.property(word, fc.nat(), fc.constantFrom("drop", "double", "replace", "swap"), (right, at, slip) => {
      const i = at % (right.length - 1);
      const [head, one, two, tail] = [right.slice(0, i), right[i]!, right[i + 1]!, right.slice(i + 2)];
      const middle = { drop: two, double: one + one + two, replace: `#${two}`, swap: two + one }[slip];
      expect(nearestWord(head + middle + tail, ["----------------------", right])).toBe(right);
    }),
  );
});

test("a question, or nothing", () => {
  expect(didYouMean("kind", ["kinds"])).toBe("Did you mean kinds? ");
  expect(didYouMean("kind", [])).toBe("");
});
