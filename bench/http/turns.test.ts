import { expect, test } from "vitest";
import { turnsOf } from "./turns.ts";

test.each([
  { round: 0, order: "abc" },
  { round: 1, order: "cba" },
  { round: 2, order: "bca" },
  { round: 3, order: "acb" },
  { round: 4, order: "cab" },
  { round: 5, order: "bac" },
  { round: 6, order: "abc" },
])("round $round: $order", ({ round, order }) => expect(turnsOf(["a", "b", "c"], round).join("")).toBe(order));

test("nobody is nobody's turn", () => expect(turnsOf([], 3)).toEqual([]));
