import { expect, test } from "vitest";
import { createToldOnce } from "./told-once.ts";

test("the same failure of the same thing is told once in ten minutes, others at once", () => {
  let now = 0;
  const told = createToldOnce(() => now);
  expect([told.isNew("eu", "refused"), told.isNew("eu", "refused"), told.isNew("us", "refused"), told.isNew("eu", "timeout")]).toEqual([
    true,
    false,
    true,
    true,
  ]);
  now = 599_999;
  expect(told.isNew("eu", "refused")).toBe(false);
  now = 600_000;
  expect(told.isNew("eu", "refused")).toBe(true);
});

test("however many things fail, memory is bounded", () => {
  const told = createToldOnce(() => 0);
  for (let i = 0; i < 5000; i++) expect(told.isNew(`${i}`, "refused")).toBe(true);
});
