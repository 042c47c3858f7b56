import { expect, test } from "vitest";
import { ms } from "../../../model/units.ts";
import { addRequest, newRetryBudget, takeRetry } from "./retry-budget.ts";

/** Retries that are allowed of many that are asked for at this time. */
function retries(budget: ReturnType<typeof newRetryBudget>, now: number): number {
  let taken = 0;
  while (taken < 1000 && takeRetry(budget, ms(now))) taken++;
  return taken;
}

test("a hundred at first, then ten a second and a fifth of all requests, never more than a hundred saved up", () => {
  const budget = newRetryBudget(ms(0));
  expect(retries(budget, 0)).toBe(100);
  expect(retries(budget, 500)).toBe(5);
  for (let i = 0; i < 50; i++) addRequest(budget);
  expect(retries(budget, 500)).toBe(10);
  for (let i = 0; i < 10_000; i++) addRequest(budget);
  expect(retries(budget, 3_600_000)).toBe(100);
});
