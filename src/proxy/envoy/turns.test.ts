import { expect, test } from "vitest";
import { createTurns } from "./turns.ts";

test("so many at one time, the others in the order in which they came", () => {
  const turns = createTurns<string>(2, 1000);
  expect(["a", "b", "c", "d", "a"].map((one) => turns.ask(one, 0))).toEqual([true, true, false, false, true]);
  expect(turns.end("a", 1)).toBe("c");
  expect(turns.ask("c", 1)).toBe(true);
  expect(turns.end("d", 1)).toBeUndefined(); // it waited, and went
  expect(turns.end("b", 1)).toBeUndefined();
  expect(turns.ask("a", 1)).toBe(true);
});

test("turns that last too long are taken for those who wait, in the order in which they came, and who comes later does not pass them", () => {
  const turns = createTurns<string>(2, 1000);
  for (const [one, at] of [
    ["hung", 0],
    ["hung too", 500],
    ["a", 600],
    ["b", 700],
    ["c", 800],
  ] as const)
    turns.ask(one, at);
  expect(turns.expire(1000)).toEqual([]);
  expect(turns.ask("late", 1001)).toBe(false);
  expect(turns.expire(1001)).toEqual(["a"]);
  expect(turns.expire(1501)).toEqual(["b"]);
  expect(turns.expire(9000)).toEqual(["c", "late"]);
  expect(turns.expire(99_000)).toEqual([]); // nobody waits
  expect(["c", "late", "hung"].map((one) => turns.ask(one, 9001))).toEqual([true, true, false]);
});

test("who does not end its turn gives way when somebody else asks", () => {
  const turns = createTurns<string>(1, 1000);
  expect([turns.ask("hung", 0), turns.ask("b", 1000), turns.ask("b", 1001)]).toEqual([true, false, true]);
  expect(turns.end("hung", 1002)).toBeUndefined();
  expect(turns.ask("hung", 1003)).toBe(false);
});
