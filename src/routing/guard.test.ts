import { describe, expect, test } from "vitest";
import { type BackendClaim, guardWithdrawals, WITHDRAWAL_WINDOW, withdrawalBudget } from "./guard.ts";

describe("the budget: one, or the share rounded up", () => {
  test.each([
    { backends: 1, percent: 34, budget: 1 },
    { backends: 2, percent: 34, budget: 1 },
    { backends: 3, percent: 34, budget: 2 },
    { backends: 5, percent: 34, budget: 2 },
    { backends: 6, percent: 34, budget: 3 },
    { backends: 10, percent: 0, budget: 1 },
    { backends: 10, percent: 100, budget: 10 },
  ])("$percent % of $backends", ({ backends, percent, budget }) => expect(withdrawalBudget(backends, percent)).toBe(budget));
});

const fine = (backend: string): BackendClaim => ({ backend, published: true, wanted: true, cause: "inferred", votes: 0 });
const silent = (backend: string, more: Partial<BackendClaim> = {}): BackendClaim => ({
  ...fine(backend),
  wanted: false,
  votes: 1,
  ...more,
});
const NOW = 1_000_000;
/** Five backends, so that two may go. */
const guard = (claims: readonly BackendClaim[], history: readonly { backend: string; at: number }[] = [], now = NOW) =>
  guardWithdrawals(claims, history, 34, now);

describe("who is held", () => {
  const cases: readonly {
    name: string;
    claims: readonly BackendClaim[];
    history?: readonly { backend: string; at: number }[];
    held: readonly string[];
    spent: readonly string[];
  }[] = [
    { name: "nobody while all is well", claims: ["a", "b", "c", "d", "e"].map(fine), held: [], spent: [] },
    { name: "two of five go", claims: [silent("a"), silent("b"), ...["c", "d", "e"].map(fine)], held: [], spent: ["a", "b"] },
    { name: "the third is held", claims: [silent("a"), silent("b"), silent("c"), fine("d"), fine("e")], held: ["c"], spent: ["a", "b"] },
    {
      name: "what went a minute ago does not count any more",
      claims: [silent("a", { published: false }), silent("b"), silent("c"), fine("d"), fine("e")],
      history: [{ backend: "a", at: NOW - WITHDRAWAL_WINDOW }],
      held: [],
      spent: ["b", "c"],
    },
    {
      name: "what went just within it does",
      claims: [silent("a", { published: false }), silent("b"), silent("c"), fine("d"), fine("e")],
      history: [{ backend: "a", at: NOW - WITHDRAWAL_WINDOW + 1 }],
      held: ["c"],
      spent: ["a", "b"],
    },
    {
      name: "proof passes and costs nothing",
      claims: [silent("a", { cause: "proven" }), silent("b"), silent("c"), fine("d"), fine("e")],
      held: [],
      spent: ["b", "c"],
    },
    {
      name: "operators pass and cost nothing",
      claims: [silent("a", { cause: "operator" }), silent("b"), silent("c"), fine("d"), fine("e")],
      held: [],
      spent: ["b", "c"],
    },
    {
      name: "two vantages pass and cost nothing",
      claims: [silent("a", { votes: 2 }), silent("b", { votes: 3 }), silent("c", { votes: 2 }), fine("d"), fine("e")],
      held: [],
      spent: [],
    },
    {
      name: "requests that fail take out what the budget allows",
      claims: [silent("a", { cause: "requests" }), silent("b", { cause: "requests" }), ...["c", "d", "e"].map(fine)],
      held: [],
      spent: ["a", "b"],
    },
    {
      name: "and no more for as long as those are out, whoever agrees and however long ago it was",
      claims: [
        ...["a", "b"].map((name) => silent(name, { cause: "requests", published: false })),
        silent("c", { cause: "requests", votes: 3 }),
        ...["d", "e"].map(fine),
      ],
      held: ["c"],
      spent: [],
    },
    {
      name: "one that is out for another reason counts as well, one that an operator took out does not",
      claims: [
        silent("a", { cause: "proven", published: false }),
        silent("b", { cause: "operator", published: false }),
        ...["c", "d"].map((name) => silent(name, { cause: "requests" })),
        fine("e"),
      ],
      held: ["d"],
      spent: ["c"],
    },
    {
      name: "silence is not held because requests fail elsewhere",
      claims: [...["a", "b"].map((name) => silent(name, { cause: "requests", published: false })), silent("c"), ...["d", "e"].map(fine)],
      held: [],
      spent: ["c"],
    },
    {
      name: "nothing is held when nothing is wanted: fail-open names the same ones",
      claims: ["a", "b", "c", "d", "e"].map((name) => silent(name)),
      held: [],
      spent: [],
    },
    {
      name: "who is not in answers has nothing to be kept in",
      claims: ["a", "b", "c", "d"].map((name) => silent(name, { published: false })).concat(fine("e")),
      held: [],
      spent: [],
    },
  ];
  test.each(cases)("$name", ({ claims, history, held, spent }) => {
    const verdict = guard(claims, history);
    expect(verdict.held).toEqual(held);
    expect(verdict.history.map(({ backend }) => backend)).toEqual(spent);
  });
});
