import { expect, test } from "vitest";
import { newRetryBudget, takeRetry } from "./retry-budget.ts";

test.each([
  [0, 100],
  [499, 100],
  [500, 100],
  [505, 101],
  [5000, 1000],
])("of %i requests under way %i may be repeated", (requests, most) => {
  const budget = { ...newRetryBudget(), requests };
  while (takeRetry(budget));
  expect(budget.retries).toBe(most);
  budget.retries--;
  expect([takeRetry(budget), takeRetry(budget)]).toEqual([true, false]);
});
